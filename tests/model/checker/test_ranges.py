"""Leaving the range of a field is a violation with its trace: in every engine, in walks, files and reports."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from onceproof.explain.explanation import explain
from onceproof.model.checker import compiled
from onceproof.model.checker.explicit.engine import check
from onceproof.model.checker.results import CheckResult, StopReason, Trace, Verdict
from onceproof.model.checker.walks import WalkOptions, walk
from onceproof.model.language import (
    Count,
    Int,
    Model,
    Seq,
    Sort,
    System,
    action,
    always,
    build,
    fault,
    field,
    require,
)
from tests.helpers.fixture_types import Command
from tests.helpers.present import present
from tests.helpers.results import result_of, violation

ENGINES: dict[str, Callable[[System], CheckResult]] = {
    "direct": lambda system: check(system, engine="direct"),
    "plain": check,
    "compiled": lambda system: compiled.check(system, workers=1),
    "two workers": lambda system: compiled.check(system, workers=2),
    "symmetry": lambda system: compiled.check(system, workers=1, symmetry=True),
    "fingerprints": lambda system: compiled.check(system, workers=1, fingerprint=True),
}


class Shop(Sort, default=2, symmetric=True):
    """A shop."""


def sell(st: Any, shop: Shop) -> None:
    st.sold += 1


def take(st: Any, shop: Shop) -> None:
    st.stock[shop] -= 1


def fill(st: Any, shop: Shop) -> None:
    st.stock[shop] += 1


def few_sold(st: Any) -> bool:
    return st.sold <= 1


def sold_out(st: Any) -> bool:
    return st.sold <= 2


def shops(**declared: Any) -> System:
    fields = {"sold": field(Count(2)), "stock": field(Shop, Count(2))}
    model = Model("shops", {"__name__": "shops", **fields, **declared})
    return build(model, model.configure(budgets=dict.fromkeys(model.faults, None)))


@pytest.mark.parametrize("engine", ENGINES)
def test_step_beyond_the_range_is_a_violation_with_a_least_trace(engine: str) -> None:
    result = ENGINES[engine](shops(sell=action(sell), few_sold=always(few_sold), sold_out=always(sold_out)))
    assert (result.complete, result.verdict, result.states, result.depth) == (False, Verdict.VIOLATED, 3, 2)
    assert present(result.stopped).reason is StopReason.RANGE_LEFT
    found = violation(result, "range of sold")
    assert (len(found.trace), found.minimal) == (3, "steps")
    left = present(found.trace.departure)
    assert (left.step.action, left.field, left.cell, left.value) == ("sell", "sold", "sold", "3")
    assert "action `sell`, test_ranges.py:" in left.why and "3 is not within 0 to 2" in left.why
    assert len(violation(result, "few_sold").trace) == 2
    assert result_of(result, "sold_out").verdict is Verdict.UNKNOWN
    assert result.bound == 2
    assert result_of(result, "deadlock").verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("engine", ENGINES)
def test_cell_is_named_and_faults_count(engine: str) -> None:
    result = ENGINES[engine](shops(take=fault(take)))
    found = violation(result, "range of stock")
    left = present(found.trace.departure)
    assert (len(found.trace), found.trace.faults, left.value) == (1, 1, "-1")
    assert left.cell == f"stock[shop{left.step.arguments[0] + 1}]"


def test_engines_agree_on_the_numbers_of_a_level_that_is_finished() -> None:
    system = shops(sell=action(sell), fill=action(fill))
    plain = check(system)
    for engine in ("direct", "compiled", "two workers", "fingerprints"):
        found = ENGINES[engine](system)
        assert (found.states, found.transitions, found.fired) == (plain.states, plain.transitions, plain.fired)
        assert {p.name: p.verdict for p in found.properties if p.kind != "range"} == {
            p.name: p.verdict for p in plain.properties if p.kind != "range"
        }
        (left,) = (p for p in found.properties if p.kind == "range")
        assert len(present(left.counterexample).trace) == 3


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_walks_find_it_and_shorten_the_run(engine: str) -> None:
    found = present(
        walk(shops(sell=action(sell), fill=action(fill)), None, WalkOptions(runs=50, engine=engine)).violation
    )
    assert found.property in ("range of sold", "range of stock")
    assert len(found.trace) == 3 and present(found.trace.departure).claim == found.property


def put(st: Any, shop: Shop) -> None:
    st.queue[shop].append(True)


@pytest.mark.parametrize("engine", ENGINES)
def test_sequence_that_overflows_is_one(engine: str) -> None:
    result = ENGINES[engine](shops(queue=field(Shop, Seq(bool, 2)), put=action(put)))
    found = violation(result, "range of queue")
    left = present(found.trace.departure)
    assert (len(found.trace), left.cell[:10]) == (3, "queue[shop")
    explanation = explain(found)
    assert explanation.steps[-1].changed == {left.cell: ([True, True], "one element more than 2")}
    assert "it is full with 2: let a guard ask" in explanation.because[-1]


def lower(st: Any) -> None:
    st.heat -= 3


@pytest.mark.parametrize("engine", ENGINES)
def test_number_that_leaves_its_bounds_is_one(engine: str) -> None:
    found = violation(ENGINES[engine](shops(heat=field(Int(-4, 4)), lower=action(lower))), "range of heat")
    assert (len(found.trace), present(found.trace.departure).value) == (1, "-7")


def test_failed_assert_is_no_violation() -> None:
    def broken(st: Any) -> None:
        require(st.sold == 0)
        assert st.sold == 1
        st.sold = 1

    for look in ENGINES.values():
        with pytest.raises(Exception, match="AssertionError"):
            look(shops(broken=action(broken)))


MODEL = """
from onceproof import Count, action, always, field, require, switch

