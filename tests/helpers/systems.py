"""Small systems and drivers that many tests share."""

from collections.abc import Iterable, Mapping
from typing import Any

from onceproof.conformance.driver import Abilities, Observation, StepRefused
from onceproof.model.language import Step, System, build
from onceproof.model.language.layout import State
from onceproof.model.protocol.system import PROTOCOL


def small(
    sizes: Mapping[str, int] | None = None,
    mechanisms: Mapping[str, bool] | None = None,
    **faults: int | None,
) -> System:
    """The protocol with one task, one submission, two schedulers and one agent, unless said otherwise."""
    chosen = {"tasks": 1, "submissions": 1, "schedulers": 2, "agents": 1, **(sizes or {})}
    return build(PROTOCOL, PROTOCOL.configure(chosen, mechanisms, faults))


def protocol(faults: Mapping[str, int | None] | None = None, off: Iterable[str] = (), /, **sizes: int) -> System:
    """The protocol under these faults, with these mechanisms off, in the default sizes unless given."""
    return build(PROTOCOL, PROTOCOL.configure(sizes, dict.fromkeys(off, False), faults or {}))


class ModelDriver:
    """A driver whose system is the model itself: what it answers is right by definition, unless a test spoils it."""

    def __init__(self, system: System, performs: set[str] | None = None, hidden: set[str] | None = None) -> None:
        self.system = system
        self.performs = frozenset(system.model.actions if performs is None else performs)
        fields = {name for name, place in system.layout.places.items() if place.field is not None}
        self.observes = frozenset(fields - (hidden or set()))
        self.state: State = system.initial
        self.asked: list[str] = []

    def reset(self, setting: Mapping[str, Any]) -> Abilities:
        self.state = self.system.initial
        return Abilities("the model itself", self.performs, self.observes)

    def step(self, action: str, arguments: Mapping[str, str]) -> None:
        self.asked.append(action)
        after = self.take(self.system.parse_step(action, arguments))
        if after is None:
            raise StepRefused("the model forbids it")
        self.state = after

    def take(self, step: Step) -> State | None:
        return self.system.step(self.state, step)

    def observe(self) -> Observation:
        shown = self.system.layout.show(self.state)
        return {name: shown[name] for name in self.observes}

    def close(self) -> None:
        pass
