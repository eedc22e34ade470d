"""Attributes: of the state, of modules and classes, and methods of lists."""

from __future__ import annotations

from enum import Enum
from types import FunctionType

from onceproof.model.language.composites import CompositeField
from onceproof.model.language.declare import Field
from onceproof.model.language.errors import ModelError, nearest
from onceproof.model.language.primes import primed, unprimed
from onceproof.model.language.reading.interpreter import Interpreter
from onceproof.model.language.reading.outside import attribute_of
from onceproof.model.language.reading.rows import current_record, read_cell
from onceproof.model.language.reading.values import (
    Cases,
    Closure,
    FieldValue,
    Members,
    MembersView,
    Method,
    RecordValue,
    Reference,
    SequenceView,
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
            return _of_state(interpreter, owner, name)
        case FieldValue():
            raise ModelError(owner.refusal)
        case Symbol(_, Choice()):
            raise ModelError(f"an enum value has no `{name}`: it is compared with members, with `==` and `!=`")
        case RecordValue():
            return _of_record(interpreter, owner, name)
        case SequenceView() | MembersView():
            return Method(owner, name)
        case Symbol() | Closure() | Cases() | Members():
            raise ModelError(f"{name_of(owner)} has no `{name}`")
        case Reference() | tuple() if not hasattr(owner, "_fields"):
            return Method(owner, name)
        case bool() | int() | str() | float() | None if not isinstance(owner, Enum):
            raise ModelError(f"`.{name}` of {owner!r}: a model function has no use for it")
        case _:
            return interpreter.outside(name, attribute_of(name, owner))


def attribute_of_any(interpreter: Interpreter, owner: Value, name: str) -> Value:
    """The attribute of a value that may be one of several; where it is None the function fails."""

    def one(value: Value) -> Value:
        if value is None and isinstance(owner, Cases):
            return interpreter.fail(f"AttributeError: None has no `{name}`: ask `is not None` first")
        return attribute_value(interpreter, value, name)

    return interpreter.split(owner, one)


def _of_state(interpreter: Interpreter, owner: StateValue, name: str) -> Value:
    if owner.of:
        declared = field_given(interpreter, owner, name)
        return FieldValue(declared) if declared.indices else read_cell(interpreter, declared, ())
    if name in interpreter.config.switches:
        interpreter.switches_asked.add(name)
        return interpreter.config.switches[name]
    if name in interpreter.config.parameters:
        interpreter.parameters_asked.add(name)
        return interpreter.config.parameters[name]
    declared = declared_field(interpreter, name)
    if owner.after and not declared.constant:
        declared = declared_field(interpreter, primed(name))
    return FieldValue(declared) if declared.indices else read_cell(interpreter, declared, ())


def _of_record(interpreter: Interpreter, owner: RecordValue, name: str) -> Value:
    current_record(interpreter, owner)
    names = [part for part, _ in owner.kind.parts]
    if name in names:
        return interpreter.narrowed(owner.values[names.index(name)])
    cls = owner.kind.cls
    if isinstance(vars(cls).get(name), FunctionType):
        return Method(owner, name)
    raise ModelError(f"a {cls.__name__} has no `{name}`{nearest(name, names)}")


def field_given(interpreter: Interpreter, owner: StateValue, name: str) -> Field | CompositeField:
    """The field of an abstract model with this name; ModelError where there is none."""
    model, whole = interpreter.model, owner.of + name
    declared = model.composites.get(whole) or model.fields.get(whole)
    if declared is None:
        known = [one.removeprefix(owner.of) for one in model.field_names if one.startswith(owner.of)]
        raise ModelError(f"the abstract model `{owner.of[:-1]}` has no field `{name}`{nearest(name, known)}")
    return declared


def declared_field(interpreter: Interpreter, name: str) -> Field | CompositeField:
    """The field of the model with this name; ModelError where there is none."""
    declared = interpreter.model.composites.get(name) or interpreter.model.fields.get(name)
    if declared is None:
        known = dict.fromkeys(map(unprimed, interpreter.model.field_names))
        raise ModelError(f"the model has no field `{name}`{nearest(name, known)}")
    return declared
