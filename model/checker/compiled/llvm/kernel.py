"""Kernels: functions in plain Python that run as machine code, compiled when they are first called and kept on disk.

A kernel is compiled for the kinds of its arguments (which arrays, which numbers), and for each value of those that it
calls ``Fixed``. ``python`` of a kernel is the function as it was written: slow, and what tests hold it against.
"""

from __future__ import annotations

import ast
import ctypes
import inspect
import textwrap
import threading
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import numpy as np

from onceproof.model.checker.compiled.llvm import cache
from onceproof.model.checker.compiled.llvm.expressions import Callee
from onceproof.model.checker.compiled.llvm.lowering import Module, Parameter, flat, parameter_of, result_of
from onceproof.model.checker.compiled.llvm.values import INT64, Number, Value

Fixed = Annotated[int, "compiled for each value that it has"]
_COMPILING = threading.Lock()


class Part(Callee):
    """A function that only kernels and other parts call."""

    def __init__(self, python: Callable[..., Any]) -> None:
        self.python = python
        self.__doc__, self.__name__ = python.__doc__, python.__name__

    def __call__(self, *arguments: Any) -> Any:
        return self.python(*arguments)

    def lowered(self, module: Module, builder: Any, arguments: Sequence[Value]) -> Value:
        """The call; with the function, if it is the first."""
        definition, scope = self.definition(), self.python.__globals__
        function = module.function(definition, scope, [parameter_of(one) for one in arguments], inner=True)
        result = builder.call(function, [given for one in arguments for given in flat(builder, one)])
        return Number(result_of(definition), result)

    def definition(self) -> ast.FunctionDef:
        """The function as a tree."""
        found = ast.parse(textwrap.dedent(inspect.getsource(self.python))).body[0]
        assert isinstance(found, ast.FunctionDef)
        return found


class Kernel(Part):
    """A function that Python calls, with arrays of numpy and numbers."""

    def __init__(self, python: Callable[..., Any]) -> None:
        super().__init__(python)
        annotations = python.__annotations__
        self._fixed = [annotations.get(name) in ("Fixed", Fixed) for name in inspect.signature(python).parameters]
        self._made: dict[Any, Callable[..., int]] = {}

    def __call__(self, *arguments: Any) -> int:
        kinds = tuple(self._kind(*pair) for pair in zip(arguments, self._fixed, strict=True))
        run = self._made.get(kinds)
        if run is None:
            with _COMPILING:
                run = self._made.get(kinds) or self._compiled(kinds)
                self._made[kinds] = run
        return run(*(number for one, kind in zip(arguments, kinds, strict=True) for number in _passed(one, kind)))

    @staticmethod
    def _kind(argument: Any, fixed: bool) -> Parameter:
        if isinstance(argument, np.ndarray):
            if not argument.flags.c_contiguous:
                raise ValueError("kernels take arrays whose elements follow one another")
            return argument.dtype.name, argument.ndim
        return int(argument) if fixed else INT64

    def _compiled(self, kinds: Sequence[Parameter]) -> Callable[..., int]:
        def make() -> bytes:
            from onceproof.model.checker.compiled.llvm import machine

            module = Module(self.__name__)
            module.function(self.definition(), self.python.__globals__, kinds, inner=False)
            target = machine.target_machine(3)
            parsed = machine.parsed(module, target)
            machine.optimise(parsed, target, level=3, vectors=True)
            return bytes(target.emit_object(parsed))

        from onceproof.model.checker.compiled.llvm.machine import Library

        code = cache.cached("kernels", "\0".join([cache.version_of_kernels(), self.__name__, repr(kinds)]), make)[0]
        library = Library(code)
        count = sum(1 + kind[1] if isinstance(kind, tuple) else not isinstance(kind, int) for kind in kinds)
        function = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * count)(library.address(self.__name__))
        function.library = library  # type: ignore[attr-defined]
        return function


def _passed(argument: Any, kind: Parameter) -> list[int]:
    if isinstance(argument, np.ndarray):
        return [argument.ctypes.data, *argument.shape]
    return [] if isinstance(kind, int) else [int(argument)]


def kernel(python: Callable[..., Any]) -> Any:
    """Makes a kernel of a function, which Python calls."""
    return Kernel(python)


def part(python: Callable[..., Any]) -> Any:
    """Makes a function for kernels."""
    return Part(python)
