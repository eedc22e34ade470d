"""Objects that are shared: two that have equal parts are the same object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any
from weakref import WeakValueDictionary

_shared: WeakValueDictionary[tuple[Any, ...], Any] = WeakValueDictionary()


class _Sharing(type):
    """Makes a constructor return the term that has these parts already, where there is one."""

    def __call__(cls, *parts: Any) -> Any:
        key = (cls, *parts)
        found = _shared.get(key)
        if found is None:
            found = _shared[key] = super().__call__(*parts)
        return found


class Shared(metaclass=_Sharing):
    """A term: shared, compared by identity, and pickled by its parts."""

    __slots__ = ("__weakref__", "_free")
    _free: Mapping[Any, None]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(getattr(self, one.name) for one in fields(self))  # type: ignore[arg-type]
