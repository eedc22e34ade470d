"""The platform's numbers, side by side with others on this machine: `python bench/platform.py [--tasks N] [--json]`.

`--only users` measures what known users cost, `--only backlog` a long queue.

No-op tasks end to end (submitted one by one by concurrent clients, until the last result is recorded), latencies at a
steady rate, memory of the idle platform, and how soon a killed scheduler's tasks are held again.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "bench" / "results" / "platform.json"
# In place of this folder: this file has the name of a module of the standard library.
sys.path[0] = str(ROOT)

import psutil  # noqa: E402

NOOP = "def handler(event, context):\n    return b''\n"
SLEEP = "import time\ndef handler(event, context):\n    time.sleep(float(event))\n"
REQUEST = (
    "POST /2023-03-30/functions/{function}/invocations HTTP/1.1\r\nHost: localhost\r\nX-Fc-Invocation-Type: Async\r\n"
    "Content-Length: {length}\r\n\r\n{body}"
)


class Served:
    """A platform on a temporary folder."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        functions = folder / "functions"
        functions.mkdir()
        (functions / "noop.py").write_text(NOOP)
        (functions / "sleep.py").write_text(SLEEP)
        command = [
            sys.executable,
            "-m",
            "onceproof",
            "serve",
            "--port",
            "0",
            "--data",
            str(folder / "data"),
            "--functions",
            str(functions),
            *options,
        ]
        with open(self.folder / "log.ndjson", "w") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().rpartition(":")[2])
        self.database: Any = sqlite3.connect(folder / "data" / "platform.db")

    def one(self, sql: str) -> Any:
        return self.database.execute(sql).fetchone()[0]

    def troubles(self) -> list[dict[str, Any]]:
        """What the platform's log says above the level of information: processes that died or hung, and why."""
        lines = (self.folder / "log.ndjson").read_text().splitlines()
        found = [json.loads(line) if line.startswith("{") else {"level": "error", "line": line} for line in lines]
        return [line for line in found if line["level"] != "info"]

    def watch(self, url: str) -> None:
        """Look at a PostgreSQL store instead."""
        import psycopg

        self.database = psycopg.connect(url, autocommit=True)

    def members(self) -> list[psutil.Process]:
        own = psutil.Process(self.process.pid)
        return [own, *own.children(recursive=True)]

    def until_done(self, tasks: int) -> None:
        while self.one("SELECT COUNT(*) FROM runs WHERE outcome = 'COMPLETED'") < tasks:
            time.sleep(0.02)


@contextlib.contextmanager
def served(*options: str) -> Iterator[Served]:
    with tempfile.TemporaryDirectory() as folder:
        platform = Served(Path(folder), *options)
        try:
            yield platform
        finally:
            platform.process.send_signal(signal.SIGTERM)
            platform.process.wait(60)


def request_of(user: str) -> bytes:
    """A submission of a no-op task by a user."""
    text = REQUEST.format(function="noop", length=1, body="x")
    return text.replace("\r\n\r\n", f"\r\nX-Fc-Account-Id: {user}\r\n\r\n").encode()


async def submit_all(
    port: int, tasks: int, clients: int, rate: float | None = None, users: int | None = None
) -> list[float]:
    """Submit no-op tasks; the wall time at which each was sent. rate: at so many a second, else as fast as it goes.

    users: the tasks are of so many users in turn; else all are of the nameless one.
    """
    sent: list[float] = []
    remaining = iter(range(tasks))
    request = REQUEST.format(function="noop", length=1, body="x").encode()
    begin = time.time()

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in remaining:
            if rate is not None:
                await asyncio.sleep(max(0.0, begin + number / rate - time.time()))
            sent.append(time.time())
            writer.write(request if users is None else request_of(f"user{number % users}"))
            head = await reader.readuntil(b"\r\n\r\n")
            assert b" 202 " in head, head
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return sent


def rate_of_platform(tasks: int, clients: int, store: str = "sqlite") -> float:
    with served("--store", store) as platform:
        if store != "sqlite":
            platform.watch(store)
        asyncio.run(submit_all(platform.port, 20, 4))
        platform.until_done(20)
        begin = time.monotonic()
        asyncio.run(submit_all(platform.port, tasks, clients))
        platform.until_done(tasks + 20)
        return tasks / (time.monotonic() - begin)


def rate_with_users(users: int, tasks: int, clients: int) -> float:
    """Tasks a second of one user, where so many have submitted a task before."""
    with served() as platform:
        asyncio.run(submit_all(platform.port, max(users, 20), 4, users=users))
        platform.until_done(max(users, 20))
        begin = time.monotonic()
        asyncio.run(submit_all(platform.port, tasks, clients))
        platform.until_done(tasks + max(users, 20))
        return tasks / (time.monotonic() - begin)


