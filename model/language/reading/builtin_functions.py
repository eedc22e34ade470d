"""The functions that a reader knows without their source: the language's own, and a short list of Python's."""

from __future__ import annotations

import ast
import builtins
import typing
from collections.abc import Callable
from enum import EnumMeta
from typing import Any

from onceproof.model.language import budgets, declare
from onceproof.model.language.errors import ModelError, misplaced
from onceproof.model.language.index_sets import is_sort
from onceproof.model.language.reading.assignment import put_attribute
from onceproof.model.language.reading.attributes import attribute_value
from onceproof.model.language.reading.budgets import used as read_used
from onceproof.model.language.reading.choices import choose, choose_from
from onceproof.model.language.reading.comprehensions import any_or_all, counted, list_comprehension, next_of
from onceproof.model.language.reading.elements import elements_of
from onceproof.model.language.reading.functions_of_values import (
    absolute,
    enumerated,
    extreme,
    length,
    ranged,
    reversed_,
    sorted_,
    summed,
    zipped,
)
from onceproof.model.language.reading.interpreter import Interpreter
from onceproof.model.language.reading.list_methods import METHODS_OF_BOUNDED, copy
from onceproof.model.language.reading.operators import condition, equal, truth
from onceproof.model.language.reading.quantifiers import quantifier
from onceproof.model.language.reading.rows import bounded_of
from onceproof.model.language.reading.sequences import changeable, items_of, passes_of
from onceproof.model.language.reading.values import (
    DictObject,
    Iterator,
    ListObject,
    Members,
    Reference,
    StateValue,
    Value,
    name_of,
    textless,
    value_of,
)
from onceproof.model.language.terms import TRUE, and_, or_

Special = Callable[[Interpreter, ast.Call], Value]
Known = Callable[[Interpreter, list[Value], dict[str, Value]], Value]


def guard(word: str) -> Special:
    """``require`` or ``given``."""

    def read(interpreter: Interpreter, node: ast.Call) -> Value:
        if word == "given":
            interpreter.presupposes = True
            if interpreter.skips_given:
                return None
        if interpreter.guard_word != word:
            raise ModelError(misplaced(word, interpreter.guard_word))
        if len(node.args) != 1 or node.keywords:
            raise ModelError(f"`{word}` takes one condition")
        needed = condition(interpreter, interpreter.evaluate(node.args[0]))
        if interpreter.quantifiers:
            raise ModelError("a guard inside a quantifier: return the condition instead")
        if interpreter.open_loops:
            raise ModelError("a guard inside a loop: put `require(forall(Sort, lambda x: ...))` before the loop")
        interpreter.guard_by(needed)
        return None

    return read


def _consuming(function: Callable[[Interpreter, list[Value], dict[str, Value]], Value]) -> Special:
    """A function that goes through all of its first argument: a generator there is as good as a list."""

    def read(interpreter: Interpreter, node: ast.Call) -> Value:
        arguments: list[Value] = []
        for place, argument in enumerate(node.args):
            if place == 0 and isinstance(argument, ast.GeneratorExp):
                arguments.append(list_comprehension(interpreter, argument))
            elif isinstance(argument, ast.Starred):
                items = items_of(interpreter, interpreter.gone_through(argument.value))
                if any(present is not TRUE for present, _ in items):
                    raise ModelError("`*` of a list whose length depends on the state")
                arguments += [value for _, value in items]
            else:
                alone = len(node.args) == 1
                arguments.append((interpreter.gone_through if alone else interpreter.evaluate)(argument))
        if any(keyword.arg is None for keyword in node.keywords):
            raise ModelError("a model function cannot use `**` here")
        keywords = {str(keyword.arg): interpreter.evaluate(keyword.value) for keyword in node.keywords}
        return function(interpreter, arguments, keywords)

    return read


def _any_or_all(universal: bool) -> Special:
    def read(interpreter: Interpreter, node: ast.Call) -> Value:
        if len(node.args) != 1 or node.keywords:
            raise ModelError("`any` and `all` take one argument")
        return any_or_all(interpreter, node.args[0], universal)

    return read


def _sum(interpreter: Interpreter, node: ast.Call) -> Value:
    found = counted(interpreter, node.args[0]) if len(node.args) == 1 and not node.keywords else None
    return _consuming(summed)(interpreter, node) if found is None else found


def _next(interpreter: Interpreter, node: ast.Call) -> Value:
    if node.keywords or not 1 <= len(node.args) <= 2 or not isinstance(node.args[0], ast.GeneratorExp):
        raise ModelError("`next` is read of a generator in its place: next((x for x in ... if ...), None)")
    # Python looks at the default first, before the generator makes a pass.
    default = interpreter.evaluate(node.args[1]) if len(node.args) == 2 else None
    return next_of(interpreter, node.args[0], (lambda: default) if len(node.args) == 2 else None)


