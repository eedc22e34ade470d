"""docs/formats.md names each key of the JSON that `check` writes, and no others."""

import re
from typing import Any

from onceproof import check
from onceproof.model.language.declare import LIVENESS
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
    rows = "".join(line for line in page.splitlines(keepends=True) if line.startswith("| `"))
    written = keys(check(SPECS / "api-dies-between-record-and-enqueue.yaml").to_json())
    refinement = check(ROOT / "docs" / "models" / "two_phase_commit.py", mechanisms={"hears_all": False})
    written |= keys(refinement.to_json())
    named = set(re.findall(r"`([a-z_]+)`", rows))
    values = {"holds", "violated", "unknown", "always", "sometimes", *LIVENESS, "deadlock", "range", "refines", "step"}
    assert written <= named
    assert named - values - {"specs", "before", "after"} <= written
