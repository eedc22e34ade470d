"""The explanation of a counterexample: what each step changed, why the property is false, and what prevents it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from onceproof.explain.prevention import Prevention, preventions
from onceproof.explain.reasons import StateView
from onceproof.explain.refinement import WrongStep, wrong_step
from onceproof.explain.steps import ExplainedStep, explained_steps
from onceproof.model.checker.obligations import Demand, demand_of
from onceproof.model.checker.results import Counterexample, Departure, Trace
from onceproof.model.language.declare import Property
from onceproof.model.language.terms import Term, Var


@dataclass(frozen=True)
class Explanation:
    """A counterexample with its explanation, or a trace that violates nothing (``property`` is "").

    given: why the property applies to the trace; because: why it is false. at: the number of the state that this is
    about, None for the last one. wrong_step: of a refinement, what the last step is in the abstract model.
    """

    trace: Trace
    property: str
    arguments: tuple[int, ...]
    elements: tuple[str, ...]
    about: str
    minimal: str
    given: list[str]
    because: list[str]
    at: int | None = None
    wrong_step: WrongStep | None = None

    @cached_property
    def initially(self) -> dict[str, str]:
        """What was chosen at the start, by name; nothing where the model has one initial state."""
        return self.trace.system.named_arguments(self.trace.start)

    @cached_property
    def initial_cells(self) -> dict[str, Any]:
        """What cells hold initially that do not hold what they are declared to start with, but for what says the same
        as a choice."""
        layout = self.trace.system.layout
        changes = layout.changes(layout.initial, self.trace.states[0]) if self.initially else {}
        return {label: new for label, (_, new) in changes.items() if self.initially.get(label) != str(new)}

    @cached_property
    def steps(self) -> list[ExplainedStep]:
        """The steps in order."""
        return explained_steps(self.trace)

    @cached_property
    def preventions(self) -> list[Prevention]:
        """What each mechanism that is off would have done, those that prevent the violation first."""
        return preventions(self.trace, self.property) if self.property else []

    @cached_property
    def prevented_by(self) -> list[Prevention]:
        """The mechanisms that are off and would have prevented the violation; see ``Prevention.checked``."""
        return [one for one in self.preventions if one.prevents]

    @cached_property
    def not_prevented_by(self) -> list[Prevention]:
        """The mechanisms that are off and would not have prevented the violation."""
        return [one for one in self.preventions if not one.prevents]

    def as_json(self) -> dict[str, Any]:
        """A counterexample as JSON."""
        return {
            "property": self.property,
            "elements": list(self.elements),
            "length": len(self.trace),
            "faults": self.trace.faults,
            "minimal_in": self.minimal,
            "initially": self.initially,
            "steps": [
                {
                    "index": step.index,
                    "actor": step.actor,
                    "action": step.action,
                    "arguments": step.arguments,
                    "chosen": list(step.chosen),
                    "fault": step.fault,
                    "changed": {label: list(pair) for label, pair in step.changed.items()},
                }
                for step in self.steps
            ],
            "false_because": self.because,
            "prevented_by": [prevention.as_json() for prevention in self.prevented_by],
            "not_prevented_by": [prevention.as_json() for prevention in self.not_prevented_by],
            "loop": self.trace.loop,
            **({"refinement": self.wrong_step.as_json()} if self.wrong_step is not None else {}),
        }


def explain(found: Counterexample) -> Explanation:
    """The explanation of a counterexample."""
    system = found.trace.system
    if found.trace.departure is not None:
        return _explain_departure(found, found.trace.departure)
    claim = system.model.properties.get(found.property)
    if claim is None:
        return _explain_deadlock(found)
    if claim.kind == "refines":
        wrong = wrong_step(found.trace, claim)
        return Explanation(
            found.trace, claim.name, (), (), claim.doc, found.minimal, [], wrong.reasons, wrong_step=wrong
        )
    elements = tuple(p.element(a) for p, a in zip(claim.parameters, found.arguments, strict=True))
    reading = system.property_reading(claim)
    names = dict(zip(reading.variables, found.arguments, strict=True))
    at = len(found.trace.states) - 1
    if claim.kind == "step":
        return _explain_step(found, claim, elements, names)
    if claim.is_liveness and demand_of(system, claim) is Demand.LASTING:
        loop = found.trace.loop or 0
        at = next(n for n in range(loop, at + 1) if not system.keeps(claim, found.trace.states[n], found.arguments))
    view = StateView(system.layout, found.trace.states[at], names)
    because = view.why(reading.body, False, known=reading.antecedent)
    if claim.kind == "until" and found.trace.loop is None:
        because = view.why(reading.meanwhile, False) + because
    given = _given(found.trace, reading.antecedent, names)
    return Explanation(
        found.trace, found.property, found.arguments, elements, claim.doc, found.minimal, given, because, at
    )


def _explain_step(
    found: Counterexample, claim: Property, elements: tuple[str, ...], names: dict[Var, int]
) -> Explanation:
    """The explanation of a run whose last step violates a property of steps."""
    system = found.trace.system
    reading = system.property_reading(claim)
    before, after = (found.trace.states[-2:] * 2)[:2]
    view = StateView(system.pairs, before + after, names)
    because = view.why(reading.body, False, known=reading.antecedent)
    given = view.why(reading.antecedent, True)
    return Explanation(found.trace, found.property, found.arguments, elements, claim.doc, found.minimal, given, because)


def _given(trace: Trace, antecedent: Term, names: dict[Var, int]) -> list[str]:
    """Why the property applies: in the last state, or in the last one in which a liveness obligation arose."""
    for number in range(len(trace.states) - 1, -1, -1):
        view = StateView(trace.system.layout, trace.states[number], names)
        if view.holds(antecedent):
            after = "" if number == len(trace) else f" after step {number}" if number else " in the initial state"
            return [f"{reason}{after}" for reason in view.why(antecedent, True)]
    return []


def explain_trace(trace: Trace) -> Explanation:
    """A trace that violates nothing, for the same reports."""
    return Explanation(trace, "", (), (), "", "", [], [])


def _explain_departure(found: Counterexample, departure: Departure) -> Explanation:
    model = found.trace.system.model
    declared = model.fields.get(departure.field) or model.composites[departure.field]
    about = f"No step writes what `{departure.field}` cannot hold ({Path(declared.line[0]).name}:{declared.line[1]})."
    because = [f"step {len(found.trace)} would write {departure.value}", departure.why]
    return Explanation(found.trace, found.property, (), (), about, found.minimal, [], because)


def _explain_deadlock(found: Counterexample) -> Explanation:
    system = found.trace.system
    because = ["no action is enabled, except perhaps faults"]
    about = "Every state in which no action is enabled is a proper ending."
    if system.ending is None:
        because.append("and the model declares no proper ending (`@ending`)")
        about = "In every reachable state some action is enabled."
    else:
        because.append(f"and {system.ending.name}, the condition of a proper ending, is false:")
        reading = system.property_reading(system.ending)
        because += StateView(system.layout, found.trace.states[-1]).why(reading.body, False)
    return Explanation(found.trace, found.property, (), (), about, found.minimal, [], because)
