"""What would have prevented a counterexample: the same steps again, with a mechanism on that is off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from onceproof.explain.steps import ExplainedStep, explained_steps, shown
from onceproof.model.checker.results import Trace
from onceproof.model.language import ModelError, Step, System, build
from onceproof.model.language.layout import State

MOST_DIFFERENCES = 3  # between what one step does with and without a mechanism


@dataclass(frozen=True)
class Prevention:
    """What a mechanism that is off would have done, were it on. step: which one it disables; None: none of them."""

    mechanism: str
    step: ExplainedStep | None
    helps: bool
    text: str

    def as_json(self) -> dict[str, Any]:
        """The mechanism, the number and action of the step that it disables (or null), and the sentence."""
        return {
            "mechanism": self.mechanism,
            "step": self.step.index if self.step else None,
            "action": self.step.action if self.step else None,
            "text": self.text,
        }


def preventions(trace: Trace, name: str, arguments: tuple[int, ...]) -> list[Prevention]:
    """One for each mechanism that is off, those that help first. name, arguments: of the property that is violated."""
    off = [mechanism for mechanism, on in trace.system.config.switches.items() if not on]
    found = [_Again(trace, name, arguments, mechanism).prevention() for mechanism in off]
    return sorted(found, key=lambda one: not one.helps)


class _Again:
    """The steps of a trace, taken again with one mechanism on."""

    def __init__(self, trace: Trace, name: str, arguments: tuple[int, ...], mechanism: str) -> None:
        self.trace, self.name, self.arguments, self.mechanism = trace, name, arguments, mechanism
        self.system: System = build(trace.system.model, trace.system.config.with_switches(**{mechanism: True}))
        self.added: list[str] = []  # steps that the mechanism brings along, and where they come
        self.differs = ""  # the first effect of a step that is another one

    def prevention(self) -> Prevention:
        """Takes the steps as far as they go."""
        state = self.system.initial
        for step in explained_steps(self.trace):
            after = self.taken(state, step)
            if after is None:
                more = self.made_possible(state, step)
                if more is None:
                    first = f" (with it {' and '.join(self.added)})" if self.added else ""
                    return self.found(step, True, f"would have disabled step {step.index}: {step.who}{first}")
                inserted, after = more
                self.added.append(f"{inserted} comes before step {step.index}")
            self.compare(step, after)
            state = after
        return self.at_the_end(state)

    def found(self, step: ExplainedStep | None, helps: bool, text: str) -> Prevention:
        return Prevention(self.mechanism, step, helps, f"{self.mechanism} on {text}")

    def taken(self, state: State, step: ExplainedStep) -> State | None:
        try:
            return self.system.step(state, self.system.parse_step(step.action, step.arguments))
        except ModelError:
            return None

    def made_possible(self, state: State, step: ExplainedStep) -> tuple[str, State] | None:
        """A step that only the mechanism brings along (a placement, say), and that lets ``step`` go on."""
        for name in self.system.actions:
            if name not in self.trace.system.actions:
                for arguments, between in self.system.steps_of(name, state):
                    after = self.taken(between, step)
                    if after is not None:
                        return self.told(Step(name, arguments)), after
        return None

    def told(self, step: Step) -> str:
        inside = ", ".join(self.system.named_arguments(step).values())
        return f"{self.system.actor(step)} {step.action}({inside})"

    def compare(self, step: ExplainedStep, after: State) -> None:
        """Notes where the same step has another effect with the mechanism on."""
        if self.differs or self.added:
            return
        differences = self.system.layout.changes(self.trace.states[step.index], after)
        if differences:
            told = [f"{label} {shown(new)}, not {shown(old)}" for label, (old, new) in differences.items()]
            self.differs = f"step {step.index}, {step.who}, makes {', and '.join(told[:MOST_DIFFERENCES])}; "

    def at_the_end(self, state: State) -> Prevention:
        """What is different after all the steps."""
        claim = self.system.model.properties.get(self.name)
        always = claim is not None and claim.kind == "always"
        if always and claim and self.system.holds(claim, state, self.arguments) is not False:
            return self.found(None, True, f"allows these steps, but {self.differs}the property is true after them")
        before = {step.action for step, _ in self.trace.system.successors(self.trace.states[-1])}
        possible = dict.fromkeys(step.action for step, _ in self.system.successors(state))
        more = [name for name in possible if name not in before and not self.system.model.actions[name].fault]
        if more:
            return self.found(None, True, f"allows these steps, but {self.differs}it can go on: {', '.join(more)}")
        return self.found(None, False, "would not have disabled any of these steps")
