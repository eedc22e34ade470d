"""Where a function stands in its file: its syntax tree, found by its code object, and the names local to it."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from onceproof.model.language.errors import ModelError

FunctionNode = ast.FunctionDef | ast.Lambda
Scoped = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


_WITHIN = (*Scoped.__args__, *Comprehension.__args__)  # what has names of its own
_BARE = (ast.expr_context, ast.operator, ast.cmpop, ast.boolop, ast.unaryop)  # nodes that only name a form


@dataclass(frozen=True, slots=True)
class Source:
    """The syntax tree of a function, and the file that it stands in."""

    file: str
    node: FunctionNode


@dataclass(frozen=True)
class _File:
    """A parsed file: its functions and its code objects, both by name and first line."""

    bodies: list[list[ast.FunctionDef]]  # the functions of the module, and of each class in it
    assigned: list[list[tuple[str, ast.stmt]]]  # and what is made by a call there, by its name
    functions: dict[tuple[str, int], list[FunctionNode]]
    codes: dict[tuple[str, int], list[CodeType]]


def source_of(function: FunctionType) -> Source:
    """The source of a function; ModelError where there is none, or where it is not what was loaded."""
    code = function.__code__
    linecache.checkcache(code.co_filename)
    text = "".join(linecache.getlines(code.co_filename, function.__globals__))
    if not text:
        raise ModelError(f"the source of `{function.__name__}` cannot be found: put the model into a file")
    node = _located(code, text)
    if node is None:
        file = Path(code.co_filename).name
        changed = f"`{function.__name__}` is not in {file} as it was loaded: was the file edited since?"
        raise ModelError(f"{changed} Load the model again")
    return Source(code.co_filename, node)


@lru_cache(maxsize=4096)
def _located(code: CodeType, text: str) -> FunctionNode | None:
    """The node of a code object in the text of its file; None where the text is not what was loaded."""
    try:
        file = _parsed(code.co_filename, text)
    except SyntaxError:
        return None
    key = code.co_name, code.co_firstlineno
    found = [node for node in file.functions.get(key, ()) if _spans(node, code)]
    if len(found) != 1:
        return None
    if not any(_alike(code, other) for other in file.codes.get(key, ())):
        rewritten = any(isinstance(part, ast.Assert) for part in ast.walk(found[0]))  # by pytest, in tests
        return found[0] if rewritten else None
    return found[0]


@lru_cache(maxsize=64)
def _parsed(name: str, text: str) -> _File:
    functions: dict[tuple[str, int], list[FunctionNode]] = {}
    tree = ast.parse(text)
    bodies, assigned = [_functions_in(tree)], [_assignments_in(tree)]
    for node in _definitions(tree, "lambda" in text):
        if isinstance(node, ast.ClassDef):
            bodies.append(_functions_in(node))
            assigned.append(_assignments_in(node))
        else:
            decorators = node.decorator_list if isinstance(node, ast.FunctionDef) else []
            first = min([node.lineno, *(one.lineno for one in decorators)])
            called = node.name if isinstance(node, ast.FunctionDef) else "<lambda>"
            functions.setdefault((called, first), []).append(node)
    codes: dict[tuple[str, int], list[CodeType]] = {}
    waiting = [compile(tree, name, "exec", dont_inherit=True)]
    while waiting:
        code = waiting.pop()
        codes.setdefault((code.co_name, code.co_firstlineno), []).append(code)
        waiting += [one for one in code.co_consts if isinstance(one, CodeType)]
    return _File(bodies, assigned, functions, codes)


def _definitions(tree: ast.Module, lambdas: bool) -> Iterator[FunctionNode | ast.ClassDef]:
    """All functions and classes of a file. Where it has no lambdas its expressions are not looked at."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        one = waiting.pop()
        if isinstance(one, FunctionNode | ast.ClassDef):
            yield one
        if lambdas:
            waiting += ast.iter_child_nodes(one)
            continue
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            waiting += getattr(one, part, ())


def _spans(node: FunctionNode, code: CodeType) -> bool:
    """Whether a code object is that of this node, of all that begin on its line: lambdas may share a line."""
    if isinstance(node, ast.FunctionDef):
        return True
    places = [p for p in code.co_positions() if None not in p and (p[0], p[2]) != (p[1], p[3])]
    starts = [(p[0], p[2]) for p in places if p[0] is not None and p[2] is not None]
    ends = [(p[1], p[3]) for p in places if p[1] is not None and p[3] is not None]
    body = node.body
    return min(starts) == (body.lineno, body.col_offset) and max(ends) == (body.end_lineno, body.end_col_offset)


def _alike(one: CodeType, other: CodeType) -> bool:
    def parts(code: CodeType) -> tuple[Any, ...]:
        constants = [(type(c), c) if not isinstance(c, CodeType) else (CodeType, c.co_name) for c in code.co_consts]
        return code.co_code, code.co_names, code.co_varnames, code.co_freevars, constants

    return parts(one) == parts(other)


