"""Each class of anomalies: the least history that shows it, and the nearest histories that do not."""

from pathlib import Path

import pytest

from onceproof.conformance.judging.anomalies import CLASSES, Guarantee
from onceproof.conformance.judging.errors import LogError
from onceproof.conformance.judging.judge import Options, judge
from onceproof.conformance.judging.run import read_logs
from tests.conformance.judging.ledgers import SECOND, as_ledger, found, judged

CLEAN = """
0 submit a
0.1 accepted a
0.2 receive a s1 receipt=r1
1 start a w1
2 finish a w1 value=ok
2.1 ack a s1 receipt=r1
60 end -
"""

# A name, the history, and exactly what must be found in it. The lease and the quiet time are ten seconds.
SHOWN = {
    "clean": (CLEAN, set()),
    "started-twice-in-turn": (
        "0 accepted a\n1 start a w1\n2 finish a w1\n5 start a w1\n6 finish a w1\n60 end -",
        {"sequential_starts: proven", "finished_twice: proven"},
    ),
    "started-twice-at-once-on-two-workers": (
        "0 accepted a\n1 start a w1\n3 start a w2\n4 finish a w1\n6 finish a w2\n60 end -",
        {"concurrent_starts: proven", "started_on_two_workers: proven", "finished_twice: proven"},
    ),
    "started-again-after-a-death": (
        "0 accepted a\n1 start a w1\n2 fault - w1 value=kill\n5 start a w2\n6 finish a w2\n60 end -",
        {"restarted_after_death: proven", "started_on_two_workers: proven"},
    ),
    "started-again-and-no-end-of-the-first-run": (
        "0 accepted a\n1 start a w1\n5 start a w2\n6 finish a w2\n60 end -",
        {"started_again: proven", "started_on_two_workers: proven"},
    ),
    "a-pause-is-no-death": (
        "0 accepted a\n1 start a w1\n2 fault - w1 value=pause\n5 start a w2\n6 finish a w2\n60 end -",
        {"started_again: proven", "started_on_two_workers: proven"},
    ),
    "a-declared-retry": ("0 accepted a\n1 start a w1\n2 retry a w1\n5 start a w2\n6 finish a w2\n60 end -", set()),
    "a-failure-and-then-a-retry": (
        "0 accepted a\n1 start a w1\n2 fail a w1\n2.1 retry a w1\n5 start a w1\n6 finish a w1\n60 end -",
        set(),
    ),
    "numbered-attempts": (
        "0 accepted a\n1 start a w1 attempt=1\n2 fail a w1 attempt=1\n5 start a w1 attempt=2\n6 finish a w1\n60 end -",
        set(),
    ),
    "one-attempt-twice-after-its-failure": (
        "0 accepted a\n1 start a w1 attempt=1\n2 fail a w1\n5 start a w1 attempt=1\n6 fail a w1\n60 end -",
        {"sequential_starts: proven"},
    ),
    "a-zombie-starts-the-first-attempt-again": (
        "0 accepted a\n1 start a w1 attempt=1\n2 fail a w1\n3 start a w1 attempt=2\n4 start a w2 attempt=1\n"
        "5 fail a w2\n6 finish a w1\n60 end -",
        {"sequential_starts: proven", "started_on_two_workers: proven"},
    ),
    "lost": ("0 accepted a\n1 start b w1\n2 finish b w1\n60 end -", {"lost: proven"}),
    "lost-but-watched-too-briefly": ("0 accepted a\n1 start b w1\n2 finish b w1", {"lost: possible"}),
    "stopped-is-not-lost": ("0 accepted a\n1 stop a\n1 start b w1\n2 finish b w1\n60 end -", set()),
    "never-answered-is-not-lost": (
        "0 submit a\n0 submit b\n0.1 accepted b\n1 start b w1\n2 finish b w1\n60 end -",
        set(),
    ),
    "unfinished": (
        "0 accepted a\n0 accepted b\n1 start a w1\n1 start b w1\n2 finish b w1\n60 end -",
        {"unfinished: proven"},
    ),
    "lost-with-its-worker": (
        "0 accepted a\n0 accepted b\n1 start a w1\n1 start b w2\n2 finish b w2\n2 fault - w1 value=kill\n60 end -",
        {"lost_with_worker: proven"},
    ),
    "stuck-since-its-worker-died": (
        "0 submit a\n0 accepted a\n1 start a w1\n2 fault - w1 value=kill\n40 submit b\n40 accepted b\n40.1 start b w2\n"
        "40.2 start a w2\n41 finish b w2\n41 finish a w2\n99 end -",
        {"stuck: possible", "restarted_after_death: proven", "started_on_two_workers: proven"},
    ),
    "a-retry-that-never-came": (
        "0 accepted a\n0 accepted b\n1 start a w1\n2 retry a w1\n1 start b w2\n2 finish b w2\n60 end -",
        {"unfinished: possible"},  # the log does not say when the retry is due
    ),
    "failed-for-good-is-an-end": (
        "0 accepted a\n0 accepted b\n1 start a w1\n2 fail a w1\n1 start b w2\n2 finish b w2\n60 end -",
        set(),
    ),
    "stuck-until-traffic": (
        "0 submit a\n0.1 accepted a\n30 submit b\n30.1 accepted b\n30.2 start a w1\n30.3 start b w2\n31 finish a w1\n"
        "31 finish b w2\n60 end -",
        {"stuck: possible"},
    ),
    "running-or-between-tries-is-not-stuck": (
        "0 accepted a\n1 start a w1\n30 fail a w1\n50 submit b\n50.1 accepted b\n50.2 start a w2 attempt=2\n"
        "50.3 start b w1\n51 finish a w2\n51 finish b w1\n70 end -",
        set(),
    ),
    "each-attempt-finished-once": (
        "0 accepted a\n1 start a w1 attempt=1\n2 finish a w1 attempt=1\n3 start a w1 attempt=2\n4 finish a w1\n"
        "60 end -",
        set(),
    ),
    "one-attempt-of-two-finished-twice": (
        "0 accepted a\n1 start a w1 attempt=1\n2 finish a w1\n3 start a w1 attempt=2\n4 finish a w1\n"
        "5 finish a w1 attempt=2\n60 end -",
        {"finished_twice: proven"},
    ),
    "a-finish-with-a-receipt-and-a-result": (
        "0 accepted a\n1 receive a w1 receipt=r1\n2 start a w1\n3 finish a w1 receipt=r1 value=7\n4 result a value=7\n"
        "60 end -",
        set(),
    ),
    "redelivered-as-its-holder-died": (
        "0 accepted a\n1 receive a w1\n1 start a w1\n2 fault - w1 value=kill\n3 receive a w2\n"
        "3 start a w2 attempt=2\n4 finish a w2\n60 end -",
        set(),
    ),
    "redelivered-early-by-the-way-of-a-message": (
        "0 accepted a\n1.2 receive a s1 receipt=r1\n11.1 receive a s2 receipt=r2\n12 start a w1\n13 finish a w1\n"
        "14 ack a s2 receipt=r2\n60 end -",
        {"redelivered_early: possible"},
    ),
    "late-while-others-came": (
        "0 submit a\n0.1 accepted a\n15 submit c\n15.1 accepted c\n15.2 start c w1\n15.3 finish c w1\n30 submit b\n"
        "30.1 accepted b\n30.2 start a w1\n30.3 start b w2\n31 finish a w1\n31 finish b w2\n60 end -",
        set(),
    ),
    "refused-though-never-accepted": (
        "0 submit a\n0.1 refused a\n1 start b w1\n2 finish b w1\n60 end -",
        {"refused_never_accepted: proven"},
    ),
    "refused-after-an-answer-was-lost": (
        "0 submit a\n1 unanswered a\n2 submit a\n2.1 refused a\n3 start a w1\n4 finish a w1\n60 end -",
        set(),
    ),
    "refused-for-a-limit": (
        "0 submit a\n0.1 refused a value=429-throttled\n1 start b w1\n2 finish b w1\n60 end -",
        set(),
    ),
    "started-though-refused": (
        "0 submit a\n0.1 refused a\n1 start a w1\n2 finish a w1\n60 end -",
        {"started_though_refused: proven"},
    ),
    "accepted-twice": (
        "0 submit a\n0.1 accepted a\n1 submit a\n1.1 accepted a\n2 start a w1\n3 finish a w1\n60 end -",
        {"accepted_twice: proven"},
    ),
    "acknowledged-before-the-end": (
        "0 accepted a\n1 start a w1\n1.5 ack a w1\n2 finish a w1\n60 end -",
        {"acknowledged_unfinished: proven"},
    ),
    "acknowledged-and-never-ended": (
        "0 accepted a\n0 accepted b\n1 start a w1\n1.5 ack a w1\n1 start b w2\n2 finish b w2\n60 end -",
        {"acknowledged_unfinished: proven", "unfinished: proven"},
    ),
    "a-stale-acknowledgement": (
        "0 accepted a\n1 receive a s1 receipt=r1\n12 receive a s2 receipt=r2\n13 start a w1\n14 finish a w1\n"
        "15 ack a s1 receipt=r1\n60 end -",
        {"stale_receipt_accepted: proven"},
    ),
    "redelivered-after-the-lease": (
        "0 accepted a\n1 receive a s1 receipt=r1\n12 receive a s2 receipt=r2\n13 start a w1\n14 finish a w1\n"
        "15 ack a s2 receipt=r2\n60 end -",
        set(),
    ),
    "redelivered-too-early": (
        "0 accepted a\n1 receive a s1 receipt=r1\n5 receive a s2 receipt=r2\n6 start a w1\n7 finish a w1\n"
        "8 ack a s2 receipt=r2\n60 end -",
        {"redelivered_early: proven"},
    ),
    "a-renewal-moves-the-end-of-the-lease": (
        "0 accepted a\n1 receive a s1 receipt=r1\n9 renew a s1 receipt=r1\n13 receive a s2 receipt=r2\n14 start a w1\n"
        "15 finish a w1\n16 ack a s2 receipt=r2\n60 end -",
        {"redelivered_early: proven"},
    ),
    "two-holders": (
        "0 accepted a\n1 receive a s1 receipt=r1\n3 receive a s2 receipt=r2\n4 renew a s1 receipt=r1\n5 start a w1\n"
        "6 finish a w1\n7 ack a s2 receipt=r2\n60 end -",
        {"two_holders: proven", "redelivered_early: proven", "stale_receipt_accepted: proven"},
    ),
    "given-back": (
        "0 accepted a\n1 receive a s1\n2 release a s1\n3 receive a s2\n4 start a s2\n5 finish a s2\n6 ack a s2\n"
        "60 end -",
        set(),
    ),
    "never-redelivered": (
        "0 accepted a\n0 accepted b\n1 receive a s1\n1 start a s1\n2 fault - s1 value=kill\n1 start b w2\n"
        "2 finish b w2\n60 end -",
        {"never_redelivered: proven", "lost_with_worker: proven"},
    ),
    "results-differ": (
        "0 accepted a\n1 start a w1\n2 finish a w1 value=7\n3 result a value=8\n60 end -",
        {"result_different: proven"},
    ),
    "a-result-before-the-end": (
        "0 accepted a\n1 start a w1\n1.5 result a value=7\n2 finish a w1 value=7\n60 end -",
        {"result_before_end: proven"},
    ),
    "a-result-that-was-lost": (
        "0 accepted a\n1 start a w1\n2 finish a w1\n3 result a\n60 end -",
        {"result_lost: proven"},
    ),
    "reported-as-failed": (
        "0 accepted a\n1 start a w1\n2 finish a w1\n3 status a value=Failed\n60 end -",
        {"result_lost: proven"},
    ),
    "a-status-that-went-backwards": (
        "0 accepted a\n1 status a value=Running\n2 status a value=Enqueued\n3 start a w1\n4 finish a w1\n60 end -",
        {"status_backwards: proven"},
    ),
    "a-status-that-left-its-end": (
        "0 accepted a\n1 start a w1\n2 finish a w1\n3 status a value=Succeeded\n4 status a value=Running\n60 end -",
        {"status_backwards: proven"},
    ),
}


