"""``storm_platform``: run the reference platform under faults that are timed to its commits, and check every result."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from onceproof.api.sources import installed_first
from onceproof.api.storm import StormFailed, new_folder
from onceproof.conformance.storms.errors import StormError
from onceproof.errors import InputError
from onceproof.model.language.errors import nearest

if TYPE_CHECKING:
    from onceproof.conformance.reference.storm.run import PlatformStorm


@installed_first
def storm_platform(
    seconds: float = 30.0,
    *,
    seed: int = 1,
    on: str = "sqlite",
    only: Collection[str] = (),
    folder: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> PlatformStorm:
    """Run the reference platform for so many seconds under faults. Ctrl-C ends it early; what was seen is judged.

    on: ``sqlite``, ``postgresql`` or ``postgresql+nats``. only: strike only these processes and servers. folder: where
    data and logs go; None for a new one in the folder for temporary files.

    InputError where a name is wrong, the folder has another storm's data, or the platform does not come up.
    """
    from onceproof.conformance.reference.storm.run import storm
    from onceproof.conformance.reference.storm.served import targets

    known = targets(on)
    for name in only:
        if name not in known:
            raise InputError(
                f"--only: nothing is called `{name}`{nearest(name, known)} (there are: {', '.join(known)})"
            )
    where = Path(folder) if folder is not None else new_folder(Path("platform"))
    if (where / "data").exists():
        raise InputError(f"{where}: has the data of another storm; name a new folder")
    try:
        return storm(where, seconds, seed=seed, on=on, only=only, say=progress or (lambda text: None))
    except StormError as error:
        raise StormFailed(where, error) from None
