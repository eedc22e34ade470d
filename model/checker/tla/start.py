"""``Init`` of a model with @initial functions: for some choices, what these write over what the fields are declared."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from copy import copy

from onceproof.model.checker.tla.actions import merged, unmet_choices_are_first
from onceproof.model.checker.tla.names import DECLARED
from onceproof.model.checker.tla.scope import Scope
from onceproof.model.checker.tla.text import AND, TlaText, function
from onceproof.model.checker.tla.updates import update
from onceproof.model.checker.tla.variables import Variable
from onceproof.model.language.reading.result import ActionReading, touched_by


def init_lines(text: TlaText, start: ActionReading, declared: Mapping[str, str]) -> list[str]:
    """The lines of ``Init``. declared: for each variable what it is declared to start with, as text."""
    reads, writes = touched_by(start)
    before = copy(text)
    before.rename_fields(DECLARED)
    scope, whole = Scope(before, start.all_variables), merged(start)
    known = [f"{before.field(name)} == {value}" for name, value in declared.items() if name in reads | writes]
    bounds = ", ".join(
        f"{name} \\in {text.domain(variable.sort)}"
        for name, variable in zip(scope.parameters, start.all_variables, strict=True)
    )
    parts = [scope.conjunct(part) for part in (*whole.guard, *unmet_choices_are_first(start))]
    for name, value in declared.items():
        parts.append(f"{name} = {update(scope, name, whole.writes) if name in writes else value}")
    return [
        "Init ==",
        *(["  LET", *(f"    {line}" for line in known), "  IN"] if known else []),
        *([f"  \\E {bounds} :"] if bounds else []),
        *(f"    /\\ {part}" for part in parts),
    ]


def declared_value(text: TlaText, variable: Variable) -> str:
    """What a field is declared to start with."""
    initial, sizes = text.system.layout.initial, text.system.sizes
    shown = [text.value(variable.kind, [initial[slot] for slot in slots]) for slots in variable.slots]
    names = text.bound(variable.sorts)
    common = max(set(shown), key=lambda value: (shown.count(value), value))
    value = common
    keys = itertools.product(*(range(sizes[sort.__name__]) for sort in variable.sorts))
    for key, other in zip(keys, shown, strict=True):
        if other != common:
            pairs = zip(names, variable.sorts, key, strict=True)
            tests = [f"{name} = {text.element(sort, index)}" for name, sort, index in pairs]
            value = f"IF {AND.join(tests)} THEN {other} ELSE {value}"
    bounds = [(name, text.domain(sort)) for name, sort in zip(names, variable.sorts, strict=True)]
    return function(bounds, value)
