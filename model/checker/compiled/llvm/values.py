"""Typed values on their way to machine code: numbers of a kind, arrays, and what can be done with them.

Whole numbers are as numpy's: of 64 bits with a sign, or of 32 or 64 without. A literal has no kind: it takes that of
what it meets. Smaller elements of arrays become 64 bits with a sign when they are read. Kinds are never mixed without
a word: kernels say ``np.int64(...)`` where they change one to another.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llvmlite import ir


@dataclass(frozen=True)
class Kind:
    """A kind of numbers."""

    name: str
    bits: int
    signed: bool

    @property
    def type(self) -> Any:
        """LLVM's type for it."""
        return ir.IntType(self.bits)


INT64, UINT64, UINT32 = Kind("int64", 64, True), Kind("uint64", 64, False), Kind("uint32", 32, False)
BOOL = Kind("bool", 1, False)
KINDS = {kind.name: kind for kind in (INT64, UINT64, UINT32, BOOL)}
# elements of arrays, by numpy's names: how they lie in memory, and what they are once they are read
ELEMENTS: dict[str, tuple[Kind, Kind]] = {
    **{name: (Kind(name, bits, True), INT64) for name, bits in (("int8", 8), ("int16", 16), ("int32", 32))},
    **{name: (Kind(name, bits, False), INT64) for name, bits in (("uint8", 8), ("uint16", 16))},
    "int64": (INT64, INT64),
    "uint32": (UINT32, UINT32),
    "uint64": (UINT64, UINT64),
    "bool": (Kind("bool", 8, False), BOOL),
}


@dataclass(frozen=True)
class Number:
    """A number that the program finds when it runs."""

    kind: Kind
    value: Any


@dataclass(frozen=True)
class Array:
    """Elements in memory, one row after the other; ``lengths`` has as many as there are dimensions."""

    element: str
    pointer: Any
    lengths: tuple[Number, ...]

    @property
    def type(self) -> tuple[str, int]:
        """What functions are compiled for."""
        return self.element, len(self.lengths)


Value = int | Number | Array  # int: a literal
ARITHMETIC: dict[type[ast.operator], tuple[str, Callable[[int, int], int]]] = {
    ast.Add: ("add", operator.add),
    ast.Sub: ("sub", operator.sub),
    ast.Mult: ("mul", operator.mul),
    ast.BitAnd: ("and_", operator.and_),
    ast.BitOr: ("or_", operator.or_),
    ast.BitXor: ("xor", operator.xor),
    ast.LShift: ("shl", operator.lshift),
    ast.RShift: ("shr", operator.rshift),
    ast.FloorDiv: ("div", operator.floordiv),
    ast.Mod: ("rem", operator.mod),
}
COMPARISONS = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


def literal(kind: Kind, number: int) -> Number:
    """A literal as a number of a kind."""
    return Number(kind, ir.Constant(kind.type, number & ((1 << kind.bits) - 1)))


def converted(builder: Any, value: Value, kind: Kind) -> Number:
    """The value as a number of this kind: cut off, or made wider in the way of the kind it has."""
    if isinstance(value, Array):
        raise TypeError("an array is not a number")
    if isinstance(value, int):
        return literal(kind, value)
    if kind is BOOL:
        return Number(BOOL, builder.icmp_signed("!=", value.value, ir.Constant(value.kind.type, 0)))
    change = builder.trunc if kind.bits < value.kind.bits else builder.sext if value.kind.signed else builder.zext
    return Number(kind, value.value if kind.bits == value.kind.bits else change(value.value, kind.type))


def suited(builder: Any, value: Value, kind: Kind) -> Number:
    """The value where a number of this kind is wanted; only literals and truths change without a word."""
    if isinstance(value, Number) and value.kind not in (kind, BOOL):
        raise TypeError(f"{value.kind.name} where {kind.name} is wanted: say np.{kind.name}(...)")
    return value if isinstance(value, Number) and value.kind == kind else converted(builder, value, kind)


