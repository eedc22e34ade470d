"""Names of what a model declares: each is given once, by one declaration."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import FunctionType
from typing import Any

from onceproof.model.language.composites import CompositeField
from onceproof.model.language.declare import Action, Field, Property
from onceproof.model.language.errors import ModelError
from onceproof.model.language.reading.sources import lines_of_assignments, lines_of_definitions


def declared_twice(one: Any, other: Any, component: str) -> ModelError:
    """What to raise where a declaration of a component has the name of one that the model has already."""
    places = [_place(one, one.component), _place(other, component)]
    return ModelError(f"`{one.name}` is declared twice, in {' and in '.join(places)}")


def check_defined_once(functions: Iterable[Action | Property], fields: Iterable[Field | CompositeField]) -> None:
    """ModelError where a module or a class gives a name to several things, of which Python keeps the last."""
    for declared in functions:
        if isinstance(declared.function, FunctionType):
            _defined_once(declared.name, declared.line, lines_of_definitions(declared.function))
    for field in fields:
        if field.line[0]:
            _defined_once(field.name, field.line, lines_of_assignments(field.name, field.line))


def _place(declared: Any, component: str) -> str:
    file, line = getattr(declared, "line", ("", 0))
    return f"{Path(file).name}:{line}" if line else component


def _defined_once(name: str, place: tuple[str, int], lines: list[int]) -> None:
    if len(lines) > 1:
        file, where = Path(place[0]).name, " and ".join(map(str, lines))
        raise ModelError(
            f"`{name}` is defined more than once, in the lines {where} of {file}: only the last of them would count, "
            "so give each a name of its own"
        )
