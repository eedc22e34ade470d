"""Assignment: to names, to fields and their cells, to members of lists and dictionaries."""

from __future__ import annotations

import ast
from enum import Enum

from onceproof.model.language.composites import Bag, CompositeField, Set
from onceproof.model.language.declare import Field
from onceproof.model.language.errors import ModelError, nearest
from onceproof.model.language.reading import member_cells
from onceproof.model.language.reading.attributes import field_given
from onceproof.model.language.reading.cells import cell_write, with_indices
from onceproof.model.language.reading.interpreter import Interpreter
from onceproof.model.language.reading.list_methods import put_element
from onceproof.model.language.reading.rows import bounded_of
from onceproof.model.language.reading.sequences import changeable, items_of
from onceproof.model.language.reading.values import (
    DictObject,
    FieldValue,
    ListObject,
    MembersView,
    RecordValue,
    Reference,
    SequenceView,
    StateValue,
    Symbol,
    Value,
    name_of,
)
from onceproof.model.language.terms import TRUE, Term


def assign(interpreter: Interpreter, target: ast.expr, value: Value) -> None:
    """``target = value``."""
    match target:
        case ast.Name(name):
            interpreter.assign(name, value)
        case ast.Attribute(owner, name):
            found = interpreter.evaluate(owner)
            if isinstance(found, StateValue):
                put_attribute(interpreter, found, name, value)
            else:
                interpreter.split(found, lambda one: _put_into_record(interpreter, owner, one, name, value))
        case ast.Subscript(_, ast.Slice()):
            raise ModelError("a slice is assigned: make a new list, and assign that")
        case ast.Subscript(owner, key):
            container = interpreter.evaluate(owner)
            put_item(interpreter, container, interpreter.evaluate(key), value)
        case ast.Tuple(parts) | ast.List(parts):
            _unpack(interpreter, parts, value)
        case _:
            raise ModelError("this cannot be assigned to in a model")


def put_attribute(interpreter: Interpreter, owner: Value, name: str, value: Value) -> None:
    """``owner.name = value``: only of the state."""
    if not isinstance(owner, StateValue):
        raise ModelError(
            f"`.{name}` of {name_of(owner)} is changed: what an action changes is a field of the state, st.{name} = ..."
        )
    if owner.of:
        given = field_given(interpreter, owner, name)
        if given.indices:
            raise ModelError(f"`{given.name}` is an array: write one of its cells")
        _write_cell(interpreter, given, (), value)
        return
    declared = interpreter.model.composites.get(name) or interpreter.model.fields.get(name)
    if name in interpreter.config.switches:
        raise ModelError(f"`{name}` is a switch, which no action can change")
    if name in interpreter.config.parameters:
        raise ModelError(f"`{name}` is a parameter, which no action can change")
    if declared is None:
        raise ModelError(f"the model has no field `{name}`{nearest(name, interpreter.model.field_names)}")
    if declared.indices:
        raise ModelError(f"`{name}` is an array: write one of its cells")
    _write_cell(interpreter, declared, (), value)


def _write_cell(interpreter: Interpreter, declared: Field | CompositeField, key: Value, value: Value) -> None:
    """Writes a cell; a set or a bag is given what another one holds."""
    if not isinstance(declared, CompositeField) or not isinstance(declared.kind, Set | Bag):
        cell_write(interpreter, declared, key, value)
        return

    def one(value: Value) -> None:
        if not isinstance(value, MembersView) or declared.constant:
            cell_write(interpreter, declared, key, value)  # which refuses it
            return

        def at(indices: tuple[Term, ...]) -> Value:
            member_cells.assign(interpreter, MembersView(declared, indices, interpreter.now()), value)
            return None

        with_indices(interpreter, declared, key, at)

    interpreter.split(value, one)


def _put_into_record(interpreter: Interpreter, owner: ast.expr, record: Value, name: str, value: Value) -> None:
    """``st.field[index].name = value``: the cell is given a record that differs in that attribute only."""
    if record is None:
        interpreter.fail(f"AttributeError: None has no `{name}`")
    if not isinstance(record, RecordValue):
        put_attribute(interpreter, record, name, value)
        return
    names = [part for part, _ in record.kind.parts]
    if name not in names:
        raise ModelError(f"a {record.kind.cls.__name__} has no `{name}`{nearest(name, names)}")
    if isinstance(owner, ast.Name) or not record.reads:
        raise ModelError(
            f"a {record.kind.cls.__name__} is a value and does not change: make another, or write the cell: "
            f"st.field[...].{name} = ..."
        )
    values = tuple(value if part == name else old for part, old in zip(names, record.values, strict=True))
    assign(interpreter, owner, RecordValue(record.kind, values))
    interpreter.changed_attributes |= {name: interpreter.now() for name, _ in record.reads}


def put_item(interpreter: Interpreter, owner: Value, key: Value, value: Value) -> None:
    """``owner[key] = value``."""

    def one(owner: Value) -> None:
        if isinstance(owner, FieldValue):
            _write_cell(interpreter, owner.declared, key, value)
        elif isinstance(owner, SequenceView) or bounded_of(interpreter, owner) is not None:
            put_element(interpreter, owner, key, value)
        elif isinstance(owner, Reference):
            _put_into(interpreter, owner, key, value)
        else:
            raise ModelError(f"a member of {name_of(owner)} cannot be assigned")

    interpreter.split(owner, one)


def _put_into(interpreter: Interpreter, owner: Reference, key: Value, value: Value) -> None:
    content = changeable(interpreter, owner)
    if isinstance(content, DictObject):
        if isinstance(key, Symbol) or not isinstance(key, bool | int | str | Enum | None):
            raise ModelError(f"{name_of(key)} is not a key of a dictionary: use `if`, `match` or `in (...)`")
        if key in content.items and content.items[key][0] is not TRUE:
            raise ModelError("a key is assigned that is in the dictionary on some ways only: its place is unknown")
        interpreter.put(owner.identity, DictObject({**content.items, key: (TRUE, value)}))
        return
    if type(key) is not int or any(present is not TRUE for present, _ in content.items):
        raise ModelError("a member of a list is assigned whose place depends on the state")
    if not -len(content.items) <= key < len(content.items):
        interpreter.fail("IndexError: the list is shorter")
    items = list(content.items)
    items[key] = TRUE, value
    interpreter.put(owner.identity, ListObject(tuple(items)))


def _unpack(interpreter: Interpreter, parts: list[ast.expr], value: Value) -> None:
    def one(value: Value) -> None:
        items = items_of(interpreter, value)
        if any(present is not TRUE for present, _ in items):
            raise ModelError("a list whose length depends on the state is unpacked")
        if any(isinstance(part, ast.Starred) for part in parts):
            raise ModelError("a model function cannot use `*` here")
        if len(items) != len(parts):
            interpreter.fail(f"ValueError: {len(items)} values for {len(parts)} names")
        for part, (_, member) in zip(parts, items, strict=True):
            assign(interpreter, part, member)

    interpreter.split(value, one)
