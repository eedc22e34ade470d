"""Axioms: laws about constants, which every instance of a model must satisfy and a proof for any size assumes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from onceproof.model.language.declare import Property
from onceproof.model.language.errors import AxiomError, located
from onceproof.model.language.reading.result import PropertyReading
from onceproof.model.language.terms import Read
from onceproof.model.language.traversal import walk

if TYPE_CHECKING:
    from onceproof.model.language.model import Model


def constants_of(model: Model, axiom: Property, reading: PropertyReading) -> list[str]:
    """The constant fields that an axiom speaks of; ModelError (with its line) where it reads any other field."""
    terms = [*walk(reading.antecedent), *walk(reading.body)]
    read = list(dict.fromkeys(term.field for term in terms if isinstance(term, Read)))
    for name in read:
        if not model.fields[name].constant:
            text = f"an axiom is a law about constants, and `{name}` may change: declare the field constant=True"
            raise located(text, axiom.what, axiom.function)
    return read


def false_axiom(
    model: Model, axiom: Property, read: Sequence[str], sizes: Mapping[str, int], arguments: Sequence[int]
) -> AxiomError:
    """The error for an axiom that is false in an instance: it names the axiom, its line and the elements.

    read: the constant fields that the axiom speaks of; sizes: of the instance, by name of sort.
    """
    elements = [f"{p.name} = {p.element(a)}" for p, a in zip(axiom.parameters, arguments, strict=True)]
    where = f" for {', '.join(elements)}" if elements else ""
    shown = ", ".join(f"{sort.size_name}: {sizes[name]}" for name, sort in model.sorts.items())
    fields = " or ".join(f"`{name}`" for name in read)
    text = f"it is false in the instance with {shown}{where}: choose other sizes, or another `init` of {fields}"
    return AxiomError(text, located("", axiom.what, axiom.function).place)
