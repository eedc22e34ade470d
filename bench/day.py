"""A day's work in an hour: `python -m bench.day [--tasks 1000000] [--write]`.

Small tasks go through one platform as fast as it takes them, with a retention so short that removal runs all the time.
Every few seconds the memory of every process and the size of the store are sampled and printed. At the end: memory must
not have grown after the first quarter, and the store must be bounded by retention; exit status 1 if not. With --write
the result, with its date, goes to bench/results/day.json.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import psutil

from bench.platform import REQUEST, ROOT, Served, served

RESULT = ROOT / "bench" / "results" / "day.json"
GROWTH_MAX = 1.10  # of the median of the last quarter over that of the second
LEVEL = "SELECT COALESCE(SUM(value), 0) FROM metrics WHERE name = 'tasks_ended'"
WHY_NOT = "SELECT error, COUNT(*) FROM runs WHERE outcome = 'FAILED' GROUP BY error"
NOT_DONE = "SELECT COALESCE(SUM(value), 0) FROM metrics WHERE name = 'tasks_ended' AND labels <> 'COMPLETED'"


class Run:
    """One run against a platform: clients that keep a bounded number of tasks open, and a sampler."""

    def __init__(self, platform: Served, tasks: int, clients: int, open_max: int, every: float) -> None:
        self.platform = platform
        self.tasks = tasks
        self.clients = clients
        self.open_max = open_max
        self.every = every
        self.sent = 0
        self.ended = 0
        self.why_not: dict[str, int] = {}
        self.samples: list[dict[str, Any]] = []
        self.begin = time.monotonic()

    async def run(self) -> None:
        """Until every task has ended."""
        clients = [asyncio.ensure_future(self.client()) for _ in range(self.clients)]
        next_sample = 0.0
        while self.ended < self.tasks:
            await asyncio.sleep(0.5)
            self.ended = int(self.platform.one(LEVEL))
            for client in clients:
                if client.done():
                    client.result()
            if time.monotonic() >= next_sample:
                next_sample = time.monotonic() + self.every
                self.sample()
        self.sample()

    async def client(self) -> None:
        """Submit one task after another, while not too many are open."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.platform.port)
        request = REQUEST.format(function="noop", length=1, body="x").encode()
        while self.sent < self.tasks:
            if self.sent - self.ended >= self.open_max:
                await asyncio.sleep(0.05)
                continue
            self.sent += 1
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 202 " not in head:
                raise RuntimeError(f"not accepted: {head!r}")
        writer.close()

    def sample(self) -> None:
        """Note and print how things are."""
        seconds = time.monotonic() - self.begin
        memory = memory_of(self.platform)
        data = self.platform.folder / "data"
        sample = {
            "seconds": round(seconds, 1),
            "ended": self.ended,
            "memory_mb": round(sum(memory.values()), 1),
            "largest_mb": round(max(memory.values()), 1),
            "store_mb": round(sum(path.stat().st_size for path in data.glob("platform.db*")) / 1e6, 1),
            "tasks_kept": int(self.platform.one("SELECT COUNT(*) FROM tasks")),
            "processes": len(memory),
            "by_process": memory,
        }
        for error, number in self.platform.database.execute(WHY_NOT):  # retention removes them soon
            self.why_not[error] = max(number, self.why_not.get(error, 0))
        self.samples.append(sample)
        shown = "  ".join(f"{name} {value}" for name, value in sample.items() if name != "by_process")
        print(f"{shown}  a_second {self.ended / seconds:.0f}", flush=True)


def memory_of(platform: Served) -> dict[str, float]:
    """Private memory of each process, MB, by its name; functions' processes come and go and are not counted."""
    state = json.loads((platform.folder / "data" / "state.json").read_text())
    found = {}
    for name, pid in {**state["processes"], "supervisor": state["pid"]}.items():
        try:
            found[name] = round(psutil.Process(pid).memory_full_info().uss / 1e6, 1)
        except psutil.NoSuchProcess:
            continue
    return found


def judged(samples: Sequence[dict[str, Any]], retention_seconds: float, rate: float) -> dict[str, Any]:
    """Whether memory was flat and the store bounded; with what that rests on."""
    quarter = max(1, len(samples) // 4)
    second, last = samples[quarter : 2 * quarter], samples[-quarter:]

    def growth(value: Any) -> float:
        before, after = (statistics.median(value(sample) for sample in part) for part in (second or samples, last))
        return float(round(after / max(before, 1e-9), 3))

    by_process = {
        name: growth(lambda sample, name=name: sample["by_process"].get(name, 0.0))
        for name in samples[-1]["by_process"]
    }
    kept_max = max(sample["tasks_kept"] for sample in samples)
    allowed = rate * retention_seconds * 2 + 20_000
    return {
        "memory_growth": growth(lambda sample: sample["memory_mb"]),
        "memory_growth_by_process": by_process,
        "store_growth": growth(lambda sample: sample["store_mb"]),
        "tasks_kept_max": kept_max,
        "tasks_kept_allowed": round(allowed),
        "memory_is_flat": growth(lambda sample: sample["memory_mb"]) <= GROWTH_MAX,
        "store_is_bounded": kept_max <= allowed,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--open", type=int, default=500, help="how many tasks may be open at a time")
    parser.add_argument("--retention", type=float, default=60.0, help="seconds that an ended task is kept")
    parser.add_argument("--every", type=float, default=10.0, help="seconds between samples")
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.relative_to(ROOT)}")
    given = parser.parse_args()
    os.environ["ONCEPROOF_RETENTION_HOURS"] = str(given.retention / 3600)
    with served() as platform:
        run = Run(platform, given.tasks, given.clients, given.open, given.every)
        asyncio.run(run.run())
        not_done = int(platform.one(NOT_DONE))
        troubles = platform.troubles()
        restarts = json.loads((platform.folder / "data" / "state.json").read_text())["restarts"]
    seconds = time.monotonic() - run.begin
    result = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "tasks": given.tasks,
        "seconds": round(seconds, 1),
        "tasks_a_second": round(given.tasks / seconds, 1),
        "not_succeeded": not_done,
        "why_not": run.why_not,
        "restarts": sum(restarts.values()),
        "troubles": troubles,
        "retention_seconds": given.retention,
        "cores": os.cpu_count(),
        "load_average": os.getloadavg(),
        **judged(run.samples, given.retention, given.tasks / seconds),
        "samples": [{name: sample[name] for name in sample if name != "by_process"} for sample in run.samples],
    }
    print(json.dumps({name: value for name, value in result.items() if name != "samples"}, indent=1))
    if given.write:
        RESULT.write_text(json.dumps(result, indent=1) + "\n")
    fine = result["memory_is_flat"] and result["store_is_bounded"] and not not_done and not result["restarts"]
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