@pytest.mark.parametrize("name", SHOWN)
def test_history_shows_exactly_these_anomalies(name: str, tmp_path: Path) -> None:
    text, wanted = SHOWN[name]
    assert found(judged(text, tmp_path)) == wanted


def test_every_class_of_anomalies_is_shown_by_a_history() -> None:
    shown = {each.split(":")[0] for _, wanted in SHOWN.values() for each in wanted}
    assert shown == {each.name for each in CLASSES}


def test_clock_error_turns_a_proven_overlap_into_a_possible_one(tmp_path: Path) -> None:
    text = "0 accepted a\n1 start a w1\n1.9 start a w2\n2 finish a w1\n3 finish a w2\n60 end -"
    assert "concurrent_starts: proven" in found(judged(text, tmp_path))
    assert "concurrent_starts: possible" in found(judged(text, tmp_path, clock_error=0.5))


@pytest.mark.parametrize(
    ("text", "guarantee"),
    [
        (CLEAN, Guarantee.EXACTLY_ONCE),
        (SHOWN["started-twice-in-turn"][0], Guarantee.AT_LEAST_ONCE),
        (SHOWN["lost"][0], Guarantee.AT_MOST_ONCE),
        (SHOWN["lost"][0] + "\n61 start b w1", Guarantee.NONE),
    ],
)
def test_strongest_guarantee_that_the_history_allows(text: str, guarantee: Guarantee, tmp_path: Path) -> None:
    assert judged(text, tmp_path).guarantee is guarantee


