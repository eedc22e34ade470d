"""Counterexamples that teach: which part is false with its values, and what would have prevented it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onceproof.explain.explanation import Explanation
from onceproof.inputs.specs import load_spec
from onceproof.model.checker.engines import Options, check
from onceproof.reports.check_outcome import Outcome
from onceproof.reports.trace_text import explanation_lines
from tests.helpers.fixture_types import Written
from tests.paths import SPECS


def report(path: Path) -> Explanation:
    spec = load_spec(path)
    chosen = spec.properties if spec.chosen else None
    explanation = Outcome(spec, check(spec.system, chosen, Options("plain"))).explanation
    assert explanation is not None
    return explanation


TAUGHT: dict[str, tuple[list[str], list[str]]] = {
    "zombie-deletes-with-old-receipt": (
        ["`not misused[message1]` is false"],
        [
            "receipt_fencing: with it on, step 9, scheduler1 renew(scheduler1, message1), is not enabled; no run of at "
            "most 9 steps violates settled_by_holder"
        ],
    ),
    "failover-chooses-another-agent": (
        ["`starts[task1, attempt1] <= 1` is false: it is 2"],
        [
            "sticky_placement: with it on, step 11, scheduler1 dispatch(scheduler1, message1, agent2), is not enabled "
            "(even with resource_manager place(scheduler1, message1, agent1) before step 6); no run of at most 14 "
            "steps violates at_most_once"
        ],
    ),
    "deleted-when-received": (
        [
            "`outcome[message1] == FAILED` is false: it is OPEN",
            "`outcome[message1] == STOPPED` is false: it is OPEN",
            "`outcome[message1] == EXPIRED` is false: it is OPEN",
            "`outcome[message1] == COMPLETED` is false: it is OPEN",
            "`succeeded[task1, attempt1]` is false",
        ],
        [
            "delete_after_result: with it on, the same steps do not violate delete_after_completion: after step 5, "
            "scheduler1 receive(scheduler1, message1), stage[message1] is INVISIBLE, not DELETED; no run of at most "
            "5 steps violates delete_after_completion"
        ],
    ),
    "broker-delivers-twice": (
        [
            "`work[scheduler2, message1] != IDLE` is true: it is HELD",
            "`mode[scheduler2] == UP` is true",
            "`not overslept[scheduler2, message1]` is true",
        ],
        [],
    ),
}


@pytest.mark.parametrize("name", TAUGHT)
def test_explanation_of_a_safety_counterexample(name: str) -> None:
    explanation = report(SPECS / f"{name}.yaml")
    because, prevented = TAUGHT[name]
    assert explanation.because == because
    assert [prevention.text for prevention in explanation.prevented_by] == prevented


def test_explanation_of_a_liveness_counterexample_shows_the_loop(spec: Written) -> None:
    """No fault at all: the message lapses under its live holder, for ever."""
    explanation = report(SPECS / "unrenewed-task-goes-round-forever.yaml")
    loop = explanation.trace.loop
    assert loop == 6
    lines = list(explanation_lines(explanation, "", width=140))
    start = next(n for n, line in enumerate(lines) if "the loop starts here" in line)
    assert lines[start + 1].split()[:2] == ["7", "scheduler1"]
    assert any("the loop goes back to step 7" in line for line in lines)
    assert any("the obligation no_lost_task arises because" in line for line in lines)


def test_explanation_shows_only_changes_and_no_fault_budgets(spec: Written) -> None:
    explanation = report(spec("faults: {lease_ends: 1}\nmechanisms: {fencing: off}"))
    assert [step.changed for step in explanation.steps] == [
        {"holder": (None, "worker1"), "working[worker1]": (False, True)},
        {"holder": ("worker1", None)},
        {"working[worker1]": (True, False), "done[worker1]": (False, True), "spoiled": (False, True)},
    ]


def test_explanation_line_by_line(spec: Written) -> None:
    explanation = report(spec("faults: {lease_ends: 1}\nmechanisms: {fencing: off}"))
    assert list(explanation_lines(explanation, "onceproof check lease.yaml", width=160)) == [
        "\x1b[31m\x1b[1mnever_spoiled is violated\x1b[0m",
        "  No write under an old lease gets through.",
        "  3 steps, 1 fault; minimal in faults, then steps, then changes of actor",
        "",
        "  1        lease  acquire(worker1)  holder: none → worker1, working[worker1]: no → yes",
        "  2  \x1b[33m\x1b[1mFAULT\x1b[0m lease  \x1b[33mlease_ends()    \x1b[0m  holder: worker1 → none",
        "  3        lease  write(worker1)    working[worker1]: yes → no, done[worker1]: no → yes, spoiled: no → yes",
        "",
        "\x1b[1mnever_spoiled applies to this state because\x1b[0m",
        "  `done[worker1]` is true",
        "\x1b[1mand it is false because\x1b[0m",
        "  `not spoiled` is false",
        "\x1b[1mwhat would have prevented it\x1b[0m",
        "  fencing: with it on, step 3, lease write(worker1), is not enabled; no run of at most 3 steps violates "
        "never_spoiled",
        "",
        "reproduce: onceproof check lease.yaml",
    ]


def test_explanation_on_a_narrow_page_puts_changes_below(spec: Written) -> None:
    explanation = report(spec("faults: {lease_ends: 1}\nmechanisms: {fencing: off}"))
    lines = list(explanation_lines(explanation, "", width=60))
    assert lines[4:7] == [
        "  1        lease  acquire(worker1)",
        "           holder: none → worker1,",
        "           working[worker1]: no → yes",
    ]


TOY = '''
from onceproof import (
    Sort, action, always, ending, eventually, exists, field, given, infinitely_often, leads_to, require, stays
)

class W(Sort, default=2):
    """A thing."""

x = field(W, bool)

@action
def flip(st, w: W):
    """It goes on, and never off."""
    require(not st.x[w])
    st.x[w] = True

@always
def on_at_once(st, w: W):
    """Wrong from the start."""
    return st.x[w]

@eventually
def goes_off(st, w: W):
    """Once on it goes off."""
    given(st.x[w])
    return not st.x[w]

@eventually
def comes(st, w: W):
    """At some time the first is on and the second is off."""
    return st.x[w] and exists(W, lambda other: other != w and not st.x[other])

@infinitely_often
def is_off_again(st, w: W):
    """It is off again and again."""
    return not st.x[w]

@stays
def stays_off(st, w: W):
    """From some time on it is off for ever."""
    return not st.x[w]

@leads_to
def off_after_on(st, w: W):
    given(st.x[w])
    return not st.x[w]

@ending
def never_ends(st):
    """Some thing is off."""
    return exists(W, lambda w: not st.x[w])
'''


@pytest.mark.parametrize(
    ("name", "steps", "says"),
    [
        ("on_at_once", 0, "  no steps: this is the initial state"),
        ("goes_off", 2, "  after that nothing more happens, forever"),
        ("off_after_on", 2, "the obligation off_after_on arises because"),
        ("comes", 2, "comes is true at no time on this run; in the last state"),
        ("is_off_again", 2, "is_off_again is not true again after step 2; in the last state"),
        ("stays_off", 2, "stays_off is false again and again: in the last state"),
        ("deadlock", 2, "  no action is enabled, except perhaps faults"),
    ],
)
def test_explanation_ends_fit_each_kind_of_property(
    onceproof: Callable[..., Any], tmp_path: Path, name: str, steps: int, says: str
) -> None:
    """A violation in the initial state, an end that leaves an obligation open, and an end that nobody wants."""
    (tmp_path / "toy.py").write_text(TOY, encoding="utf-8")
    path = tmp_path / "toy.yaml"
    path.write_text(f"model: toy.py\nexpect: {{violated: {name}, length: {steps}}}\n", encoding="utf-8")
    trace, report = tmp_path / "trace.json", tmp_path / "sarif.json"
    ran = onceproof("check", path, "--trace-out", trace, "--sarif", report)
    assert ran.status == 0
    assert says in ran.out.splitlines()
    for form in ("text", "sequence", "html"):
        assert onceproof("show", trace, "--as", form).status == 0
