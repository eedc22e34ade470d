"""Metrics: what they say is true, and outlives the process that says it."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from onceproof.implementation.platform.http.metrics import Depth, Metrics, Snapshot, page
from onceproof.implementation.platform.http.problems import bad_request
from tests.helpers.platforms import Platform
from tests.helpers.waiting import wait_until

COUNTS = {"outbox_pending": 0, "runs_open": 0, "schedulers_up": 1, "agents_up": 1}
FUNCTIONS = {"echo": "def handler(event, context): return event", "fails": "def handler(event, context): raise OSError"}


def value(text: str, line: str) -> float:
    """The value of a metric, by its name with its labels."""
    found = re.search(rf"^{re.escape(line)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_what_was_counted_is_taken_once_and_can_be_put_back() -> None:
    metrics = Metrics()
    with metrics.submissions("v"):
        pass
    with pytest.raises(Exception, match="no"), metrics.submissions("v"):
        raise bad_request("no")
    taken = metrics.taken()
    assert (taken["submissions", "v accepted"], taken["submissions", "v 400"]) == (1, 1)
    assert taken["admission_seconds", "count"] == 2
    assert metrics.taken() == {}
    metrics.put_back(taken)
    assert metrics.taken() == taken


def test_page_has_histograms_that_add_up_and_ages() -> None:
    numbers = {
        ("wait_seconds", "le=0.005"): 2.0,
        ("wait_seconds", "le=1.0"): 3.0,
        ("wait_seconds", "le=+Inf"): 1.0,
        ("wait_seconds", "sum"): 7.5,
        ("retries", ""): 4.0,
    }
    depths = {"waiting": Depth(3, 0), "outbox": Depth(0, None)}
    text = page(Snapshot(numbers, COUNTS, depths, {"api": 2}))[0].decode()
    assert value(text, 'onceproof_wait_seconds_bucket{le="0.005"}') == 2
    assert value(text, 'onceproof_wait_seconds_bucket{le="1.0"}') == 5
    assert value(text, 'onceproof_wait_seconds_bucket{le="+Inf"}') == value(text, "onceproof_wait_seconds_count") == 6
    assert value(text, "onceproof_wait_seconds_sum") == 7.5
    assert value(text, "onceproof_retries_total") == 4
    assert value(text, 'onceproof_tasks{state="waiting"}') == 3
    assert value(text, 'onceproof_oldest_task_seconds{state="waiting"}') > 1e9
    assert value(text, 'onceproof_restarts_total{process="api"}') == 2


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    made = Platform(tmp_path, {"schedulers": 1, "agents": 1})
    for name, text in FUNCTIONS.items():
        made.function(name, text)
    yield made.start()
    made.end()


def test_counters_survive_the_api_server(platform: Platform) -> None:
    caller = platform.caller()
    for number in range(3):
        caller.submit("echo", b"", f"t{number}")
        platform.ended("echo", f"t{number}")
    caller.submit("echo", b"", "t0")
    caller.submit("fails", b"", "f")
    platform.ended("fails", "f")

    def text() -> str:
        return httpx.get(f"{platform.endpoint}/metrics", timeout=20).text

    def all_counted() -> bool:
        now = text()
        return (
            value(now, 'onceproof_tasks_ended_total{outcome="completed"}') == 3
            and value(now, 'onceproof_tasks_ended_total{outcome="failed"}') == 1
            and value(now, "onceproof_run_seconds_count") == value(now, "onceproof_wait_seconds_count") == 4
            and value(now, 'onceproof_submissions_total{answer="accepted",version="2023-03-30"}') == 4
            and value(now, 'onceproof_submissions_total{answer="400",version="2023-03-30"}') == 1
        )

    wait_until(all_counted)
    os.kill(platform.pid("api"), signal.SIGKILL)
    wait_until(lambda: value(text(), 'onceproof_restarts_total{process="api"}') == 1)
    assert all_counted()
