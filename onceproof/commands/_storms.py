"""Storms of several targets, some of them at the same time: a storm mostly waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onceproof.api.storm import StormReport


def storms_of(
    subjects: Sequence[Path], jobs: int, say: Callable[[str], None], folder: Path | None = None, **options: Any
) -> Iterator[StormReport]:
    """The report of each storm, as they come; with one at a time in the order of the subjects.

    folder: where ledgers and logs go; of several storms each has a folder of its own in it.

    Ctrl-C ends those that run, whose reports come all the same; no other is begun. InputError as ``storm`` raises it.
    """
    from onceproof.api.storm import storm

    def one(subject: Path, **more: Any) -> StormReport:
        home = folder / subject.stem if folder is not None and len(subjects) > 1 else folder
        return storm(subject, folder=home, progress=_naming(subject, say), **options, **more)

    if jobs == 1 or len(subjects) == 1:
        for each in subjects:
            report = one(each)
            yield report
            if report.result.stopped == "interrupted":
                return
        return
    ending = threading.Event()
    with ThreadPoolExecutor(jobs) as pool:
        left = {pool.submit(one, each, ending=ending) for each in subjects}
        try:
            while left:
                done, left = _next(left, ending)
                for future in done:
                    if not future.cancelled():
                        yield future.result()
        finally:  # one has failed, or the reader wants no more
            ending.set()
            for future in left:
                future.cancel()


def _next(
    left: set[Future[StormReport]], ending: threading.Event
) -> tuple[set[Future[StormReport]], set[Future[StormReport]]]:
    """Those that are done, at least one, and those that are not; at Ctrl-C all are ended and none is begun."""
    try:
        found = wait(left, return_when=FIRST_COMPLETED)
    except KeyboardInterrupt:
        ending.set()
        for future in left:
            future.cancel()
        found = wait(left)
    return found.done, found.not_done


def _naming(subject: Path, say: Callable[[str], None]) -> Callable[[str], None]:
    return lambda text: say(f"{subject.stem}: {text}")
