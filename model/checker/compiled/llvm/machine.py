"""LLVM: this machine, optimised machine code for it, and such code in memory."""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm


def target_machine(level: int = 2) -> Any:
    """This machine, as LLVM knows it. level: how hard it tries for good code (0 to 3)."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    features = llvm.get_host_cpu_features().flatten()
    return target.create_target_machine(cpu=llvm.get_host_cpu_name(), features=features, opt=level, jit=True)


def description() -> str:
    """What machine code depends on besides its text: LLVM's version and the processor."""
    import platform

    import llvmlite

    features = llvm.get_host_cpu_features().flatten()
    return "\n".join([llvmlite.__version__, platform.machine(), llvm.get_host_cpu_name(), features])


def parsed(module: Any, machine: Any) -> Any:
    """A module as LLVM reads it, checked."""
    parsed = llvm.parse_assembly(str(module))
    parsed.triple = machine.triple
    parsed.data_layout = str(machine.target_data)
    parsed.verify()
    return parsed


def optimise(module: Any, machine: Any, *, level: int, vectors: bool) -> None:
    """Runs LLVM's passes of a level. vectors: also those that do several numbers at once."""
    options = llvm.create_pipeline_tuning_options(speed_level=level)
    options.loop_vectorization = options.slp_vectorization = vectors
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)


def keep_in_registers(module: Any, machine: Any) -> None:
    """Runs the least that code needs to be any good."""
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
    passes = llvm.create_new_module_pass_manager()
    passes.add_sroa_pass()
    passes.run(module, builder)


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