def _list(interpreter: Interpreter, arguments: list[Value], keywords: dict[str, Value]) -> Value:
    _at_most_one("list", arguments, keywords)
    if arguments and bounded_of(interpreter, arguments[0]) is not None:
        return copy(interpreter, arguments[0])
    made = tuple(passes_of(interpreter, arguments[0])) if arguments else ()
    return Reference(interpreter.allocate(ListObject(made)))


def _tuple(interpreter: Interpreter, arguments: list[Value], keywords: dict[str, Value]) -> Value:
    _at_most_one("tuple", arguments, keywords)
    items = passes_of(interpreter, arguments[0]) if arguments else ()
    if all(present is TRUE for present, _ in items):
        return tuple(value for _, value in items)
    return Reference(interpreter.allocate(ListObject(items, "a tuple")))


def _set(interpreter: Interpreter, arguments: list[Value], keywords: dict[str, Value]) -> Value:
    _at_most_one("set", arguments, keywords)
    items = items_of(interpreter, arguments[0]) if arguments else ()
    if not all(present is TRUE for present, _ in items):
        raise ModelError("a set whose members depend on the state: use a list, or a field")
    return Members(tuple(value for _, value in items))


def _dict(interpreter: Interpreter, arguments: list[Value], keywords: dict[str, Value]) -> Value:
    if arguments:
        raise ModelError("`dict` of an argument: write {KEY: value}")
    return Reference(interpreter.allocate(DictObject({name: (TRUE, value) for name, value in keywords.items()})))


def _at_most_one(name: str, arguments: list[Value], keywords: dict[str, Value]) -> None:
    if len(arguments) > 1 or keywords:
        raise ModelError(f"`{name}` takes one argument")


def _bool(interpreter: Interpreter, arguments: list[Value], keywords: dict[str, Value]) -> Value:
    _at_most_one("bool", arguments, keywords)
    return value_of(truth(interpreter, arguments[0])) if arguments else False


def _str(interpreter: Interpreter, arguments: list[Value], keywords: dict[str, Value]) -> Value:
    _at_most_one("str", arguments, keywords)
    if arguments and type(arguments[0]) in (int, str):
        return str(arguments[0])
    raise ModelError(f"{textless(arguments[0]) if arguments else 'nothing'} has no text in a model: compare values")


def _cast(interpreter: Interpreter, arguments: list[Value], keywords: dict[str, Value]) -> Value:
    if len(arguments) != 2 or keywords:
        raise ModelError("`cast` takes a type and a value")
    return arguments[1]


def _getattr(interpreter: Interpreter, arguments: list[Value], keywords: dict[str, Value]) -> Value:
    if len(arguments) != 2 or not isinstance(arguments[0], StateValue) or type(arguments[1]) is not str or keywords:
        raise ModelError("`getattr` is read of the state, with a name that is known: getattr(st, NAME)")
    return attribute_value(interpreter, arguments[0], arguments[1])


def _setattr(interpreter: Interpreter, arguments: list[Value], keywords: dict[str, Value]) -> Value:
    if len(arguments) != 3 or type(arguments[1]) is not str or keywords:
        raise ModelError("`setattr` is read of the state, with a name that is known: setattr(st, NAME, value)")
    put_attribute(interpreter, arguments[0], arguments[1], arguments[2])
    return None


# Functions that see their arguments unread, as conditions may have to be read pass by pass.
SPECIAL: dict[Any, Special] = {
    declare.require: guard("require"),
    declare.given: guard("given"),
    budgets.used: read_used,
    builtins.any: _any_or_all(False),
    builtins.all: _any_or_all(True),
    builtins.next: _next,
    builtins.sum: _sum,
    builtins.min: _consuming(extreme(smallest=True)),
    builtins.max: _consuming(extreme(smallest=False)),
    builtins.list: _consuming(_list),
    builtins.tuple: _consuming(_tuple),
    builtins.set: _consuming(_set),
    builtins.frozenset: _consuming(_set),
}


def _end(name: str, last: bool) -> Known:
    """``first(Node)`` or ``last(Node)`` of an ordered sort."""

    def read(interpreter: Interpreter, arguments: list[Value], keywords: dict[str, Value]) -> Value:
        if keywords or len(arguments) != 1 or not is_sort(arguments[0]) or not arguments[0].ordered:
            raise ModelError(f"`{name}` takes a sort that is ordered: class Node(Sort, ordered=True)")
        elements = elements_of(interpreter, arguments[0])
        return elements[-1 if last else 0][1]

    return read


