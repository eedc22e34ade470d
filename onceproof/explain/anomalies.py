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
class Story:
    """A spec of the library in which a property breaks. mechanisms: those that are off in it."""

    name: str
    about: str
    mechanisms: tuple[str, ...]
    faults: tuple[str, ...]
    violated: tuple[str, ...]


@dataclass(frozen=True)
class Cause:
    """mechanisms: the absence of each breaks the property in the model; story: the spec that is nearest, or None."""

    mechanisms: tuple[str, ...]
    story: Story | None


@cache
def stories() -> tuple[Story, ...]:
    """The specs of the library that expect a violation, by name."""
    found = []
    for path in sorted(LIBRARY.glob("*.yaml")):
        spec = yaml.safe_load(path.read_text("utf-8"))
        expected = spec.get("expect")
        if isinstance(expected, dict):
            found.append(_story(path.stem, spec, expected["violated"]))
    return tuple(found)


def _story(name: str, spec: dict[str, Any], violated: str | list[str]) -> Story:
    off = tuple(mechanism for mechanism, on in spec.get("mechanisms", {}).items() if on is False)
    names = (violated,) if isinstance(violated, str) else tuple(violated)
    return Story(spec.get("name", name), spec.get("about", ""), off, tuple(spec.get("faults", {})), names)


def cause_of(anomaly: AnomalyClass) -> Cause:
    """What would explain an anomaly: read off the library, where each spec was checked to break what it names.

    Where the class says which fault goes with it, only specs with that fault count.
    """
    same = [story for story in stories() if anomaly.property in story.violated]
    near = [story for story in same if anomaly.fault in story.faults] or same
    mechanisms = {name: None for story in near for name in story.mechanisms}
    return Cause(tuple(mechanisms), near[0] if near else None)
