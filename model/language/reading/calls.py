"""Calls: of the language, of functions whose source is read in turn, and of the builtins that are known."""

from __future__ import annotations

import ast
import inspect
from types import FunctionType
from typing import Any

from onceproof.model.language.errors import ModelError, nearest
from onceproof.model.language.reading.builtin_functions import BUILTINS, METHODS, SPECIAL
from onceproof.model.language.reading.interpreter import Ended, Exits, Interpreter
from onceproof.model.language.reading.member_methods import method_of
from onceproof.model.language.reading.records import made_record
from onceproof.model.language.reading.sequences import items_of
from onceproof.model.language.reading.sources import FunctionNode, is_plain, names_of
from onceproof.model.language.reading.values import (
    BoundedList,
    Closure,
    DictObject,
    MembersView,
    Method,
    RecordValue,
    Reference,
    Scope,
    SequenceView,
    Value,
    name_of,
)
from onceproof.model.language.reading.world import Frame, joined
from onceproof.model.language.terms import TRUE
from onceproof.model.language.value_kinds import record_kind

DEEPEST = 60  # calls inside calls
KNOWN = "a model function can call plain Python functions whose source is at hand, and len, sum, any, all, min, max …"
KIND = "`{name}` asks what Python object there is, and a model has values: compare it with values"
GOING_THROUGH = (enumerate, zip, sorted)  # what comes of it is gone through at once, too, or is a list
ASKING = (isinstance, issubclass, type, id, repr, hash, callable, hasattr, vars, dir)


def call(interpreter: Interpreter, node: ast.Call) -> Value:
    """A call."""
    callee = interpreter.evaluate(node.func)
    return interpreter.split(callee, lambda one: _call(interpreter, node, one))


def _call(interpreter: Interpreter, node: ast.Call, callee: Value) -> Value:
    special = SPECIAL.get(callee) if isinstance(callee, FunctionType | type(len) | type) else None
    if special is not None:
        return special(interpreter, node)
    if any(callee is asking for asking in ASKING):
        raise ModelError(KIND.format(name=callee.__name__))
    arguments = _positional(interpreter, node, at_once=any(callee is one for one in GOING_THROUGH))
    keywords = _keywords(interpreter, node)
    record = record_kind(callee)
    if record is not None:
        return made_record(interpreter, record, arguments, keywords)
    if isinstance(callee, Method):
        return _method(interpreter, callee, arguments, keywords)
    if isinstance(callee, Closure | FunctionType) and callee not in BUILTINS:
        return call_function(interpreter, callee, arguments, keywords, node)
    known = BUILTINS.get(callee) if isinstance(callee, FunctionType | type(len) | type) else None
    if known is None:
        raise ModelError(f"{_called(callee)} is called, which cannot be read: {KNOWN}")
    return known(interpreter, arguments, keywords)


def _called(callee: Value) -> str:
    name = getattr(callee, "__qualname__", None)
    module = getattr(callee, "__module__", None) or getattr(type(getattr(callee, "__self__", None)), "__module__", "")
    if name and module not in ("builtins", None):
        return f"`{module}.{name}`"
    return f"`{name}`" if name else name_of(callee)


def _positional(interpreter: Interpreter, node: ast.Call, at_once: bool) -> list[Value]:
    """The arguments by position. at_once: the function goes through them before anything else happens."""
    found: list[Value] = []
    value = interpreter.gone_through if at_once else interpreter.evaluate
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            items = items_of(interpreter, interpreter.gone_through(argument.value))
            if any(present is not TRUE for present, _ in items):
                raise ModelError("`*` of a list whose length depends on the state")
            found += [value for _, value in items]
        else:
            found.append(value(argument))
    return found


def _keywords(interpreter: Interpreter, node: ast.Call) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for keyword in node.keywords:
        value = interpreter.evaluate(keyword.value)
        if keyword.arg is not None:
            found[keyword.arg] = value
            continue
        content = interpreter.content(value.identity) if isinstance(value, Reference) else None
        if not isinstance(content, DictObject) or any(present is not TRUE for present, _ in content.items.values()):
            raise ModelError("`**` of anything but a dictionary that is known")
        found.update({key: one for key, (_, one) in content.items.items()})
    return found


def _method(interpreter: Interpreter, method: Method, arguments: list[Value], keywords: dict[str, Value]) -> Value:
    if isinstance(method.of, RecordValue):
        function = vars(method.of.kind.cls)[method.name]
        return call_function(interpreter, function, [method.of, *arguments], keywords)
    if isinstance(method.of, MembersView):
        changing = method_of(method.of, method.name)
        if changing is None or keywords:
            raise ModelError(f"`.{method.name}` of {name_of(method.of)} is called, which cannot be read: {KNOWN}")
        return checked_call(changing, method.name, interpreter, method.of, arguments)
    content = interpreter.content(method.of.identity) if isinstance(method.of, Reference) else method.of
    known = METHODS.get((type(content), method.name))
    if known is None and isinstance(content, SequenceView | BoundedList):
        names = sorted(name for kind, name in METHODS if kind is BoundedList)
        raise ModelError(
            f"{name_of(method.of)} has no `.{method.name}`{nearest(method.name, names)}; a list in the state has "
            f"{', '.join(names)}"
        )
    if known is None:
        what = "a tuple" if isinstance(method.of, tuple) else name_of(method.of)
        raise ModelError(f"`.{method.name}` of {what} is called, which cannot be read: {KNOWN}")
    if keywords:
        raise ModelError(f"`.{method.name}` takes no arguments by name here")
    return checked_call(known, method.name, interpreter, method.of, arguments)


