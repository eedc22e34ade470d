"""docs/formats.md names each key of the JSON that commands write, and no others."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from onceproof import check
from onceproof.model.language.declare import LIVENESS
from tests.helpers.fixture_types import Command
from tests.paths import ROOT, SPECS

INNER = ("changed", "arguments", "initially", "prevented_by", "not_prevented_by", "concrete", "abstract", "nearest")


def keys(value: Any) -> set[str]:
    """All keys of a document, but for names of the model (cells, arguments) and what is inside `prevented_by`."""
    if isinstance(value, list):
        return {key for item in value for key in keys(item)}
    if not isinstance(value, dict):
        return set()
    inside = {key for name, item in value.items() if name not in INNER for key in keys(item)}
    return set(value) | inside


def test_keys_of_check_are_those_of_the_page() -> None:
    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    first = page.split("## `onceproof walk --json`")[0]
    rows = "".join(line for line in first.splitlines(keepends=True) if line.startswith("| `"))
    written = keys(check(SPECS / "api-dies-between-record-and-enqueue.yaml").to_json())
    refinement = check(ROOT / "docs" / "models" / "two_phase_commit.py", mechanisms={"hears_all": False})
    written |= keys(refinement.to_json())
    named = set(re.findall(r"`([a-z_]+)`", rows))
    values = {"holds", "violated", "unknown", "always", "sometimes", *LIVENESS, "deadlock", "range", "refines", "step"}
    assert written <= named
    assert named - values - {"specs", "before", "after"} <= written


# What is said of a document whatever the command; and what only some documents have.
SOMETIMES = {"parameters", "digest", "minimal", "certificate", "within", "outside"}
COMMANDS = {
    "walk --json": [["walk", "specs/plain-day.yaml", "--runs", "10"]],
    "prove --json": [["prove", "docs/models/two_phase_commit.py"]],
    "matrix --json": [["matrix", "--faults", "agent_crash", "--mechanisms", "agent_dedup", "--no-sets"]],
    "replay --json": [
        ["replay", "--cover", "specs/plain-day.yaml"],
        ["replay", "--mechanisms", "specs/zombie-is-fenced.yaml"],
        ["replay", "--pairs", "specs/plain-day.yaml", "--max-seconds", "1"],
        ["test", "specs/plain-day.yaml", "--examples", "3"],
        ["replay", "TRACE"],
    ],
    "judge --json": [["judge", "tests/conformance/judging/logs/rq.log"]],
}
SWARM = ["walk", "specs/plain-day.yaml", "--swarm", "--members", "1"]


def named_keys(section: str) -> set[str]:
    """The keys that the first column of a section's tables names."""
    firsts = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return {key for first in firsts for key in re.findall(r"`([a-z_]+)`", first)}


@pytest.mark.parametrize("title", COMMANDS)
def test_keys_of_a_command_are_those_of_its_section(
    title: str, onceproof: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(ROOT)
    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    (section,) = re.findall(rf"^## `onceproof {title}`.*?(?=^## )", page, re.DOTALL | re.MULTILINE)
    section, _, swarm = section.partition("With `--swarm`:")
    trace = tmp_path / "found.itf.json"
    if title.startswith("replay"):
        onceproof("check", "specs/request-twice-started-twice.yaml", "--trace-out", trace, "--quiet")
    written: set[str] = set()
    for command in COMMANDS[title]:
        written |= set(json.loads(onceproof(*(trace if part == "TRACE" else part for part in command), "--json").out))
    assert written - SOMETIMES == named_keys(section) - SOMETIMES
    if swarm:
        assert set(json.loads(onceproof(*SWARM, "--json").out)) == named_keys(swarm)


def test_keys_of_a_storm_are_those_of_its_section() -> None:
    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"^## `onceproof storm run --json`.*?(?=^## )", page, re.DOTALL | re.MULTILINE)
    document = (ROOT / "onceproof" / "reports" / "storm_data.py").read_text(encoding="utf-8")
    (returned,) = re.findall(r"def document.*?return \{\n(.*?)^    \}", document, re.DOTALL | re.MULTILINE)
    assert named_keys(section) == set(re.findall(r'^        "(\w+)":', returned, re.MULTILINE))
