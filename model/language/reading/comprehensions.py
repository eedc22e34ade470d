"""Comprehensions, and the loops inside calls of ``any``, ``all``, ``next``: a scope of their own, pass by pass."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from enum import Enum
from functools import partial
from typing import Any

from onceproof.model.language.errors import ModelError
from onceproof.model.language.index_sets import is_sort
from onceproof.model.language.reading.assignment import assign
from onceproof.model.language.reading.interpreter import Ended, Interpreter
from onceproof.model.language.reading.member_cells import Made, is_in, relations
from onceproof.model.language.reading.operators import condition, condition_of, truth
from onceproof.model.language.reading.sequences import changes_of, check_unchanged, items_of, passes_of
from onceproof.model.language.reading.sources import Comprehension, targets_of
from onceproof.model.language.reading.values import (
    DictObject,
    Item,
    ListObject,
    MembersView,
    Reference,
    Scope,
    Symbol,
    Value,
    name_of,
    value_of,
)
from onceproof.model.language.sorts import Index
from onceproof.model.language.terms import TRUE, Term, Var, and_, not_, or_, quantified
from onceproof.model.language.wholes import count


def list_comprehension(interpreter: Interpreter, node: ast.ListComp | ast.GeneratorExp) -> Value:
    """``[value for target in ...]``: a list whose members may be absent."""
    made = interpreter.allocate(ListObject(()))

    def append() -> Value:
        value = interpreter.evaluate(node.elt)
        content = interpreter.content(made)
        interpreter.put(made, ListObject((*content.items, (TRUE, value))))
        return None

    through(interpreter, node, append)
    return Reference(made)


def dict_display(interpreter: Interpreter, node: ast.Dict) -> Value:
    """``{KEY: value}`` with constant keys."""
    items: dict[Any, Item] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            raise ModelError("a model function cannot use `**`")
        found = interpreter.evaluate(key)
        if isinstance(found, Symbol) or not isinstance(found, bool | int | str | Enum | None):
            raise ModelError(f"{name_of(found)} is not a key of a dictionary: use `if`, `match` or `in (...)`")
        items[found] = TRUE, interpreter.evaluate(value)
    return Reference(interpreter.allocate(DictObject(items)))


def in_scope(interpreter: Interpreter, node: Comprehension, part: Callable[[], Value]) -> Value:
    """Reads a part of a comprehension, whose targets are names of its own."""
    outer = interpreter.scope
    frame = interpreter.allocate({})
    interpreter.scope = Scope(targets_of(node), frame, outer, outer.file, outer.function)
    try:
        value = part()
    finally:
        captured, interpreter.scope = interpreter.scope.captured, outer
    if not captured:
        interpreter.release_frame(frame)
    return value


def through(
    interpreter: Interpreter,
    node: Comprehension,
    emit: Callable[[], Value],
    going_on: Callable[[], Term] = lambda: TRUE,
    first: Value = None,
) -> None:
    """Calls ``emit`` in every pass of a comprehension, as long as ``going_on`` holds.

    first: what its first loop goes through, which Python, too, looks at outside the comprehension's scope.
    """
    if first is None:
        first = interpreter.gone_through(node.generators[0].iter)
    in_scope(interpreter, node, lambda: _passes(interpreter, node.generators, first, emit, going_on))


def _passes(
    interpreter: Interpreter,
    generators: Sequence[ast.comprehension],
    container: Value,
    emit: Callable[[], Value],
    going_on: Callable[[], Term],
) -> Value:
    first, *rest = generators
    if first.is_async:
        raise ModelError("a model function cannot use `async for`")

    def tests(number: int) -> Value:
        if number < len(first.ifs):
            test = truth(interpreter, interpreter.evaluate(first.ifs[number]))
            return interpreter.branch(test, lambda: tests(number + 1), lambda: None)
        if not rest:
            return emit()
        return _passes(interpreter, rest, interpreter.gone_through(rest[0].iter), emit, going_on)

    def one_pass(value: Value) -> Value:
        assign(interpreter, first.target, value)
        return tests(0)

    def all_passes(container: Value) -> Value:
        content = changes_of(interpreter, container)
        for present, value in passes_of(interpreter, container):
            pass_of = partial(one_pass, value)
            in_it = partial(interpreter.branch, present, pass_of, lambda: None)
            interpreter.branch(going_on(), in_it, lambda: None)
            check_unchanged(interpreter, container, content)
        return None

    return interpreter.split(container, all_passes)


def any_or_all(interpreter: Interpreter, node: ast.expr, universal: bool) -> Value:
    """``any(...)`` or ``all(...)``: of a loop only as many passes are made as are needed."""
    if not isinstance(node, ast.GeneratorExp):
        found: Term = value_of_truths(interpreter, interpreter.gone_through(node), universal)
        return value_of(found)
    first = interpreter.gone_through(node.generators[0].iter)
    if interpreter.unbounded and (is_sort(first) or isinstance(first, MembersView)):
        return in_scope(interpreter, node, lambda: value_of(_for_any_size(interpreter, node, universal)))
    cell = interpreter.allocate({"found": False})

    def found_now() -> Term:
        return condition_of(interpreter.content(cell)["found"])

    def look() -> Value:
        test = truth(interpreter, interpreter.evaluate(node.elt))
        interpreter.put(cell, {"found": value_of(not_(test) if universal else test)})
        return None

    going_on = lambda: not_(found_now())  # noqa: E731
    through(interpreter, node, look, going_on, first)
    result = found_now()
    interpreter.release_frame(cell)
    return value_of(not_(result) if universal else result)


def value_of_truths(interpreter: Interpreter, container: Value, universal: bool) -> Term:
    """Whether any (or all) members of a list are true."""

    def one(container: Value) -> Value:
        items = items_of(interpreter, container)

        def rest(number: int) -> Value:
            if number == len(items):
                return universal
            present, value = items[number]
            stop = lambda: not universal  # noqa: E731
            more = lambda: rest(number + 1)  # noqa: E731

            def asked() -> Value:
                test = truth(interpreter, value)
                return interpreter.branch(test, more, stop) if universal else interpreter.branch(test, stop, more)

            return interpreter.branch(present, asked, more)

        return rest(0)

    return condition_of(interpreter.split(container, one))


def _for_any_size(interpreter: Interpreter, node: ast.GeneratorExp, universal: bool) -> Term:
    """The same as a quantifier, where a sort has any number of elements."""

    frame = interpreter.scope.frame

    def level(number: int) -> Value:
        if number == len(node.generators):
            return value_of(truth(interpreter, interpreter.evaluate(node.elt)))
        generator = node.generators[number]
        sort = interpreter.evaluate(generator.iter)
        if isinstance(sort, MembersView):
            return members(generator, sort, number)
        if not is_sort(sort):
            raise ModelError("for any number of elements `any` and `all` go through sorts: write `exists` or `forall`")

        def inside(variable: Var) -> Value:
            assign(interpreter, generator.target, Symbol(variable, Index(sort)))
            return tests(generator, 0, lambda: level(number + 1))

        return value_of(quantify(interpreter, universal, (sort,), lambda found: inside(found[0]), frame))

    def members(generator: ast.comprehension, view: MembersView, number: int) -> Value:
        found: list[Term] = []
        for sorts, made in relations(interpreter, view):

            def inside(variables: tuple[Var, ...], made: Made = made) -> Value:
                place, value = made(variables)
                assign(interpreter, generator.target, value)
                then = lambda: tests(generator, 0, lambda: level(number + 1))  # noqa: E731
                return interpreter.branch(is_in(interpreter, view, place), then, lambda: universal)

            if sorts:
                found.append(quantify(interpreter, universal, sorts, inside, frame))
            else:
                found.append(condition_of(inside(())))
        return value_of(and_(*found) if universal else or_(*found))

    def tests(generator: ast.comprehension, number: int, then: Callable[[], Value]) -> Value:
        if number == len(generator.ifs):
            return then()
        test = truth(interpreter, interpreter.evaluate(generator.ifs[number]))
        return interpreter.branch(test, lambda: tests(generator, number + 1, then), lambda: universal)

    return condition_of(level(0))


def counted(interpreter: Interpreter, node: ast.expr) -> Value:
    """``sum(condition for element in Sort)`` as a number of elements, where values are read as wholes; else None."""
    if not interpreter.whole or not isinstance(node, ast.GeneratorExp) or len(node.generators) > 1:
        return None
    generator, base, obligations = node.generators[0], interpreter.world, list(interpreter.obligations)
    sort = interpreter.gone_through(generator.iter)
    if not is_sort(sort):
        return None

    def tests(number: int) -> Value:
        if number < len(generator.ifs):
            test = truth(interpreter, interpreter.evaluate(generator.ifs[number]))
            return interpreter.branch(test, lambda: tests(number + 1), lambda: False)
        value = interpreter.evaluate(node.elt)
        return True if type(value) is int and value == 1 else value_of(condition(interpreter, value))

    def inside(variables: tuple[Var, ...]) -> Value:
        assign(interpreter, generator.target, Symbol(variables[0], Index(sort)))
        return tests(0)

    def some() -> Value:
        return value_of(quantify(interpreter, False, (sort,), inside, interpreter.scope.frame))

    try:
        found = condition_of(in_scope(interpreter, node, some))
    except ModelError:  # it adds up numbers
        interpreter.world, interpreter.obligations = base, obligations
        return None
    return value_of(count(found, interpreter.sizes[sort.__name__]))


def quantify(
    interpreter: Interpreter,
    universal: bool,
    sorts: Sequence[type],
    body: Callable[[tuple[Var, ...]], Value],
    own: int = 0,
) -> Term:
    """What ``body`` says of all (or some) elements; it must change nothing, but for the frame ``own``."""
    variables = tuple(interpreter.variable(sort) for sort in sorts)
    base, pending = interpreter.world, interpreter.pending
    interpreter.quantifiers += 1
    try:
        value = body(variables)
        found = condition_of(value) if isinstance(value, bool | Symbol) else truth(interpreter, value)
        after = interpreter.world
    except Ended:
        value, found, after = False, condition_of(False), base
    finally:
        interpreter.quantifiers -= 1
        interpreter.release(len(variables))
    if interpreter.pending != pending:
        raise ModelError("a quantifier is left early")
    if after.writes != base.writes:
        raise ModelError("a quantifier must not write")
    if any(after.heap.get(i, content) is not content for i, content in base.heap.items() if i != own):
        raise ModelError("a quantifier must not change a local, a list or a dictionary")
    interpreter.world = base
    return quantified(universal, variables, found)


def next_of(interpreter: Interpreter, node: ast.GeneratorExp, default: Callable[[], Value] | None) -> Value:
    """``next(generator, default)``: the first value, with no pass made after it."""
    cell = interpreter.allocate({"found": False, "value": None})

    def going_on() -> Term:
        return not_(condition_of(interpreter.content(cell)["found"]))

    def take() -> Value:
        value = interpreter.evaluate(node.elt)
        interpreter.put(cell, {"found": True, "value": value})
        return None

    through(interpreter, node, take, going_on)
    content = interpreter.content(cell)
    interpreter.release_frame(cell)
    found = condition_of(content["found"])
    if default is None:
        interpreter.fail_where(not_(found), "StopIteration: there is no next value")
        return content["value"]
    return interpreter.branch(found, lambda: content["value"], default)