def test_clean_history_holds_only_with_a_lease_that_was_watched(tmp_path: Path) -> None:
    assert judged(CLEAN, tmp_path).holds(None) is True
    unstated, short = judged(CLEAN, tmp_path, lease=None), judged(CLEAN, tmp_path, lease=100)
    assert unstated.holds(None) is None and "lease is not stated" in unstated.missing[0]
    assert short.holds(None) is None and "shorter than one lease" in short.missing[0]


def test_log_without_submissions_can_only_show_at_most_once(tmp_path: Path) -> None:
    judgement = judged("1 start a w1\n2 finish a w1\n60 end -", tmp_path)
    assert judgement.holds(None) is None
    assert judgement.holds(Guarantee.AT_LEAST_ONCE) is None
    assert judgement.holds(Guarantee.AT_MOST_ONCE) is True


def test_log_without_starts_is_no_pass(tmp_path: Path) -> None:
    judgement = judged("0 submit a\n1 accepted a\n60 end -", tmp_path)
    assert judgement.holds(Guarantee.AT_MOST_ONCE) is None
    assert any("started or finished" in text for text in judgement.missing)


def test_unanswered_tasks_are_counted_as_unknown(tmp_path: Path) -> None:
    text = "0 submit a\n0 submit b\n0.1 accepted b\n1 start b w1\n2 finish b w1\n60 end -"
    judgement = judged(text, tmp_path)
    assert judgement.unknown == 1 and judgement.holds(None) is True