BUILTINS: dict[Any, Known] = {
    declare.choose: choose,
    declare.choose_from: choose_from,
    declare.first: _end("first", last=False),
    declare.last: _end("last", last=True),
    declare.forall: quantifier(True),
    declare.exists: quantifier(False),
    typing.cast: _cast,
    builtins.len: length,
    builtins.range: ranged,
    builtins.enumerate: enumerated,
    builtins.zip: zipped,
    builtins.reversed: reversed_,
    builtins.sorted: sorted_,
    builtins.abs: absolute,
    builtins.bool: _bool,
    builtins.str: _str,
    builtins.dict: _dict,
    builtins.getattr: _getattr,
    builtins.setattr: _setattr,
}


# -- methods


def _append(interpreter: Interpreter, of: Reference, value: Value) -> Value:
    content = changeable(interpreter, of)
    interpreter.put(of.identity, ListObject((*content.items, (TRUE, value))))
    return None


def _extend(interpreter: Interpreter, of: Reference, more: Value) -> Value:
    content = changeable(interpreter, of)
    interpreter.put(of.identity, ListObject((*content.items, *passes_of(interpreter, more))))
    return None


def _clear(interpreter: Interpreter, of: Reference) -> Value:
    content = changeable(interpreter, of)
    interpreter.put(of.identity, type(content)(() if isinstance(content, ListObject) else {}))  # type: ignore[arg-type]
    return None


def _copy(interpreter: Interpreter, of: Reference) -> Value:
    content = interpreter.content(of.identity)
    return Reference(interpreter.allocate(type(content)(content.items)))


def _pop(interpreter: Interpreter, of: Reference, *place: Value) -> Value:
    content = changeable(interpreter, of)
    if any(present is not TRUE for present, _ in content.items) or any(type(one) is not int for one in place):
        raise ModelError("`.pop` of a list whose length depends on the state: use `next(...)`, or a loop")
    number = place[0] if place else -1
    if not -len(content.items) <= number < len(content.items):
        return interpreter.fail("IndexError: the list is shorter")
    items = list(content.items)
    _, value = items.pop(number)
    interpreter.put(of.identity, ListObject(tuple(items)))
    return value


def _count(interpreter: Interpreter, of: Value, member: Value) -> Value:
    items = items_of(interpreter, of)
    found = tuple((and_(present, equal(interpreter, value, member)), value) for present, value in items)
    return length(interpreter, [Reference(interpreter.allocate(ListObject(found)))], {})


def _keys(interpreter: Interpreter, of: Reference) -> Value:
    content = _ordered(interpreter, of)
    return Iterator(content.items).over(of)


def _values(interpreter: Interpreter, of: Reference) -> Value:
    return Iterator(value for _, value in _ordered(interpreter, of).items.values()).over(of)


def _items(interpreter: Interpreter, of: Reference) -> Value:
    return Iterator((key, value) for key, (_, value) in _ordered(interpreter, of).items.items()).over(of)


def _ordered(interpreter: Interpreter, of: Reference) -> DictObject:
    content: DictObject = interpreter.content(of.identity)
    if any(present is not TRUE for present, _ in content.items.values()):
        raise ModelError("a dictionary whose keys depend on the state is gone through: use `if`")
    return content


def _get(interpreter: Interpreter, of: Reference, key: Value, default: Value = None) -> Value:
    content: DictObject = interpreter.content(of.identity)

    def one(key: Value) -> Value:
        try:
            found = content.items.get(key)
        except TypeError:
            found = None
        if not isinstance(key, bool | int | str | None) and not isinstance(type(key), EnumMeta):
            raise ModelError(f"{name_of(key)} is not a key of a dictionary: use `if`, `match` or `in (...)`")
        if found is None:
            return default
        present, value = found
        return interpreter.branch(or_(present), lambda: value, lambda: default)

    return interpreter.split(key, one)


METHODS: dict[tuple[type, str], Callable[..., Value]] = {
    (ListObject, "append"): _append,
    (ListObject, "extend"): _extend,
    (ListObject, "clear"): _clear,
    (ListObject, "copy"): _copy,
    (ListObject, "pop"): _pop,
    (ListObject, "count"): _count,
    (tuple, "count"): _count,
    (DictObject, "keys"): _keys,
    (DictObject, "values"): _values,
    (DictObject, "items"): _items,
    (DictObject, "get"): _get,
    (DictObject, "clear"): _clear,
    (DictObject, "copy"): _copy,
    **METHODS_OF_BOUNDED,
}
