"""Records: how they are made."""

from __future__ import annotations

import dataclasses

from onceproof.model.language.errors import ModelError, nearest
from onceproof.model.language.reading.interpreter import Interpreter
from onceproof.model.language.reading.values import Cases, RecordValue, Symbol, Value, name_of
from onceproof.model.language.sorts import Choice, Count, Flag, Index, Int, Maybe
from onceproof.model.language.value_kinds import OptionKind, RecordKind, ValueKind


def made_record(
    interpreter: Interpreter, kind: RecordKind, arguments: list[Value], keywords: dict[str, Value]
) -> RecordValue:
    """``Vote(term, voter)``, ``Vote(term=t, voter=v)``."""
    name = kind.cls.__name__
    names = [part for part, _ in kind.parts]
    if len(arguments) > len(names):
        raise ModelError(f"TypeError: `{name}` takes {len(names)} arguments, found {len(arguments)}")
    given = dict(zip(names, arguments, strict=False))
    for keyword, value in keywords.items():
        if keyword not in names:
            raise ModelError(f"TypeError: `{name}` has no `{keyword}`{nearest(keyword, names)}")
        if keyword in given:
            raise ModelError(f"TypeError: `{name}` is given `{keyword}` twice")
        given[keyword] = value
    for field in dataclasses.fields(kind.cls):
        if field.name not in given and field.default is not dataclasses.MISSING:
            given[field.name] = interpreter.outside(f"{name}.{field.name}", field.default)
    missing = [part for part in names if part not in given]
    if missing:
        raise ModelError(f"TypeError: `{name}` misses its `{missing[0]}`")
    for part, inner in kind.parts:
        if not _fits(inner, given[part]):
            raise ModelError(f"`{part}` of {name}: expected {_expected(inner)}, found {name_of(given[part])}")
    return RecordValue(kind, tuple(given[part] for part in names))


def _fits(kind: ValueKind, value: Value) -> bool:
    """Whether a value may be of a kind, for all that can be said of it before it is stored."""
    if isinstance(value, Cases):
        return all(_fits(kind, one) for _, one in value.alternatives)
    match kind:
        case OptionKind(inner):
            return value is None or _fits(inner, value)
        case RecordKind(cls, _):
            return value is None or (isinstance(value, RecordValue) and value.kind.cls is cls)
        case Flag():
            return type(value) is bool or (isinstance(value, Symbol) and isinstance(value.kind, Flag))
        case Choice(enum):
            return isinstance(value, enum) or (isinstance(value, Symbol) and value.kind == kind)
        case Count() | Int():
            return type(value) is int or (isinstance(value, Symbol) and isinstance(value.kind, Count | Int))
        case Index(sort) | Maybe(sort):
            known = isinstance(value, Symbol) and isinstance(value.kind, Index | Maybe)
            return value is None or (known and value.kind.sort is sort)


def _expected(kind: ValueKind) -> str:
    match kind:
        case OptionKind(inner):
            return f"{_expected(inner)} or None"
        case RecordKind(cls, _):
            return f"a {cls.__name__}"
        case Flag():
            return "a condition"
        case Choice(enum):
            return f"a {enum.__name__}"
        case Count() | Int():
            return "a number"
        case Index(sort):
            return f"a {sort.__name__}"
        case Maybe(sort):
            return f"a {sort.__name__} or None"
