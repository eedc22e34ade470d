"""Compiles generated functions to machine code with LLVM, Numba's back end, without Numba's front end.

What is generated uses little of Python: whole numbers of 64 bits, ``if``, arithmetic, comparisons, and arrays given as
pointers. Numba compiles the same text to the same results (a test holds them together), but reads 750 such lines in
six seconds; here it takes a tenth of that. The search itself, which no model changes, is compiled by Numba once.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir

INT = ir.IntType(64)
BIT = ir.IntType(1)
POINTER = INT.as_pointer()
COMPARISONS = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.BitAnd: "and_",
    ast.BitOr: "or_",
    ast.BitXor: "xor",
    ast.LShift: "shl",
    ast.RShift: "ashr",
}


def to_llvm(text: str, *, straight: bool | None = None) -> ir.Module:
    """The LLVM module of generated functions. Parameters without a default are arrays, those with one are numbers.

    straight: only functions that have no branches, or only those that have some.
    """
    module = ir.Module("model")
    for definition in ast.parse(text).body:
        if isinstance(definition, ast.FunctionDef):
            branches = any(isinstance(inner, ast.If) for inner in ast.walk(definition))
            if straight is None or straight is not branches:
                _Function(module, definition).lower()
    return module


def to_object(text: str) -> bytes:
    """Machine code (an object file for this very kind of processor) of generated functions."""
    machine = target_machine()
    module = _parsed(to_llvm(text, straight=False), machine)
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = options.slp_vectorization = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    # long functions without branches take LLVM many times longer, and come out no better than with registers alone
    straight = _parsed(to_llvm(text, straight=True), machine)
    registers = llvm.create_new_module_pass_manager()
    registers.add_sroa_pass()
    registers.run(straight, builder)
    module.link_in(straight)
    machine_code: bytes = machine.emit_object(module)
    return machine_code


def _parsed(module: ir.Module, machine: Any) -> Any:
    parsed = llvm.parse_assembly(str(module))
    parsed.triple = machine.triple
    parsed.data_layout = str(machine.target_data)
    parsed.verify()
    return parsed


def target_machine() -> Any:
    """This machine, as LLVM knows it."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    features = llvm.get_host_cpu_features().flatten()
    return target.create_target_machine(cpu=llvm.get_host_cpu_name(), features=features, opt=2, jit=True)


class Library:
    """Compiled functions in memory, by name: their addresses. Keep it as long as they are called."""

    def __init__(self, machine_code: bytes) -> None:
        empty = llvm.parse_assembly("")
        self._engine = llvm.create_mcjit_compiler(empty, target_machine())
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(machine_code))
        self._engine.finalize_object()

    def address(self, name: str) -> int:
        """Where a function starts; 0 if there is none of this name."""
        return int(self._engine.get_function_address(name))


