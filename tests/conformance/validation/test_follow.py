"""Logs that grow: tasks are validated when nothing comes for them any more, and then forgotten."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from onceproof.conformance.validation.follow import Following, follow
from onceproof.conformance.validation.search import Explanation
from onceproof.conformance.validation.validate import Validator
from onceproof.model.protocol.system import PROTOCOL
from tests.conformance.validation.written import END, WAY, mapping_of, task_at

SECOND = 1_000_000_000


def followed(path: Path, writes: list[list[dict[str, Any]]]) -> tuple[Following, list[Explanation]]:
    """What is known after these writes to one file, each before a look."""
    config = PROTOCOL.configure({"tasks": 1, "schedulers": 1, "agents": 1}, {}, {"scheduler_crash": None})
    unlogged = frozenset(PROTOCOL.actions) - {*WAY, *END}
    mapping = mapping_of(PROTOCOL, unlogged, by="Task", unit="s")
    path.write_text("")
    steps = follow(Validator(PROTOCOL, config, mapping), [str(path)], 5 * SECOND, wait=no_wait)
    wrong: list[Explanation] = []
    found = Following
    for lines in writes:
        with path.open("a") as stream:
            stream.writelines(json.dumps(line) + "\n" for line in lines)
        found, more = next(steps)  # type: ignore[assignment]
        wrong += more
    return found, wrong  # type: ignore[return-value]


no_wait: Callable[[float], None] = lambda _: None  # noqa: E731


def test_task_is_validated_when_nothing_came_for_it_for_a_while(tmp_path: Path) -> None:
    first, second, third = task_at(0, 0), task_at(1, 10), task_at(2, 20)
    found, wrong = followed(tmp_path / "log", [first[:7], first[7:], second, third])
    assert not wrong
    assert (found.result.slices, found.result.explained, found.in_flight, found.late) == (2, 2, 1, 0)
    assert found.result.events == len(first) + len(second) + len(third)


def test_task_without_an_explanation_is_reported_once(tmp_path: Path) -> None:
    broken = [line for line in task_at(1, 10) if line["action"] != "place"]
    found, wrong = followed(tmp_path / "log", [task_at(0, 0), broken, task_at(2, 20), task_at(3, 30)])
    assert [each.slice.key for each in wrong] == ["task1-1"]
    assert found.result.holds is False and found.result.explained == 2


def test_event_of_a_task_that_is_done_is_late_and_no_alarm(tmp_path: Path) -> None:
    first = task_at(0, 0)
    late = {**first[-1], "time": 21.0}
    found, wrong = followed(tmp_path / "log", [first, task_at(1, 10), [*task_at(2, 20), late]])
    assert not wrong and found.late == 1


def test_events_of_tasks_that_are_done_are_forgotten(tmp_path: Path) -> None:
    """What is kept after many tasks is what is in flight, and a line of each kind that concerns all."""
    writes = [task_at(number, 10.0 * number) for number in range(30)]
    found, wrong = followed(tmp_path / "log", writes)
    assert not wrong and found.in_flight == 1 and found.result.explained == 29
