"""Expressions on their way from Python to LLVM: conditions, and where they lead; arithmetic; elements; calls."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from llvmlite import ir

from onceproof.model.checker.compiled.llvm import values
from onceproof.model.checker.compiled.llvm.values import BOOL, INT64, Array, Kind, Number, Value


class Callee:
    """What functions in lowered text may call, besides ``len``, ``min``, ``max`` and numpy's kinds."""

    def lowered(self, module: Any, builder: Any, arguments: Sequence[Value]) -> Value:
        """The call, generated."""
        raise NotImplementedError


class Expressions:
    """What the expressions of one function become, at the place where its ``builder`` stands."""

    def __init__(self, module: Any, function: Any, scope: Mapping[str, Any]) -> None:
        self.module, self.function, self.scope = module, function, scope
        self.entry = function.append_basic_block("entry")
        self.builder = ir.IRBuilder(function.append_basic_block("body"))
        self.locals: dict[str, tuple[Kind, Any]] = {}
        self.known: dict[str, Array | int] = {}  # what names stand for that never changes

    def block(self, name: str) -> Any:
        """A new block of the function."""
        return self.function.append_basic_block(name)

    def room(self, kind: Kind, name: str = "") -> Any:
        """A place for a local number."""
        return ir.IRBuilder(self.entry).alloca(kind.type, name=name)

    def jump(self, test: ast.expr, then: Any, other: Any) -> None:
        """Goes to one of two blocks, as soon as it is known to which."""
        match test:
            case ast.BoolOp(op, parts) if isinstance(op, ast.And) or not _harmless(test):
                for part in parts[:-1]:
                    onward = self.block("onward")
                    self.jump(part, *((onward, other) if isinstance(op, ast.And) else (then, onward)))
                    self.builder.position_at_end(onward)
                self.jump(parts[-1], then, other)
            case _:
                self.builder.cbranch(self._truth(test), then, other)

    def _truth(self, test: ast.expr) -> Any:
        match test:
            case ast.BoolOp(op, parts) if _harmless(test):  # to find all is cheaper than to jump
                join = self.builder.and_ if isinstance(op, ast.And) else self.builder.or_
                result = self._truth(parts[0])
                for part in parts[1:]:
                    result = join(result, self._truth(part))
                return result
            case ast.BoolOp():
                return self._either(test, lambda: values.literal(BOOL, 1), lambda: values.literal(BOOL, 0)).value
            case ast.UnaryOp(ast.Not(), operand):
                return self.builder.not_(self._truth(operand))
            case ast.Compare(left, ops, others):
                found = [self.value(part) for part in (left, *others)]
                pairs = zip(ops, found[:-1], found[1:], strict=True)
                truths = [values.compared(self.builder, op, one, other).value for op, one, other in pairs]
                result = truths[0]
                for truth in truths[1:]:
                    result = self.builder.and_(result, truth)
                return result
            case _:
                return values.converted(self.builder, self.value(test), BOOL).value

    def _either(self, test: ast.expr, then: Callable[[], Value], other: Callable[[], Value]) -> Number:
        """One of two values, of which the other is not looked at."""
        yes, no, done = self.block("yes"), self.block("no"), self.block("done")
        self.jump(test, yes, no)
        self.builder.position_at_end(yes)
        first = then()
        kind = first.kind if isinstance(first, Number) else INT64
        room = self.room(kind)
        self.builder.store(values.suited(self.builder, first, kind).value, room)
        self.builder.branch(done)
        self.builder.position_at_end(no)
        self.builder.store(values.suited(self.builder, other(), kind).value, room)
        self.builder.branch(done)
        self.builder.position_at_end(done)
        return Number(kind, self.builder.load(room))

    def value(self, expression: ast.expr) -> Value:
        """What an expression is worth. Raises NotImplementedError for what kernels cannot say."""
        match expression:
            case ast.Constant(int() as number):
                return number
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp(ast.Not(), _):
                return Number(BOOL, self._truth(expression))
            case ast.UnaryOp(ast.USub(), operand):
                return values.operated(self.builder, ast.Sub(), 0, self.value(operand))
            case ast.UnaryOp(ast.Invert(), operand):
                return values.operated(self.builder, ast.BitXor(), self.value(operand), -1)
            case ast.Name(name):
                return self._named(name)
            case ast.Subscript(array, index):
                whole, at = self.value(array), self.value(index)
                two = isinstance(whole, Array) and len(whole.lengths) == 2
                return values.row(self.builder, whole, at) if two else values.loaded(self.builder, whole, at)  # type: ignore[arg-type]
            case ast.BinOp(left, op, right):
                return values.operated(self.builder, op, self.value(left), self.value(right))
            case ast.IfExp(test, body, orelse) if _harmless(expression):
                return values.chosen(self.builder, self._truth(test), self.value(body), self.value(orelse))
            case ast.IfExp(test, body, orelse):
                return self._either(test, lambda: self.value(body), lambda: self.value(orelse))
            case ast.Call(called, arguments, []):
                return self._called(called, [self.value(argument) for argument in arguments])
        raise NotImplementedError(ast.unparse(expression))

    def _named(self, name: str) -> Value:
        if name in self.locals:
            kind, place = self.locals[name]
            return Number(kind, self.builder.load(place))
        if name in self.known:
            return self.known[name]
        found = self.scope[name]
        if not isinstance(found, int):
            raise TypeError(f"{name} is not a number")
        return found

    def _called(self, called: ast.expr, arguments: Sequence[Value]) -> Value:
        match called, arguments:
            case ast.Name("len"), [Array() as array]:
                return array.lengths[0]
            case ast.Name("min" | "max" as name), [one, other]:
                smaller = values.compared(self.builder, ast.Lt() if name == "min" else ast.Gt(), one, other)
                return values.chosen(self.builder, smaller.value, one, other)
            case ast.Name("int"), [value]:
                return values.converted(self.builder, value, INT64)
            case ast.Attribute(ast.Name("np"), kind), [value]:
                return values.converted(self.builder, value, values.KINDS[kind])
            case ast.Name(name), _ if isinstance(self.scope[name], Callee):
                return self.scope[name].lowered(self.module, self.builder, arguments)  # type: ignore[no-any-return]
        raise NotImplementedError(ast.unparse(called))


def _harmless(expression: ast.expr) -> bool:
    """Whether it cannot matter if this is found in vain: it reads no array, and calls at most ``min``."""
    return not any(
        isinstance(part, ast.Subscript)
        or (isinstance(part, ast.Call) and not (isinstance(part.func, ast.Name) and part.func.id in ("min", "max")))
        for part in ast.walk(expression)
    )
