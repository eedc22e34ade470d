"""Why a proof for any size speaks of explored runs: every explored step is a step of the unbounded encoding.

An explored state ``s`` and an unbounded state ``u`` are related, with a map from the elements of ``s`` to those of
``u``, if
- each network cell of ``s`` is empty, or as in ``u``: of all that was ever sent, some part is on the wire;
- each other cell is as in ``u`` (an element may also be one that its place stood for before it was used anew), or is
  as at the start because ``s`` forgot it, which ``u`` need not.

An explored step is followed by the same action with the elements mapped, where loops find on the wire what ``s`` has
there; or
- by no step, where an element is used anew (``reuse``): it is mapped to an element that ``u`` never used;
- by no step, where ``u`` does not allow it and all that it does is to forget, or to send what was sent before;
- by the action that ``instead`` names, where ``u`` does not allow it because it remembers what ``s`` forgot.

``Simulation`` does that along a run, and complains where the two part. Properties and conjuncts say nothing bad of what
is forgotten or not on the wire, so what holds of every ``u`` holds of every ``s``: the tests check that, too.
"""

from __future__ import annotations

from collections.abc import Mapping

from onceproof.model.checker.prover.encoding import WIRE, Encoding
from onceproof.model.checker.prover.finite import Structure, Value, state_of, step, structure_of
from onceproof.model.checker.prover.formulas import BEFORE, NONE, value_name
from onceproof.model.language.layout import Layout, Place, State
from onceproof.model.language.sorts import Index, Maybe
from onceproof.model.language.system import Step, System, build

Cell = tuple[str, tuple[int, ...]]


class Unrelated(Exception):
    """An explored step has no counterpart: the unbounded encoding does not cover the explored one."""


class Simulation:
    """Follows an explored run, step by step, in the unbounded encoding.

    spare: how many elements more the unbounded state has of each sort whose elements are used anew.
    """

    def __init__(
        self, encoding: Encoding, system: System, spare: int = 0, instead: Mapping[str, str] | None = None
    ) -> None:
        self.encoding, self.system, self.instead = encoding, system, instead or {}
        reused = {p.sort.__name__ for a in system.model.actions.values() if a.reuse for p in a.parameters}
        sizes = {
            sort.size_name: system.sizes[name] + (spare if name in reused else 0)
            for name, sort in system.model.sorts.items()
        }
        config = system.model.configure(sizes, system.config.switches, dict.fromkeys(system.model.faults))
        self.layout: Layout = build(system.model, config).layout
        self.state: Structure = structure_of(self.layout, self.layout.initial)
        # for each place of an element, the elements that it stood for, the last one being the one that it is now
        self.stood_for = {name: [[i] for i in range(size)] for name, size in system.sizes.items()}
        self.used = dict(system.sizes)
        self.forgotten: set[Cell] = set()
        self.left_out = 0

    def follow(self, before: State, taken: Step, after: State) -> None:
        """Takes the counterpart of an explored step; Unrelated where there is none."""
        action = self.system.model.actions[taken.action]
        if action.reuse:
            for parameter, argument in zip(action.parameters, taken.arguments, strict=True):
                self._use_anew(parameter.sort.__name__, argument)
        else:
            self._step(before, taken, after)
        self._check(after, taken)

    def unbounded_state(self) -> State:
        """Where the unbounded run is, as a state of the bigger layout."""
        return state_of(self.layout, self.state)

    def _use_anew(self, sort: str, place: int) -> None:
        element = self.used[sort]
        if element >= self.layout.sizes[sort]:
            raise Unrelated(f"no spare {sort} is left: follow with more of them")
        self.used[sort] += 1
        self.stood_for[sort][place].append(element)
        places = self.system.layout.places
        self.forgotten = {
            (name, key)
            for name, key in self.forgotten
            if not any(s.__name__ == sort and i == place for s, i in zip(places[name].sorts, key, strict=True))
        }

    def _step(self, before: State, taken: Step, after: State) -> None:
        self._put_on_the_wire(before)
        for name in (taken.action, self.instead.get(taken.action, "")):
            transition = self.encoding.transitions.get(name)
            if transition is None:
                continue
            sorts = [p.sort.__name__ for p in self.system.model.actions[taken.action].parameters]
            arguments = tuple(self._now(sort, i) for sort, i in zip(sorts, taken.arguments, strict=True))
            found = step(transition, self.state, arguments)
            if found is not None:
                self.state = found
                return
        self._leave_out(before, taken, after)

    def _leave_out(self, before: State, taken: Step, after: State) -> None:
        for slot, (place, key) in enumerate(self.system.layout.labels):
            if before[slot] == after[slot] or place.field is None:
                continue
            if place.field.network and (not after[slot] or self._same(place, key, after)):
                continue
            if after[slot] != self.system.initial[slot]:
                raise Unrelated(f"{taken.action} is not possible, and does more than forget: {place.label(key)}")
            self.forgotten.add((place.name, key))
        self.left_out += 1

    def _put_on_the_wire(self, state: State) -> None:
        for place in self.system.layout.places.values():
            if place.field is not None and place.field.network:
                sent = {self._mapped(place, key) for key in place.all_indices() if state[place.slot(key)]}
                big = self.layout.places[place.name]
                self.state.tables[BEFORE + place.name + WIRE] = {key: key in sent for key in big.all_indices()}

    def _check(self, state: State, taken: Step) -> None:
        for slot, (place, key) in enumerate(self.system.layout.labels):
            if place.field is None or self._same(place, key, state):
                continue
            empty = state[slot] == self.system.initial[slot]
            if empty and (place.field.network or (place.name, key) in self.forgotten):
                continue
            raise Unrelated(f"after {taken.action}, {place.label(key)} is not as in the unbounded run")

    def _same(self, place: Place, key: tuple[int, ...], state: State) -> bool:
        mine = structure_cell(place, state[place.slot(key)])
        there = self._mapped(place, key)
        table = self.state.tables[BEFORE + place.name]
        if isinstance(place.kind, Maybe):
            none = self.state.tables[BEFORE + place.name + NONE][there]
            if mine is None or none:
                return mine is None and bool(none)
        if isinstance(place.kind, Index | Maybe):
            assert isinstance(mine, int)
            return table[there] in self.stood_for[place.kind.sort.__name__][mine]
        big = self.layout.places[place.name]
        return table[there] == structure_of_code(big, state[place.slot(key)])

    def _mapped(self, place: Place, key: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(self._now(sort.__name__, i) for sort, i in zip(place.sorts, key, strict=True))

    def _now(self, sort: str, place: int) -> int:
        return self.stood_for[sort][place][-1]


def structure_cell(place: Place, code: int) -> Value | None:
    """The element that a cell holds, None for none; for other kinds the stored number."""
    return (code - 1 if code else None) if isinstance(place.kind, Maybe) else code


def structure_of_code(place: Place, code: int) -> Value:
    """A stored number as a finite structure has it (not for elements)."""
    name = value_name(place.kind, code)
    return name == "true" if name in ("true", "false") else name