def backlog(tasks: int) -> dict[str, float]:
    """So many tasks of one user are queued at once: tasks a second, overall and of the last tenth, and how long the
    synchronous calls of another user take meanwhile."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data").mkdir()
        queued(folder / "data" / "platform.db", tasks)
        begin, calls = time.monotonic(), []
        platform = Served(folder)
        try:
            at = {}
            while (done := platform.one("SELECT COUNT(*) FROM messages WHERE deleted_at_ns IS NOT NULL")) < tasks:
                at[time.monotonic()] = done
                calls.append(call_seconds(platform.port))
                time.sleep(1.0)
            end = time.monotonic()
        finally:
            platform.process.send_signal(signal.SIGTERM)
            platform.process.wait(60)
    when, done = next((when, done) for when, done in at.items() if done >= 0.9 * tasks or when == max(at))
    return {
        "queued": tasks,
        "tasks_a_second": tasks / (end - begin),
        "last_tenth_a_second": (tasks - done) / (end - when),
        "other_users_call_median_seconds": sorted(calls)[len(calls) // 2],
        "other_users_call_max_seconds": max(calls),
    }


def queued(path: Path, tasks: int) -> None:
    """A store in which so many no-op tasks of one user were accepted."""
    from onceproof.implementation.components.task_store import Submission, TaskStore
    from onceproof.implementation.stores.sqlite import SqliteDatabase

    database = SqliteDatabase(str(path))
    store = TaskStore(database)
    with database.transaction():
        store.put_user("flood")
        for number in range(tasks):
            submission = Submission(f"flood/noop/t{number}", f"r{number}", "flood", "noop", f"t{number}", b"x")
            store.record(submission, time.time_ns())
            store.put_outbox(submission)
    database.close()


def call_seconds(port: int) -> float:
    """How long a synchronous call of a user with nothing else to do takes."""
    begin = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request_of("other").replace(b"Type: Async", b"Type: Sync"))
        head = connection.recv(65536)
        assert b" 200 " in head, head
    return time.monotonic() - begin


def latencies(rate: float, seconds: float) -> dict[str, float]:
    """From the record of a task being on disk (so before its 202) to its result being on disk, in ms."""
    with served() as platform:
        asyncio.run(submit_all(platform.port, 20, 4))
        platform.until_done(20)
        tasks = int(rate * seconds)
        asyncio.run(submit_all(platform.port, tasks, 8, rate))
        platform.until_done(tasks + 20)
        rows = platform.database.execute(
            "SELECT (ended_ns - recorded_ns) / 1e6 FROM runs JOIN tasks USING (task) ORDER BY recorded_ns"
        ).fetchall()
    values = sorted(row[0] for row in rows[20:])
    return {"median_ms": values[len(values) // 2], "p99_ms": values[int(len(values) * 0.99)], "max_ms": values[-1]}


def idle_memory() -> dict[str, float]:
    with served() as platform:
        time.sleep(1.0)
        infos = [process.memory_full_info() for process in platform.members()]
    return {"pss_mb": sum(info.pss for info in infos) / 1e6, "rss_mb": sum(info.rss for info in infos) / 1e6}


def fail_over(lease_seconds: float) -> dict[str, float]:
    """SIGKILL of the scheduler that holds a running task: seconds until a scheduler holds it again."""
    with served("--lease-seconds", str(lease_seconds)) as platform:
        request = REQUEST.format(function="sleep", length=1, body="8")

        async def submit() -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", platform.port)
            writer.write(request.encode())
            await reader.readuntil(b"\r\n\r\n")
            writer.close()

        asyncio.run(submit())
        while not platform.one("SELECT COUNT(*) FROM placements"):
            time.sleep(0.01)
        holder, receipt = platform.database.execute("SELECT holder, receipt FROM messages").fetchone()
        state = json.loads((platform.folder / "data" / "state.json").read_text())
        os.kill(state["processes"][holder], signal.SIGKILL)
        begin = time.monotonic()
        while platform.one("SELECT receipt FROM messages") == receipt:
            time.sleep(0.01)
        return {"lease_seconds": lease_seconds, "held_again_seconds": time.monotonic() - begin}


def probe_cost(rate: float) -> dict[str, float]:
    """What the probes of one task cost when they are off, as a share of a task's processing time on two cores."""
    from onceproof.implementation.in_process.client import Client
    from onceproof.implementation.in_process.network import Network

    client = Client(Network(), 1, 1)
    probed, bare = type(client).response_loss, type(client).response_loss.__wrapped__  # type: ignore[attr-defined]
    client.connection_lost("task1", "submission1")

    def timed(method: Any, times: int = 200_000) -> float:
        client.calls["task1", "submission1"] = "WAITING"
        begin = time.perf_counter()
        for _ in range(times):
            client.calls["task1", "submission1"] = "WAITING"
            method(client, "task1", "submission1")
        return (time.perf_counter() - begin) / times

    best = [min(timed(method) for _ in range(5)) for method in (probed, bare)]
    actions = 14  # admit, relay, mark_relayed, receive, place, dispatch, start, finish, hear, record, delete, forget...
    cost = max(0.0, best[0] - best[1]) * actions
    return {"microseconds_a_task": cost * 1e6, "share_percent": 100 * cost * rate / 2}


