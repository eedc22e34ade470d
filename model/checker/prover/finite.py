"""What the formulas mean in a state of few elements: an interpreter of our SMT-LIB, slow and obvious.

It holds the formulas against runs of the model, and computes the step of a counterexample to induction.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

from onceproof.model.checker.prover.encoding import AFTER, WIRE, Transition
from onceproof.model.checker.prover.formulas import BEFORE, NONE, kind_name, sort_name, value_name
from onceproof.model.checker.prover.sexpr import Sexpr
from onceproof.model.language.layout import Layout, State
from onceproof.model.language.sorts import Choice, Count, Maybe

Value = bool | int | str  # a truth, an element by its number, a value of an enum or a count by its name
Table = Mapping[tuple[int, ...], Value]


@dataclass
class Structure:
    """A finite meaning of a vocabulary: how many elements each sort has, and a table for each function.

    Functions ending in ``.wire`` that have no table are true everywhere: all that was sent is still on the wire.
    """

    sizes: Mapping[str, int]
    tables: dict[str, Table] = field(default_factory=dict)

    def value(self, expression: Sexpr, environment: Mapping[str, Value]) -> Value:
        """The value of an expression; KeyError for a symbol that is not known."""
        if isinstance(expression, str):
            return self._symbol(expression, environment)
        head, *rest = expression
        match head:
            case "not":
                return not self.value(rest[0], environment)
            case "and":
                return all(self.value(part, environment) for part in rest)
            case "or":
                return any(self.value(part, environment) for part in rest)
            case "=":
                return self.value(rest[0], environment) == self.value(rest[1], environment)
            case "ite":
                return self.value(rest[1] if self.value(rest[0], environment) else rest[2], environment)
            case "forall" | "exists":
                names = [name for name, _ in rest[0]]
                ranges = [range(self.sizes[sort]) for _, sort in rest[0]]
                truths = (
                    self.value(rest[1], {**environment, **dict(zip(names, elements, strict=True))})
                    for elements in itertools.product(*ranges)
                )
                return all(truths) if head == "forall" else any(truths)
        if head.endswith(WIRE) and head not in self.tables:
            return True
        arguments = tuple(int(self.value(part, environment)) for part in rest)
        return self.tables[head][arguments]

    def _symbol(self, name: str, environment: Mapping[str, Value]) -> Value:
        if name in ("true", "false"):
            return name == "true"
        if name in environment:
            return environment[name]
        if name in self.tables:
            return self.tables[name][()]
        sort, _, number = name.rpartition(".")
        return int(number) - 1 if sort in self.sizes else name


def structure_of(layout: Layout, state: State) -> Structure:
    """A state of the model as a finite structure. A none keeps the first element as its meaningless index."""
    structure = Structure({sort_name(sort): layout.sizes[sort.__name__] for sort in _sorts(layout)})
    for place in layout.places.values():
        if place.field is None:
            continue
        codes = {key: state[place.slot(key)] for key in place.all_indices()}
        name = BEFORE + place.name
        match place.kind:
            case Maybe():
                structure.tables[name] = {key: max(code - 1, 0) for key, code in codes.items()}
                structure.tables[name + NONE] = {key: code == 0 for key, code in codes.items()}
            case Choice() | Count() as kind:
                structure.tables[name] = {key: value_name(kind, code) for key, code in codes.items()}
            case kind if kind_name(kind) == "Bool":
                structure.tables[name] = {key: bool(code) for key, code in codes.items()}
            case _:
                structure.tables[name] = codes
    return structure


def state_of(layout: Layout, structure: Structure) -> State:
    """The state that a structure stands for: the inverse of ``structure_of``."""
    state = list(layout.initial)
    for place in layout.places.values():
        if place.field is None:
            continue
        table = structure.tables[BEFORE + place.name]
        for key in place.all_indices():
            value = table[key]
            if isinstance(place.kind, Maybe):
                code = 0 if structure.tables[BEFORE + place.name + NONE][key] else int(value) + 1
            elif isinstance(place.kind, Choice | Count):
                code = [value_name(place.kind, c) for c in range(place.cardinality)].index(str(value))
            else:
                code = int(value)
            state[place.slot(key)] = code
    return tuple(state)


def step(transition: Transition, structure: Structure, arguments: tuple[int, ...]) -> Structure | None:
    """The structure after a transition with these arguments; None where it is not enabled."""
    environment: dict[str, Value] = {
        name: argument for (name, _), argument in zip(transition.constants, arguments, strict=True)
    }
    if not structure.value(transition.enabled, environment):
        return None
    tables = {name: table for name, table in structure.tables.items() if not name.endswith(WIRE)}
    for update in transition.updates:
        names = [name for name, _ in update.parameters]
        ranges = [range(structure.sizes[sort]) for _, sort in update.parameters]
        tables[BEFORE + update.symbol.removeprefix(AFTER)] = {
            key: structure.value(update.value, {**environment, **dict(zip(names, key, strict=True))})
            for key in itertools.product(*ranges)
        }
    return Structure(structure.sizes, tables)


def _sorts(layout: Layout) -> list[type]:
    found: dict[str, type] = {}
    for place in layout.places.values():
        for sort in place.sorts:
            found[sort.__name__] = sort
        inner = getattr(place.kind, "sort", None)
        if inner is not None:
            found[inner.__name__] = inner
    return list(found.values())
