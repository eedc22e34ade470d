"""What each kind of statement means."""

from __future__ import annotations

import ast
from collections.abc import Callable
from enum import Enum
from typing import Any

from onceproof.model.language.errors import ModelError
from onceproof.model.language.reading.assignment import assign, put_item
from onceproof.model.language.reading.attributes import attribute_of_any
from onceproof.model.language.reading.expressions import item, make_closure
from onceproof.model.language.reading.interpreter import Ended, Interpreter
from onceproof.model.language.reading.list_methods import extend
from onceproof.model.language.reading.loops import for_loop, while_loop
from onceproof.model.language.reading.operators import arithmetic, truth
from onceproof.model.language.reading.patterns import match
from onceproof.model.language.reading.rows import bounded_of
from onceproof.model.language.reading.sequences import changeable, passes_of
from onceproof.model.language.reading.values import ListObject, Reference, SequenceView, Symbol, Value
from onceproof.model.language.sorts import Index
from onceproof.model.language.terms import Const, not_


def expression(interpreter: Interpreter, node: ast.Expr) -> None:
    """An expression as a statement: a call, or a text that explains."""
    if not (isinstance(node.value, ast.Constant) and isinstance(node.value.value, str | type(...))):
        interpreter.evaluate(node.value)


def assignment(interpreter: Interpreter, node: ast.Assign) -> None:
    """``a = b = value``. What is chosen on the right is called as the local on the left."""
    value = _named(interpreter, node.targets[0], node.value)
    for target in node.targets:
        assign(interpreter, target, value)


def _named(interpreter: Interpreter, target: ast.expr, value: ast.expr) -> Value:
    """The value; what is chosen there is called as the target."""
    outer = interpreter.naming
    interpreter.naming = _name_of(interpreter, target)
    found = interpreter.evaluate(value)
    interpreter.naming = outer
    return found


def _name_of(interpreter: Interpreter, target: ast.expr) -> str:
    """What a target is called: a local, or a field; of a cell with a known index, as in an unrolled loop, both."""
    match target:
        case ast.Subscript(ast.Attribute(_, name), ast.Name(index)):
            return "_".join([name, *_known_index(interpreter.local(index))])
        case ast.Name(name) | ast.Attribute(_, name) | ast.Subscript(ast.Attribute(_, name)):
            return name
        case _:
            return ""


def _known_index(value: Value) -> list[str]:
    """The name of an element, a member or a number that is the same whatever the state; nothing for all else."""
    match value:
        case Symbol(Const(_, code), Index(sort)):
            return [sort.element(code)]
        case Enum(name=name):
            return [name.lower()]
        case int():
            return [str(value)] if value >= 0 else []
        case _:
            return []


def annotated(interpreter: Interpreter, node: ast.AnnAssign) -> None:
    """``a: kind = value``."""
    if node.value is not None:
        assign(interpreter, node.target, _named(interpreter, node.target, node.value))


def augmented(interpreter: Interpreter, node: ast.AugAssign) -> None:
    """``a += value``: its target is looked at once."""
    match node.target:
        case ast.Name(name):
            old = interpreter.name(name)
            value = interpreter.evaluate(node.value)
            if not _extended(interpreter, node.op, old, value):
                interpreter.assign(name, arithmetic(interpreter, node.op, old, value))
        case ast.Attribute(owner, name):
            state = interpreter.evaluate(owner)
            old = attribute_of_any(interpreter, state, name)
            more = interpreter.evaluate(node.value)
            if _extended(interpreter, node.op, old, more):
                return
            assign(interpreter, node.target, arithmetic(interpreter, node.op, old, more))
        case ast.Subscript(owner, index):
            container, key = interpreter.evaluate(owner), interpreter.evaluate(index)
            old = interpreter.split(container, lambda one: item(interpreter, one, key))
            more = interpreter.evaluate(node.value)
            if isinstance(old, SequenceView) and _extended(interpreter, node.op, old, more):
                return
            new = arithmetic(interpreter, node.op, old, more)
            put_item(interpreter, container, key, new)


def _extended(interpreter: Interpreter, operation: ast.operator, old: Value, value: Value) -> bool:
    """``list += more`` changes the list itself, as Python has it; whether it was one."""
    if not (isinstance(operation, ast.Add) and isinstance(old, Reference | SequenceView)):
        return False
    if bounded_of(interpreter, old) is not None:
        extend(interpreter, old, value)
        return True
    if isinstance(old, SequenceView):
        return False
    content = changeable(interpreter, old)
    if not isinstance(content, ListObject):
        raise ModelError("a dictionary is added to")
    interpreter.put(old.identity, ListObject((*content.items, *passes_of(interpreter, value))))
    return True


def conditional(interpreter: Interpreter, node: ast.If) -> None:
    """``if``."""
    test = truth(interpreter, interpreter.evaluate(node.test))
    interpreter.branch(test, lambda: interpreter.execute(node.body), lambda: interpreter.execute(node.orelse))


def returned(interpreter: Interpreter, node: ast.Return) -> None:
    """``return``: the way ends here, with its value, until the function ends."""
    value = interpreter.evaluate(node.value) if node.value is not None else None
    interpreter.exits.returns.append((interpreter.world, value))
    interpreter.pending += 1
    raise Ended


def broken(interpreter: Interpreter, node: ast.Break) -> None:
    """``break``."""
    interpreter.exits.breaks.append((interpreter.world, None))
    interpreter.pending += 1
    raise Ended


def continued(interpreter: Interpreter, node: ast.Continue) -> None:
    """``continue``."""
    interpreter.exits.continues.append((interpreter.world, None))
    interpreter.pending += 1
    raise Ended


def passed(interpreter: Interpreter, node: ast.Pass) -> None:
    """``pass``."""


def asserted(interpreter: Interpreter, node: ast.Assert) -> None:
    """``assert``: where it is false the function fails."""
    test = truth(interpreter, interpreter.evaluate(node.test))
    interpreter.fail_where(not_(test), f"AssertionError: {ast.unparse(node.test)}")


def raised(interpreter: Interpreter, node: ast.Raise) -> None:
    """``raise``: the function fails."""
    interpreter.fail(ast.unparse(node.exc) if node.exc is not None else "raise")


def defined(interpreter: Interpreter, node: ast.FunctionDef) -> None:
    """A function inside the function."""
    if node.decorator_list:
        raise ModelError("a decorated function inside a model function: write it at the top of the module")
    interpreter.assign(node.name, make_closure(interpreter, node))


def outer_name(interpreter: Interpreter, node: ast.Nonlocal) -> None:
    """``nonlocal``: of a function that is read, too; what lies outside is refused where it is assigned."""


def global_name(interpreter: Interpreter, node: ast.Global) -> None:
    """``global``: refused, as what an action changes must be in the state."""
    raise ModelError(f"`global {', '.join(node.names)}`: what an action changes is a field of the state")


STATEMENTS: dict[type[ast.stmt], Callable[[Interpreter, Any], None]] = {
    ast.Expr: expression,
    ast.Assign: assignment,
    ast.AnnAssign: annotated,
    ast.AugAssign: augmented,
    ast.If: conditional,
    ast.For: for_loop,
    ast.While: while_loop,
    ast.Return: returned,
    ast.Break: broken,
    ast.Continue: continued,
    ast.Pass: passed,
    ast.Match: match,
    ast.Assert: asserted,
    ast.Raise: raised,
    ast.FunctionDef: defined,
    ast.Nonlocal: outer_name,
    ast.Global: global_name,
}
