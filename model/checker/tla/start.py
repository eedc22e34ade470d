"""``Init`` of a model with @initial functions: for some choices, what these write over what the fields are declared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy

from onceproof.model.checker.tla.actions import merged, unmet_choices_are_first
from onceproof.model.checker.tla.text import Scope, TlaText
from onceproof.model.language.reading.result import ActionReading, touched_by

DECLARED = "Declared_"  # before the name of a field: what it is declared to start with


def init_lines(
    text: TlaText, start: ActionReading, variables: Sequence[str], declared: Callable[[str], str]
) -> list[str]:
    """The lines of ``Init``. declared: for a field what it is declared to start with, as text."""
    reads, writes = touched_by(start)
    before = copy(text)
    before.rename_fields(DECLARED)
    scope, whole = Scope(before, start.all_variables), merged(start)
    known = [f"{before.field(name)} == {declared(name)}" for name in variables if name in reads | writes]
    bounds = ", ".join(
        f"{name} \\in {text.domain(variable.sort)}"
        for name, variable in zip(scope.parameters, start.all_variables, strict=True)
    )
    parts = [scope.conjunct(part) for part in (*whole.guard, *unmet_choices_are_first(start))]
    for name in variables:
        value = scope.update(name, whole.writes) if name in writes else declared(name)
        parts.append(f"{text.field(name)} = {value}")
    return [
        "Init ==",
        *(["  LET", *(f"    {line}" for line in known), "  IN"] if known else []),
        *([f"  \\E {bounds} :"] if bounds else []),
        *(f"    /\\ {part}" for part in parts),
    ]