def of_one_kind(builder: Any, left: Value, right: Value) -> tuple[Number, Number]:
    """Both as numbers of the kind they have in common."""
    kinds = {value.kind for value in (left, right) if isinstance(value, Number)}
    if len(kinds) > 1:
        kinds.discard(BOOL)
    if len(kinds) != 1:
        raise TypeError(f"{' and '.join(sorted(kind.name for kind in kinds)) or 'two literals'} have no common kind")
    kind = kinds.pop()
    if kind is BOOL and not (isinstance(left, Number | bool) and isinstance(right, Number | bool)):
        kind = INT64  # a truth and a literal that is none
    return suited(builder, left, kind), suited(builder, right, kind)


def operated(builder: Any, op: ast.operator, left: Value, right: Value) -> Value:
    """``left op right``, as Python has it (but modulo 2 to the number of bits)."""
    name, on_literals = ARITHMETIC[type(op)]
    if isinstance(left, int) and isinstance(right, int):
        return on_literals(left, right)
    one, other = of_one_kind(builder, left, right)
    if one.kind is BOOL and name not in ("and_", "or_", "xor"):
        one, other = converted(builder, one, INT64), converted(builder, other, INT64)
    a, b, signed = one.value, other.value, one.kind.signed
    if name == "shr":
        return Number(one.kind, builder.ashr(a, b) if signed else builder.lshr(a, b))
    if name in ("div", "rem"):
        return Number(one.kind, _floored(builder, name, a, b) if signed else getattr(builder, "u" + name)(a, b))
    return Number(one.kind, getattr(builder, name)(a, b))


def _floored(builder: Any, name: str, a: Any, b: Any) -> Any:
    """Division as Python's: towards less, where the processor's goes towards zero."""
    zero = ir.Constant(a.type, 0)
    rest = builder.srem(a, b)
    crosses = builder.and_(builder.icmp_signed("!=", rest, zero), builder.icmp_signed("<", builder.xor(rest, b), zero))
    if name == "rem":
        return builder.add(rest, builder.select(crosses, b, zero))
    return builder.sub(builder.sdiv(a, b), builder.zext(crosses, a.type))


def compared(builder: Any, op: ast.cmpop, left: Value, right: Value) -> Number:
    """The truth of ``left op right``."""
    if isinstance(left, int) and isinstance(right, int):
        left = literal(INT64, left)
    one, other = of_one_kind(builder, left, right)
    compare = builder.icmp_signed if one.kind.signed else builder.icmp_unsigned
    return Number(BOOL, compare(COMPARISONS[type(op)], one.value, other.value))


def chosen(builder: Any, truth: Any, then: Value, other: Value) -> Number:
    """One of two numbers."""
    if isinstance(then, int) and isinstance(other, int):
        then = literal(BOOL if isinstance(then, bool) and isinstance(other, bool) else INT64, then)
    one, two = of_one_kind(builder, then, other)
    return Number(one.kind, builder.select(truth, one.value, two.value))


def place(builder: Any, array: Value, index: Value) -> Any:
    """The address of an element of an array of one dimension."""
    if not isinstance(array, Array) or len(array.lengths) > 1:
        raise TypeError("elements are those of arrays with one dimension")
    return builder.gep(array.pointer, [suited(builder, index, INT64).value])


def row(builder: Any, array: Array, index: Value) -> Array:
    """A row of an array of two dimensions."""
    start = builder.mul(suited(builder, index, INT64).value, array.lengths[1].value)
    return Array(array.element, builder.gep(array.pointer, [start]), array.lengths[1:])


def loaded(builder: Any, array: Value, index: Value) -> Number:
    """An element of an array."""
    address = place(builder, array, index)
    assert isinstance(array, Array)
    stored, read = ELEMENTS[array.element]
    return converted(builder, Number(stored, builder.load(address)), read)


def stored(builder: Any, value: Value, array: Value, index: Value) -> None:
    """Puts a number into an array."""
    address = place(builder, array, index)
    assert isinstance(array, Array)
    in_memory, read = ELEMENTS[array.element]
    builder.store(converted(builder, suited(builder, value, read), in_memory).value, address)
