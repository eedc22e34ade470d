"""What explains an anomaly of a running system: mechanisms of the model whose absence breaks the same property."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from onceproof.conformance.judging.anomalies import AnomalyClass

LIBRARY = Path(__file__).parents[1] / "specs"


@dataclass(frozen=True)
class LibrarySpec:
    """A spec of the library in which a property breaks. mechanisms: those that are off in it."""

    name: str
    about: str
    mechanisms: tuple[str, ...]
    faults: tuple[str, ...]
    violated: tuple[str, ...]


@dataclass(frozen=True)
class Cause:
    """mechanisms: the absence of each breaks the property in the model; spec: the spec that is nearest, or None."""

    mechanisms: tuple[str, ...]
    spec: LibrarySpec | None


@cache
def library_specs() -> tuple[LibrarySpec, ...]:
    """The specs of the library that expect a violation, by name."""
    found = []
    for path in sorted(LIBRARY.glob("*.yaml")):
        spec = yaml.safe_load(path.read_text("utf-8"))
        expected = spec.get("expect")
        if isinstance(expected, dict):
            found.append(_library_spec(path.stem, spec, expected["violated"]))
    return tuple(found)


def _library_spec(name: str, spec: dict[str, Any], violated: str | list[str]) -> LibrarySpec:
    off = tuple(mechanism for mechanism, on in spec.get("mechanisms", {}).items() if on is False)
    names = (violated,) if isinstance(violated, str) else tuple(violated)
    return LibrarySpec(spec.get("name", name), spec.get("about", ""), off, tuple(spec.get("faults", {})), names)


def cause_of(anomaly: AnomalyClass) -> Cause:
    """What would explain an anomaly: read off the library, where each spec was checked to break what it names.

    Where the class says which fault goes with it, only specs with that fault count.
    """
    same = [spec for spec in library_specs() if anomaly.property in spec.violated]
    near = [spec for spec in same if anomaly.fault in spec.faults] or same
    mechanisms = {name: None for spec in near for name in spec.mechanisms}
    return Cause(tuple(mechanisms), near[0] if near else None)
