"""Which engine explores a spec."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from model.checker.results import CheckResult, Limits
from model.language.declare import Property
from model.language.system import System

ENGINES = {
    "auto": "the fastest that can do the spec",
    "plain": "explicit exploration in plain Python, steps generated from the traces",
    "direct": "explicit exploration that runs the model's own functions: slow and obvious",
}


@dataclass(frozen=True)
class EngineOptions:
    """What a user may ask of an engine."""

    engine: str = "auto"


def explore(
    system: System, properties: Sequence[Property] | None, limits: Limits, options: EngineOptions
) -> CheckResult:
    """Explore a system with the engine asked for. properties: None for all that apply (and deadlocks)."""
    from model.checker import explore as plain

    return plain.check(system, properties, limits, "direct" if options.engine == "direct" else "plain")
