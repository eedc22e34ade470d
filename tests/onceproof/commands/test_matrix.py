"""``onceproof matrix``: the table, the sets below it, JSON, the page, and how it ends."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.fixture_types import Written
from tests.paths import ROOT

Command = Callable[..., Any]  # of the fixtures in conftest.py

SMALL = ("--quiet", "--mechanisms", "renewal,sticky_placement", "--faults", "scheduler_crash,broker_duplicate")


def test_matrix_prints_only_what_differs(onceproof: Command) -> None:
    ran = onceproof("matrix", *SMALL, "--no-sets")
    assert ran.status == 0
    lines = ran.out.splitlines()
    rows = [re.split(r"  +", line) for line in lines if line.startswith(("all on ", "no "))]
    # no_lost_task, single_holder, no_needless_redelivery, message_settled, at_most_once
    assert rows == [
        ["all on", "broker_duplicate", "·", "broken 6", "broken 6", "·", "·"],
        ["no renewal", "no fault", "broken 9", "·", "·", "broken 9", "·"],
        ["no sticky_placement", "broker_duplicate", "·", "·", "·", "·", "broken 10"],
        ["no sticky_placement", "scheduler_crash", "·", "·", "·", "·", "broken 13"],
    ]
    assert "9 cells, 9 explored" in ran.out
    assert ran.err == ""


def test_matrix_all_prints_every_cell(onceproof: Command) -> None:
    ran = onceproof("matrix", *SMALL, "--no-sets", "--all", "--properties", "at_most_once,truthful_rejection")
    assert ran.status == 0
    rows = [re.split(r"  +", line) for line in ran.out.splitlines() if line.startswith(("all on ", "no "))]
    assert len(rows) == 9
    assert ["all on", "no fault", "holds", "-"] in rows
    assert ["no sticky_placement", "scheduler_crash", "broken 13", "-"] in rows


def test_matrix_prints_minimal_sets_below_the_table(onceproof: Command) -> None:
    mechanisms = "sticky_placement,agent_dedup,graceful_drain"
    faults = "scheduler_crash,lease_lapse,stale_owner"
    ran = onceproof(
        *("matrix", "--quiet", "--mechanisms", mechanisms, "--faults", faults, "--triples"),
        *("--properties", "at_most_once,single_holder"),
    )
    assert ran.status == 0
    below = ran.out[ran.out.index("Minimal sets of mechanisms") :].splitlines()
    once = below.index("  at_most_once")
    assert below[once + 1] == "    sticky_placement, agent_dedup"
    assert below[below.index("  single_holder") + 1] == "    no mechanism is needed"
    assert "all 8 sets were decided" in ran.out
    assert "    lease_lapse + stale_owner: broken 8" in below
    assert "tried, of 3 faults: all single faults, pairs, triples" in ran.out


def test_matrix_json_document(onceproof: Command) -> None:
    ran = onceproof(
        *("matrix", "--json", "--quiet", "--mechanisms", "agent_dedup", "--faults", "request_duplication"),
        *("--properties", "at_most_once,result_agreement"),
    )
    assert ran.status == 0
    document = json.loads(ran.out)
    assert (document["complete"], document["interrupted"], document["explored"]) == (True, False, 3)
    assert document["mechanisms"] == ["agent_dedup"]
    cells = {(tuple(c["off"]), tuple(c["faults"])): c for c in document["cells"]}
    assert {key: (cell["states"], cell["transitions"]) for key, cell in cells.items()} == {
        ((), ()): (160, 419),
        ((), ("request_duplication",)): (416, 1219),
        (("agent_dedup",), ()): (160, 419),
        (("agent_dedup",), ("request_duplication",)): (528, 1539),
    }
    once, agreement = cells[("agent_dedup",), ("request_duplication",)]["properties"]
    assert agreement["verdict"] == "holds"
    assert (once["verdict"], once["length"], once["faults"], once["shortest"]) == ("broken", 10, 1, True)
    assert once["steps"][0] == "client submit(task1, submission1)"
    assert len(once["steps"]) == 10
    sets = {found["property"]: found["sets"] for found in document["sufficient_mechanisms"]}
    assert sets == {
        "at_most_once": [["agent_dedup"]],
        "result_agreement": [[]],
        "all of these": [["agent_dedup"]],
    }
    assert [found["sets"] for found in document["breaking_faults"]] == [[], []]


def test_matrix_takes_sizes_in_every_spelling(onceproof: Command) -> None:
    ran = onceproof(
        *("matrix", "--json", "--quiet", "--mechanisms", "none", "--faults", "response_loss,function_failure"),
        *("--agents", "1", "--sizes", "users=2,schedulers=1,submissions=3", "--tasks", "2", "--max-states", "10"),
        *("--properties", "at_most_once"),
    )
    assert ran.status == 3  # the limit
    document = json.loads(ran.out)
    sizes = {tuple(cell["faults"]): cell["sizes"] for cell in document["cells"]}
    assert [sizes[()][name] for name in ("tasks", "submissions", "schedulers", "agents", "users")] == [2, 3, 1, 1, 2]
    assert (sizes[()]["attempts"], sizes[("function_failure",)]["attempts"]) == (1, 2)
    assert {cell["properties"][0]["verdict"] for cell in document["cells"]} == {"unknown"}


def test_matrix_with_a_limit_is_unknown(onceproof: Command) -> None:
    ran = onceproof("matrix", *SMALL, "--no-sets", "--max-states", "50", "--properties", "at_most_once")
    assert ran.status == 3
    assert "unknown in 9 cells: --max-states 50" in ran.out
    assert "9 with an unknown verdict" in ran.out


def test_matrix_traces_can_be_shown_again(onceproof: Command) -> None:
    ran = onceproof(
        *("matrix", "--quiet", "--no-sets", "--mechanisms", "sticky_placement", "--faults", "scheduler_crash"),
        *("--properties", "at_most_once", "--stories"),
    )
    assert "at_most_once is violated for task1, attempt1" in ran.out
    (again,) = re.findall(r"reproduce: onceproof (.*)", ran.out)
    assert ran.out.count("FAULT") == 1
    once_more = onceproof(*again.split(), "--quiet")
    assert once_more.out[once_more.out.index("at_most_once is") :] == ran.out[ran.out.index("at_most_once is") :]


def test_matrix_writes_an_html_page(onceproof: Command, tmp_path: Path) -> None:
    path = tmp_path / "matrix.html"
    ran = onceproof("matrix", *SMALL, "--no-sets", "--html", path)
    assert ran.status == 0
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"""(src|href)=["']|url\(|@import|https?://""", text)  # nothing from outside
    (data,) = re.findall(r'<script id="data" type="application/json">(.*?)</script>', text, re.DOTALL)
    shown = json.loads(data)
    assert shown["rows"] == ["all on", "no renewal", "no sticky_placement"]
    assert shown["columns"] == ["no fault", "broker_duplicate", "scheduler_crash"]
    once = shown["properties"].index("at_most_once")
    kind, words, story = shown["cells"][2 * 3 + 2][once]
    assert (kind, words) == ("broken", "broken 13")
    assert shown["counterexamples"][story].startswith("at_most_once is violated for task1, attempt1")
    assert shown["cells"][0][once][2] == -1
    # what breaks in the same steps without a fault is reported once
    lost = shown["properties"].index("no_lost_task")
    assert shown["cells"][3][lost][2] == shown["cells"][5][lost][2]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--mechanisms", "sticky_placment"), "unknown name `sticky_placment`; did you mean `sticky_placement`?"),
        (("--faults", "scheduler_crush"), "unknown name `scheduler_crush`; did you mean `scheduler_crash`?"),
        (("--properties", "at_most_onse"), "unknown property `at_most_onse`; did you mean `at_most_once`?"),
        (("--sizes", "task=2"), "unknown size `task`; did you mean `tasks`?"),
        (("--sizes", "tasks=none"), "tasks must be a whole number of at least 1, found `none`"),
        (("--faults", ","), "--faults: expected names, found nothing"),
        (("--properties", "rejection_seen"), "cannot be broken"),
        (("--tasks", "0"), "--tasks"),
        (("--html", "/nowhere/at/all.html"), "there is no folder"),
    ],
)
def test_matrix_reports_wrong_input_in_one_line(onceproof: Command, arguments: tuple[str, ...], line: str) -> None:
    ran = onceproof("matrix", *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert line in ran.err
    assert ran.err.count("\n") == 1


def test_interrupted_matrix_shows_what_is_known() -> None:
    # Two tasks with all faults take many minutes; the first cells are known at once.
    command = [sys.executable, "-m", "onceproof", "matrix", "--tasks", "2", "--submissions", "3", "--no-sets"]
    process = subprocess.Popen(
        [*command, "--all", "--engine", "plain", "--mechanisms", "none", "--properties", "at_most_once"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert "matrix: 0 of 17 cells" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 3
    assert "interrupted: the report shows what was known by then" in out
    assert re.search(r"unknown in \d+ cells: interrupted", out)
    assert "Traceback" not in err


def test_matrix_of_a_model_of_ones_own(onceproof: Command, spec: Written) -> None:
    model = spec("").parent / "lease.py"
    ran = onceproof("matrix", "--model", model, "--json", "--quiet")
    assert ran.status == 0
    found = json.loads(ran.out)
    assert found["model"] == "lease"
    broken = {
        (",".join(cell["off"]), ",".join(cell["faults"]), one["name"])
        for cell in found["cells"]
        for one in cell["properties"]
        if one["verdict"] != "holds"
    }
    assert broken == {("fencing", "lease_ends", "never_spoiled")}
    report = onceproof("matrix", "--model", model, "--stories", "--no-sets", "--quiet")
    again = next(line for line in report.out.splitlines() if line.startswith("reproduce: "))
    assert again.startswith(f"reproduce: onceproof matrix --model {model} --mechanisms fencing --faults lease_ends ")
    wrong = onceproof("matrix", "--model", model, "--tasks", "2")
    assert wrong.status == 2
    assert wrong.err == "onceproof: --tasks: unknown size `tasks`; expected one of workers\n"


def test_mechanism_that_is_off_by_default_is_on_in_the_full_design(onceproof: Command, tmp_path: Path) -> None:
    model = tmp_path / "door.py"
    model.write_text("""
from onceproof import State, action, always, field, require, switch


class Door(State):
    "A door."
    guard = switch(on="it opens only when it is closed", off="at any time")
    bolt = switch(on="it has a bolt", off="it has none", default=False)
    open = field(bool)
    broken = field(bool)


@action
def push(st: Door) -> None:
    "Somebody opens it."
    require(not st.open or not st.guard)
    if st.open and not st.bolt:
        st.broken = True
    st.open = True


@action
def close(st: Door) -> None:
    "Somebody closes it."
    st.open = False


@always
def whole(st: Door) -> bool:
    "It is whole."
    return not st.broken
""")
    ran = onceproof("matrix", "--model", model)
    assert ran.status == 0
    assert "The full design holds in every cell, and switching off any one mechanism changes nothing." in ran.out
    assert "  whole\n    guard\n    bolt\n" in ran.out


def test_matrix_on_a_cluster_that_is_not_there_is_one_line(onceproof: Command) -> None:
    ran = onceproof("matrix", "--ray", "127.0.0.1:1", "--quiet")
    assert ran.status == 2 and ran.err.startswith("onceproof: matrix: no Ray cluster answers at 127.0.0.1:1: ")
    assert onceproof("matrix", "--ray", "nowhere").status == 2