class _Function:
    """One function on its way into a module."""

    def __init__(self, module: ir.Module, definition: ast.FunctionDef) -> None:
        self.definition = definition
        self.names = [argument.arg for argument in definition.args.args]
        arrays = len(self.names) - len(definition.args.defaults)
        kinds = [POINTER if position < arrays else INT for position in range(len(self.names))]
        self.function = ir.Function(module, ir.FunctionType(INT, kinds), definition.name)
        self.arrays = dict(zip(self.names[:arrays], self.function.args, strict=False))
        for argument in self.function.args[:arrays]:
            argument.add_attribute("noalias")
        self.entry = self.function.append_basic_block("entry")
        self.builder = ir.IRBuilder(self.function.append_basic_block("body"))
        self.locals: dict[str, Any] = {}
        for name, argument in zip(self.names[arrays:], self.function.args[arrays:], strict=True):
            self.builder.store(argument, self._local(name))

    def lower(self) -> None:
        """Translates the whole body."""
        body = self.builder.block
        self._statements(self.definition.body)
        if not self.builder.block.is_terminated:
            self.builder.ret(ir.Constant(INT, 0))
        ir.IRBuilder(self.entry).branch(body)

    def _local(self, name: str) -> Any:
        if name not in self.locals:
            self.locals[name] = ir.IRBuilder(self.entry).alloca(INT, name=name)
        return self.locals[name]

    def _statements(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self._statement(statement)

    def _statement(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Assign([ast.Name(name)], value):
                self.builder.store(self._number(value), self._local(name))
            case ast.Assign([ast.Subscript(ast.Name(name), index)], value):
                self.builder.store(self._number(value), self._element(name, index))
            case ast.AugAssign(ast.Name(name), op, value):
                old = self.builder.load(self._local(name))
                self.builder.store(self._operate(op, old, self._number(value)), self._local(name))
            case ast.If(test, body, orelse):
                self._branch(test, body, orelse)
            case ast.Return(value) if value is not None:
                self.builder.ret(self._number(value))
                self.builder.position_at_end(self.function.append_basic_block("after"))
            case ast.Expr(ast.Constant()) | ast.Pass():
                pass
            case _:
                raise NotImplementedError(ast.unparse(statement))

    def _branch(self, test: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt]) -> None:
        done = self.function.append_basic_block("done")
        then = self.function.append_basic_block("then")
        other = self.function.append_basic_block("else") if orelse else done
        self._jump(test, then, other)
        for block, statements in ((then, body), (other, orelse)):
            if block is not done:
                self.builder.position_at_end(block)
                self._statements(statements)
                if not self.builder.block.is_terminated:
                    self.builder.branch(done)
        self.builder.position_at_end(done)

    def _jump(self, test: ast.expr, then: Any, other: Any) -> None:
        """Goes to one of two blocks; conjunctions leave at the first part that is false."""
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
            for part in test.values[:-1]:
                onward = self.function.append_basic_block("and")
                self._jump(part, onward, other)
                self.builder.position_at_end(onward)
            test = test.values[-1]
        self.builder.cbranch(self._truth(test), then, other)

    def _truth(self, test: ast.expr) -> Any:
        match test:
            case ast.BoolOp(op, values):
                join = self.builder.and_ if isinstance(op, ast.And) else self.builder.or_
                result = self._truth(values[0])
                for value in values[1:]:
                    result = join(result, self._truth(value))
                return result
            case ast.UnaryOp(ast.Not(), operand):
                return self.builder.not_(self._truth(operand))
            case ast.Compare(left, [op], [right]):
                return self.builder.icmp_signed(COMPARISONS[type(op)], self._number(left), self._number(right))
            case ast.Constant(bool() as value):
                return ir.Constant(BIT, value)
            case _:
                return self.builder.icmp_signed("!=", self._number(test), ir.Constant(INT, 0))

    def _number(self, value: ast.expr) -> Any:
        match value:
            case ast.Constant(bool()) | ast.Compare() | ast.BoolOp() | ast.UnaryOp(ast.Not(), _):
                return self.builder.zext(self._truth(value), INT)
            case ast.Constant(int() as number):
                return ir.Constant(INT, number)
            case ast.UnaryOp(ast.USub(), ast.Constant(int() as number)):
                return ir.Constant(INT, -number)
            case ast.Name(name):
                return self.builder.load(self._local(name))
            case ast.Subscript(ast.Name(name), index):
                return self.builder.load(self._element(name, index))
            case ast.BinOp(left, op, right):
                return self._operate(op, self._number(left), self._number(right))
            case ast.IfExp(test, body, orelse):
                return self.builder.select(self._truth(test), self._number(body), self._number(orelse))
            case ast.Call(ast.Name("min" | "max" as name), [one, other]):
                left, right = self._number(one), self._number(other)
                smaller = self.builder.icmp_signed("<" if name == "min" else ">", left, right)
                return self.builder.select(smaller, left, right)
            case _:
                raise NotImplementedError(ast.unparse(value))

    def _operate(self, op: ast.operator, left: Any, right: Any) -> Any:
        make: Callable[[Any, Any], Any] = operator.attrgetter(ARITHMETIC[type(op)])(self.builder)
        return make(left, right)

    def _element(self, name: str, index: ast.expr) -> Any:
        return self.builder.gep(self.arrays[name], [self._number(index)])
