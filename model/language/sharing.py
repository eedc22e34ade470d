"""Objects that are shared: two that have equal parts are the same object."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import fields
from typing import Any


class _Reference(weakref.ref[Any]):
    """Leads to an object that lives as long as somebody else has it."""

    __slots__ = ("key",)
    key: tuple[Any, ...]


_references: dict[tuple[Any, ...], _Reference] = {}


def _forget(reference: weakref.ref[Any]) -> None:
    assert isinstance(reference, _Reference)
    if _references.get(reference.key) is reference:
        del _references[reference.key]


class _Sharing(type):
    """Makes a constructor return the object that has these parts already, where there is one."""

    def __call__(cls, *parts: Any) -> Any:
        # Not a WeakValueDictionary, which takes twice as long: this is what reading and grounding do most.
        key = (cls, *parts)
        reference = _references.get(key)
        found = reference() if reference is not None else None
        if found is None:
            found = super().__call__(*parts)
            reference = _references[key] = _Reference(found, _forget)
            reference.key = key
        return found


class Shared(metaclass=_Sharing):
    """A term: shared, compared by identity, and pickled by its parts."""

    __slots__ = ("__weakref__", "_free")
    _free: Mapping[Any, None]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(getattr(self, one.name) for one in fields(self))  # type: ignore[arg-type]
