"""``onceproof check``: verdicts against expectations, exit statuses, JSON, and what it writes."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onceproof.api.check import check
from onceproof.model.checker.results import INTERRUPTED
from tests.paths import ROOT

Command = Callable[..., Any]  # of the fixtures in conftest.py
Written = Callable[..., Path]

BREAKS = "faults: {lease_ends: 1}\nmechanisms: {fencing: off}\n"
KEYS = {
    *(
        "spec",
        "file",
        "verdict",
        "expected",
        "parameters",
        "as_expected",
        "complete",
        "engine",
        "states",
        "transitions",
        "depth",
        "finished_depth",
    ),
    *(
        "seconds",
        "symmetry",
        "properties",
        "actions",
        "never_fired",
        "without_effect",
        "counterexample",
        "vacuous",
        "stopped",
        "ways_on",
        "outside",
        "initial_states",
        "within",
        "notes",
    ),
}


def test_check_of_a_design_that_holds(onceproof: Command, spec: Written) -> None:
    ran = onceproof("check", spec("faults: {lease_ends: 1}"))
    assert ran.status == 0
    assert "22 states, 30 transitions, depth 7" in ran.out
    assert "never_spoiled  always      holds, complete" in ran.out
    assert "lapse_seen     sometimes   seen" in ran.out
    assert ran.out.rstrip().endswith("as expected")


def test_check_json_document(onceproof: Command, spec: Written) -> None:
    ran = onceproof("check", spec(BREAKS + "expect: {violated: never_spoiled, length: 3}"), "--json")
    assert ran.status == 0
    document = json.loads(ran.out)
    assert list(document) == ["specs", "as_expected"]
    (found,) = document["specs"]
    assert set(found) == KEYS
    assert (found["verdict"], found["as_expected"], document["as_expected"]) == ("violated", True, True)
    assert found["expected"] == {"violated": "never_spoiled", "length": 3}
    assert (found["states"], found["transitions"], found["depth"], found["complete"]) == (19, 26, 5, True)
    assert next((one["name"], one["kind"], one["verdict"]) for one in found["properties"]) == (
        "never_spoiled",
        "always",
        "violated",
    )
    of_property = {one["name"]: one["counterexample"] for one in found["properties"]}
    assert of_property["never_spoiled"] == found["counterexample"]
    assert of_property["all_done"] is None
    assert {"name": "give_up", "fired": 0} not in found["actions"]  # fencing rules it out
    counterexample = found["counterexample"]
    assert counterexample["property"] == "never_spoiled"
    assert (counterexample["length"], counterexample["faults"], counterexample["loop"]) == (3, 1, None)
    assert counterexample["steps"][1] == {
        "index": 2,
        "actor": "lease",
        "action": "lease_ends",
        "arguments": {},
        "chosen": [],
        "fault": True,
        "changed": {"holder": ["worker1", None]},
    }
    assert counterexample["false_because"] == ["`not spoiled` is false"]
    assert counterexample["prevented_by"] == [
        {
            "mechanism": "fencing",
            "step": 3,
            "action": "write",
            "text": "fencing: with it on, step 3, lease write(worker1), is not enabled; "
            "no run of at most 3 steps violates never_spoiled",
            "checked": "runs of the same length",
        }
    ]


@pytest.mark.parametrize(
    ("text", "status", "says"),
    [
        (BREAKS, 1, "violated unexpectedly: never_spoiled"),
        (BREAKS + "expect: {violated: never_spoiled, length: 4}", 1, "the counterexample has 3 steps, expected 4"),
        (BREAKS + "expect: {violated: never_spoiled, length: 3}", 0, ""),
        (BREAKS + "expect: {violated: all_done}", 1, "expected to be violated, but holds: all_done"),
        ("faults: {lease_ends: 1}\nexpect: {violated: never_spoiled}", 1, "expected to be violated, but holds"),
    ],
)
def test_check_compares_with_the_expectations_of_the_spec(
    onceproof: Command, spec: Written, text: str, status: int, says: str
) -> None:
    path = spec(text)
    ran = onceproof("check", path, "--quiet")
    assert ran.status == status
    assert says in ran.out
    assert ran.out.count("\n") == (1 if says else 0)


def test_check_warns_of_vacuous_properties(onceproof: Command, spec: Written) -> None:
    """No lease ends without its fault, and the other fault can't happen: holding says less than it seems."""
    ran = onceproof("check", spec("faults: {store_burns: 1}"))
    assert ran.status == 1
    assert "VACUOUS lapse_seen: no reachable state satisfies it" in ran.out
    assert "VACUOUS store_burns: this fault has a budget but never happens" in ran.out
    assert "NOT AS EXPECTED" in ran.out
    found = json.loads(onceproof("check", spec("faults: {store_burns: 1}"), "--json").out)["specs"][0]
    assert len(found["vacuous"]) == 2
    assert "store_burns" in found["never_fired"]