def checked_call(known: Any, name: str, interpreter: Interpreter, of: Value, arguments: list[Value]) -> Value:
    """Calls a method that is known; ModelError for more or fewer arguments than it takes."""
    try:
        inspect.signature(known).bind(interpreter, of, *arguments)
    except TypeError:
        raise ModelError(f"TypeError: `.{name}` does not take {len(arguments)} arguments") from None
    return known(interpreter, of, *arguments)


def call_function(
    interpreter: Interpreter,
    function: FunctionType | Closure,
    arguments: list[Value],
    keywords: dict[str, Value],
    at: ast.AST | None = None,
) -> Value:
    """What a function returns, read for these arguments; Ended if no way returns."""
    if isinstance(function, Closure):
        node: FunctionNode = function.node
        parent, file, module = function.scope, function.scope.file, function.scope.function
        defaults, keyword_defaults = function.defaults, function.keyword_defaults
    else:
        source = interpreter.source(function)
        node, parent, file, module = source.node, None, source.file, function
        defaults = tuple(interpreter.outside("a default", one) for one in function.__defaults__ or ())
        given = function.__kwdefaults__ or {}
        keyword_defaults = tuple(
            interpreter.outside("a default", given[one.arg]) if one.arg in given else None
            for one in node.args.kwonlyargs
        )
        _check_plain(function)
    if len(interpreter.calls) >= DEEPEST:
        raise ModelError(f"more than {DEEPEST} calls inside one another: a function that calls itself without end?")
    frame = _bound(interpreter, node, arguments, keywords, defaults, keyword_defaults)
    outer = interpreter.scope, interpreter.exits
    if at is not None:
        interpreter.calls.append(interpreter.position(at))
    identity = interpreter.allocate(frame)
    interpreter.scope = Scope(names_of(node).local, identity, parent, file, module)
    interpreter.exits = Exits()
    try:
        value = _result(interpreter, node)
        captured = interpreter.scope.captured
    finally:
        interpreter.scope, interpreter.exits = outer
    if at is not None:
        interpreter.calls.pop()
    if not captured:
        interpreter.release_frame(identity)
    return value


def _check_plain(function: FunctionType) -> None:
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise ModelError(f"`{function.__name__}` has `async` or `yield`: a model calls plain functions only")


def _result(interpreter: Interpreter, node: FunctionNode) -> Value:
    """Reads a body, and puts all ways that return together."""
    if isinstance(node, ast.Lambda):
        return interpreter.evaluate(node.body)
    if not is_plain(node):
        raise ModelError(f"`{node.name}` has `yield` or `await`: a model calls plain functions only")
    base = interpreter.world
    ends = interpreter.exits.returns
    try:
        interpreter.execute(node.body)
        fallen: list[tuple[Any, Value]] = [(interpreter.world, None)]
    except Ended:
        fallen = []
    interpreter.pending -= len(ends)
    ends = [*ends, *fallen]
    if not ends:
        raise Ended
    interpreter.world, value = joined(base, ends, complete=True)
    return value


def _bound(
    interpreter: Interpreter,
    node: FunctionNode,
    arguments: list[Value],
    keywords: dict[str, Value],
    defaults: tuple[Value, ...],
    keyword_defaults: tuple[Value, ...],
) -> Frame:
    """The arguments of a call by the names of its parameters, as Python binds them."""
    spec = node.args
    name = node.name if isinstance(node, ast.FunctionDef) else "a lambda"
    names = [one.arg for one in (*spec.posonlyargs, *spec.args)]
    frame: Frame = dict(zip(names, arguments, strict=False))
    more = arguments[len(names) :]
    if spec.vararg is not None:
        frame[spec.vararg.arg] = tuple(more)
    elif more:
        raise ModelError(f"TypeError: `{name}` takes {len(names)} arguments, found {len(arguments)}")
    extra: dict[Any, Any] = {}
    allowed = {one.arg for one in (*spec.args, *spec.kwonlyargs)}
    for keyword, value in keywords.items():
        if keyword in frame or (keyword not in allowed and spec.kwarg is None):
            raise ModelError(f"TypeError: `{name}` has no argument `{keyword}`, or has it twice")
        if keyword in allowed:
            frame[keyword] = value
        else:
            extra[keyword] = TRUE, value
    if spec.kwarg is not None:
        frame[spec.kwarg.arg] = Reference(interpreter.allocate(DictObject(extra)))
    for parameter, value in zip(names[len(names) - len(defaults) :], defaults, strict=True):
        frame.setdefault(parameter, value)
    for one, given, value in zip(spec.kwonlyargs, spec.kw_defaults, keyword_defaults, strict=True):
        if given is not None:
            frame.setdefault(one.arg, value)
    missing = [one for one in (*names, *(one.arg for one in spec.kwonlyargs)) if one not in frame]
    if missing:
        raise ModelError(f"TypeError: `{name}` misses its argument `{missing[0]}`")
    return frame
