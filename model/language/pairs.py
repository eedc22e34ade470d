"""Pairs of states: the one before a step and the one after it, as one state with twice as many cells.

A property of steps is read as terms over such a pair. What it says of the state after the step stands under primed
names (see ``primes``), so that all that knows terms over states knows these, too.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace

from onceproof.model.language.composites import CompositeField, PartOf
from onceproof.model.language.declare import Field
from onceproof.model.language.layout import Layout
from onceproof.model.language.model import Model
from onceproof.model.language.primes import primed


def with_primed_fields(model: Model) -> Model:
    """The model with each of its fields a second time, under its primed name."""
    composites: dict[str, CompositeField] = {
        primed(name): replace(declared, name=primed(name)) for name, declared in model.composites.items()
    }
    fields: dict[str, Field] = {}
    for name, declared in model.fields.items():
        part = declared.part and PartOf(composites[primed(declared.part.of.name)], declared.part.text)
        fields[primed(name)] = replace(declared, name=primed(name), part=part)
    both = copy(model)
    both.fields, both.composites = model.fields | fields, model.composites | composites
    return both


def of_pairs(layout: Layout, model: Model) -> Layout:
    """Where the cells of two states stand, one state after the other: those of the second have primed names."""
    fields, size = with_primed_fields(model).fields, len(layout.initial)
    before = {name: replace(place, prefix="before.") for name, place in layout.places.items()}
    after = {
        primed(name): replace(
            place, name=primed(name), offset=place.offset + size, field=fields.get(primed(name)), prefix="after."
        )
        for name, place in layout.places.items()
    }
    return layout.of_places(before | after, layout.initial * 2)
