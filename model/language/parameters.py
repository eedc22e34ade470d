"""Parameters of a model: whole numbers that a spec sets, ``retries = parameter(default=2, least=0)``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onceproof.model.language.errors import ModelError

MOST_PARAMETER = 10_000  # what a parameter may be set to: as much as a bound of a kind


@dataclass(eq=False)
class ModelParameter:
    """A whole number that a configuration sets. Model functions read it as ``st.retries``; kinds take it as a bound."""

    default: int
    least: int
    doc: str = ""
    name: str = ""
    component: str = ""


def parameter(*, default: int, least: int = 0, doc: str = "") -> Any:
    """Declares a parameter, a whole number that a spec sets: ``retries = parameter(default=2, least=0)``.

    Actions and properties read it as ``st.retries``; as a bound of a kind it stands by itself: ``Count(retries)``.
    """
    for what, value in (("default", default), ("least", least)):
        if type(value) is not int:
            raise ModelError(f"parameter: its {what} must be a whole number, found {value!r}")
    if default < least:
        raise ModelError(f"parameter: its default, {default}, is below its least, {least}")
    if default > MOST_PARAMETER:
        raise ModelError(f"parameter: its default is at most {MOST_PARAMETER:,}, found {default:,}")
    return ModelParameter(default, least, doc)


def bound_under(bound: Any, parameters: Mapping[str, int]) -> int:
    """A bound of a kind as a number: what its parameter is set to, or the number that it is already."""
    if not isinstance(bound, ModelParameter):
        return int(bound)
    if bound.name not in parameters:
        raise ModelError(
            "a bound is a parameter that the model does not have: declare it in a component, name = parameter(...)"
        )
    return parameters[bound.name]