def test_log_of_ends_alone_does_not_show_how_often_a_task_ran(tmp_path: Path) -> None:
    text = "0 submit a\n0.1 accepted a\n2 finish a w1\n60 end -"
    assert judged(text, tmp_path).holds(Guarantee.AT_MOST_ONCE) is None
    assert any("no start is logged" in each for each in judged(text, tmp_path).missing)
    other = judged(f"{text}\n61 submit b\n61 accepted b\n62 start b w1\n63 finish b w1\n99 end -", tmp_path)
    assert other.holds(Guarantee.AT_MOST_ONCE) is None and any("1 task ended without" in each for each in other.missing)


def test_starts_computed_from_ends_do_not_show_at_most_once(tmp_path: Path) -> None:
    # The first run of a task that celery gives to another worker after a crash leaves no line but this one.
    line = "[2026-11-25 13:25:3{}: INFO/{}] Task shop.mail[a] {}\n"
    path = tmp_path / "celery.log"
    path.write_text(
        line.format("1,228", "MainProcess", "received")
        + line.format("2,000", "ForkPoolWorker-2", "succeeded in 0.5s: 3")
    )
    judgement = judge(read_logs([str(path)]).table, Options(lease=SECOND // 10))
    assert judgement.holds(Guarantee.AT_MOST_ONCE) is None and not judgement.findings


def test_lines_of_one_time_in_two_files_have_no_order(tmp_path: Path) -> None:
    seen = {"a": '{"t": 5, "what": "status", "task": "a", "worker": "c1", "value": "succeeded"}\n'}
    seen["b"] = seen["a"].replace("c1", "c2").replace("succeeded", "running")
    for name, text in seen.items():
        (tmp_path / name).write_text(text)
    both = read_logs([str(tmp_path / name) for name in seen])
    assert found(judge(both.table, Options())) == {"status_backwards: possible"}
    (tmp_path / "c").write_text("".join(seen.values()))
    assert found(judge(read_logs([str(tmp_path / "c")]).table, Options())) == {"status_backwards: proven"}


def test_what_a_skipped_line_may_have_said_is_not_proven_to_be_absent(tmp_path: Path) -> None:
    path = tmp_path / "ledger.ndjson"
    path.write_text(as_ledger(SHOWN["unfinished"][0]) + '{"t": 5, "what": "fin\n')
    judgement = judge(read_logs([str(path)], lenient=True).table, Options(lease=10 * SECOND))
    assert found(judgement) == {"unfinished: possible"} and judgement.holds(None) is None


def test_dates_without_a_zone_prove_nothing_about_dates_with_one(tmp_path: Path) -> None:
    ledger, log = tmp_path / "ledger.ndjson", tmp_path / "celery.log"
    ledger.write_text(
        '{"t": "2026-11-25T11:25:30Z", "what": "submit", "task": "a"}\n'
        '{"t": "2026-11-25T11:25:33Z", "what": "result", "task": "a", "value": "3"}\n'
        '{"t": "2026-11-25T11:29:33Z", "what": "end"}\n'
    )
    log.write_text("[2026-11-25 13:25:32,421: INFO/ForkPoolWorker-1] Task shop.mail[a] succeeded in 0.9s: 3\n")
    judgement = judge(read_logs([str(ledger), str(log)]).table, Options(lease=10 * SECOND))
    assert found(judgement) == {"result_before_end: possible"}
    assert any("celery.log have no zone" in each for each in judgement.missing)


def test_times_of_day_are_not_compared_with_dates(tmp_path: Path) -> None:
    ledger, log = tmp_path / "ledger.ndjson", tmp_path / "arq.log"
    ledger.write_text('{"t": 1764077100, "what": "submit", "task": "a33f6e36"}\n')
    log.write_text("13:24:56:   0.03s → a33f6e36:mail(1, 2)\n13:24:57:   0.00s ← a33f6e36:mail ● 3\n")
    with pytest.raises(LogError, match="times have no date"):
        read_logs([str(ledger), str(log)])


@pytest.mark.parametrize(
    ("time", "says"), [('"2026-13-45T12:00:00"', "ledger.ndjson:1: `t` is not a time"), ("9" * 20, "year 2262")]
)
def test_time_that_does_not_exist_is_refused_in_one_line(time: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "ledger.ndjson"
    path.write_text(f'{{"t": {time}, "what": "start", "task": "a"}}\n')
    with pytest.raises(LogError, match=says):
        read_logs([str(path)])


def test_line_that_only_looks_like_a_date_is_one_without_a_time(tmp_path: Path) -> None:
    path = tmp_path / "rq.log"
    line = "{} Worker 4021af2ca6c8: default: {} (b12243c8-c6a5-4401)\n"
    path.write_text(line.format("2026-02-30 13:25:31", "jobs.mail(1, 2)") + line.format("13:25:31", "Job OK"))
    assert len(read_logs([str(path)]).table) == 2


def test_cold_start_of_function_compute_is_one_start(tmp_path: Path) -> None:
    path = tmp_path / "fc.log"
    steps = ("Initialize Start", "Initialize End", "Invoke Start", "Invoke End")
    path.write_text("".join(f"2026-11-25 13:25:3{n} FC {step} RequestId: 1-6563a3f1\n" for n, step in enumerate(steps)))
    judgement = judge(read_logs([str(path)]).table, Options(lease=SECOND))
    assert judgement.holds(Guarantee.AT_MOST_ONCE) is True and not judgement.findings


def test_byte_order_mark_before_the_first_line_is_not_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "ledger.ndjson"
    path.write_text(as_ledger(CLEAN), encoding="utf-8-sig")
    assert len(read_logs([str(path)]).table) == CLEAN.strip().count("\n") + 1
