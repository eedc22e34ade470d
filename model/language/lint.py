"""What tracing cannot see and therefore refuses by reading the source: loops over a sort that are more than a loop.

The passes of such a loop are traced apart, so a local name that one pass hands to the next, or a way out of the loop
halfway, would go wrong silently.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from types import FunctionType
from typing import Any

from model.language.errors import LANGUAGE_FOLDER, ModelError
from model.language.sorts import Sort


def check_loops(function: Callable[..., Any], what: str) -> None:
    """ModelError for a loop over a sort that is left early or carries a local name from pass to pass.

    Looks at the function and at the helpers that it calls by a global name.
    """
    for line_of, message in _faults_with_helpers(function):
        raise ModelError(message, f"{what}, {line_of}")


def _faults_with_helpers(function: Callable[..., Any]) -> Iterator[tuple[str, str]]:
    seen: set[int] = set()
    waiting = [function]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or not isinstance(one, FunctionType):
            continue
        seen.add(id(one))
        if not one.__code__.co_filename.startswith(LANGUAGE_FOLDER):
            yield from _faults(one)
            waiting.extend(value for name in one.__code__.co_names if (value := one.__globals__.get(name)) is not None)


@lru_cache(maxsize=4096)
def _faults(function: FunctionType) -> tuple[tuple[str, str], ...]:
    tree = _source_of(function)
    if tree is None:
        return ()
    scope = {**function.__globals__, **inspect.getclosurevars(function).nonlocals}
    found = []
    for loop in ast.walk(tree):
        if isinstance(loop, ast.For) and _is_sort(loop.iter, scope):
            for line, message in _faults_of_loop(tree, loop):
                number = function.__code__.co_firstlineno + line - 1
                found.append((f"{Path(function.__code__.co_filename).name}:{number}", message))
    return tuple(found)


def _source_of(function: FunctionType) -> ast.FunctionDef | None:
    """The function's syntax tree; None where there is no source (typed into a console)."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    except (OSError, TypeError, SyntaxError, IndentationError):
        return None
    return tree if isinstance(tree, ast.FunctionDef) else None


def _faults_of_loop(tree: ast.FunctionDef, loop: ast.For) -> Iterator[tuple[int, str]]:
    for node in _statements(loop.body):
        if isinstance(node, ast.Break | ast.Return):
            yield node.lineno, "`break` or `return` inside a loop over a sort; use a quantifier"
    carried = (_assigned(loop.body) & _used_outside(tree, loop)) | _augmented(loop.body)
    if carried:
        names = ", ".join(sorted(carried))
        yield loop.lineno, f"the loop carries the local `{names}` from pass to pass; use a quantifier"


def _statements(body: list[ast.stmt]) -> Iterator[ast.AST]:
    return (node for statement in body for node in ast.walk(statement))


def _is_sort(node: ast.expr, scope: dict[str, Any]) -> bool:
    return isinstance(node, ast.Name) and isinstance(scope.get(node.id), type) and issubclass(scope[node.id], Sort)


def _assigned(body: list[ast.stmt]) -> set[str]:
    nodes = list(_statements(body))
    targets = {id(node.target) for node in nodes if isinstance(node, ast.For)}
    return {
        node.id
        for node in nodes
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and id(node) not in targets
    }


def _augmented(body: list[ast.stmt]) -> set[str]:
    return {
        node.target.id
        for node in _statements(body)
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)
    }


def _used_outside(tree: ast.FunctionDef, loop: ast.For) -> set[str]:
    inside = {id(node) for node in ast.walk(loop)}
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in inside}
