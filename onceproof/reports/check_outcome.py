"""What a check found, compared with what its spec expects; and the same as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

from onceproof.explain.explanation import Explanation, explain
from onceproof.inputs.specs import Spec
from onceproof.model.checker.results import CheckResult, Counterexample, PropertyResult, Verdict
from onceproof.reports.stops import stop_text
from onceproof.reports.ways_on import ways_on


class Conclusion(Enum):
    """Whether a result is what its spec expects."""

    AS_EXPECTED = "as expected"
    NOT_AS_EXPECTED = "NOT AS EXPECTED"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Outcome:
    """The result of one spec."""

    spec: Spec
    result: CheckResult

    @cached_property
    def violated(self) -> list[PropertyResult]:
        """The properties that are violated, without the *sometimes* ones: not seen is vacuous, not broken."""
        return [p for p in self.result.properties if p.verdict is Verdict.VIOLATED and p.kind != "sometimes"]

    @cached_property
    def vacuous(self) -> list[str]:
        """Why a "holds" would say less than it seems: each reason as a line."""
        reasons = list(self.result.vacuous)
        # A fault that the configuration rules out altogether is not even among the actions that could have fired.
        for action in self.spec.model.actions.values():
            if (
                action.fault
                and action.name not in self.result.fired
                and self.spec.config.budgets[action.budget or ""] != 0
            ):
                reasons.append(
                    f"{action.name}: this fault has a budget but cannot happen here: what it needs is switched off, "
                    "or a size is too small"
                )
        return reasons

    @cached_property
    def counterexample(self) -> Counterexample | None:
        """The one to show: of the property that is expected to break, or else the one with the fewest faults."""
        found = [p.counterexample for p in self.violated if p.counterexample is not None]
        expected = self.spec.expect.violated[:1]
        found.sort(key=lambda c: ((c.property,) != expected, c.trace.faults, len(c.trace)))
        return found[0] if found else None

    @property
    def counterexamples(self) -> list[Counterexample]:
        """One for each property that is violated: ``counterexample`` first, then the others as they are listed."""
        others = [p.counterexample for p in self.violated if p.counterexample not in (None, self.counterexample)]
        return [found for found in (self.counterexample, *others) if found is not None]

    @property
    def verdict(self) -> Verdict:
        """holds, violated or unknown."""
        return self.result.verdict

    @property
    def decided(self) -> bool:
        """Whether what the spec expects can be judged: a violation can, however the exploration ended."""
        return self.result.verdict is not Verdict.UNKNOWN

    @cached_property
    def disagreement(self) -> str:
        """How the result differs from what is expected; "" if it does not, or if that is undecided."""
        names = [p.name for p in self.violated]
        expect = self.spec.expect
        surprises = [] if expect.violated else names  # a broken mechanism may break more than the one named
        if surprises:
            return f"violated unexpectedly: {', '.join(surprises)}"
        if not self.decided:
            return ""
        missing = [name for name in expect.violated if name not in names]
        if missing:
            unknown = [p.name for p in self.result.properties if p.verdict is Verdict.UNKNOWN and p.name in missing]
            return "" if unknown else f"expected to be violated, but holds: {', '.join(missing)}"
        if not expect.violated:
            return f"holds vacuously: {'; '.join(self.vacuous)}" if self.vacuous else ""
        return self._length_differs()

    def _length_differs(self) -> str:
        found = self.counterexample
        if self.spec.expect.length is None or found is None:
            return ""
        length = len(found.trace)
        wanted = self.spec.expect.length
        return "" if length == wanted else f"the counterexample has {length} steps, expected {wanted}"

    @property
    def conclusion(self) -> Conclusion:
        """Whether this is what the spec expects."""
        if self.disagreement:
            return Conclusion.NOT_AS_EXPECTED
        known = {p.name for p in self.violated}
        reached = bool(self.spec.expect.violated) and known.issuperset(self.spec.expect.violated)
        if self.result.verdict is Verdict.HOLDS or reached:
            return Conclusion.AS_EXPECTED
        return Conclusion.UNDECIDED

    @property
    def as_expected(self) -> bool:
        """Whether the result is what the spec expects; what is undecided is not."""
        return self.conclusion is Conclusion.AS_EXPECTED

    @property
    def limits(self) -> str:
        """The verdict with its limits: "holds, complete", "holds within few_terms", or "no violation up to depth 20".

        Where all states were found, but a liveness obligation was not judged, it is "no safety violation".
        """
        within = f" {self.result.extent}" if self.result.outside else ""
        if self.violated:
            return "violated"
        if self.result.complete and self.result.verdict is Verdict.UNKNOWN:
            return f"no safety violation{within}"
        if self.result.complete:
            return "vacuous" if self.vacuous else f"holds{within or ', complete'}"
        return self.result.bounded

    @property
    def explanation(self) -> Explanation | None:
        """The counterexample with its explanation; None without one."""
        return self.explanations.get(self.counterexample.property) if self.counterexample else None

    @cached_property
    def explanations(self) -> dict[str, Explanation]:
        """The counterexamples with their explanations, by property."""
        return {found.property: explain(found) for found in self.counterexamples}


def _property_json(outcome: Outcome, found: PropertyResult) -> dict[str, Any]:
    explanation = outcome.explanations.get(found.name)
    return {
        "name": found.name,
        "kind": found.kind,
        "verdict": found.verdict.value,
        "counterexample": explanation.as_json() if explanation else None,
    }


def as_json(outcome: Outcome) -> dict[str, Any]:
    """One spec's result as JSON, with the keys that docs/formats.md lists."""
    result = outcome.result
    return {
        "spec": outcome.spec.name,
        "file": str(outcome.spec.path),
        "verdict": outcome.verdict,
        "expected": outcome.spec.expect.as_json(),
        "parameters": dict(outcome.spec.config.parameters),
        "as_expected": outcome.as_expected,
        "complete": result.exhaustive,
        "within": result.within or None,
        "engine": result.engine,
        "states": result.states,
        "initial_states": len(outcome.spec.system.initials),
        "outside": result.outside,
        "transitions": result.transitions,
        "depth": result.depth,
        "finished_depth": result.bound,
        "seconds": round(result.seconds, 3),
        "symmetry": result.symmetry,
        "properties": [_property_json(outcome, found) for found in result.properties],
        "actions": [{"name": name, "fired": count} for name, count in result.fired.items()],
        "never_fired": result.never_fired,
        "without_effect": result.without_effect,
        "counterexample": outcome.explanation.as_json() if outcome.explanation else None,
        "vacuous": outcome.vacuous,
        "stopped": stop_text(result.stopped),
        "ways_on": ways_on(outcome.spec, result),
        "notes": [*([outcome.disagreement] if outcome.disagreement else []), *result.notes],
    }


def document(outcomes: Sequence[Outcome], asked: int) -> dict[str, Any]:
    """The one JSON document of a check, however many specs there are. asked: how many were to be checked."""
    return {
        "specs": [as_json(outcome) for outcome in outcomes],
        "as_expected": conclusion(outcomes, asked) is Conclusion.AS_EXPECTED,
    }


def conclusion(outcomes: Sequence[Outcome], asked: int) -> Conclusion:
    """The conclusion of all specs together: a wrong result outweighs one that is undecided or was not checked."""
    found = {outcome.conclusion for outcome in outcomes}
    if len(outcomes) < asked:
        found.add(Conclusion.UNDECIDED)
    worst = (Conclusion.NOT_AS_EXPECTED, Conclusion.UNDECIDED)
    return next((one for one in worst if one in found), Conclusion.AS_EXPECTED)
