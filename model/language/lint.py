"""What tracing cannot see and therefore refuses by reading the source: local names carried from pass to pass."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from model.language.errors import ModelError
from model.language.sorts import Sort


def check_loops(function: Callable[..., Any], what: str) -> None:
    """ModelError if a loop over a sort changes a local name that is used outside its pass.

    The passes of such a loop are traced apart, so a local that one pass hands to the next would go wrong silently.
    """
    try:
        source = textwrap.dedent(inspect.getsource(function))
        tree = ast.parse(source).body[0]
    except (OSError, TypeError, SyntaxError, IndentationError):
        return  # no source (typed into a console): the comparison of runs and traces remains
    if not isinstance(tree, ast.FunctionDef):
        return
    scope = {**function.__globals__, **inspect.getclosurevars(function).nonlocals}
    for loop in ast.walk(tree):
        if isinstance(loop, ast.For) and _is_sort(loop.iter, scope):
            carried = _assigned(loop.body) & _used_outside(tree, loop)
            if carried or _augmented(loop.body):
                names = ", ".join(sorted(carried or _augmented(loop.body)))
                line = function.__code__.co_firstlineno + loop.lineno - 1
                place = f"{what}, {Path(function.__code__.co_filename).name}:{line}"
                raise ModelError(f"the loop carries the local `{names}` from pass to pass; use a quantifier", place)


def _is_sort(node: ast.expr, scope: dict[str, Any]) -> bool:
    return isinstance(node, ast.Name) and isinstance(scope.get(node.id), type) and issubclass(scope[node.id], Sort)


def _assigned(body: list[ast.stmt]) -> set[str]:
    nodes = [node for statement in body for node in ast.walk(statement)]
    targets = {id(node.target) for node in nodes if isinstance(node, ast.For)}
    return {
        node.id
        for node in nodes
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and id(node) not in targets
    }


def _augmented(body: list[ast.stmt]) -> set[str]:
    return {
        node.target.id
        for statement in body
        for node in ast.walk(statement)
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)
    }


def _used_outside(tree: ast.FunctionDef, loop: ast.For) -> set[str]:
    inside = {id(node) for node in ast.walk(loop)}
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in inside}
