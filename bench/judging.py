"""How fast `judge` judges a ledger with one task in a hundred started twice, and how fast `validate` explains a log.

.venv/bin/python -m bench.judging                      # 1 million events
.venv/bin/python -m bench.judging --events 10000000    # and how much memory ten million take
.venv/bin/python -m bench.judging --write              # also bench/results/judging.json
"""

import argparse
import datetime
import json
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from onceproof.conformance.judging.judge import Options, judge
from onceproof.conformance.judging.run import read_logs

RESULTS = Path(__file__).parent / "results" / "judging.json"
SECOND = 1_000_000_000
UNLOGGED = ("submit", "hear_answer")


def ledger(tasks: int) -> Iterator[str]:
    """The lines of a ledger, a batch of tasks after another, each batch by time."""
    r = random.Random(1)
    for first in range(0, tasks, 1000):
        rows = []
        for number in range(first, min(first + 1000, tasks)):
            begin, pid = (number + first) * 0.001, r.randrange(8)  # a second of rest between batches
            rows.append((begin, f'"accepted", "task": "task-{number}"'))
            for wait, what in ((0.01, "start"), (0.05, "finish"), (0.06, "ack")):
                rows.append((begin + wait, f'"{what}", "task": "task-{number}", "pid": {pid}'))
            if r.random() < 0.01:
                rows.append((begin + 0.2, f'"start", "task": "task-{number}", "pid": {pid}'))
        rows.sort(key=lambda row: row[0])
        yield from (f'{{"t": {when:.6f}, "what": {rest}}}\n' for when, rest in rows)


def measure(events: int) -> dict[str, object]:
    """One ledger of about so many events, in processor seconds and bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "ledger.ndjson")
        with path.open("w") as stream:
            stream.writelines(ledger(events // 4))
        began = time.process_time()
        reading = read_logs([str(path)])
        read = time.process_time()
        judgement = judge(reading.table, Options(lease=SECOND))
        judged = time.process_time()
    return {
        "events": judgement.events,
        "findings": len(judgement.findings),
        "read_seconds": round(read - began, 2),
        "judge_seconds": round(judged - read, 2),
        "events_a_second": round(judgement.events / (judged - began)),
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def measure_validation(events: int) -> dict[str, object]:
    """A log of about so many events, of tasks that go their way one after the other, in wall seconds from launch."""
    from tests.conformance.validation.written import one_task, task_at

    shown = [line for line in one_task() if line["action"] not in ("submit", "hear_answer")]
    with tempfile.TemporaryDirectory() as folder:
        log, spec, mapping = (Path(folder, name) for name in ("log.ndjson", "spec.yaml", "mapping.yaml"))
        with log.open("w") as stream:
            for number in range(events // len(shown) + 1):
                lines = task_at(number, number)
                stream.writelines(json.dumps(line) + "\n" for line in lines if line["action"] not in UNLOGGED)
        spec.write_text("sizes: {tasks: 1, schedulers: 1, agents: 1}\n")
        actions = "".join(f"  {line['action']}: {line['action']}\n" for line in shown)
        mapping.write_text(f"by: Task\nunit: s\nunlogged: [{', '.join(UNLOGGED)}]\nactions:\n{actions}")
        command = [sys.executable, "-m", "onceproof", "validate", spec, log, "--mapping", mapping, "--json", "--quiet"]
        began = time.monotonic()
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
        seconds = time.monotonic() - began
    found = json.loads(done.stdout)
    return {"events": found["events"], "tasks": found["explained"], "seconds": round(seconds, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--validate", action="store_true", help="measure `validate` too")
    parser.add_argument("--write", action="store_true", help="keep the numbers in bench/results/judging.json")
    options = parser.parse_args()
    numbers: dict[str, object] = measure(options.events)
    if options.validate:
        numbers["validate"] = [measure_validation(events) for events in (3_000, 100_000)]
    print(json.dumps(numbers, indent=2))
    if options.write:
        machine = {"machine": platform.machine(), "python": platform.python_version()}
        machine["date"] = str(datetime.date.today())
        RESULTS.write_text(json.dumps({**machine, **numbers}, indent=2) + "\n")


if __name__ == "__main__":
    main()
