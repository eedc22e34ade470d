"""`judge FILE...`: text, JSON, JUnit, a page; exit statuses; files that grow."""

import gzip
import json
import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.conformance.judging.ledgers import as_ledger
from tests.helpers.fixture_types import Command

CLEAN = as_ledger("0 submit a\n0.1 accepted a\n1 start a w1\n2 finish a w1\n60 end -")
TWICE = as_ledger("0 accepted a\n1 start a w1\n2 finish a w1\n5 start a w2\n6 finish a w2\n60 end -")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A ledger in which a task was started twice."""
    path = tmp_path / "ledger.ndjson"
    path.write_text(TWICE)
    return path


def test_proven_anomaly_is_exit_1_with_table_timeline_and_story(ledger: Path, onceproof: Command) -> None:
    ran = onceproof("judge", ledger, "--lease", "10")
    assert ran.status == 1
    assert "read as ledger" in ran.out
    assert "started twice in turn: task a (proven)" in ran.out
    assert "started again 3.00 s after the first run had ended" in ran.out
    assert "started by w2" in ran.out and f"{ledger}:4" in ran.out
    assert "the same failure in the model: onceproof check specs/failover-chooses-another-agent.yaml" in ran.out
    assert "exactly once: violated" in ran.out
    assert "the strongest guarantee that this history still allows: at least once" in ran.out


def test_clean_history_is_exit_0_and_an_unwatched_one_exit_3(tmp_path: Path, onceproof: Command) -> None:
    path = tmp_path / "ledger.ndjson"
    path.write_text(CLEAN)
    watched, unstated = onceproof("judge", path, "--lease", "10"), onceproof("judge", path)
    assert watched.status == 0 and "exactly once: holds on this history (1 task," in watched.out
    assert unstated.status == 3 and "the lease is not stated" in unstated.out
    assert onceproof("judge", path, "--lease", "10", "--quiet").out == ""


def test_expectation_judges_one_guarantee_alone(ledger: Path, onceproof: Command) -> None:
    assert onceproof("judge", ledger, "--lease", "10", "--expect", "at_least_once").status == 0
    assert onceproof("judge", ledger, "--lease", "10", "--expect", "at_most_once").status == 1


def test_json_is_one_document(ledger: Path, onceproof: Command) -> None:
    ran = onceproof("judge", ledger, "--lease", "10", "--json")
    document = json.loads(ran.out)
    assert ran.status == 1
    assert document["verdict"] == "violated" and document["strongest_guarantee"] == "at least once"
    assert (document["tasks"], document["events"], document["watched_seconds"]) == (1, 6, 60.0)
    rows = {row["name"]: row for row in document["anomalies"]}
    assert rows["sequential_starts"]["proven"] == 1 and rows["sequential_starts"]["property"] == "at_most_once"
    assert rows["sequential_starts"]["mechanisms"] == ["sticky_placement"]
    finding = next(each for each in document["findings"] if each["anomaly"] == "sequential_starts")
    assert [event["line"] for event in finding["events"]] == [2, 3, 4]


def test_junit_has_a_case_for_each_class(ledger: Path, onceproof: Command, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    onceproof("judge", ledger, "--lease", "10", "--junit", report)
    suite = ElementTree.parse(report).getroot()[0]
    failed = {case.attrib["name"] for case in suite if case.find("failure") is not None}
    assert failed == {"sequential_starts", "finished_twice", "started_on_two_workers", "exactly once"}
    assert (suite.attrib["tests"], suite.attrib["failures"]) == (str(len(suite)), "4")


def test_page_holds_the_events_and_names_no_other_host(ledger: Path, onceproof: Command, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    ran = onceproof("judge", ledger, "--lease", "10", "--html", page)
    text = page.read_text()
    assert ran.status == 1 and str(page) in ran.err
    data = json.loads(text.split("const data = ")[1].split(";\n")[0])
    assert data["lanes"] == ["(clients)", "w1", "w2"] and data["tasks"] == ["a"]
    assert len(data["events"]) == 5 and len(data["runs"]) == 2 and len(data["findings"]) == 3
    assert "http://" not in text and "https://" not in text


def test_hostile_names_do_not_leave_the_script_of_the_page(tmp_path: Path, onceproof: Command) -> None:
    path, page = tmp_path / "ledger.ndjson", tmp_path / "page.html"
    path.write_text(TWICE.replace('"a"', '"</script><b>"'))
    onceproof("judge", path, "--html", page)
    assert page.read_text().count("</script>") == 1


def test_formats_are_listed_with_an_example_each(onceproof: Command) -> None:
    ran = onceproof("judge", "--formats")
    assert ran.status == 0
    for name in ("ledger", "history", "jepsen", "otlp", "celery", "rq", "dramatiq", "arq", "taskiq", "huey", "saq"):
        assert f"\n{name}: " in f"\n{ran.out}"
    for name in ("procrastinate", "lambda", "function-compute"):
        assert f"\n{name}: " in ran.out


def test_several_files_gzip_and_standard_input_are_one_history(tmp_path: Path) -> None:
    lines = TWICE.splitlines(keepends=True)
    (tmp_path / "one.gz").write_bytes(gzip.compress("".join(lines[:3]).encode()))
    command = [sys.executable, "-m", "onceproof", "judge", str(tmp_path / "one.gz"), "-", "--lease", "10", "--json"]
    done = subprocess.run(command, input="".join(lines[3:]), capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["events"] == 6


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--format", "celry"], "unknown format `celry`; did you mean `celery`?"),
        (["--format", "none.yaml"], "none.yaml: no such file or directory"),
        (["--html", "none/page.html"], "there is no folder none"),
        (["--lease", "-1"], "lease"),
        (["--follow", "--until-violation", "--expect", "once"], "expect"),
    ],
)
def test_wrong_option_is_one_line_and_exit_2(
    arguments: list[str], complaint: str, ledger: Path, onceproof: Command
) -> None:
    ran = onceproof("judge", ledger, *arguments)
    assert ran.status == 2 and complaint in ran.err and len(ran.err.splitlines()) == 1


def test_wrong_line_names_file_and_line_and_lenient_counts_it(ledger: Path, onceproof: Command) -> None:
    with ledger.open("a") as stream:
        stream.write("oops\n")
    strict, lenient = onceproof("judge", ledger), onceproof("judge", ledger, "--lenient")
    assert strict.status == 2 and f"{ledger}:7: not JSON" in strict.err
    assert lenient.status == 1 and "skipped 1 lines: not JSON" in lenient.out


def start(*arguments: str) -> subprocess.Popen[str]:
    """The command as a process, whose output is read as it comes."""
    command = [sys.executable, "-m", "onceproof", "judge", *arguments]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def test_followed_file_shows_findings_as_they_come_and_ends_at_the_first(tmp_path: Path) -> None:
    path = tmp_path / "ledger.ndjson"
    lines = TWICE.splitlines(keepends=True)
    path.write_text("".join(lines[:3]))
    process = start(str(path), "--follow", "--until-violation", "--lease", "10")
    with path.open("a") as stream:
        stream.write("".join(lines[3:5]))
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    assert out.startswith("started twice in turn: task a (proven)") and "exactly once: violated" in out


def test_ctrl_c_ends_following_with_the_verdict_so_far(tmp_path: Path) -> None:
    path = tmp_path / "ledger.ndjson"
    path.write_text(TWICE)
    process = start(str(path), "--follow", "--lease", "10")
    assert process.stdout is not None
    assert "started twice in turn" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 1 and "the strongest guarantee that this history still allows" in out
