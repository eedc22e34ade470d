"""What the search needs of the processor and Python does not have: calls by address, prefetch, atomic updates.

Each is written down twice: in Python, as it works where a kernel runs as what it is, and as what LLVM makes of it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir

from onceproof.model.checker.compiled.llvm.expressions import Callee
from onceproof.model.checker.compiled.llvm.lowering import Module
from onceproof.model.checker.compiled.llvm.values import INT64, UINT64, Number, Value, literal, place, suited

__all__ = ["add_and_fetch", "call", "call_expand", "claim", "prefetch", "trailing_zeros", "unsigned"]


class Primitive(Callee):
    """A function that LLVM has. ``made`` generates it, ``python`` does the same in Python."""

    def __init__(self, made: Callable[[Any, Sequence[Any]], Value], python: Callable[..., Any]) -> None:
        self._made, self._python = made, python
        self.__doc__ = python.__doc__

    def __call__(self, *arguments: Any) -> Any:
        return self._python(*arguments)

    def lowered(self, module: Module, builder: Any, arguments: Sequence[Value]) -> Value:
        """The instruction."""
        return self._made(builder, arguments)


def primitive(made: Callable[[Any, Sequence[Any]], Value]) -> Callable[[Callable[..., Any]], Primitive]:
    """Makes a primitive of a function in Python."""
    return lambda python: Primitive(made, python)


def _intrinsic(builder: Any, name: str, result: Any, overloaded: Any, arguments: Sequence[Any]) -> Any:
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(builder.module.declare_intrinsic(name, [overloaded], kind), arguments)


def _calling(builder: Any, arguments: Sequence[Any]) -> Value:
    where, *places = arguments
    pointer = INT64.type.as_pointer()
    function = ir.FunctionType(INT64.type, [pointer] * (len(places) // 2)).as_pointer()
    addresses = [place(builder, array, at) for array, at in zip(places[::2], places[1::2], strict=True)]
    return Number(INT64, builder.call(builder.inttoptr(where.value, function), addresses))


def _call(address: Any, *places: Any) -> int:
    arrays = list(zip(places[::2], places[1::2], strict=True))
    function = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * len(arrays))(int(address))
    return int(function(*(array.ctypes.data + int(at) * array.itemsize for array, at in arrays)))


@primitive(_calling)
def call(address: Any, array: Any, offset: Any, other: Any, other_offset: Any) -> int:
    """``address(&array[offset], &other[other_offset])``: a function of two pointers that returns a number."""
    return _call(address, array, offset, other, other_offset)


@primitive(_calling)
def call_expand(address: Any, array: Any, offset: Any, out: Any, n: Any, moves: Any, row: Any) -> int:
    """``address(&array[offset], &out[n], &moves[row])``: as ``call``, for the function that takes the steps."""
    return _call(address, array, offset, out, n, moves, row)


def _prefetching(builder: Any, arguments: Sequence[Any]) -> Value:
    text, small = ir.IntType(8).as_pointer(), ir.IntType(32)
    address = builder.bitcast(place(builder, *arguments), text)
    for_reading, for_long, data = (ir.Constant(small, number) for number in (0, 3, 1))
    _intrinsic(builder, "llvm.prefetch", ir.VoidType(), text, [address, for_reading, for_long, data])
    return 0


@primitive(_prefetching)
def prefetch(array: Any, index: Any) -> None:
    """Asks for the cache line of ``array[index]``, and does not wait for it."""


def _claiming(builder: Any, arguments: Sequence[Any]) -> Value:
    array, index, value = arguments
    free = literal(value.kind, 0).value
    pair = builder.cmpxchg(place(builder, array, index), free, value.value, "seq_cst", "seq_cst")
    return Number(value.kind, builder.extract_value(pair, 0))


@primitive(_claiming)
def claim(array: Any, index: Any, value: Any) -> Any:
    """Puts a ``value`` where there is 0, atomically; returns what was there before (0: it was put)."""
    before = array[index]
    if before == 0:
        array[index] = value
    return before


def _adding(builder: Any, arguments: Sequence[Any]) -> Value:
    array, index, more = arguments
    added = suited(builder, more, INT64).value
    return Number(INT64, builder.atomic_rmw("add", place(builder, array, index), added, "seq_cst"))


@primitive(_adding)
def add_and_fetch(array: Any, index: Any, value: Any) -> Any:
    """Adds to ``array[index]`` atomically; returns what was there before."""
    before = array[index]
    array[index] += value
    return before


def _counting(builder: Any, arguments: Sequence[Any]) -> Value:
    not_for_zero = ir.Constant(ir.IntType(1), 1)
    return Number(INT64, _intrinsic(builder, "llvm.cttz", INT64.type, INT64.type, [arguments[0].value, not_for_zero]))


@primitive(_counting)
def trailing_zeros(value: Any) -> int:
    """The position of the lowest bit of a number that is not 0."""
    number = int(value)
    return (number & -number).bit_length() - 1


def _same_bits(builder: Any, arguments: Sequence[Any]) -> Value:
    return Number(UINT64, suited(builder, arguments[0], INT64).value)


@primitive(_same_bits)
def unsigned(value: Any) -> Any:
    """The same 64 bits, read as a number without a sign."""
    return np.uint64(int(value) & (1 << 64) - 1)
