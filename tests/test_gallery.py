"""docs/models: every number of the gallery's table is what a check finds, and every model is short."""

import ast
import re
import shlex
from pathlib import Path

import pytest

import onceproof
from tests.paths import ROOT

GALLERY = ROOT / "docs" / "models"
PAGE = GALLERY / "README.md"
ROW = re.compile(
    r"^\| (?:\[(\w+)\]\(\1\.py\) )?\| (?:`([^`]*)` )?\| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| (.*) \|$", re.M
)
MOST_LINES = 80
Row = tuple[str, str, int, int, int, str]


def rows() -> list[Row]:
    """The rows of the table; one without a name is of the model above it."""
    found: list[Row] = []
    for name, options, *numbers, verdict in ROW.findall(PAGE.read_text(encoding="utf-8")):
        states, transitions, depth = (int(number.replace(",", "")) for number in numbers)
        found.append((name or found[-1][0], options, states, transitions, depth, verdict))
    return found


def settings(options: str) -> tuple[dict[str, int], dict[str, bool]]:
    """The faults and mechanisms that options say."""
    words = shlex.split(options)
    given = dict(zip(words[::2], words[1::2], strict=True))
    assert set(given) <= {"--faults", "--mechanism"}
    faults = dict(pair.split("=") for pair in given.get("--faults", "").split(",") if pair)
    mechanisms = dict(pair.split("=") for pair in given.get("--mechanism", "").split(",") if pair)
    return {name: int(left) for name, left in faults.items()}, {name: on == "on" for name, on in mechanisms.items()}


def code_lines(file: Path) -> int:
    """How many lines of a file are code: neither blank nor part of a docstring, nor a comment."""
    text = file.read_text(encoding="utf-8")
    said = {number for number, line in enumerate(text.splitlines(), start=1) if line.strip() and line.strip()[0] != "#"}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            said -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(said)


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row[0]} {row[1]}".strip())
def test_every_row_of_the_table_is_what_a_check_finds(row: Row) -> None:
    name, options, states, transitions, depth, verdict = row
    faults, mechanisms = settings(options)
    result = onceproof.check(GALLERY / f"{name}.py", faults=faults, mechanisms=mechanisms, symmetry=False)
    assert (result.states, result.transitions, result.depth, result.complete) == (states, transitions, depth, True)
    if verdict == "holds":
        assert result.holds, str(result)
        return
    violated = re.fullmatch(r"`(\w+)` violated in (\d+) steps", verdict)
    assert violated is not None
    found = result.properties[violated[1]].counterexample
    assert found is not None and len(found) == int(violated[2])


def test_every_model_is_in_the_table_and_has_five_sentences() -> None:
    names = sorted(path.stem for path in GALLERY.glob("*.py"))
    assert sorted({row[0] for row in rows()}) == names
    page = PAGE.read_text(encoding="utf-8")
    sections = {part.split("\n", 1)[0]: part.split("\n", 1)[1] for part in page.split("\n## ")[1:]}
    assert sorted(sections) == names
    for name, text in sections.items():
        prose = re.sub(r"`[^`]*`", "code", " ".join(text.split()))
        assert len(re.findall(r"[.!?](?= |$)", prose)) == 5, name


def test_every_model_is_short() -> None:
    lines = {path.stem: code_lines(path) for path in GALLERY.glob("*.py")}
    assert max(lines.values()) < MOST_LINES, lines
    assert lines["alternating_bit"] <= 45 and lines["raft_election"] <= 55
