"""What the formulas mean in a state of few elements: an interpreter of our SMT-LIB, slow and obvious.

It holds the formulas against runs of the model, and computes the step of a counterexample to induction.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from onceproof.model.checker.prover.encoding import Transition
from onceproof.model.checker.prover.names import Names, before_symbol, is_wire, none_symbol, state_symbol
from onceproof.model.checker.prover.sexpr import Sexpr
from onceproof.model.language.layout import Layout, State
from onceproof.model.language.sorts import Choice, Count, Flag, Index, Int, Maybe, Sort

Value = bool | int | str  # a truth, an element by its number, a value of an enum or a count by its name
Table = Mapping[tuple[int, ...], Value]


@dataclass
class Structure:
    """A finite meaning of a vocabulary: how many elements each sort has, and a table for each function.

    What is in flight and has no table is true everywhere: all that was sent is still there.
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
        if is_wire(head) and head not in self.tables:
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
        return True if is_wire(name) else name  # or the value of an enum or a count, which stands for itself


def structure_of(names: Names, layout: Layout, state: State) -> Structure:
    """A state of the model as a finite structure. A none keeps the first element as its meaningless index."""
    sorts = _sorts(layout)
    structure = Structure({names.sort(sort): layout.sizes[sort.__name__] for sort in sorts})
    structure.tables |= {names.first(sort): {(): 0} for sort in sorts}
    for place in layout.places.values():
        if place.field is None:
            continue
        codes = {key: state[place.slot(key)] for key in place.all_indices()}
        name, kind = state_symbol(place.name), place.kind
        match kind:
            case Maybe():
                structure.tables[name] = {key: max(code - 1, 0) for key, code in codes.items()}
                structure.tables[none_symbol(place.name)] = {key: code == 0 for key, code in codes.items()}
            case Choice() | Count() | Int():
                structure.tables[name] = {key: names.value(kind, code) for key, code in codes.items()}
            case Flag():
                structure.tables[name] = {key: bool(code) for key, code in codes.items()}
            case Index():
                structure.tables[name] = codes
            case _:
                assert_never(kind)
    return structure


def state_of(names: Names, layout: Layout, structure: Structure) -> State:
    """The state that a structure stands for: the inverse of ``structure_of``."""
    state = list(layout.initial)
    for place in layout.places.values():
        if place.field is None:
            continue
        table = structure.tables[state_symbol(place.name)]
        for key in place.all_indices():
            value, kind = table[key], place.kind
            match kind:
                case Maybe():
                    code = 0 if structure.tables[none_symbol(place.name)][key] else int(value) + 1
                case Choice() | Count() | Int():
                    code = [names.value(kind, c) for c in range(place.cardinality)].index(str(value))
                case Flag() | Index():
                    code = int(value)
                case _:
                    assert_never(kind)
            state[place.slot(key)] = code
    return tuple(state)


def step(transition: Transition, structure: Structure, arguments: Sequence[Value]) -> Structure | None:
    """The structure after a transition with these arguments; None where it is not enabled."""
    environment: dict[str, Value] = {
        name: argument for (name, _), argument in zip(transition.constants, arguments, strict=True)
    }
    if not structure.value(transition.enabled, environment):
        return None
    tables = {name: table for name, table in structure.tables.items() if not is_wire(name)}
    for update in transition.updates:
        names = [name for name, _ in update.parameters]
        ranges = [range(structure.sizes[sort]) for _, sort in update.parameters]
        tables[before_symbol(update.symbol)] = {
            key: structure.value(update.value, {**environment, **dict(zip(names, key, strict=True))})
            for key in itertools.product(*ranges)
        }
    return Structure(structure.sizes, tables)


def _sorts(layout: Layout) -> list[type[Sort]]:
    found: dict[type[Sort], None] = {}
    for place in layout.places.values():
        found |= dict.fromkeys(place.sorts)
        if isinstance(place.kind, Index | Maybe):
            found[place.kind.sort] = None
    return list(found)