def test_check_warns_of_a_fault_disabled_with_its_mechanism(onceproof: Command, spec: Written) -> None:
    ran = onceproof("check", spec("faults: {lease_ends: 1, store_burns: 1}\nmechanisms: {fencing: off}"), "--json")
    assert any(reason.startswith("store_burns: ") for reason in json.loads(ran.out)["specs"][0]["vacuous"])


@pytest.mark.parametrize("limit", [("--max-states", 5), ("--max-depth", 2)])
def test_check_with_a_limit_is_undecided(onceproof: Command, spec: Written, limit: tuple[str, int]) -> None:
    path = spec("faults: {lease_ends: 1}")
    ran = onceproof("check", path, *limit)
    assert ran.status == 3
    assert f"stopped by {limit[0]} {limit[1]}" in ran.out
    assert "no violation up to depth" in ran.out
    assert "unknown: needs a complete search" in ran.out
    assert ran.out.rstrip().endswith("undecided")
    found = json.loads(onceproof("check", path, *limit, "--json").out)["specs"][0]
    assert (found["verdict"], found["complete"], found["as_expected"]) == ("unknown", False, False)


def test_check_reports_a_violation_found_before_a_limit(onceproof: Command, spec: Written) -> None:
    path = spec(BREAKS + "expect: {violated: never_spoiled, length: 3}")
    assert onceproof("check", path, "--max-depth", 3).status == 0
    assert onceproof("check", path, "--max-depth", 2).status == 3
    assert onceproof("check", spec(BREAKS), "--max-depth", 3).status == 1


def test_check_engines_agree(onceproof: Command, spec: Written) -> None:
    path = spec(BREAKS)
    documents = []
    for name in ("plain", "direct", "compiled"):
        document = json.loads(onceproof("check", path, "--json", "--engine", name).out)["specs"][0]
        assert document.pop("engine") == name
        del document["seconds"]
        documents.append(document)
    assert documents[0] == documents[1] == documents[2]


def test_check_auto_continues_with_the_compiled_engine_on_a_large_spec(
    onceproof: Command, spec: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = spec("faults: {lease_ends: 1}")
    assert json.loads(onceproof("check", path, "--json").out)["specs"][0]["engine"] == "plain"
    monkeypatch.setattr("onceproof.model.checker.engines.SMALL_STATES", 10)
    (found,) = json.loads(onceproof("check", path, "--json").out)["specs"]
    assert (found["engine"], found["states"], found["transitions"], found["depth"]) == ("compiled", 22, 30, 7)


def test_check_auto_reports_its_fall_back(onceproof: Command, spec: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    path = spec("faults: {lease_ends: 1}")
    monkeypatch.setattr("onceproof.model.checker.engines.SMALL_STATES", 10)
    monkeypatch.setattr("onceproof.model.checker.compiled.why_not", lambda *_: "it has a loop that it cannot follow")
    ran = onceproof("check", path)
    assert ran.status == 0
    assert "the compiled engine cannot check this: it has a loop that it cannot follow" in ran.out
    ran = onceproof("check", path, "--engine", "compiled")
    assert (ran.status, ran.out) == (2, "")
    assert "it has a loop that it cannot follow" in ran.err


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--engine", "plain", "--workers", 2), "only the compiled engine has --workers"),
        (("--max-memory", "much"), "expected a size such as 500M or 4G, found 'much'"),
        (("--max-memory", "10K"), "expected at least 1M, found '10K'"),
        (("--workers", 0), "--workers"),
    ],
)
def test_check_options_of_the_compiled_engine(
    onceproof: Command, spec: Written, options: tuple[object, ...], complaint: str
) -> None:
    ran = onceproof("check", spec("faults: {lease_ends: 1}"), *options)
    assert (ran.status, ran.out) == (2, "")
    assert complaint in ran.err


def test_check_of_several_specs_prints_a_table(onceproof: Command, spec: Written, tmp_path: Path) -> None:
    spec("faults: {lease_ends: 1}", name="good.yaml")
    spec(BREAKS, name="worse.yaml")
    ran = onceproof("check", tmp_path)
    assert ran.status == 1
    assert "1 of 2 specs are as expected" in ran.out
    assert "worse: violated unexpectedly: never_spoiled" in ran.out
    document = json.loads(onceproof("check", tmp_path, "--json").out)
    assert [found["spec"] for found in document["specs"]] == ["good", "worse"]
    assert document["as_expected"] is False


