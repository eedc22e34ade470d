"""What would have prevented a counterexample: each mechanism that is off is switched on, and the run tried again.

A mechanism is named only if its claim was checked: with it on, the same steps do not violate the property, and neither
does any other run of the same length, as far as a short search can tell. The text says how much was checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from onceproof.explain.rerun import rerun
from onceproof.explain.steps import ExplainedStep
from onceproof.model.checker import engines
from onceproof.model.checker.results import CheckResult, Counterexample, Limits, StopReason, Trace, Verdict
from onceproof.model.language import Config, Model, ModelError, System, build
from onceproof.model.language.declare import DEADLOCK, LIVENESS

SEARCHED_STATES = 10_000
SEARCHED_SECONDS = 2.0
MOST_ACTIONS = 12  # of another run that are named
KEPT = 256  # results of searches: a matrix asks for the same ones again and again


class Checked(Enum):
    """What a claim was checked for, from weak to strong."""

    STEPS = "these steps"
    LENGTH = "runs of the same length"
    ALL = "all runs"


@dataclass(frozen=True)
class Prevention:
    """What a mechanism that is off would have done, were it on.

    prevents: whether the property is not violated then, as far as ``checked`` says; step: the one of the run that it
    disables, if that is how.
    """

    mechanism: str
    step: ExplainedStep | None
    prevents: bool
    checked: Checked
    text: str

    def as_json(self) -> dict[str, Any]:
        """The mechanism, the number and action of the step that it disables (or null), the sentence, what is sure."""
        return {
            "mechanism": self.mechanism,
            "step": self.step.index if self.step else None,
            "action": self.step.action if self.step else None,
            "text": self.text,
            "checked": self.checked.value,
        }


def preventions(trace: Trace, name: str) -> list[Prevention]:
    """One for each mechanism that is off, those that prevent it first. name: of the property that is violated."""
    off = [mechanism for mechanism, on in trace.system.config.switches.items() if not on]
    found = [_prevention(trace, name, mechanism) for mechanism in off]
    return sorted(found, key=lambda one: not one.prevents)


def _prevention(trace: Trace, name: str, mechanism: str) -> Prevention:
    config = trace.system.config.with_switches(**{mechanism: True})
    try:
        system = build(trace.system.model, config)
        again = rerun(trace, name, system)
    except ModelError as error:
        return Prevention(mechanism, None, False, Checked.STEPS, f"{mechanism}: with it on the model fails: {error}")
    if again.violates:
        return Prevention(mechanism, None, False, Checked.STEPS, f"{mechanism}: with it on, {again.text}")
    start = f"{mechanism}: with it on, {again.text}"
    length = len(trace) + len(again.inserted)
    result = _search(system, name, length)
    other = _counterexample(result, name)
    if other is not None:
        return Prevention(mechanism, again.step, False, Checked.LENGTH, f"{start}; but {_described(other, name)}")
    checked = _checked(result, name, length)
    return Prevention(mechanism, again.step, True, checked, f"{start}; {_claim(checked, name, length, result)}")


def _claim(checked: Checked, name: str, length: int, result: CheckResult | None) -> str:
    if checked is Checked.ALL and result is not None:
        return f"no run violates {name} (all {result.states:,} states were checked)"
    if checked is Checked.LENGTH:
        return f"no run of at most {_steps(length)} violates {name}"
    return "only these steps were checked"


def _steps(number: int) -> str:
    return "1 step" if number == 1 else f"{number} steps"


def _described(found: Counterexample, name: str) -> str:
    trace = found.trace
    actions = [step.action for step in trace.taken]
    if not actions:
        chosen = ", ".join(f"{one}={value}" for one, value in trace.system.named_arguments(trace.start).items())
        return f"an initial state violates {name}{f': {chosen}' if chosen else ''}"
    more = ", ..." if len(actions) > MOST_ACTIONS else ""
    return f"another run of {_steps(len(actions))} violates {name}: {', '.join(actions[:MOST_ACTIONS])}{more}"


def _checked(result: CheckResult | None, name: str, length: int) -> Checked:
    """How far the search that found no violation went."""
    if result is None:
        return Checked.STEPS
    judged = result.property(name)  # None for the range of a field, which is not left then
    if result.exhaustive and (judged is None or judged.verdict is Verdict.HOLDS):
        return Checked.ALL
    by_depth = result.stopped is not None and result.stopped.reason is StopReason.DEPTH
    endless = judged is not None and judged.kind in LIVENESS
    return Checked.LENGTH if by_depth and not endless else Checked.STEPS


def _counterexample(result: CheckResult | None, name: str) -> Counterexample | None:
    judged = result.property(name) if result is not None else None
    return judged.counterexample if judged is not None else None


_results: dict[tuple[Model, str, str, int], CheckResult | None] = {}


def _search(system: System, name: str, length: int) -> CheckResult | None:
    """A search for any violation of the property in a system, bounded in time; None where the model fails in it.

    Safety is judged on runs of at most so many steps; an ``eventually`` needs all states.
    """
    key = (system.model, _settings(system.config), name, length)
    if key not in _results:
        if len(_results) >= KEPT:
            _results.clear()
        claims = [] if name in system.model.ranges else system.properties([name])  # a range is always looked at
        # Whether a state is a deadlock shows only when it is explored.
        endless = any(claim.is_liveness for claim in claims)
        depth = None if endless else length + (name == DEADLOCK)
        limits = Limits(SEARCHED_STATES, depth, SEARCHED_SECONDS)
        try:
            result = engines.check(system, claims, engines.Options("plain", limits))
        except (ModelError, engines.EngineError):
            result = None
        _results[key] = result
    return _results[key]


def _settings(config: Config) -> str:
    named = (config.sizes, config.switches, config.parameters)
    return repr(([sorted(one.items()) for one in named], sorted(map(repr, config.budgets.items()))))