def rates_with_users(given: argparse.Namespace) -> dict[str, Any]:
    """Rates with 1, 50 and 300 known users, measured in turn, and the medians."""
    rates: dict[str, list[float]] = {}
    for _ in range(given.rounds):
        for users in (1, 50, 300):
            rates.setdefault(str(users), []).append(rate_with_users(users, given.tasks, given.clients))
    medians = {users: sorted(values)[len(values) // 2] for users, values in rates.items()}
    return {"tasks": given.tasks, "tasks_a_second_by_known_users": medians, "all_rates": rates}


def rounds_of_rates(given: argparse.Namespace, say: Callable[[str], None]) -> dict[str, list[float]]:
    """Tasks a second, each system in turn, round after round; each number is said as soon as it is there."""
    from bench.rivals import Stuck

    runs: dict[str, Callable[[], float]] = {"onceproof_sqlite": lambda: rate_of_platform(given.tasks, given.clients)}
    if not given.skip_rivals:
        from bench.rivals import postgresql, rate_of_celery, rate_of_procrastinate

        def on_postgresql() -> float:
            with postgresql() as url:
                return rate_of_platform(given.tasks, given.clients, url)

        runs["onceproof_postgresql"] = on_postgresql
        runs["procrastinate_postgresql"] = lambda: rate_of_procrastinate(given.tasks, given.clients, 2)
        runs["celery_redis_not_durable"] = lambda: rate_of_celery(given.tasks, 2, False)
        runs["celery_redis_durable"] = lambda: rate_of_celery(given.tasks, 2, True)
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(1, given.rounds + 1):
        for name, run in runs.items():
            where = f"round {number} of {given.rounds}  {name:<26}"
            try:
                rates[name].append(run())
            except Stuck:
                say(f"{where} not all tasks were done in time; this round does not count for it")
            else:
                say(f"{where} {rates[name][-1]:8.1f} tasks a second")
    return rates


def in_words(value: Any) -> str:
    """A result for people."""
    if not isinstance(value, dict):
        return str(value)
    return "  ".join(
        f"{key} {number:.1f}" if isinstance(number, float) else f"{key} {number}" for key, number in value.items()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured, in turn; the median counts")
    parser.add_argument("--skip-rivals", action="store_true")
    parser.add_argument("--only", choices=("users", "backlog", "rates", "latency"), help="measure just this")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout; what comes before on stderr")
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.relative_to(ROOT)}")
    given = parser.parse_args()
    if given.only in ("users", "backlog"):
        print(json.dumps(rates_with_users(given) if given.only == "users" else backlog(given.tasks)))
        return
    measured: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "tasks": given.tasks,
        "rounds": given.rounds,
        "cores": os.cpu_count(),
        "load_average_before": os.getloadavg()[0],
    }

    def say(text: str) -> None:
        print(text, flush=True, file=sys.stderr if given.json else sys.stdout)

    def keep(name: str, value: Any) -> None:
        measured[name] = value
        say(f"{name:<24} {in_words(value)}")

    if given.only != "latency":
        rates = rounds_of_rates(given, say)
        measured["all_rates"] = rates
        keep("tasks_a_second", {name: statistics.median(values) for name, values in rates.items() if values})
    if given.only != "rates":
        keep("latency_at_50_a_second", latencies(50, 10))
    if given.only is None:
        keep("idle_memory", idle_memory())
        keep("fail_over", fail_over(3.0))
        keep("probes_off", probe_cost(measured["tasks_a_second"]["onceproof_sqlite"]))
    if given.json:
        print(json.dumps(measured))
    if given.write:
        RESULT.write_text(json.dumps(measured, indent=1) + "\n")


if __name__ == "__main__":
    main()