def test_check_of_several_specs_leaves_the_rest_undecided_after_an_interruption(
    onceproof: Command, spec: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C after the expected violation was found: this spec is as expected, and the next one was never looked at."""
    first = spec(BREAKS + "expect: {violated: never_spoiled}", name="first.yaml")
    second = spec("faults: {lease_ends: 1}", name="second.yaml")

    def interrupted(*arguments: Any, **options: Any) -> Any:
        report = check(*arguments, **options)
        result = report.outcome.result
        result.complete, result.stopped = False, INTERRUPTED
        return report

    monkeypatch.setattr("onceproof.commands.check.check", interrupted)
    ran = onceproof("check", first, second)
    assert ran.status == 3
    assert "second: not checked" in ran.out
    assert json.loads(onceproof("check", first, second, "--json").out)["as_expected"] is False
    assert onceproof("check", first).status == 0


def test_check_interrupted_while_a_model_is_read_reports_the_specs_before(
    onceproof: Command, spec: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = spec(BREAKS + "expect: {violated: never_spoiled}", name="first.yaml")
    second = spec("faults: {lease_ends: 1}", name="second.yaml")

    def interrupted(one: Any, **options: Any) -> Any:
        if one.name == "second":
            raise KeyboardInterrupt
        return check(one, **options)

    monkeypatch.setattr("onceproof.commands.check.check", interrupted)
    ran = onceproof("check", first, second)
    assert ran.status == 3
    assert "second: not checked" in ran.out
    document = json.loads(onceproof("check", first, second, "--json").out)
    assert [each["spec"] for each in document["specs"]] == ["first"]


def test_check_of_a_spec_of_the_protocol(onceproof: Command) -> None:
    ran = onceproof("check", ROOT / "specs" / "plain-day.yaml", "--json")
    assert ran.status == 0
    assert json.loads(ran.out)["specs"][0]["complete"] is True


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_check_ended_by_ctrl_c_prints_what_is_known(tmp_path: Path, engine: str) -> None:
    """A spec of many states is interrupted once it is under way: exit 3, and the numbers so far."""
    path = tmp_path / "large.yaml"
    path.write_text(
        "sizes: {tasks: 2, submissions: 2, schedulers: 3}\nfaults: {scheduler_crash: 3, reply_loss: 3}\n",
        encoding="utf-8",
    )
    # The first report of progress says that the exploration is under way.
    code = """
import os, signal, sys
from onceproof import main
from onceproof.commands import _progress as progress
progress.ProgressLine.report = lambda self, at: os.kill(os.getpid(), signal.SIGINT)
sys.exit(main.run(["check", sys.argv[1], "--json", "--engine", sys.argv[2]]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), engine], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 3, done.stderr
    (found,) = json.loads(done.stdout)["specs"]
    assert (found["verdict"], found["stopped"], found["complete"]) == ("unknown", "interrupted", False)
    assert found["states"] >= 1
    assert "Traceback" not in done.stderr


def test_junit_has_a_case_for_each_spec_and_property(onceproof: Command, spec: Written, tmp_path: Path) -> None:
    good, worse = spec("faults: {lease_ends: 1}", name="good.yaml"), spec(BREAKS, name="worse.yaml")
    report = tmp_path / "report.xml"
    assert onceproof("check", good, worse, "--junit", report, "--quiet").status == 1
    ROOT = ElementTree.parse(report).getroot()
    assert (ROOT.tag, ROOT.get("tests"), ROOT.get("failures"), ROOT.get("errors")) == ("testsuites", "8", "1", "0")
    suites = list(ROOT)
    assert [suite.get("name") for suite in suites] == ["good", "worse"]
    for suite in suites:
        # the order of the schema
        assert [child.tag for child in suite] == ["properties", *["testcase"] * 4, "system-out", "system-err"]
        assert {"name", "timestamp", "hostname", "tests", "failures", "errors", "time"} <= set(suite.attrib)
    failure = suites[1].find("testcase[@name='never_spoiled']/failure")
    assert failure is not None
    assert failure.get("message") == "violated in 3 steps"
    assert "fencing: with it on, step 3" in (failure.text or "")


def test_junit_says_what_is_vacuous_and_what_is_unknown(onceproof: Command, spec: Written, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    onceproof("check", spec("faults: {store_burns: 1}\nproperties: [never_spoiled]"), "--junit", report)
    failures = ElementTree.parse(report).findall(".//testcase[@name='as expected']/failure")
    assert ["store_burns" in (failure.get("message") or "") for failure in failures] == [True]
    onceproof("check", spec("faults: {lease_ends: 1}"), "--junit", report, "--max-depth", 1)
    assert ElementTree.parse(report).getroot().get("errors") == "4"


def test_sarif_points_at_the_property(onceproof: Command, spec: Written, tmp_path: Path) -> None:
    path = spec(BREAKS)
    report = tmp_path / "report.sarif"
    assert onceproof("check", path, "--sarif", report, "--quiet").status == 1
    document = json.loads(report.read_text(encoding="utf-8"))
    assert document["version"] == "2.1.0"
    (sarif_run,) = document["runs"]
    (result,) = sarif_run["results"]
    assert sarif_run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "never_spoiled"
    place = result["locations"][0]["physicalLocation"]
    source = path.with_name("lease.py").read_text(encoding="utf-8").splitlines()
    assert place["artifactLocation"]["uri"] == path.with_name("lease.py").as_uri()
    assert source[place["region"]["startLine"] - 1 : place["region"]["startLine"] + 1] == [
        "@always",
        "def never_spoiled(st: LeaseState) -> bool:",
    ]
    flow = result["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [step["location"]["message"]["text"] for step in flow] == [
        "1. lease acquire(worker1)",
        "2. FAULT lease lease_ends()",
        "3. lease write(worker1)",
    ]


def test_sarif_is_empty_where_all_is_as_expected(onceproof: Command, spec: Written, tmp_path: Path) -> None:
    report = tmp_path / "report.sarif"
    onceproof("check", spec(BREAKS + "expect: {violated: never_spoiled}"), "--sarif", report)
    assert json.loads(report.read_text(encoding="utf-8"))["runs"][0]["results"] == []


@pytest.mark.parametrize("option", ["--junit", "--sarif", "--trace-out"])
def test_check_reports_an_unwritable_file_before_it_searches(onceproof: Command, spec: Written, option: str) -> None:
    ran = onceproof("check", spec(BREAKS), option, "/nowhere/at/all.txt")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == "onceproof: /nowhere/at/all.txt: cannot be written: there is no folder /nowhere/at\n"


def test_check_refuses_what_is_not_a_spec(onceproof: Command, spec: Written) -> None:
    file = spec("").parent / "some.itf.json"
    file.touch()
    ran = onceproof("check", file)
    line = "a trace is not a spec: use `onceproof show` or `onceproof replay`"
    assert (ran.status, ran.out, ran.err) == (2, "", f"onceproof: {file}: {line}\n")


def test_check_with_unjudged_liveness_is_undecided(onceproof: Command, tmp_path: Path) -> None:
    path = tmp_path / "plain.yaml"
    path.write_text("name: plain\nfaults: {scheduler_crash: 1}\n", encoding="utf-8")
    ran = onceproof("check", path, "--fingerprint", "--no-symmetry")
    assert ran.status == 3
    assert "no_lost_task              eventually  unknown: see the note" in ran.out
    assert "single_holder             always      holds, complete" in ran.out
    assert "plain  no safety violation  holds" in ran.out


def test_check_ended_by_ctrl_c_in_the_liveness_phase_keeps_all_else(tmp_path: Path) -> None:
    path = tmp_path / "plain.yaml"
    path.write_text("name: plain\nsizes: {tasks: 2}\nfaults: {reply_loss: 1}\n", encoding="utf-8")
    code = """
import os, signal, sys
from onceproof import main
from onceproof.commands import _progress as progress
def report(self, at):
    if at.doing:
        os.kill(os.getpid(), signal.SIGINT)
progress.ProgressLine.report = report
sys.exit(main.run(["check", sys.argv[1], "--json", "--engine", "compiled"]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 3, done.stderr
    (found,) = json.loads(done.stdout)["specs"]
    assert (found["verdict"], found["stopped"], found["complete"]) == ("unknown", "interrupted", True)
    verdicts = {one["kind"]: one["verdict"] for one in found["properties"]}
    assert (verdicts["always"], verdicts["eventually"]) == ("holds", "unknown")


def test_check_tells_in_its_text_which_actions_never_happen(onceproof: Callable[..., Any], tmp_path: Path) -> None:
    """Also one whose guard is false by itself; of a fault with a budget it is said as a vacuous verdict."""
    (tmp_path / "dead.py").write_text(
        "from onceproof import action, always, field, require\n\nx = field(bool)\n\n\n"
        "@action\ndef flip(st):\n    st.x = not st.x\n\n\n"
        "@action\ndef typo(st):\n    require(st.x and not st.x)\n    st.x = False\n\n\n"
        "@always\ndef fine(st):\n    return st.x in (True, False)\n"
    )
    path = tmp_path / "dead.yaml"
    path.write_text("model: dead.py\n")
    assert "actions that never happen here: typo\n" in onceproof("check", path).out
