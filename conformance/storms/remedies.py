"""Remedies: settings that the model says would hold a claim that broke, and the storm run again with each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from onceproof.conformance.storms.outcomes import Shown
from onceproof.conformance.storms.prediction import predict
from onceproof.conformance.storms.profile import Change, Mechanism, Profile
from onceproof.conformance.storms.storm import Row, Storm, StormOptions, rows
from onceproof.model.checker.results import Verdict


@dataclass(frozen=True)
class Remedy:
    """A setting that was tried against a broken row. broken: in how many of the tries with it the claim broke again."""

    row: Row
    change: Change
    tries: int
    broken: int

    @property
    def confirmed(self) -> bool:
        """Whether what the model says came true: the claim was not broken again."""
        return self.tries > 0 and not self.broken

    def __str__(self) -> str:
        seen = f"broken {self.broken} of {self.tries}" if self.broken else f"not broken in {self.tries}"
        return f"{self.change.setting}: predicted to hold then; tried: {seen}"


def remedies(
    profile: Profile, broken: Iterable[Row], options: StormOptions, file: Path, folder: Path, say: Callable[[str], None]
) -> list[Remedy]:
    """Each change of the profile that, as the model says, holds a claim that broke; and the storm with it."""
    found: list[Remedy] = []
    for row in broken:
        for change in profile.changes:
            mechanism = Mechanism(change.on, change.setting)
            changed = replace(profile, mechanisms={**profile.mechanisms, change.mechanism: mechanism})
            if predict(changed, row.schedule)[row.claim].verdict is not Verdict.HOLDS:
                continue
            say(f"again with {change.setting}")
            variables = {**options.variables, **change.variables}
            only = replace(options, schedules=(row.schedule,), variables=variables, gust_seconds=0.0)
            again = Storm(file, folder / f"remedy{len(found) + 1}", only, say).run()
            seen = next((each for each in rows(again) if each.claim is row.claim), None)
            if seen is not None:
                found.append(Remedy(row, change, len(seen.tried), seen.count(Shown.BROKEN)))
    return found
