"""What each kind of expression means."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from enum import Enum, EnumMeta
from typing import Any

from onceproof.model.language.errors import ModelError
from onceproof.model.language.reading.attributes import attribute_of_any
from onceproof.model.language.reading.calls import call
from onceproof.model.language.reading.cells import cell_read
from onceproof.model.language.reading.comprehensions import dict_display, list_comprehension
from onceproof.model.language.reading.interpreter import Interpreter
from onceproof.model.language.reading.list_methods import element_at, summed
from onceproof.model.language.reading.member_cells import compared_members, contains
from onceproof.model.language.reading.operators import (
    IDENTITY,
    arithmetic,
    below,
    condition_of,
    equal,
    none_test,
    truth,
)
from onceproof.model.language.reading.rows import bounded_of
from onceproof.model.language.reading.sequences import items_of
from onceproof.model.language.reading.values import (
    Closure,
    DictObject,
    FieldValue,
    ListObject,
    Members,
    MembersView,
    Reference,
    Scope,
    Symbol,
    Value,
    name_of,
    textless,
    value_of,
)
from onceproof.model.language.sorts import Count, Flag
from onceproof.model.language.terms import TRUE, Term, and_, not_, or_


def constant(interpreter: Interpreter, node: ast.Constant) -> Value:
    """A literal."""
    if node.value is ...:
        raise ModelError("`...` has no meaning in a model")
    return node.value


def name(interpreter: Interpreter, node: ast.Name) -> Value:
    """A name that is read."""
    return interpreter.name(node.id)


def named(interpreter: Interpreter, node: ast.NamedExpr) -> Value:
    """``name := value``."""
    value = interpreter.evaluate(node.value)
    interpreter.assign(node.target.id, value)
    return value


def conjunction(interpreter: Interpreter, node: ast.BoolOp) -> Value:
    """``and`` and ``or``: the rest is looked at only where it matters."""
    stop = isinstance(node.op, ast.Or)

    def part(number: int) -> Value:
        value = interpreter.evaluate(node.values[number])
        if number == len(node.values) - 1:
            return value
        test = truth(interpreter, value)
        decided: Value = stop if _is_condition(value) else value
        if stop:
            return interpreter.branch(test, lambda: decided, lambda: part(number + 1))
        return interpreter.branch(test, lambda: part(number + 1), lambda: decided)

    return part(0)


def _is_condition(value: Value) -> bool:
    return isinstance(value, bool) or (isinstance(value, Symbol) and isinstance(value.kind, Flag))


def unary(interpreter: Interpreter, node: ast.UnaryOp) -> Value:
    """``not``, and the sign of a constant."""
    value = interpreter.evaluate(node.operand)
    match node.op:
        case ast.Not():
            return value_of(not_(truth(interpreter, value)))
        case ast.Invert():
            raise ModelError("`~` is not logical negation in Python: write `not`")
        case ast.USub() if type(value) is int:
            return -value
        case ast.USub():
            return arithmetic(interpreter, ast.Sub(), 0, value)
        case _:
            return arithmetic(interpreter, ast.Add(), 0, value)


def binary(interpreter: Interpreter, node: ast.BinOp) -> Value:
    """Arithmetic, and ``&`` and ``|`` of conditions."""
    left = interpreter.evaluate(node.left)
    return summed(interpreter, node.op, left, interpreter.evaluate(node.right))


def conditional(interpreter: Interpreter, node: ast.IfExp) -> Value:
    """``a if c else b``."""
    test = truth(interpreter, interpreter.evaluate(node.test))
    return interpreter.branch(test, lambda: interpreter.evaluate(node.body), lambda: interpreter.evaluate(node.orelse))


def comparison(interpreter: Interpreter, node: ast.Compare) -> Value:
    """A comparison, or a chain of them."""

    def link(left: Value, number: int) -> Value:
        right = interpreter.evaluate(node.comparators[number])
        sides = (node.left, *node.comparators)[number : number + 2]
        found = _compared(interpreter, node.ops[number], left, right, sides)
        if number == len(node.ops) - 1:
            return value_of(found)
        return interpreter.branch(found, lambda: link(right, number + 1), lambda: False)

    return link(interpreter.evaluate(node.left), 0)


def _compared(
    interpreter: Interpreter, operation: ast.cmpop, left: Value, right: Value, sides: Sequence[ast.expr]
) -> Term:
    orders = ast.Eq | ast.NotEq | ast.LtE | ast.GtE | ast.Lt | ast.Gt
    if isinstance(left, MembersView) and isinstance(operation, orders):
        return compared_members(interpreter, operation, left, right)
    match operation:
        case ast.Eq():
            return equal(interpreter, left, right)
        case ast.NotEq():
            return not_(equal(interpreter, left, right))
        case ast.Lt():
            return below(interpreter, left, right)
        case ast.Gt():
            return below(interpreter, right, left)
        case ast.LtE():
            return not_(below(interpreter, right, left))
        case ast.GtE():
            return not_(below(interpreter, left, right))
        case ast.In():
            return contained(interpreter, left, right)
        case ast.NotIn():
            return not_(contained(interpreter, left, right))
        case ast.Is() | ast.IsNot():
            if not any(isinstance(side, ast.Constant) and side.value is None for side in sides):
                raise ModelError(IDENTITY)
            found = none_test(interpreter, right if left is None else left)
            return found if isinstance(operation, ast.Is) else not_(found)
        case _:
            raise ModelError(f"a model function cannot use the comparison `{type(operation).__name__}`")


def contained(interpreter: Interpreter, member: Value, container: Value) -> Term:
    """``member in container``."""

    def one(container: Value) -> Value:
        if isinstance(container, MembersView):
            return value_of(
                condition_of(interpreter.split(member, lambda value: value_of(contains(interpreter, container, value))))
            )
        if isinstance(container, str):
            raise ModelError("a text is searched: compare values")
        if isinstance(container, Reference):
            content = interpreter.content(container.identity)
            if isinstance(content, DictObject):
                found = [and_(p, equal(interpreter, member, k)) for k, (p, _) in content.items.items()]
                return value_of(or_(*found))
        items = items_of(interpreter, container)
        return value_of(or_(*(and_(present, equal(interpreter, member, value)) for present, value in items)))

    return condition_of(interpreter.split(container, one))


def attribute(interpreter: Interpreter, node: ast.Attribute) -> Value:
    """``st.field``, ``module.name``, ``Enum.MEMBER``."""
    return attribute_of_any(interpreter, interpreter.evaluate(node.value), node.attr)


def subscript(interpreter: Interpreter, node: ast.Subscript) -> Value:
    """``st.field[index]``, ``pair[0]``, ``table[KEY]``."""
    owner = interpreter.evaluate(node.value)
    key = _key(interpreter, node.slice)
    return interpreter.split(owner, lambda one: item(interpreter, one, key))


def _key(interpreter: Interpreter, node: ast.expr) -> Value:
    if isinstance(node, ast.Slice):
        parts = [interpreter.evaluate(part) if part else None for part in (node.lower, node.upper, node.step)]
        return slice(*parts)
    return interpreter.evaluate(node)


def item(interpreter: Interpreter, owner: Value, key: Value) -> Value:
    """``owner[key]``."""
    if isinstance(owner, FieldValue):
        return cell_read(interpreter, owner.declared, key)
    if isinstance(owner, EnumMeta) and type(key) is str:
        return owner.__members__[key] if key in owner.__members__ else interpreter.fail(f"KeyError: {key!r}")
    if isinstance(owner, Reference) and isinstance(interpreter.content(owner.identity), DictObject):
        return _looked_up(interpreter, interpreter.content(owner.identity), key)
    if bounded_of(interpreter, owner) is not None:
        if isinstance(key, slice):
            return element_at(interpreter, owner, key)
        return interpreter.split(key, lambda place: element_at(interpreter, owner, place))
    if isinstance(owner, Reference | tuple):
        items = items_of(interpreter, owner)
        if not all(present is TRUE for present, _ in items):
            raise ModelError("a member of a list whose length depends on the state: use `next(...)`, or a loop")
        values = [value for _, value in items]
        if isinstance(key, slice):
            if not all(bound is None or type(bound) is int for bound in (key.start, key.stop, key.step)):
                raise ModelError("a slice whose ends depend on the state")
            part = values[key]
            if isinstance(owner, tuple):
                return tuple(part)
            return Reference(interpreter.allocate(ListObject(tuple((TRUE, value) for value in part))))
        return interpreter.split(key, lambda place: _at(interpreter, values, place))
    raise ModelError(f"{name_of(owner)} cannot be indexed")


def _at(interpreter: Interpreter, values: list[Value], place: Value) -> Value:
    if isinstance(place, Symbol) and isinstance(place.kind, Count):
        last = len(values) - 1

        def choose(number: int) -> Value:
            if number > last:
                return interpreter.fail("IndexError: the list is shorter")
            test = equal(interpreter, place, number)
            return interpreter.branch(test, lambda: values[number], lambda: choose(number + 1))

        interpreter.fail_where(below(interpreter, place, 0), "a number below 0 as an index")
        return choose(0)
    if type(place) is not int:
        raise ModelError(f"a list is indexed by a number, found {name_of(place)}")
    if not -len(values) <= place < len(values):
        interpreter.fail("IndexError: the list is shorter")
    return values[place]


def _looked_up(interpreter: Interpreter, content: DictObject, key: Value) -> Value:
    def one(key: Value) -> Value:
        if isinstance(key, Symbol):
            raise ModelError(f"{key.what} is not a key of a dictionary: use `if`, `match` or `in (...)`")
        found = content.items.get(key) if _hashable(key) else None
        if found is None:
            return interpreter.fail(f"KeyError: {key!r}")
        present, value = found
        interpreter.fail_where(not_(present), f"KeyError: {key!r}")
        return value

    return interpreter.split(key, one)


def _hashable(key: Value) -> bool:
    return isinstance(key, bool | int | str | Enum | None) or (isinstance(key, tuple) and all(map(_hashable, key)))


def tuple_display(interpreter: Interpreter, node: ast.Tuple) -> Value:
    """``(a, b)``."""
    return tuple(elements(interpreter, node.elts))


def list_display(interpreter: Interpreter, node: ast.List) -> Value:
    """``[a, b]``."""
    items = tuple((TRUE, value) for value in elements(interpreter, node.elts))
    return Reference(interpreter.allocate(ListObject(items)))


def set_display(interpreter: Interpreter, node: ast.Set) -> Value:
    """``{a, b}``, which ``in`` may ask."""
    return Members(tuple(elements(interpreter, node.elts)))


def elements(interpreter: Interpreter, nodes: Sequence[ast.expr]) -> list[Value]:
    """The values of expressions in a display or a call, ``*more`` among them."""
    found: list[Value] = []
    for node in nodes:
        if isinstance(node, ast.Starred):
            items = items_of(interpreter, interpreter.evaluate(node.value))
            if not all(present is TRUE for present, _ in items):
                raise ModelError("`*` of a list whose length depends on the state")
            found += [value for _, value in items]
        else:
            found.append(interpreter.evaluate(node))
    return found


def function(interpreter: Interpreter, node: ast.Lambda) -> Value:
    """A lambda, with the scope that it captures."""
    return make_closure(interpreter, node)


def make_closure(interpreter: Interpreter, node: ast.FunctionDef | ast.Lambda) -> Closure:
    """The function that a ``def`` or a ``lambda`` makes."""
    scope: Scope | None = interpreter.scope
    while scope is not None:
        scope.captured = True
        scope = scope.parent
    defaults = tuple(interpreter.evaluate(one) for one in node.args.defaults)
    keywords = tuple(interpreter.evaluate(one) if one else None for one in node.args.kw_defaults)
    return Closure(node, interpreter.scope, defaults, keywords)


def text(interpreter: Interpreter, node: ast.JoinedStr) -> Value:
    """An f-string of constants."""
    parts = []
    for part in node.values:
        value = interpreter.evaluate(part.value if isinstance(part, ast.FormattedValue) else part)
        if isinstance(part, ast.FormattedValue) and (part.format_spec or part.conversion != -1):
            raise ModelError("an f-string with a format")
        if type(value) not in (str, int):
            raise ModelError(f"{textless(value)} has no text in a model: compare values")
        parts.append(str(value))
    return "".join(parts)


EXPRESSIONS: dict[type[ast.expr], Callable[[Interpreter, Any], Value]] = {
    ast.Constant: constant,
    ast.Name: name,
    ast.NamedExpr: named,
    ast.BoolOp: conjunction,
    ast.UnaryOp: unary,
    ast.BinOp: binary,
    ast.IfExp: conditional,
    ast.Compare: comparison,
    ast.Attribute: attribute,
    ast.Subscript: subscript,
    ast.Tuple: tuple_display,
    ast.List: list_display,
    ast.Set: set_display,
    ast.Dict: dict_display,
    ast.Lambda: function,
    ast.ListComp: list_comprehension,
    ast.JoinedStr: text,
    ast.Call: call,
}
