"""Objects from outside a model function as values: constants are themselves, containers are taken as they are now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import is_dataclass
from enum import Enum
from types import BuiltinFunctionType, FunctionType, ModuleType, SimpleNamespace
from typing import Any

from onceproof.model.language.declare import Action, Field, Property, Switch
from onceproof.model.language.errors import ModelError
from onceproof.model.language.parameters import ModelParameter
from onceproof.model.language.reading.values import DictObject, Item, ListObject, Members, Reference, Value
from onceproof.model.language.terms import TRUE

PLAIN = (bool, int, str, float, type(None), bytes)


def from_outside(name: str, found: Any, allocate: Callable[[Any], int]) -> Value:
    """The value of an object that ``name`` means; ModelError for one whose state a model must not depend on."""
    kind = type(found)
    if kind in PLAIN or isinstance(found, Enum | type | ModuleType | FunctionType | BuiltinFunctionType):
        return found
    if kind is tuple:
        return tuple(from_outside(name, one, allocate) for one in found)
    if kind in (set, frozenset):
        return Members(tuple(from_outside(name, one, allocate) for one in found))
    if kind is list:
        items = tuple((TRUE, from_outside(name, one, allocate)) for one in found)
        return Reference(allocate(ListObject(items, name)))
    if kind is dict:
        entries: dict[Any, Item] = {key: (TRUE, from_outside(name, value, allocate)) for key, value in found.items()}
        return Reference(allocate(DictObject(entries, name)))
    if isinstance(found, Field | Switch | ModelParameter):
        raise ModelError(f"`{name}` is read from the state: write st.{found.name or name}")
    if isinstance(found, Action | Property):
        raise ModelError(
            f"`{name}` is an action or a property, which cannot be called: put what is shared into a helper"
        )
    return found


def attribute_of(name: str, owner: Any) -> Any:
    """An attribute of an object from outside, found without running any code; ModelError where that cannot be."""
    if isinstance(owner, ModuleType):
        if name in vars(owner):
            return vars(owner)[name]
        raise ModelError(f"the module `{owner.__name__}` has no `{name}`")
    if isinstance(owner, type) and issubclass(owner, Enum) and name in owner.__members__:
        return owner.__members__[name]
    if isinstance(owner, Enum):
        if name == "name":
            return owner.name
        if name == "value":
            return owner.value
        raise ModelError(f"`{name}` of a member of {type(owner).__name__}: only `name` and `value` can be read")
    if isinstance(owner, type):
        for one in owner.__mro__:
            if name in vars(one):
                return _unwrapped(name, owner, vars(one)[name])
        raise ModelError(f"the class `{owner.__name__}` has no `{name}`")
    if type(owner) is SimpleNamespace or _is_frozen(owner):
        held = vars(owner) if hasattr(owner, "__dict__") else {}
        if name in held:
            return held[name]
    if isinstance(owner, tuple) and name in getattr(owner, "_fields", ()):
        return vars(tuple)["__getitem__"](owner, getattr(owner, "_fields", ()).index(name))
    raise ModelError(f"`.{name}` of {owner!r}: a model function reads constants, fields of the state, and no objects")


def _unwrapped(name: str, owner: type, found: Any) -> Any:
    if isinstance(found, staticmethod):
        return found.__func__
    binds = hasattr(type(found), "__get__") and not isinstance(found, FunctionType)
    if isinstance(found, classmethod | property) or binds:
        raise ModelError(f"`{owner.__name__}.{name}` runs code of its class: make it a plain function")
    return found


def _is_frozen(owner: Any) -> bool:
    parameters = getattr(type(owner), "__dataclass_params__", None)
    return is_dataclass(owner) and bool(getattr(parameters, "frozen", False))
