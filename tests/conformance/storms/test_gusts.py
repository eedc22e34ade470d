"""What a random storm waits for when the wind is down."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from onceproof.conformance.storms import gusts
from onceproof.conformance.storms.gusts import CALM_SECONDS, Gusts

WINDOW = 6.0


@dataclass
class Line:
    task: str
    what: str


@dataclass
class Slow:
    """A queue that stands still for so many seconds after a storm, then runs all that it was given.

    It is site, ledger and clock in one: time passes while it is waited for.
    """

    seconds: float
    now: float = 0.0
    waiting: list[str] = field(default_factory=lambda: ["gust-1"])
    lines: list[Line] = field(default_factory=lambda: [Line("gust-1", "accepted")])
    look: Any = None

    @property
    def ledger(self) -> "Slow":
        return self

    def submit(self, task: str, seconds: float) -> None:
        self.waiting.append(task)

    def read(self) -> list[Line]:
        return list(self.lines)

    def wait(self, seen: Any, seconds: float, look: Any) -> None:
        self.now += seconds
        if self.now >= self.seconds:
            self.lines += [Line(task, "finish") for task in self.waiting]
            self.waiting = []

    def monotonic(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("seconds", "until"), [(0.0, 1 + WINDOW), (25.0, 25 + WINDOW), (1e9, CALM_SECONDS + 4 * WINDOW)]
)
def test_what_was_accepted_is_waited_for(seconds: float, until: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that waits while the queue recovers is not lost; one that never comes is, after a time."""
    site: Any = Slow(seconds)
    monkeypatch.setattr(time, "monotonic", site.monotonic)
    gusts._calm(site, Gusts(Path(), "", 0.0, ["gust-1"]), WINDOW)
    assert site.now == pytest.approx(until)
    assert (Line("gust-1", "finish") in site.lines) == (seconds < 1e9)
