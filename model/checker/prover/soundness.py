"""Why a proof for any size speaks of explored runs: every explored step is a step of the unbounded encoding.

An explored state is related to an unbounded one if each network cell is empty or as in the unbounded state, and every
other cell is equal: of all that was ever sent, some part is in flight. Each explored step is followed by the same
action, which finds in flight what the explored state has there. Claims must not speak of what is absent from the
network (``network`` refuses that), so what holds of every unbounded state holds of every explored one; and so does what
holds of every unbounded step, as both of its states are related.

``Simulation`` does that along a run, and complains where the two part: the tests hold the encoding against it.
"""

from __future__ import annotations

from onceproof.model.checker.prover.encoding import Encoding
from onceproof.model.checker.prover.finite import Structure, state_of, step, structure_of
from onceproof.model.checker.prover.names import wire_symbol
from onceproof.model.language.layout import State
from onceproof.model.language.system import Step, System


class Unrelated(Exception):
    """An explored step has no counterpart: the unbounded encoding does not cover the explored one."""


class Simulation:
    """Follows an explored run, step by step, in the unbounded encoding.

    initial: the state in which the run begins; left out, the only initial one.
    """

    def __init__(self, encoding: Encoding, system: System, initial: State | None = None) -> None:
        self.encoding, self.system, self.layout = encoding, system, system.layout
        first = system.initial if initial is None else initial
        self.structure: Structure = structure_of(encoding.names, self.layout, first)

    def follow(self, before: State, taken: Step, after: State) -> None:
        """Takes the counterpart of an explored step; Unrelated where there is none."""
        transition = self.encoding.transitions.get(taken.action)
        if transition is None:
            raise Unrelated(f"{taken.action} is not an action of the unbounded encoding")
        for place in self.layout.places.values():
            if place.field is not None and place.field.network:
                sent = {key: bool(before[place.slot(key)]) for key in place.all_indices()}
                self.structure.tables[wire_symbol(place.name)] = sent
        found = step(transition, self.structure, taken.arguments)
        if found is None:
            raise Unrelated(f"{taken.action} is not possible in the unbounded run")
        self.structure = found
        self._check(taken, after)

    def unbounded_state(self) -> State:
        """Where the unbounded run is; what is left of budgets is as at the start."""
        return state_of(self.encoding.names, self.layout, self.structure)

    def _check(self, taken: Step, after: State) -> None:
        unbounded = self.unbounded_state()
        for slot, (place, key) in enumerate(self.layout.labels):
            if place.field is None or after[slot] == unbounded[slot]:
                continue
            if not place.field.network or after[slot]:
                raise Unrelated(f"after {taken.action}, {place.label(key)} is not as in the unbounded run")