careful = switch(on="looks before it sells", off="does not")
sold = field(Count(2))


@action
def sell(st):
    if st.careful:
        require(st.sold < 2)
    st.sold += 1


@action
def wait(st):
    st.sold = st.sold


@always
def fine(st):
    return st.sold <= 2
"""


@pytest.fixture
def over(tmp_path: Path) -> Path:
    (tmp_path / "over.py").write_text(MODEL)
    path = tmp_path / "over.yaml"
    path.write_text("model: over.py\nmechanisms: {careful: off}\nexpect: {violated: range of sold, length: 3}\n")
    return path


def test_reports_and_files_have_the_step_that_leads_to_no_state(onceproof: Command, over: Path, tmp_path: Path) -> None:
    trace, junit = tmp_path / "out.itf.json", tmp_path / "out.xml"
    ran = onceproof("check", over, "--trace-out", trace, "--junit", junit)
    assert ran.status == 0
    assert "  3        over  sell()  sold: 2 → 3" in ran.out
    assert "`sold` leaves its range because\n  step 3 would write 3" in ran.out
    assert "careful: with it on, step 3, over sell(), is not enabled; no run violates range of sold" in ran.out
    assert "no violation up to depth 2" in ran.out
    found = json.loads(onceproof("check", over, "--json").out)["specs"][0]
    last = found["counterexample"]["steps"][-1]
    assert (found["counterexample"]["length"], last["changed"]) == (3, {"sold": [2, "3"]})
    assert found["stopped"] == "a step that leaves the range of a field"
    cases = {case.get("name") for case in ElementTree.parse(junit).iter("testcase")}
    assert "range of sold" in cases
    for form in ("text", "sequence"):
        shown = onceproof("show", trace, "--as", form)
        assert (shown.status, shown.out.count("sell")) == (0, 3 if form == "sequence" else 5)
    page = tmp_path / "page.html"
    assert onceproof("show", trace, "--as", "html", "--out", page).status == 0
    assert "range of sold is violated" in page.read_text()
    damaged = json.loads(trace.read_text())
    damaged["#meta"]["departure"]["action"] = "wait"
    trace.write_text(json.dumps(damaged))
    refused = onceproof("show", trace)
    assert (refused.status, refused.err.count("\n")) == (2, 1)
    assert "#meta.departure: wait() leaves no range in the last state" in refused.err


def test_matrix_says_which_case_cannot_be_judged(onceproof: Command, over: Path, tmp_path: Path) -> None:
    ran = onceproof("matrix", "--model", tmp_path / "over.py", "--no-sets")
    assert ran.status == 2
    assert "careful off, no fault: `range of sold` is violated in this case" in ran.err


def test_trace_counts_its_last_step() -> None:
    found = violation(check(shops(take=fault(take))), "range of stock").trace
    assert isinstance(found, Trace)
    assert (len(found.steps), len(found.states), len(found.taken), found.turns) == (0, 1, 1, 0)
