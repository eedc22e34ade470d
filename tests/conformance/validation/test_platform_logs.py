"""Probe logs of the reference platform under real faults: admitted as they are, and refuted once they were altered."""

import contextlib
import json
import os
import random
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onceproof.conformance.validation.diagnosis import diagnose
from onceproof.conformance.validation.logs import LoggedEvent, read_events
from onceproof.conformance.validation.mapping import LogMapping, load
from onceproof.conformance.validation.validate import Validator, validate
from onceproof.inputs.specs import load_spec
from tests.helpers.fixture_types import Command
from tests.helpers.platforms import LEDGER, Platform
from tests.helpers.waiting import wait_until
from tests.paths import ROOT

EXAMPLE = ROOT / "conformance" / "examples" / "platform"
ROUNDS = int(os.environ.get("ONCEPROOF_ROUNDS", "1"))
SEED = int(os.environ.get("ONCEPROOF_SEED", "1"))
TASKS = 12
# What a run of the model cannot do without: each of these lines is missed when it is not there.
NEEDED = ("admit", "relay", "receive", "place", "dispatch", "start", "finish", "record")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The folders of logs of some rounds: a quiet one, then those in which schedulers and agents are killed."""
    kills = [0] + [3] * ROUNDS
    return [
        logged_round(tmp_path_factory.mktemp(f"round{number}"), SEED + number, count)
        for number, count in enumerate(kills)
    ]


def logged_round(folder: Path, seed: int, kills: int) -> Path:
    """One platform that lives through some kills until all its tasks have ended; the folder of its logs."""
    r = random.Random(seed)
    probes = folder / "probes"
    probes.mkdir()
    platform = Platform(folder, {"lease_seconds": 1.0, "schedulers": 2, "agents": 2, "probe_log": str(probes)})
    platform.function("ledger", LEDGER)
    platform.start()
    try:
        caller = platform.caller()
        victims = {r.randrange(TASKS): r.choice(("scheduler1", "scheduler2", "agent1", "agent2")) for _ in range(kills)}
        for number in range(TASKS):
            caller.submit("ledger", platform.order(), f"t{number}")
            if number in victims:
                with contextlib.suppress(ProcessLookupError):  # it was killed before, and is not back yet
                    os.kill(platform.pid(victims[number]), signal.SIGKILL)
        wait_until(lambda: Counter(line["action"] for line in lines_in(probes))["delete"] >= TASKS)
    finally:
        platform.end()
    return probes


def lines_in(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(folder.iterdir()) for line in whole_lines(path)]


def whole_lines(path: Path) -> list[str]:
    """The lines of a file that were written to their ends: a process may have been killed within the last."""
    return [line for line in path.read_text().splitlines(keepends=True) if line.endswith("}\n")]


def copied(source: Path, target: Path, change: Callable[[list[list[str]]], None]) -> Path:
    """Logs with a change made to the lines of their files."""
    target.mkdir()
    paths = sorted(source.iterdir())
    files = [whole_lines(path) for path in paths]
    change(files)
    for path, lines in zip(paths, files, strict=True):
        (target / path.name).write_text("".join(lines))
    return target


def validator_and_events(folder: Path) -> tuple[Validator, list[LoggedEvent]]:
    spec = load_spec(EXAMPLE / "spec.yaml")
    mapping: LogMapping = load(EXAMPLE / "mapping.yaml", spec.system)
    events, _ = read_events([str(path) for path in sorted(folder.iterdir())], mapping)
    return Validator(spec.model, spec.config, mapping, limit=30_000), events


def test_logs_of_the_platform_under_faults_are_admitted(logs: list[Path], onceproof: Command, tmp_path: Path) -> None:
    for number, folder in enumerate(logs):
        clean = copied(folder, tmp_path / str(number), lambda _: None)
        options = ["--mapping", EXAMPLE / "mapping.yaml", "--max-nodes", "30000"]
        ran = onceproof("validate", EXAMPLE / "spec.yaml", *sorted(clean.iterdir()), *options)
        assert ran.status == 0, ran.out
        assert f"a run explains {TASKS + 1} of {TASKS + 1} tasks" in ran.out


@pytest.mark.parametrize("action", ["admit", "relay", "start", "record"])
def test_a_line_that_is_missing_is_found_and_named(action: str, logs: list[Path], tmp_path: Path) -> None:
    victim = chosen(logs[0], action)

    def drop(files: list[list[str]]) -> None:
        for lines in files:
            lines[:] = [line for line in lines if line != victim]

    validator, events = validator_and_events(copied(logs[0], tmp_path / "bad", drop))
    found = validate(validator, events)
    # Without the line that connects a message with its task each of the two is without an explanation.
    assert found.holds is False and len(found.refuted) == (2 if action == "relay" else 1)
    diagnoses = [diagnose(validator, each, max_seconds=60) for each in found.refuted]
    named = {repair.name for each in diagnoses for repair in each.repairs if repair.kind.value == "missing"}
    assert action in named


@pytest.mark.parametrize("action", ["relay", "start", "delete"])
def test_a_line_that_is_doubled_is_found(action: str, logs: list[Path], tmp_path: Path) -> None:
    victim = chosen(logs[0], action)

    def double(files: list[list[str]]) -> None:
        for lines in files:
            if victim in lines:
                again = {**json.loads(victim), "sequence": 10**9}
                lines.append(json.dumps({**again, **when_all_is_over(lines)}) + "\n")

    validator, events = validator_and_events(copied(logs[0], tmp_path / "bad", double))
    found = validate(validator, events)
    assert found.holds is False and len(found.refuted) == 1, [each.slice.key for each in found.refuted]


def when_all_is_over(lines: list[str]) -> dict[str, int]:
    """Times after all others of a file."""
    last = json.loads(lines[-1])
    return {"begin": last["time"] + 1, "time": last["time"] + 2}


def test_a_line_that_names_another_agent_is_found_with_its_value(logs: list[Path], tmp_path: Path) -> None:
    victim = chosen(logs[0], "start")

    def alter(files: list[list[str]]) -> None:
        for lines in files:
            if victim in lines:
                line = json.loads(victim)
                other = {"agent1": "agent2", "agent2": "agent1"}[line["arguments"]["agent"]]
                line["arguments"]["agent"] = other
                lines[lines.index(victim)] = json.dumps(line) + "\n"

    validator, events = validator_and_events(copied(logs[0], tmp_path / "bad", alter))
    found = validate(validator, events)
    assert found.holds is False
    diagnosis = diagnose(validator, found.refuted[0], max_seconds=60)
    assert ("value", "agent") in {(repair.kind.value, repair.parameter) for repair in diagnosis.repairs}


def chosen(folder: Path, action: str) -> str:
    """A line of a task that went its way without any fault: every needed action of it is in the log once."""
    lines = [line for path in sorted(folder.iterdir()) for line in whole_lines(path)]
    parsed = [json.loads(line) for line in lines]
    tasks = {p["arguments"]["message"]: p["arguments"]["task"] for p in parsed if p["action"] == "relay"}
    counts: dict[str, Counter[str]] = {task: Counter() for task in tasks.values()}
    for each in parsed:
        arguments = each["arguments"]
        task = arguments.get("task") or tasks.get(arguments.get("message"))
        if task in counts:
            counts[task][each["action"]] += 1
    smooth = next(task for task, count in counts.items() if all(count[name] == 1 for name in (*NEEDED, "delete")))
    return next(
        line
        for line, each in zip(lines, parsed, strict=True)
        if each["action"] == action
        and (each["arguments"].get("task") or tasks.get(each["arguments"].get("message"))) == smooth
    )
