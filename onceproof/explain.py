"""A counterexample taken apart: what each step changed, what is false at its end, and what would have prevented it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from model.checker.results import Counterexample, Trace
from model.language import ModelError, Step, System, build
from model.language.layout import LEFT, State
from onceproof.words import Words


@dataclass(frozen=True)
class ToldStep:
    """One step. index: from 1; changed: cell to (before, after); spent: the same of the budgets, which are no state."""

    index: int
    actor: str
    action: str
    arguments: dict[str, str]
    fault: bool
    changed: dict[str, tuple[Any, Any]]

    @property
    def call(self) -> str:
        """``receive(scheduler1, message1)``."""
        return f"{self.action}({', '.join(self.arguments.values())})"


@dataclass(frozen=True)
class Prevention:
    """What a mechanism that is off would have done, were it on. step: which one it disables; None: none of them."""

    mechanism: str
    step: ToldStep | None
    text: str

    def as_json(self) -> dict[str, Any]:
        """The mechanism, the number and action of the step that it disables (or null), and the sentence."""
        return {
            "mechanism": self.mechanism,
            "step": self.step.index if self.step else None,
            "action": self.step.action if self.step else None,
            "text": self.text,
        }


@dataclass(frozen=True)
class Explanation:
    """A counterexample (or a trace that violates nothing: ``property`` is ""), ready to be told."""

    trace: Trace
    property: str
    elements: tuple[str, ...]
    about: str
    minimal: str
    given: list[str]
    because: list[str]

    @cached_property
    def steps(self) -> list[ToldStep]:
        """The steps in order."""
        return told_steps(self.trace)

    @cached_property
    def prevented_by(self) -> list[Prevention]:
        """What each mechanism that is off would have done."""
        if not self.property:
            return []
        off = [name for name, on in self.trace.system.config.switches.items() if not on]
        found = [_prevention(self, name) for name in off]
        return sorted(found, key=lambda prevention: prevention.step is None)  # what helps comes first

    def as_json(self) -> dict[str, Any]:
        """The keys of the contract."""
        return {
            "property": self.property,
            "elements": list(self.elements),
            "length": len(self.trace),
            "faults": self.trace.faults,
            "minimal_in": self.minimal,
            "steps": [
                {
                    "index": step.index,
                    "actor": step.actor,
                    "action": step.action,
                    "arguments": step.arguments,
                    "fault": step.fault,
                    "changed": {label: list(pair) for label, pair in step.changed.items()},
                }
                for step in self.steps
            ],
            "false_because": self.because,
            "prevented_by": [prevention.as_json() for prevention in self.prevented_by],
            "loop": self.trace.loop,
        }


def told_steps(trace: Trace) -> list[ToldStep]:
    """The steps of a trace with what each changed; what is left of a fault's budget is no part of the system."""
    system = trace.system
    told = []
    for number, step in enumerate(trace.steps):
        changes = system.layout.changes(trace.states[number], trace.states[number + 1])
        told.append(
            ToldStep(
                index=number + 1,
                actor=system.actor(step),
                action=step.action,
                arguments=system.named_arguments(step),
                fault=system.model.actions[step.action].fault,
                changed={label: pair for label, pair in changes.items() if not label.startswith(LEFT)},
            )
        )
    return told


def explain(found: Counterexample) -> Explanation:
    """A counterexample taken apart."""
    system = found.trace.system
    claim = system.model.properties.get(found.property)
    if claim is None:
        return _explain_deadlock(found)
    elements = tuple(p.sort.element(a) for p, a in zip(claim.parameters, found.arguments, strict=True))
    traced = system.traced_property(claim)
    names = dict(zip(traced.variables, found.arguments, strict=True))
    words = Words(system.layout, found.trace.states[-1], names)
    speaks = words.holds(traced.antecedent)
    given = words.why(traced.antecedent, True) if speaks else []
    because = words.why(traced.body, False, known=traced.antecedent if speaks else None)
    return Explanation(found.trace, found.property, elements, claim.doc, found.minimal, given, because)


def untold(trace: Trace) -> Explanation:
    """A trace that violates nothing, ready to be told."""
    return Explanation(trace, "", (), "", "", [], [])


def _explain_deadlock(found: Counterexample) -> Explanation:
    system = found.trace.system
    because = ["nothing can happen any more but faults"]
    if system.ending is not None:
        traced = system.traced_property(system.ending)
        because += Words(system.layout, found.trace.states[-1]).why(traced.body, False)
    about = "A state in which nothing can happen is a wanted end."
    return Explanation(found.trace, found.property, (), about, found.minimal, [], because)


def _prevention(told: Explanation, mechanism: str) -> Prevention:
    """Take the same steps with the mechanism on, as far as they go."""
    trace = told.trace
    config = trace.system.config.with_switches(**{mechanism: True})
    system = build(trace.system.model, config)
    state = system.initial
    added: list[str] = []
    for step in told.steps:
        after = _taken(system, state, step)
        if after is None:
            more = _made_possible(told, system, state, step)
            if more is None:
                who = f"step {step.index}: {step.actor} {step.call}"
                first = f" (with it {' and '.join(added)})" if added else ""
                return Prevention(mechanism, step, f"{mechanism} on would have disabled {who}{first}")
            inserted, after = more
            added.append(f"{inserted} comes before step {step.index}")
        state = after
    return Prevention(mechanism, None, f"{mechanism} on {_at_the_end(told, system, state)}")


def _made_possible(told: Explanation, system: System, state: State, step: ToldStep) -> tuple[str, State] | None:
    """A step that only the mechanism brings along (a placement, say) and that lets ``step`` go on; None without one."""
    for name in system.actions:
        if name not in told.trace.system.actions:
            for arguments, between in system.steps_of(name, state):
                after = _taken(system, between, step)
                if after is not None:
                    return step_text(system, Step(name, arguments)), after
    return None


def _taken(system: System, state: State, step: ToldStep) -> State | None:
    try:
        return system.step(state, system.parse_step(step.action, step.arguments))
    except ModelError:
        return None


def _at_the_end(told: Explanation, system: System, state: State) -> str:
    """What is different after all the steps were taken with a mechanism on."""
    claim = system.model.properties.get(told.property)
    if claim is not None and claim.kind == "always":
        parameters = zip(claim.parameters, told.elements, strict=True)
        arguments = tuple(
            [p.sort.element(i) for i in range(system.sizes[p.sort.__name__])].index(e) for p, e in parameters
        )
        if system.holds(claim, state, arguments) is not False:
            return "allows the same steps, and the property is true after them"
    before = {step.action for step, _ in told.trace.system.successors(told.trace.states[-1])}
    more = [step for step, _ in system.successors(state) if step.action not in before]
    names = dict.fromkeys(step.action for step in more if not system.model.actions[step.action].fault)
    if names:
        return f"allows the same steps, and more after them: {', '.join(names)}"
    return "would not have disabled any of these steps"


def step_text(system: System, step: Step) -> str:
    """``scheduler1 receive(scheduler1, message1)``."""
    return f"{system.actor(step)} {step.action}({', '.join(system.named_arguments(step).values())})"
