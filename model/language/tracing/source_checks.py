"""What tracing cannot see for itself, and so reads from the source: which loops over a sort have passes of their own.

A loop whose passes have nothing to do with each other is traced a pass at a time, so that its branches add up; where
one pass hands something to the next (a local, a list that grows), or may be the last, all passes are traced as one
run, as Python has it. And ``is``, which no symbol can answer, is refused, as is a ``while`` that asks the state.
"""

from __future__ import annotations

import ast
import inspect
import linecache
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from types import FrameType, FunctionType, ModuleType
from typing import Any

from onceproof.model.language.errors import LANGUAGE_FOLDER, ModelError

Place = tuple[int | None, int | None]  # line and column
GUARDS = ("require", "given")
ASKING = ("isinstance", "type", "id", "repr", "hash")
CONTAINERS = ("list", "dict", "set", "Counter", "defaultdict", "deque", "iter")
IDENTITY = "`is` compares objects, and a model has values: write `==` or `!=` (`is None` is fine)"
KIND = "`{name}` asks what Python object there is, and a model has values: compare it with values"
ENDLESS = "a `while` that asks the state need not end: make each of its passes a step, an action of its own"
Function = ast.FunctionDef | ast.Lambda


def why_passes_hang_together(frame: FrameType) -> str | None:
    """Of the loop that ``frame`` has just begun: why its passes are one run; None where each stands for itself.

    "" where there is no source to read (a model typed into a console).
    """
    loops = _loops_of(frame.f_code.co_filename)
    if loops is None:
        return ""
    positions = list(frame.f_code.co_positions())[frame.f_lasti // 2]
    return loops.get((positions[0], positions[2]), "the loop is inside an expression")


def check_source(function: Callable[..., Any], what: str) -> None:
    """ModelError for what no trace can follow, here or in a helper that is called by a global name.

    That is an ``is`` that compares with anything but None, a ``while`` that asks the state, an ``isinstance``.
    """
    seen: set[int] = set()
    waiting: list[Any] = [function]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or not isinstance(one, FunctionType) or _is_ours(one):
            continue
        seen.add(id(one))
        file = one.__code__.co_filename
        for line, text in _faults_of(file).get(one.__code__.co_firstlineno, ()):
            raise ModelError(text, f"{what}, {Path(file).name}:{line}")
        waiting += _called(one)


def _is_ours(function: FunctionType) -> bool:
    return function.__code__.co_filename.startswith(LANGUAGE_FOLDER)


def _called(function: FunctionType) -> Iterator[Any]:
    """What the names in a function may mean: globals, what it closes over, and members of modules and classes."""
    names = function.__code__.co_names
    scope = {**function.__globals__, **inspect.getclosurevars(function).nonlocals}
    for value in [scope[name] for name in (*names, *function.__code__.co_freevars) if name in scope]:
        yield value
        if isinstance(value, ModuleType | type):
            yield from (found for name in names if (found := vars(value).get(name)) is not None)


@lru_cache(maxsize=256)
def _tree(file: str) -> ast.Module | None:
    try:
        return ast.parse("".join(linecache.getlines(file)) or "(")
    except SyntaxError:
        return None


@lru_cache(maxsize=256)
def _loops_of(file: str) -> dict[Place, str | None] | None:
    """Every ``for`` over a name in a file, by where it stands: why its passes hang together, None where they don't."""
    tree = _tree(file)
    if tree is None:
        return None
    found: dict[Place, str | None] = {}
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for loop in _loops_directly_in(function):
            if isinstance(loop.iter, ast.Name | ast.Attribute):
                # Python 3.11 says of the start of a loop where the statement is, later ones where the sort is.
                found[loop.lineno, loop.col_offset] = found[loop.iter.lineno, loop.iter.col_offset] = _bond(
                    function, loop
                )
    return found


def _loops_directly_in(function: ast.FunctionDef) -> Iterator[ast.For]:
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.For):
            yield node
        if not isinstance(node, ast.FunctionDef):
            waiting += ast.iter_child_nodes(node)


