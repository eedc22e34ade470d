"""What a storm showed, held against what its system claims and what was expected: rows, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from onceproof.conformance.judging.anomalies import Guarantee
from onceproof.conformance.storms.outcomes import Claim, Shown
from onceproof.conformance.storms.profile import Profile
from onceproof.conformance.storms.remedies import Remedy
from onceproof.conformance.storms.storm import Row, Standing, StormResult, rows
from onceproof.model.checker.results import Verdict

CLAIMS: dict[Guarantee | None, tuple[Claim, ...]] = {
    Guarantee.AT_MOST_ONCE: (Claim.AT_MOST_ONCE,),
    Guarantee.AT_LEAST_ONCE: (Claim.AT_LEAST_ONCE,),
    Guarantee.EXACTLY_ONCE: (Claim.AT_MOST_ONCE, Claim.AT_LEAST_ONCE),
    None: tuple(Claim),
}
_BROKEN = (Standing.CONTRADICTED, Standing.BROKEN, Standing.CONFIRMED)


@dataclass
class Stormed:
    """A storm with what its system claims, and what was expected of it.

    profile: what the system claims, None where nothing is known; expect: the guarantee that was asked for.
    """

    result: StormResult
    profile: Profile | None = None
    expect: Guarantee | None = None
    remedies: list[Remedy] = field(default_factory=list)

    def remedies_of(self, row: Row) -> list[Remedy]:
        """The settings that were tried against a row."""
        return [each for each in self.remedies if (each.row.schedule, each.row.claim) == (row.schedule, row.claim)]

    @cached_property
    def rows(self) -> list[Row]:
        """A row for each schedule and claim, the most valuable first."""
        order = list(Standing)
        return sorted(rows(self.result), key=lambda row: order.index(row.standing))

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The claims that the verdict is about."""
        return CLAIMS[self.expect]

    @property
    def title(self) -> str:
        """What the queue is called."""
        return self.profile.system if self.profile is not None else self.result.file.stem

    @property
    def predicted(self) -> bool:
        """Whether the verdict is about the model's predictions, rather than about a guarantee."""
        return self.expect is None and self.profile is not None

    def _blown(self, claim: Claim) -> bool:
        """Whether random faults broke a claim that nothing predicts to break."""
        gusts, known = self.result.gusts, self.result.options.predictions
        if gusts is None or gusts.shown(claim)[0] is not Shown.BROKEN:
            return False
        return not self.predicted or not any(each.breaks for (_, of), each in known.items() if of is claim)

    def fails(self, row: Row) -> bool:
        """Whether a row by itself makes the verdict that something is violated."""
        standings = _BROKEN[:2] if self.predicted else _BROKEN
        return row.claim in self.claims and row.applies and row.standing in standings

    @property
    def verdict(self) -> Verdict:
        """With a profile, and nothing expected: whether all is as the model predicts. Else: whether all claims held."""
        judged = [row for row in self.rows if row.claim in self.claims and row.applies]
        broken = any(map(self.fails, judged))
        if any(map(self._blown, self.claims)):
            broken = True
        if broken:
            return Verdict.VIOLATED
        unsure = (Standing.UNKNOWN, Standing.UNOBSERVED) if self.predicted else (Standing.UNKNOWN,)
        if not self.result.complete or not judged or any(row.standing in unsure for row in judged):
            return Verdict.UNKNOWN
        return Verdict.HOLDS
