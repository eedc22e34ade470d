"""From Python to LLVM: the part of Python that generated functions and kernels are written in.

That is: whole numbers, arrays, ``if``, ``while``, ``for`` over ranges, calls of other such functions. The functions of
a model are generated and have arrays of 64-bit numbers only; kernels are compiled for the kinds of what they are called
with. LLVM does the rest. (Numba reads such text too, but took six seconds for a model, and three for the kernels.)
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from llvmlite import ir

from onceproof.model.checker.compiled.llvm import values as v
from onceproof.model.checker.compiled.llvm.expressions import Expressions
from onceproof.model.checker.compiled.llvm.values import BOOL, INT64, Array, Kind, Number, Value

# what a parameter is: an array (element, dimensions; 0: of unknown length), a kind of numbers, or a fixed number
Parameter = tuple[str, int] | Kind | int


class Module:
    """LLVM functions that belong together, each made when it is first called."""

    def __init__(self, name: str) -> None:
        self.module = ir.Module(name)
        self._made: dict[Any, Any] = {}

    def __str__(self) -> str:
        return str(self.module)

    def function(
        self, definition: ast.FunctionDef, scope: Mapping[str, Any], parameters: Sequence[Parameter], *, inner: bool
    ) -> Any:
        """The LLVM function of a definition for such parameters. inner: only this module calls it."""
        key = (definition.name, tuple(parameters))
        if key not in self._made:
            name = self.module.get_unique_name(definition.name) if inner else definition.name
            self._made[key] = _Function(self, definition, scope, parameters, name, inner).function
        return self._made[key]


def result_of(definition: ast.FunctionDef) -> Kind:
    """The kind of what a function returns, by its annotation."""
    match definition.returns:
        case ast.Name("bool"):
            return BOOL
        case ast.Attribute(ast.Name(), kind):
            return v.KINDS[kind]
        case _:
            return INT64


def flat(builder: Any, value: Value) -> list[Any]:
    """An argument as LLVM takes it: arrays as a pointer and their lengths."""
    if isinstance(value, Array):
        return [value.pointer, *(length.value for length in value.lengths)]
    return [value.value if isinstance(value, Number) else v.literal(INT64, value).value]


def parameter_of(value: Value) -> Parameter:
    """What kind of parameter takes this argument."""
    return value.type if isinstance(value, Array) else value.kind if isinstance(value, Number) else INT64


def _types(parameter: Parameter) -> list[Any]:
    if isinstance(parameter, Kind):
        return [parameter.type]
    if isinstance(parameter, int):
        return []
    element, dimensions = parameter
    return [v.ELEMENTS[element][0].type.as_pointer(), *[INT64.type] * dimensions]


class _Function(Expressions):
    """One function on its way into a module."""

    def __init__(
        self,
        module: Module,
        definition: ast.FunctionDef,
        scope: Mapping[str, Any],
        parameters: Sequence[Parameter],
        name: str,
        inner: bool,
    ) -> None:
        self.result = result_of(definition)
        types = [kind for parameter in parameters for kind in _types(parameter)]
        super().__init__(module, ir.Function(module.module, ir.FunctionType(self.result.type, types), name), scope)
        if inner:
            self.function.linkage = "internal"
        body = self.builder.block
        self.loops: list[tuple[Any, Any]] = []  # where ``continue`` and ``break`` go
        self._bind([argument.arg for argument in definition.args.args], parameters)
        self._statements(definition.body)
        if not self.builder.block.is_terminated:
            self.builder.ret(v.literal(self.result, 0).value)
        ir.IRBuilder(self.entry).branch(body)

    def _bind(self, names: Sequence[str], parameters: Sequence[Parameter]) -> None:
        given = iter(self.function.args)
        for name, parameter in zip(names, parameters, strict=True):
            if isinstance(parameter, int):
                self.known[name] = parameter
            elif isinstance(parameter, Kind):
                self._put(name, Number(parameter, next(given)))
            else:
                pointer = next(given)
                if parameter[1] == 0:
                    pointer.add_attribute("noalias")  # generated functions get room of their own for what they write
                lengths = tuple(Number(INT64, next(given)) for _ in range(parameter[1]))
                self.known[name] = Array(parameter[0], pointer, lengths)

    # -- statements

    def _statements(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            self._statement(statement)

    def _statement(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Assign(targets, value):
                self._assign(targets, value)
            case ast.AugAssign(target, op, value):
                old = self.value(target)
                self._store(target, v.operated(self.builder, op, old, self.value(value)))
            case ast.If(test, body, orelse):
                self._branch(test, body, orelse)
            case ast.While(test, body, []):
                self._while(test, body)
            case ast.For(ast.Name(name), ast.Call(ast.Name("range"), bounds, []), body, orelse):
                self._for(name, bounds, body, orelse)
            case ast.Return(value):
                result = v.literal(self.result, 0) if value is None else self.value(value)
                self.builder.ret(v.suited(self.builder, result, self.result).value)
                self._unreachable()
            case ast.Break() | ast.Continue():
                self.builder.branch(self.loops[-1][isinstance(statement, ast.Break)])
                self._unreachable()
            case ast.Expr(ast.Call() as call):
                self.value(call)
            case ast.Expr(ast.Constant()) | ast.Pass():
                pass
            case _:
                raise NotImplementedError(ast.unparse(statement))

    def _assign(self, targets: Sequence[ast.expr], value: ast.expr) -> None:
        for target in targets:
            if isinstance(target, ast.Tuple):
                assert isinstance(value, ast.Tuple)
                found = [self.value(part) for part in value.elts]
                for part, one in zip(target.elts, found, strict=True):
                    self._store(part, one)
                return
        found_one = self.value(value)
        for target in targets:
            self._store(target, found_one)

    def _store(self, target: ast.expr, value: Value) -> None:
        match target:
            case ast.Name(name):
                self._put(name, value)
            case ast.Subscript(array, index):
                v.stored(self.builder, value, self.value(array), self.value(index))
            case _:
                raise NotImplementedError(ast.unparse(target))

    def _put(self, name: str, value: Value) -> None:
        if name in self.known or (isinstance(value, Array) and name in self.locals):
            raise TypeError(f"{name} is an array, or fixed, and cannot become anything else")
        if isinstance(value, Array):
            self.known[name] = value
            return
        if name not in self.locals:
            kind = value.kind if isinstance(value, Number) else BOOL if isinstance(value, bool) else INT64
            self.locals[name] = kind, self.room(kind, name)
        kind, place = self.locals[name]
        self.builder.store(v.suited(self.builder, value, kind).value, place)

    # -- where the program goes

    def _unreachable(self) -> None:
        self.builder.position_at_end(self.block("after"))

    def _go(self, block: Any) -> None:
        """Ends the block where it has no end yet."""
        if not self.builder.block.is_terminated:
            self.builder.branch(block)

    def _branch(self, test: ast.expr, body: Sequence[ast.stmt], orelse: Sequence[ast.stmt]) -> None:
        match test:
            case ast.Name(name) if isinstance(self.known.get(name), int):  # fixed: the other way need not make sense
                return self._statements(body if self.known[name] else orelse)
        done, more = self.block("done"), True
        while more:  # from one ``elif`` to the next: there may be thousands
            then, other = self.block("then"), self.block("else") if orelse else done
            self.jump(test, then, other)
            self.builder.position_at_end(then)
            self._statements(body)
            self._go(done)
            self.builder.position_at_end(other)
            match orelse:
                case [ast.If(test, body, orelse)]:
                    continue
            if orelse:
                self._statements(orelse)
                self._go(done)
            more = False
        self.builder.position_at_end(done)

    @contextmanager
    def _loop(self, again: Any, done: Any) -> Any:
        self.loops.append((again, done))
        yield
        self.loops.pop()
        self._go(again)

    def _while(self, test: ast.expr, body: Sequence[ast.stmt]) -> None:
        again, inside, done = self.block("while"), self.block("inside"), self.block("done")
        self.builder.branch(again)
        self.builder.position_at_end(again)
        self.jump(test, inside, done)
        self.builder.position_at_end(inside)
        with self._loop(again, done):
            self._statements(body)
        self.builder.position_at_end(done)

    def _for(self, name: str, bounds: Sequence[ast.expr], body: Sequence[ast.stmt], orelse: Sequence[ast.stmt]) -> None:
        if len(bounds) == 3 and isinstance(bounds[2], ast.UnaryOp):
            raise NotImplementedError(f"{name} counts down")
        found = [v.suited(self.builder, self.value(bound), INT64).value for bound in bounds]
        start, stop = ([v.literal(INT64, 0).value, *found] if len(found) == 1 else found)[:2]
        step = found[2] if len(found) == 3 else v.literal(INT64, 1).value
        at = self.room(INT64)
        self.builder.store(start, at)
        again, inside, onward = self.block("for"), self.block("inside"), self.block("onward")
        over, done = self.block("else"), self.block("done")
        self.builder.branch(again)
        self.builder.position_at_end(again)
        here = self.builder.load(at)
        self.builder.cbranch(self.builder.icmp_signed("<", here, stop), inside, over)
        self.builder.position_at_end(inside)
        self._put(name, Number(INT64, here))
        with self._loop(onward, done):
            self._statements(body)
        self.builder.position_at_end(onward)
        self.builder.store(self.builder.add(self.builder.load(at), step), at)
        self.builder.branch(again)
        self.builder.position_at_end(over)
        self._statements(orelse)
        self._go(done)
        self.builder.position_at_end(done)