def _bond(function: ast.FunctionDef, loop: ast.For) -> str | None:
    """What ties the passes of a loop together, for people."""
    nodes = [node for statement in loop.body for node in ast.walk(statement)]
    if any(isinstance(node, ast.Break | ast.Return) for node in nodes):
        return "`break` or `return` may end the loop early"
    if any(isinstance(node, ast.Call) and _name_of(node.func) in GUARDS for node in nodes):
        return "a guard inside the loop may end it early"
    carried = (_assigned(nodes) & _used_outside(function, loop)) | _augmented(nodes)
    if carried:
        return f"the loop carries the local `{'`, `'.join(sorted(carried))}` from pass to pass"
    changed = {name for node in nodes for name in _changed_inside(node)} & _assigned(list(ast.walk(function)))
    if changed:
        return f"the loop changes what the local `{'`, `'.join(sorted(changed))}` holds"
    lent = _names_in(nodes) & _containers_and_functions(function)
    if lent:
        return f"the loop may change what the local `{'`, `'.join(sorted(lent))}` holds"
    if any(isinstance(node, ast.Nonlocal | ast.Global) for node in ast.walk(function)):
        return "the function writes names that are not its own"
    return None


def _name_of(node: ast.expr) -> str | None:
    match node:
        case ast.Name(name):
            return name
        case ast.Attribute(_, name):
            return name
        case _:
            return None


def _assigned(nodes: list[ast.AST]) -> set[str]:
    targets = {id(name) for node in nodes if isinstance(node, ast.For) for name in ast.walk(node.target)}
    return {
        node.id
        for node in nodes
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and id(node) not in targets
    }


def _augmented(nodes: list[ast.AST]) -> set[str]:
    return {node.target.id for node in nodes if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)}


def _used_outside(function: ast.FunctionDef, loop: ast.For) -> set[str]:
    inside = {id(node) for node in ast.walk(loop)}
    return {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and id(node) not in inside}


def _changed_inside(node: ast.AST) -> Iterator[str]:
    """The names whose objects a node may change: ``seen.append(x)``, ``seen[x] = 1``."""
    target: ast.AST | None = None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        target = node.func.value
    elif isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
        target = node.value
    while isinstance(target, ast.Attribute | ast.Subscript):
        target = target.value
    if isinstance(target, ast.Name):
        yield target.id


def _names_in(nodes: list[ast.AST]) -> set[str]:
    return {node.id for node in nodes if isinstance(node, ast.Name)}


def _containers_and_functions(function: ast.FunctionDef) -> set[str]:
    """The locals that hold lists, sets and dictionaries, or functions, which may hold anything."""
    held = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.Lambda, ast.GeneratorExp)
    found = {node.name for node in ast.walk(function) if isinstance(node, ast.FunctionDef) and node is not function}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and (
            isinstance(node.value, held)
            or (isinstance(node.value, ast.Call) and _name_of(node.value.func) in CONTAINERS)
        ):
            found |= _names_in([name for target in node.targets for name in ast.walk(target)])
    return found


@lru_cache(maxsize=256)
def _faults_of(file: str) -> dict[int, list[tuple[int, str]]]:
    """The lines that no trace can follow, each with why, by the first line of the function that they are in."""
    tree = _tree(file)
    found: dict[int, list[tuple[int, str]]] = {}
    for function in ast.walk(tree) if tree else ():
        if isinstance(function, Function):
            inside = list(ast.walk(function))
            lines = [(node.lineno, IDENTITY) for node in inside if isinstance(node, ast.Compare) and _is_odd(node)]
            called = [node.func for node in inside if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
            lines += [(name.lineno, KIND.format(name=name.id)) for name in called if name.id in ASKING]
            asking = [node for node in inside if isinstance(node, ast.While) and _asks_state(node, function)]
            lines += [(node.lineno, ENDLESS) for node in asking]
            decorators = getattr(function, "decorator_list", [])
            if lines:
                found[min([function.lineno, *(one.lineno for one in decorators)])] = lines
    return found


def _asks_state(loop: ast.While, function: Function) -> bool:
    state = [parameter.arg for parameter in function.args.args[:1]]
    return any(isinstance(part, ast.Name) and part.id in state for part in ast.walk(loop.test))


def _is_odd(compared: ast.Compare) -> bool:
    sides = [compared.left, *compared.comparators]
    return any(
        isinstance(operator, ast.Is | ast.IsNot) and not any(_is_none(side) for side in sides[number : number + 2])
        for number, operator in enumerate(compared.ops)
    )


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
