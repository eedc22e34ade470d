"""The page on scaling says what was measured, and computes the rest from that."""

import json
from typing import Any

import pytest

from bench import scaling
from bench.explore import RESULTS as RESULTS_FOLDER
from bench.explore import SPECS

RESULTS: dict[str, Any] = json.loads((RESULTS_FOLDER / "scaling.json").read_text(encoding="utf-8"))


def test_page_has_the_tables_of_the_kept_results() -> None:
    page = scaling.PAGE.read_text(encoding="utf-8")
    assert scaling.filled(page, RESULTS) == page
    assert page.count("| 10^11 |") == 3


def test_every_way_found_the_same_states() -> None:
    counts = {(row["spec"], row["states"], row["transitions"], row["depth"]) for row in RESULTS["rows"]}
    assert len(counts) == len({row["spec"] for row in RESULTS["rows"]})
    assert {row["way"] for row in RESULTS["rows"]} == set(scaling.WAYS)


def test_figures_on_paper_follow_from_what_was_measured() -> None:
    rows = [
        {"way": "1 thread", "states": 10, "nanoseconds_a_state": 160.0},
        {"way": "ray 2", "states": 10, "wire_bytes_a_state": 10.0, "memory_bytes_a_state": 30.0},
        {"way": "disk", "states": 10, "disk_bytes_a_state": 16.0},
    ]
    one = scaling.on_nodes(rows, 10**9, 1)
    assert (one.memory, one.disk, one.compute, one.network) == (30e9, 16e9, 10.0, 0.0)
    assert one.breaks == "compute"
    ten = scaling.on_nodes(rows, 10**10, 10)
    assert (ten.memory, ten.compute) == (30e9, 10.0)
    assert ten.network == pytest.approx(18e9 / 1.25e9)
    assert ten.seconds == pytest.approx(ten.network + ten.rounds + ten.barriers)
    assert scaling.on_nodes(rows, 10**12, 10).breaks.startswith("memory")
    assert scaling.on_nodes(rows, 10**9, 1000).breaks == "objects of the rounds"


def test_each_way_is_measured_by_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SPECS, "tiny", ({"tasks": 1}, {"reply_loss": 1}))
    rows = [scaling.measured("tiny", way) for way in ("1 thread", "disk", "fingerprint")]
    assert {row["states"] for row in rows} == {rows[0]["states"]} and rows[0]["states"] > 100
    assert rows[1]["disk_bytes_a_state"] > 0 and rows[0]["disk_bytes_a_state"] == 0
