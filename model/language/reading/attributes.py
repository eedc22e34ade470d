"""Attributes: of the state, of modules and classes, and methods of lists."""

from __future__ import annotations

from enum import Enum

from onceproof.model.language.declare import Field
from onceproof.model.language.errors import ModelError, nearest
from onceproof.model.language.reading.interpreter import Interpreter
from onceproof.model.language.reading.outside import attribute_of
from onceproof.model.language.reading.values import (
    Cases,
    Closure,
    FieldValue,
    Members,
    Method,
    Reference,
    StateValue,
    Symbol,
    Value,
    name_of,
)
from onceproof.model.language.sorts import Choice


def attribute_value(interpreter: Interpreter, owner: Value, name: str) -> Value:
    """The attribute of a value."""
    match owner:
        case StateValue():
            return _of_state(interpreter, name)
        case FieldValue():
            raise ModelError(owner.refusal)
        case Symbol(_, Choice()):
            raise ModelError(f"an enum value has no `{name}`: it is compared with members, with `==` and `!=`")
        case Symbol() | Closure() | Cases() | Members():
            raise ModelError(f"{name_of(owner)} has no `{name}`")
        case Reference() | tuple() if not hasattr(owner, "_fields"):
            return Method(owner, name)
        case bool() | int() | str() | float() | None if not isinstance(owner, Enum):
            raise ModelError(f"`.{name}` of {owner!r}: a model function has no use for it")
        case _:
            return interpreter.outside(name, attribute_of(name, owner))


def _of_state(interpreter: Interpreter, name: str) -> Value:
    if name in interpreter.config.switches:
        interpreter.switches_asked.add(name)
        return interpreter.config.switches[name]
    if name in interpreter.config.parameters:
        interpreter.parameters_asked.add(name)
        return interpreter.config.parameters[name]
    declared = declared_field(interpreter, name)
    return FieldValue(declared) if declared.indices else interpreter.read(declared, ())


def declared_field(interpreter: Interpreter, name: str) -> Field:
    """The field of the model with this name; ModelError where there is none."""
    declared = interpreter.model.fields.get(name)
    if declared is None:
        raise ModelError(f"the model has no field `{name}`{nearest(name, interpreter.model.fields)}")
    return declared
