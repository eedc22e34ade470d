"""What the search needs of the processor and Python does not have: calls by address, prefetch, atomic updates."""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from model.checker.compiled import cache

cache.use_for_numba()  # before any kernel is read: Numba asks then where its files are to be
OPTIONS: dict[str, Any] = {"nogil": True, "cache": True, "error_model": "numpy"}
INNER: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
kernel: Any = numba.njit(**OPTIONS)  # what Python calls
part: Any = numba.njit(**OPTIONS, **INNER)  # what only kernels call: to compile it takes a third less time
INT = ir.IntType(64)
compiled_in: Any = intrinsic  # Numba's own type for it forgets that it takes the first argument itself
DATA = 4  # where the pointer to the elements stands in Numba's array structure
__all__ = [
    "add_and_fetch",
    "call",
    "call_expand",
    "claim",
    "claim_wide",
    "kernel",
    "part",
    "prefetch",
    "trailing_zeros",
    "unsigned",
]


@compiled_in
def call(_: Any, address: Any, array: Any, offset: Any, other: Any, other_offset: Any) -> Any:
    """``address(&array[offset], &other[other_offset])``: a function of two pointers that returns a number."""
    signature = types.int64(types.int64, array, types.int64, other, types.int64)

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        where, first, start, second, second_start = arguments
        pointer = INT.as_pointer()
        function = builder.inttoptr(where, ir.FunctionType(INT, [pointer, pointer]).as_pointer())
        one = builder.gep(builder.extract_value(first, DATA), [start])
        two = builder.gep(builder.extract_value(second, DATA), [second_start])
        return builder.call(function, [one, two])

    return signature, generate


@compiled_in
def call_expand(_: Any, address: Any, array: Any, offset: Any, out: Any, n: Any, moves: Any, row: Any) -> Any:
    """``address(&array[offset], &out[n], &moves[row])``: as ``call``, for the function that takes the steps."""
    signature = types.int64(types.int64, array, types.int64, out, types.int64, moves, types.int64)

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        where, *places = arguments
        pointer = INT.as_pointer()
        function = builder.inttoptr(where, ir.FunctionType(INT, [pointer] * 3).as_pointer())
        pairs = zip(places[::2], places[1::2], strict=True)
        return builder.call(function, [builder.gep(builder.extract_value(one, DATA), [at]) for one, at in pairs])

    return signature, generate


@compiled_in
def prefetch(_: Any, array: Any, index: Any) -> Any:
    """Asks for the cache line of ``array[index]``, and does not wait for it."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        one, where = arguments
        text = ir.IntType(8).as_pointer()
        small = ir.IntType(32)
        function = builder.module.declare_intrinsic("llvm.prefetch", [text], _prefetch_type(text, small))
        pointer = builder.bitcast(builder.gep(builder.extract_value(one, DATA), [where]), text)
        builder.call(function, [pointer, ir.Constant(small, 0), ir.Constant(small, 3), ir.Constant(small, 1)])
        return ir.Constant(INT, 0)

    return types.int64(array, types.int64), generate


def _prefetch_type(text: Any, small: Any) -> Any:
    return ir.FunctionType(ir.VoidType(), [text, small, small, small])


def _claimer(width: int, number: Any) -> Any:
    def typed(_: Any, array: Any, index: Any, value: Any) -> Any:
        def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
            one, where, new = arguments
            pointer = builder.gep(builder.extract_value(one, DATA), [where])
            empty = ir.Constant(ir.IntType(width), 0)
            pair = builder.cmpxchg(pointer, empty, new, "seq_cst", "seq_cst")
            return builder.extract_value(pair, 0)

        return number(array, types.int64, number), generate

    return typed


@compiled_in
def claim(context: Any, array: Any, index: Any, value: Any) -> Any:
    """Puts a 32-bit ``value`` where there is 0, atomically; returns what was there before (0: it was put)."""
    return _claimer(32, types.uint32)(context, array, index, value)


@compiled_in
def claim_wide(context: Any, array: Any, index: Any, value: Any) -> Any:
    """As ``claim``, for 64 bits."""
    return _claimer(64, types.uint64)(context, array, index, value)


@compiled_in
def add_and_fetch(_: Any, array: Any, index: Any, value: Any) -> Any:
    """Adds to ``array[index]`` atomically; returns what was there before."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        one, where, more = arguments
        pointer = builder.gep(builder.extract_value(one, DATA), [where])
        return builder.atomic_rmw("add", pointer, more, "seq_cst")

    return types.int64(array, types.int64, types.int64), generate


@compiled_in
def trailing_zeros(_: Any, value: Any) -> Any:
    """The position of the lowest bit of a number that is not 0."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        bit = ir.IntType(1)
        function = builder.module.declare_intrinsic("llvm.cttz", [INT], ir.FunctionType(INT, [INT, bit]))
        return builder.call(function, [arguments[0], ir.Constant(bit, 1)])

    return types.int64(types.int64), generate


@compiled_in
def unsigned(_: Any, value: Any) -> Any:
    """The same 64 bits, read as a number without a sign."""

    def generate(_: Any, __: Any, ___: Any, arguments: Any) -> Any:
        return arguments[0]

    return types.uint64(types.int64), generate
