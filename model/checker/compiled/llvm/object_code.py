"""Machine code of the functions that are generated for a model."""

from __future__ import annotations

import ast

from onceproof.model.checker.compiled.llvm import machine
from onceproof.model.checker.compiled.llvm.lowering import Module

ROOM = ("int64", 0)  # all parameters are arrays, whose lengths do not matter
# Some five seconds. Where it would take more, registers are shared out in haste: code a third slower, at once.
MOST_EFFORT = 1_000_000


def to_object(text: str) -> bytes:
    """Machine code (an object file for this very kind of processor) of generated functions."""
    definitions = [found for found in ast.parse(text).body if isinstance(found, ast.FunctionDef)]
    straight = [one for one in definitions if not any(isinstance(inner, ast.If) for inner in ast.walk(one))]
    long = max(map(effort, definitions)) > MOST_EFFORT
    target = machine.target_machine(0 if long else 2)
    module = machine.parsed(_lowered([one for one in definitions if one not in straight]), target)
    machine.optimise(module, target, level=1 if long else 2, vectors=False)
    # long functions without branches take LLVM many times longer, and come out no better than with registers alone
    others = machine.parsed(_lowered(straight), target)
    machine.keep_in_registers(others, target)
    module.link_in(others)
    return bytes(target.emit_object(module))


def effort(definition: ast.FunctionDef) -> int:
    """What it takes LLVM to share out registers well, roughly: the lines, and how many words live along all of them."""
    assert definition.end_lineno is not None
    lines = definition.end_lineno - definition.lineno
    words = sum(isinstance(line, ast.Assign) and isinstance(line.value, ast.Subscript) for line in definition.body)
    return lines * words**2


def _lowered(definitions: list[ast.FunctionDef]) -> Module:
    module = Module("model")
    for definition in definitions:
        module.function(definition, {}, [ROOM] * len(definition.args.args), inner=False)
    return module
