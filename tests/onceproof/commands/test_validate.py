"""`validate SPEC LOG...`: text, JSON, drafts, exit statuses."""

import json
from pathlib import Path

import pytest

from onceproof import build
from tests.conformance.validation.written import lines_of, random_run, written
from tests.helpers.fixture_types import Command
from tests.models.philosophers import PHILOSOPHERS
from tests.paths import MODELS


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A spec of the philosophers."""
    path = tmp_path / "philosophers.yaml"
    path.write_text(f"model: {MODELS / 'philosophers.py'}:PHILOSOPHERS\n")
    return path


@pytest.fixture
def lines() -> list[dict[str, object]]:
    """A run of two philosophers as a log."""
    system = build(PHILOSOPHERS)
    runs = (random_run(system, seed, 12) for seed in range(100))
    return lines_of(system, next(run for run in runs if len(run) == 12 and len({step.action for step in run}) == 4))


def test_log_of_a_run_is_admitted(
    spec: Path, lines: list[dict[str, object]], onceproof: Command, tmp_path: Path
) -> None:
    ran = onceproof("validate", spec, written(tmp_path / "log.ndjson", lines))
    assert ran.status == 0
    assert "the model admits this log: a run explains 1 of 1 run (12 steps, 0 of them unlogged)" in ran.out


def test_log_without_a_run_is_exit_1_with_what_blocks_and_what_would_help(
    spec: Path, lines: list[dict[str, object]], onceproof: Command, tmp_path: Path
) -> None:
    eats = next(number for number, line in enumerate(lines) if line["action"] == "eat")
    taken = max(n for n in range(eats) if lines[n]["action"] == "take_left")
    del lines[taken]
    ran = onceproof("validate", spec, written(tmp_path / "log.ndjson", lines))
    assert ran.status == 1
    assert "no run explains it" in ran.out and "  next  " in ran.out and "not possible: `" in ran.out
    assert "explained if an event take_left is missing" in ran.out
    document = json.loads(onceproof("validate", spec, tmp_path / "log.ndjson", "--json").out)
    assert document["verdict"] == "violated" and document["events"] == len(lines)
    (diagnosis,) = document["diagnoses"]
    assert {"kind": "missing", "text": "an event take_left is missing"} in diagnosis["repairs"]
    assert diagnosis["blocked"][0]["false"]


def test_limit_is_exit_3(spec: Path, lines: list[dict[str, object]], onceproof: Command, tmp_path: Path) -> None:
    ran = onceproof("validate", spec, written(tmp_path / "log.ndjson", lines), "--max-nodes", "2")
    assert ran.status == 3 and "undecided" in ran.out


def test_what_is_never_logged_is_said_aloud(
    spec: Path, lines: list[dict[str, object]], onceproof: Command, tmp_path: Path
) -> None:
    left = [line for line in lines if line["action"] != "get_hungry"]
    ran = onceproof("validate", spec, written(tmp_path / "log.ndjson", left))
    assert ran.status == 0
    assert "taken as unlogged, since the log never shows them: get_hungry" in ran.out


def test_mechanism_that_is_missing_in_the_system_is_named(onceproof: Command, tmp_path: Path) -> None:
    """A run of the protocol in which an old receipt deletes: explained if `receipt_fencing` is off."""
    from onceproof.model.checker.explicit.engine import check
    from onceproof.model.protocol.system import PROTOCOL

    config = PROTOCOL.configure({"tasks": 1}, {"receipt_fencing": False}, {"scheduler_pause": 1})
    system = build(PROTOCOL, config)
    found = next(each for each in check(system).properties if each.name == "settled_by_holder").counterexample
    assert found is not None
    spec = tmp_path / "spec.yaml"
    spec.write_text("sizes: {tasks: 1}\nfaults: {scheduler_pause: 1}\n")
    log = written(tmp_path / "log.ndjson", lines_of(system, found.trace.steps))
    ran = onceproof("validate", spec, log, "--repair-seconds", "60")
    assert ran.status == 1
    assert "explained if the mechanism `receipt_fencing` is off" in ran.out


def test_new_mapping_is_drafted(spec: Path, lines: list[dict[str, object]], onceproof: Command, tmp_path: Path) -> None:
    log = written(tmp_path / "log.ndjson", lines)
    ran = onceproof("validate", spec, log, "--new-mapping")
    (tmp_path / "mapping.yaml").write_text(ran.out)
    assert ran.status == 0
    assert onceproof("validate", spec, log, "--mapping", tmp_path / "mapping.yaml").status == 0


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no event of the logs has the name of an action"),
        ('{"action": "nothing"}\n', "no event of the logs has the name of an action: found nothing"),
        ('{"action": "eat", "time": 1}\n{"action": "ea', "log.ndjson:2: the line is cut off"),
        ('{"action": "eat", "time": 2}\n{"action": "eat", "time": 1}\n', "log.ndjson:2: time runs backwards"),
        ('{"action": "eat", "time": 1}\n{"time": 1}\n', "log.ndjson:2: no event: the line has no text at `action`"),
    ],
)
def test_wrong_log_is_one_line_and_exit_2(
    text: str, complaint: str, spec: Path, onceproof: Command, tmp_path: Path
) -> None:
    log = tmp_path / "log.ndjson"
    log.write_text(text)
    ran = onceproof("validate", spec, log)
    assert ran.status == 2 and complaint in ran.err and len(ran.err.splitlines()) == 1


def test_itf_trace_of_another_tool_is_validated(spec: Path, onceproof: Command, tmp_path: Path) -> None:
    trace = {
        "vars": ["mbt::actionTaken", "mbt::nondetPicks"],
        "states": [
            {"#meta": {"index": 0}, "mbt::actionTaken": "init", "mbt::nondetPicks": {}},
            {
                "#meta": {"index": 1},
                "mbt::actionTaken": "get_hungry",
                "mbt::nondetPicks": {"philosopher": {"tag": "Some", "value": "philosopher1"}},
            },
        ],
    }
    log = tmp_path / "trace.itf.json"
    log.write_text(json.dumps(trace, indent=1))
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("actions: {get_hungry: get_hungry, take_left: take_left, eat: eat, put_down: put_down}\n")
    ran = onceproof("validate", spec, log, "--mapping", mapping)
    assert ran.status == 0, ran.err
    trace["states"][1]["mbt::actionTaken"] = "put_down"  # type: ignore[index]
    log.write_text(json.dumps(trace, indent=1))
    assert onceproof("validate", spec, log, "--mapping", mapping).status == 1
