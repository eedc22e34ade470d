"""Profiles: which mechanisms a task queue claims, where it says so, and how its parts map to those of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from onceproof.model.protocol.moments import OF_A_TRY
from onceproof.model.protocol.system import PROTOCOL
from onceproof.model.protocol.workers import WORKERS


class Topology(StrEnum):
    """How a system's processes map to the model's parts."""

    EMBEDDED = "embedded"  # a worker runs functions itself: scheduler and agent die together
    TIED = "tied"  # a worker has its children run them, and they die with it
    FORKED = "forked"  # a worker has a child run them, which outlives it
    SEPARATE = "separate"  # schedulers and agents are processes of their own, as on the reference platform


def mechanisms_of(topology: Topology) -> list[str]:
    """The mechanisms of the model that a system of this topology may claim."""
    switches = PROTOCOL.switches if topology is Topology.SEPARATE else WORKERS.switches
    return [name for name in switches if name not in OF_A_TRY]


@dataclass(frozen=True)
class Mechanism:
    """What a system claims of one mechanism. because: the setting; source: the page or the code that says so."""

    on: bool
    because: str = ""
    source: str = ""


@dataclass(frozen=True)
class Change:
    """A setting that would switch a mechanism. variables: of the environment, with which the storm file uses it."""

    mechanism: str
    on: bool
    setting: str
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Profile:
    """What is claimed of a system. Mechanisms that it does not name are off: nobody claims them.

    file: the storm file; variables: of the environment, with which it is run, for a file that several profiles share.
    requirements: what its environment is made of, with versions; model: a Python file with a model of its own, for a
    system that the protocol cannot express; settings: those that matter, for the report; parts: kinds of processes that
    a fault can be done to by themselves, each with a regular expression for their command lines.
    """

    path: Path
    system: str
    topology: Topology
    mechanisms: Mapping[str, Mechanism]
    file: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    about: str = ""
    requirements: tuple[str, ...] = ()
    model: Path | None = None
    settings: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def storm_file(self) -> Path:
        """The storm file that it is about: the one that it names, or the one beside it that has its name."""
        return self.file if self.file is not None else self.path.with_suffix(".py")