def _functions_in(node: ast.Module | ast.ClassDef) -> list[ast.FunctionDef]:
    return [one for one in node.body if isinstance(one, ast.FunctionDef)]


def _assignments_in(node: ast.Module | ast.ClassDef) -> list[tuple[str, ast.stmt]]:
    """What a body makes by a call and names: ``name = field(...)``."""
    found: list[tuple[str, ast.stmt]] = []
    for one in node.body:
        targets = one.targets if isinstance(one, ast.Assign) else [one.target] if isinstance(one, ast.AnnAssign) else []
        if targets and isinstance(one.value, ast.Call):  # type: ignore[attr-defined]
            found += [(target.id, one) for target in targets if isinstance(target, ast.Name)]
    return found


def lines_of_assignments(name: str, place: tuple[str, int]) -> list[int]:
    """The lines in which the module, or the class, that declares something at a place gives its name to something."""
    file, line = place
    try:
        bodies = _parsed(file, "".join(linecache.getlines(file))).assigned
    except SyntaxError:
        return []
    for body in bodies:
        mine = [one for named, one in body if named == name]
        if any(one.lineno <= line <= (one.end_lineno or one.lineno) for one in mine):
            return [one.lineno for one in mine]
    return []


def lines_of_definitions(function: FunctionType) -> list[int]:
    """The lines in which the module, or the class, that defines a function defines one of its name."""
    file = function.__code__.co_filename
    text = "".join(linecache.getlines(file, function.__globals__))
    try:
        bodies = _parsed(file, text).bodies
    except SyntaxError:
        return []
    for body in bodies:
        mine = [one for one in body if one.name == function.__name__]
        firsts = {min([one.lineno, *(decorator.lineno for decorator in one.decorator_list)]) for one in mine}
        if function.__code__.co_firstlineno in firsts:
            return [one.lineno for one in mine]
    return []


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a function assigns: its own, and those that it declares to be of an enclosing scope."""

    local: frozenset[str]
    outer: frozenset[str]
    globals: frozenset[str]


@lru_cache(maxsize=4096)
def names_of(node: FunctionNode) -> Names:
    """The names that are local to a function, as Python has them: parameters, and all that it assigns."""
    arguments = node.args
    parameters = {one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    parameters |= {one.arg for one in (arguments.vararg, arguments.kwarg) if one is not None}
    inside = _own_nodes(node)
    assigned = {one.id for one in inside if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    assigned |= {one.name for one in inside if isinstance(one, ast.MatchAs | ast.MatchStar) and one.name}
    assigned |= {one.name for one in inside if isinstance(one, ast.FunctionDef | ast.ClassDef)}
    assigned |= {one.target.id for part in inside for one in _walruses(part)}
    outer = {name for one in inside if isinstance(one, ast.Nonlocal) for name in one.names}
    everywhere = {name for one in inside if isinstance(one, ast.Global) for name in one.names}
    return Names(frozenset((parameters | assigned) - outer - everywhere), frozenset(outer), frozenset(everywhere))


@lru_cache(maxsize=64)
def _own_nodes(node: FunctionNode) -> list[ast.AST]:
    """All nodes of a function's body but those of scopes inside it."""
    found: list[ast.AST] = []
    waiting: list[ast.AST] = [*node.body] if isinstance(node, ast.FunctionDef) else [node.body]
    while waiting:
        one = waiting.pop()
        found.append(one)
        if not isinstance(one, _WITHIN):
            for name in one._fields:
                part = getattr(one, name, None)
                if isinstance(part, ast.AST):
                    if not isinstance(part, _BARE):
                        waiting.append(part)
                elif isinstance(part, list):
                    waiting += [inner for inner in part if isinstance(inner, ast.AST)]
    return found


def _walruses(node: ast.AST) -> Iterator[ast.NamedExpr]:
    """The ``:=`` inside a comprehension, which assign names of the function around it."""
    if isinstance(node, Comprehension):
        yield from (one for one in ast.walk(node) if isinstance(one, ast.NamedExpr))


@lru_cache(maxsize=4096)
def is_plain(node: FunctionNode) -> bool:
    """Whether a function has no ``yield`` and no ``await`` of its own."""
    return not any(isinstance(part, (ast.Yield, ast.YieldFrom, ast.Await)) for part in _own_nodes(node))


@lru_cache(maxsize=4096)
def targets_of(node: Comprehension) -> frozenset[str]:
    """The names that are local to a comprehension: the targets of its loops."""
    targets = [part for one in node.generators for part in ast.walk(one.target)]
    return frozenset(one.id for one in targets if isinstance(one, ast.Name))
