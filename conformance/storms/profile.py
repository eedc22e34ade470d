"""Profiles: which mechanisms a task queue claims, where it says so, and how its parts map to those of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Topology(StrEnum):
    """How a system's processes map to the model's parts."""

    EMBEDDED = "embedded"  # a worker runs functions itself: scheduler and agent die together
    TIED = "tied"  # a worker has its children run them, and they die with it
    FORKED = "forked"  # a worker has a child run them, which outlives it
    SEPARATE = "separate"  # schedulers and agents are processes of their own, as on the reference platform


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

    requirements: what its environment is made of, with versions; model: a Python file with a model of its own, for a
    system that the protocol cannot express; settings: those that matter, for the report; parts: kinds of processes that
    a fault can be done to by themselves, each with a regular expression for their command lines.
    """

    path: Path
    system: str
    topology: Topology
    mechanisms: Mapping[str, Mechanism]
    about: str = ""
    requirements: tuple[str, ...] = ()
    model: Path | None = None
    settings: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict)
