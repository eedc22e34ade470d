"""``replay`` and ``test`` as users run them: texts, JSON, saved traces, exit statuses."""

import json
import re
import shlex
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from onceproof.conformance import drivers
from onceproof.conformance.coverage.fault_pairs import FaultPair
from onceproof.conformance.reference.core_driver import CoreDriver
from onceproof.conformance.reference.mutants import MUTANTS
from tests.helpers.fixture_types import Command
from tests.paths import HELPERS, ROOT

PLAIN = ROOT / "specs" / "plain-day.yaml"
ZOMBIE = ROOT / "specs" / "zombie-is-fenced.yaml"


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The core that deletes for whoever asks."""
    make = MUTANTS["delete-without-receipt"].make
    monkeypatch.setitem(drivers.BUILT_IN, drivers.CORE, lambda: CoreDriver(make))


def test_replay_cover_reports_what_it_did(onceproof: Command) -> None:
    status, out, _ = onceproof("replay", "--cover", PLAIN)
    assert status == 0
    assert "covered   419 of 419 transitions, 100.0 %" in out
    assert "the minimum is 1,058 (0.0 % above)" in out
    assert out.rstrip().endswith("agrees in all 419 transitions")


def test_replay_cover_of_a_part_of_the_model_says_so(onceproof: Command) -> None:
    status, out, _ = onceproof("replay", "--cover", PLAIN, "--max-states", "50", "--max-steps", "40")
    assert status == 3 and "stopped   --max-steps 40" in out
    assert "explored  52 states of the model, which has more" in out
    assert re.search(r"agrees so far, in \d+ of 99 transitions that were explored \(\d+\.\d %\)", out)


def test_replay_cover_json_document(onceproof: Command) -> None:
    status, out, _ = onceproof("replay", "--cover", PLAIN, "--json", "--max-steps", "100")
    report = json.loads(out)
    assert status == 3
    assert (report["verdict"], report["complete"], report["steps"], report["steps_least"]) == (
        "undecided",
        False,
        100,
        1058,
    )
    assert sum(report["left"].values()) == 419 - report["covered"]


def test_replay_pairs_says_of_every_pair_how_much_was_covered(
    onceproof: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chosen = [FaultPair("stops", "reply_loss"), FaultPair("stops", "stops")]
    monkeypatch.setattr("onceproof.conformance.coverage.pairs.pairs_of", lambda model: chosen)
    status, out, _ = onceproof("replay", "--pairs", PLAIN, "--max-steps", "300", "--refusals", "0")
    assert status == 3 and "stopped   --max-steps 300" in out
    assert re.search(r"stops \+ reply_loss +- +\d+ of \d+ \(\d+\.\d %\)\n  stops twice +tasks=2 +\d+ of ", out)
    assert re.search(r"agrees so far in [\d,]+ of [\d,]+ transitions after both faults; 0 of 2 pairs in full\n$", out)
    chosen.pop()
    report = tmp_path / "report.xml"
    status, out, _ = onceproof("replay", "--pairs", PLAIN, "--refusals", "0", "--json", "--junit", report)
    found = json.loads(out)
    assert (status, found["verdict"], found["pairs"][0]["outcome"]) == (0, "agrees", "covered")
    assert found["extent"] == f"{(n := found['pairs'][0]['covered']):,} of {n:,} transitions after both faults; " + (
        "1 of 1 pair in full"
    )
    assert f'name="extent" value="{found["extent"]}"' in report.read_text()


def test_replay_pairs_that_differ_name_the_pair(
    onceproof: Command, monkeypatch: pytest.MonkeyPatch, broken: None, tmp_path: Path
) -> None:
    chosen = [FaultPair("scheduler_pause", "scheduler_crash")]
    monkeypatch.setattr("onceproof.conformance.coverage.pairs.pairs_of", lambda model: chosen)
    trace = tmp_path / "pair.itf.json"
    status, out, _ = onceproof("replay", "--pairs", PLAIN, "--trace-out", trace)
    assert status == 1 and re.search(r"scheduler_pause \+ scheduler_crash +- +differs \(see below\)", out)
    assert f"reproduce: onceproof replay {trace}" in out


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--sample", "3"), "--sample goes with --cover"),
        (("--crash-points",), "--crash-points, --store-failures and --group-commits go with --cover"),
        (("--cover", PLAIN), "give either a TRACE, --cover SPEC, --pairs SPEC or --mechanisms SPEC"),
    ],
)
def test_replay_pairs_refuses_what_means_nothing_there(
    onceproof: Command, words: tuple[object, ...], error: str
) -> None:
    status, _, err = onceproof("replay", "--pairs", PLAIN, *words)
    assert status == 2 and error in err


NOT_COVERED = ("time", "broken connections", "processes", "group commits")


@pytest.mark.parametrize(
    "words",
    [
        ("replay", "--cover", PLAIN, "--max-states", "20"),
        ("replay", "--mechanisms", PLAIN),
        ("test", PLAIN, "--examples", "2"),
    ],
)
def test_every_report_says_what_the_driver_does_in_the_systems_place(
    onceproof: Command, words: tuple[object, ...], tmp_path: Path
) -> None:
    junit = tmp_path / "report.xml"
    text = onceproof(*words, "--junit", junit)
    assert f"not covered: {', '.join(NOT_COVERED)}" in text.out
    assert tuple(json.loads(onceproof(*words, "--json").out)["not_covered"]) == NOT_COVERED
    suite = ElementTree.parse(junit).getroot()[0]
    named = {each.attrib["name"]: each.attrib["value"] for each in suite.iter("property")}
    assert list(named) == ["verdict", "extent", *(f"not covered: {what}" for what in NOT_COVERED)]
    assert re.match(r"(all )?\d+ (of the \d+ |of \d+ |claims )?", named["extent"])
    assert (named["verdict"] == "agrees") == (text.status == 0)
    assert suite.attrib["failures"] == "0" and suite.attrib["skipped"] == str(int(text.status == 3))
    assert all(each.attrib["message"] == f"undecided: {named['extent']}" for each in suite.iter("skipped"))


def test_replay_writes_a_disagreement_as_a_failure_for_ci(onceproof: Command, broken: None, tmp_path: Path) -> None:
    junit = tmp_path / "report.xml"
    assert onceproof("replay", "--cover", ZOMBIE, "--junit", junit).status == 1
    suite = ElementTree.parse(junit).getroot()[0]
    assert suite.attrib["failures"] == "1"
    failure = next(suite.iter("failure"))
    assert failure.attrib["message"] == "differs" and "UNEXPECTED" in str(failure.text)


def test_replay_sample_that_agrees_exits_with_0(onceproof: Command) -> None:
    status, out, _ = onceproof("replay", "--cover", PLAIN, "--sample", "3", "--json")
    report = json.loads(out)
    assert (status, report["verdict"], report["complete"], report["paths"]) == (0, "agrees", False, 3)


def test_replay_reports_saves_and_repeats_a_disagreement(onceproof: Command, broken: None, tmp_path: Path) -> None:
    saved = tmp_path / "found.itf.json"
    status, out, _ = onceproof("replay", "--cover", ZOMBIE, "--trace-out", saved)
    assert status == 1
    assert "UNEXPECTED after step 14: delete(" in out
    assert "stage[message1]" in out and "DELETED" in out
    again = next(line for line in out.splitlines() if line.startswith("reproduce: "))
    words = shlex.split(again.removeprefix("reproduce: onceproof "))
    status, report, _ = onceproof(*words)
    assert status == 1 and "UNEXPECTED after step 14: delete(" in report


def test_replay_calls_a_disagreement_that_is_not_repeated_flaky(onceproof: Command, tmp_path: Path) -> None:
    driver = [
        "--driver",
        shlex.join([sys.executable, str(HELPERS / "odd_driver.py"), "forgets-once"]),
    ]
    saved = tmp_path / "once.itf.json"
    status, out, _ = onceproof("replay", "--cover", PLAIN, *driver, "--trace-out", saved)
    assert status == 1
    report = out.splitlines()
    first = report.index("FLAKY: the same steps do not always end in the same way")
    assert report[first + 1] == "  first run   DIFFERENT at step 1: submit(task1, submission1)"
    assert report[first + 2 : first + 5] == [f"  again ({number})   agrees in 1 step" for number in (1, 2, 3)]
    status, out, _ = onceproof("replay", saved, *driver, "--json")
    again = json.loads(out)
    assert (status, again["verdict"], again["flaky"], len(again["runs"])) == (1, "flaky", True, 3)
    assert again["disagreement"]["kind"] == "different"
    status, out, _ = onceproof("replay", saved, *driver)
    assert status == 1 and out.startswith("FLAKY")


def test_test_command_finds_saves_and_replays_a_disagreement(
    onceproof: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make = MUTANTS["dedup-missing"].make
    monkeypatch.setitem(drivers.BUILT_IN, drivers.CORE, lambda: CoreDriver(make))
    saved = tmp_path / "found.itf.json"
    spec = ROOT / "specs" / "client-retries-are-one-task.yaml"
    status, out, _ = onceproof("test", spec, "--trace-out", saved, "--json")
    report = json.loads(out)
    assert (status, report["verdict"], report["disagreement"]["kind"]) == (1, "differs", "unexpected")
    assert (len(report["disagreement"]["steps"]), report["disagreement"]["faults"]) == (4, 1)
    step = report["disagreement"]["forbidden"][0]
    call = f"{step['action']}({', '.join(step['arguments'].values())})"
    assert onceproof("replay", saved, "--forbidden", call)[0] == 1
    assert onceproof("replay", saved)[0] == 0


def test_replay_takes_a_counterexample_of_the_model(onceproof: Command, tmp_path: Path) -> None:
    saved = tmp_path / "twice.itf.json"
    spec = ROOT / "specs" / "client-retries-become-two-tasks.yaml"
    assert onceproof("check", spec, "--trace-out", saved)[0] == 0
    status, out, _ = onceproof("replay", saved)
    violated = "is violated on the running system, confirmed in 3 of 3 runs"
    assert (status, out) == (1, f"{saved}: at_most_once {violated}\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["replay"], "either a TRACE, --cover SPEC, --pairs SPEC or --mechanisms SPEC"),
        (["replay", "no.itf.json"], "no.itf.json"),
        (["replay", "--cover", "no.yaml"], "no such file"),
        (["test", "no.yaml"], "no such file"),
        (["test", str(PLAIN), "--driver", "/no/such"], "cannot be started"),
        (["test", str(PLAIN), "--driver", ""], "cannot be started: the command is empty"),
        (["test", str(PLAIN), "--driver", "platfrom"], "no such file or directory; did you mean `platform`?"),
        (
            ["test", str(PLAIN), "--driver", "platform:mysql://x"],
            "names no store: found 'mysql://x', expected `sqlite` or a URL that begins with postgresql://",
        ),
        (
            ["test", str(PLAIN), "--driver", "platform:+amqp://x"],
            "names no queue: found 'amqp://x', expected `store` or a URL",
        ),
        (["test", str(PLAIN), "--driver", "platform:+nats://127.0.0.1:1"], "the system could not be started: "),
        (["test", str(PLAIN), "--driver", "platform:postgresql://127.0.0.1:1/x"], "the system could not be started: "),
    ],
)
def test_replay_and_test_report_wrong_input_in_one_line(onceproof: Command, words: list[str], message: str) -> None:
    status, out, err = onceproof(*words)
    assert (status, out) == (2, "")
    assert message in err and err.count("\n") == 1


@pytest.mark.parametrize("words", [("test",), ("replay", "--cover"), ("replay", "--driver", "platform", "--cover")])
def test_reference_drivers_are_refused_for_another_model(
    onceproof: Command, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "bell.py").write_text(
        "from onceproof import action, field\n\nrung = field(bool)\n\n\n"
        '@action\ndef ring(st):\n    """It rings."""\n    st.rung = True\n'
    )
    spec = tmp_path / "bell.yaml"
    spec.write_text("model: bell.py\n")
    status, _, err = onceproof(*words, spec)
    assert (status, err.count("\n")) == (2, 1)
    assert "not what the model `bell` describes: name a driver of your own system, --driver COMMAND" in err


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("delet(scheduler1, message1)", "did you mean `delete`"),
        ("delete(scheduler1)", "takes 2 arguments"),
        ("delete(scheduler1, message9)", "must be one of message1"),
        ("scheduler_crash(scheduler1)", "the model allows"),
    ],
)
def test_replay_refuses_a_forbidden_step_that_is_none(
    onceproof: Command, tmp_path: Path, call: str, message: str
) -> None:
    saved = tmp_path / "trace.itf.json"
    onceproof("check", ROOT / "specs" / "unrenewed-message-is-redelivered-needlessly.yaml", "--trace-out", saved)
    if "crash" in call:
        call = "hear_answer(task1, submission1)"
    status, _, err = onceproof("replay", saved, "--forbidden", call)
    assert status == 2 and message in err


def test_replay_explains_the_mapping_of_the_core(onceproof: Command) -> None:
    status, out, _ = onceproof("replay", "--explain-mapping")
    assert status == 0
    assert "table messages: holder, while its lease lasts" in out
    assert "a ghost: the model's own note that an old receipt was used" in out
    assert "none: every action of the model is performed" in out


def test_test_command_agrees_on_the_core(onceproof: Command) -> None:
    status, out, _ = onceproof("test", PLAIN, "--examples", "30", "--seed", "3")
    assert status == 0 and "agrees" in out
