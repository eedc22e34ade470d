"""What it costs to lose a node of three for good: `python -m bench.three_copies [--seconds N] [--write]`.

Once for PostgreSQL with two synchronous standbys (the store: tasks, results, messages), once for JetStream with three
replicas (the queue). Clients submit at a steady rate; after a third of the time the primary, or the stream's leader, is
killed and its data removed. Every accepted task must end, and be started once; exit status 1 if not. Printed: how long
nothing was accepted, how long nothing ended, and the rate before and after.
"""

import argparse
import itertools
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.platform import ROOT
from onceproof.implementation.platform.http.client import CallFailed
from tests.helpers.nats_servers import Nats
from tests.helpers.platforms import LEDGER, Platform
from tests.helpers.postgres_servers import PostgresCluster

RESULT = ROOT / "bench" / "results" / "three_copies.json"
OUTCOMES = "SELECT tasks.task_id, runs.outcome, runs.ended_ns FROM tasks JOIN runs ON runs.task = tasks.task"
PATIENCE_SECONDS = 180


class Load:
    """Clients that submit at a rate together, each task until it is known to be in; when each was accepted."""

    def __init__(self, platform: Platform, rate: float, clients: int = 4) -> None:
        self.platform = platform
        self.pause = clients / rate
        self.ending = threading.Event()
        self.accepted: dict[str, float] = {}
        self.threads = [threading.Thread(target=self._submit, args=(number,)) for number in range(clients)]
        for thread in self.threads:
            thread.start()

    def end(self) -> None:
        """Stop when each client knows what became of its task."""
        self.ending.set()
        for thread in self.threads:
            thread.join()

    def _submit(self, number: int) -> None:
        caller = self.platform.caller(timeout_seconds=3.0)
        serial = 0
        while not self.ending.is_set():
            serial += 1
            task_id = f"t{number}-{serial}"
            while task_id not in self.accepted:
                try:
                    caller.submit("ledger", self.platform.order(), task_id, tries=1)
                    self.accepted[task_id] = time.time()
                except CallFailed as error:
                    if error.status not in (0, 503):
                        raise
                    time.sleep(0.05)
            time.sleep(self.pause)


def longest_gap(times: list[float], begin: float, end: float) -> float:
    """The longest time between two of these."""
    points = [begin, *sorted(moment for moment in times if begin <= moment <= end), end]
    return max(after - before for before, after in itertools.pairwise(points))


def measured(platform: Platform, lose: Callable[[], Any], seconds: float, rate: float) -> dict[str, Any]:
    """Run the load, lose a node, wait for all ends, and count."""
    platform.function("ledger", LEDGER)
    platform.start()
    try:
        load = Load(platform, rate)
        begin = time.time()
        time.sleep(seconds / 3)
        lost_at = time.time()
        lose()
        time.sleep(max(0.0, begin + seconds - time.time()))
        end = time.time()
        load.end()
        outcomes = ended(platform, set(load.accepted))
        starts = platform.starts()
    finally:
        platform.end()
    accepted = list(load.accepted.values())
    ends = [ended_ns / 1e9 for _, ended_ns in outcomes.values() if ended_ns]
    return {
        "accepted": len(accepted),
        "lost": len(set(load.accepted) - set(outcomes)),
        "not_succeeded": sum(outcome != "COMPLETED" for outcome, _ in outcomes.values()),
        "started_twice": sum(count > 1 for count in starts.values()),
        "accepted_a_second_before": round(sum(moment < lost_at for moment in accepted) / (lost_at - begin), 1),
        "accepted_a_second_after": round(sum(moment > lost_at for moment in accepted) / (end - lost_at), 1),
        "nothing_accepted_seconds": round(longest_gap(accepted, lost_at, end), 2),
        "nothing_ended_seconds": round(longest_gap(ends, lost_at, end), 2),
    }


def ended(platform: Platform, accepted: set[str]) -> dict[str, tuple[str, int]]:
    """The outcome and the end of each task, once all accepted ones have ended, or patience has."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        rows = platform.rows(OUTCOMES)
        found = {task_id: (outcome, ended_ns) for task_id, outcome, ended_ns in rows if outcome != "OPEN"}
        if accepted <= set(found) or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def on_postgresql(folder: Path, seconds: float, rate: float) -> dict[str, Any]:
    """The primary of three is lost; the standby that has most is promoted at once."""
    cluster = PostgresCluster()
    try:
        cluster.start()
        platform = Platform(folder, {"store": cluster.url, "lease_seconds": 3.0})

        def lose() -> None:
            cluster.lose(0)
            cluster.promote()

        return measured(platform, lose, seconds, rate)
    finally:
        cluster.stop()


def on_jetstream(folder: Path, seconds: float, rate: float) -> dict[str, Any]:
    """The leader of the stream is lost; JetStream finds another by itself."""
    nats = Nats(folder / "nats", 3)
    try:
        nats.start()
        platform = Platform(folder / "platform", {"queue": nats.url, "replicas": 3, "lease_seconds": 3.0})

        def lose() -> None:
            number = nats.leader()
            os.kill(nats.processes[number].pid, signal.SIGKILL)
            shutil.rmtree(nats.folder / f"node{number}", ignore_errors=True)

        return measured(platform, lose, seconds, rate)
    finally:
        nats.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of load, for each kind of cluster")
    parser.add_argument("--rate", type=float, default=50.0, help="tasks a second")
    parser.add_argument("--only", choices=("postgresql", "jetstream"))
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.relative_to(ROOT)}")
    given = parser.parse_args()
    kinds = {"postgresql": on_postgresql, "jetstream": on_jetstream}
    result: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": given.seconds,
        "rate": given.rate,
        "cores": os.cpu_count(),
        "load_average": os.getloadavg(),
    }
    for name in [given.only] if given.only else kinds:
        with tempfile.TemporaryDirectory() as folder:
            result[name] = kinds[name](Path(folder), given.seconds, given.rate)
        print(f"{name:<12} {'  '.join(f'{key} {value}' for key, value in result[name].items())}", flush=True)
    if given.write:
        RESULT.write_text(json.dumps(result, indent=1) + "\n")
    runs = [result[name] for name in kinds if name in result]
    fine = all(not (run["lost"] or run["not_succeeded"] or run["started_twice"]) and run["accepted"] for run in runs)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
