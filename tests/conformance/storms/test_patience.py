"""How long a storm waits for a first sign of life."""

import pytest

from onceproof.conformance.storms.patience import IDLE_SECONDS, Patience
from onceproof.conformance.storms.process_table import Entry


@pytest.mark.parametrize(
    ("states", "waited"),
    [
        ("S", IDLE_SECONDS),  # all sleep
        ("SSSSSSSSSR", IDLE_SECONDS),  # it looks at its queue now and then
        ("SSR", 60.0),
        ("SD", 60.0),  # it waits for the disk half of the time
    ],
)
def test_it_ends_when_processes_hardly_run(states: str, waited: float, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("onceproof.conformance.storms.patience.time.monotonic", lambda: clock[0])
    looks = iter(range(10_000))

    def processes() -> list[Entry]:
        return [Entry(7, 1, 7, states[next(looks) % len(states)])]

    waiting = Patience(processes, 60.0)
    while not waiting.is_over():
        clock[0] += 0.25
    assert waited <= clock[0] - 100.0 <= waited + 0.5
