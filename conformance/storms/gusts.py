"""Random storms: many tasks at once, and faults drawn by a seed, until the time is up; then calm, and a judgement."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from onceproof.conformance.judging.anomalies import Finding
from onceproof.conformance.storms.outcomes import Claim, Shown, claim_of
from onceproof.conformance.storms.site import Site, Worker
from onceproof.conformance.storms.tries import BROKER_DOWN_SECONDS, ENDS, quiet, span

KINDS = ("pause", "kill", "kill-parent", "cut", "black-hole", "delay", "broker-restart", "resubmit")
CALM_SECONDS = 60.0


@dataclass
class Gusts:
    """What a random storm was, and what it did to its tasks."""

    folder: Path
    seed_note: str
    seconds: float
    tasks: list[str] = field(default_factory=list)
    again: set[str] = field(default_factory=set)  # tasks that were submitted twice
    faults: Counter[str] = field(default_factory=Counter)
    owed: int = 0  # tasks that were accepted, or came to an end without an answer
    finished: int = 0
    broken: dict[Claim, list[Finding]] = field(default_factory=dict)

    def judge(self, found: Mapping[str, Sequence[Finding]]) -> None:
        """Take the findings on its tasks."""
        mine = [each for task in self.tasks for each in found.get(task, []) if each.proven]
        self.broken = {claim: [each for each in mine if claim_of(each.anomaly) is claim] for claim in Claim}

    def shown(self, claim: Claim) -> tuple[Shown, int]:
        """What it shows of a claim, and in how many tasks it was broken."""
        tasks = len({each.task for each in self.broken.get(claim, [])})
        if tasks:
            return Shown.BROKEN, tasks
        if claim is Claim.NOT_STUCK or not self.finished or not sum(self.faults.values()):
            return Shown.UNKNOWN, 0  # other traffic never stops here
        if claim is Claim.AT_LEAST_ONCE and self.finished < self.owed:
            return Shown.UNKNOWN, 0  # some have neither ended nor been lost for long enough
        return Shown.HELD, 0


def gusts(site: Site, chance: random.Random, seconds: float, say: Callable[[str], None]) -> Gusts:
    """Blow for so many seconds, then resume and restart everything and wait until all is settled."""
    result = Gusts(site.folder, "", seconds)
    lease, ledger = span(site), site.ledger
    stopped: dict[str, float] = {}
    deadline = time.monotonic() + seconds
    next_fault = time.monotonic() + chance.uniform(0.2, 1.0) * lease
    kinds = [kind for kind in KINDS if site.broker.ours or kind != "broker-restart"]
    while time.monotonic() < deadline:
        task = f"gust-{len(result.tasks) + 1}"
        result.tasks.append(task)
        site.submit(task, chance.choice((0.05, 0.3, 0.8)) * lease)
        ledger.wait(lambda: False, chance.uniform(0.05, 0.25) * lease, site.look)
        _resume_due(site, stopped)
        if time.monotonic() >= next_fault:
            kind = chance.choice(kinds)
            _one_fault(site, chance, kind, stopped, result)
            say(f"random storm: {sum(result.faults.values())} faults, {len(result.tasks)} tasks; {kind}")
            next_fault = time.monotonic() + chance.uniform(0.3, 1.5) * lease
    _resume_due(site, stopped, everyone=True)
    say(f"random storm: calm; waiting for {len(result.tasks)} tasks")
    _calm(site, result, quiet(lease))
    lines = ledger.read()
    done = {line.task for line in lines if line.what in ENDS}
    taken = done | {line.task for line in lines if line.what == "accepted"}
    result.owed = sum(task in taken for task in result.tasks)
    result.finished = sum(task in done for task in result.tasks)
    return result


def _one_fault(site: Site, chance: random.Random, kind: str, stopped: dict[str, float], result: Gusts) -> None:
    up = [worker for worker in site.workers if worker.name not in stopped and worker.group.alive]
    if not up:
        return
    worker, lease = chance.choice(up), span(site)
    part = chance.choice(["", *site.parts]) if kind in ("kill", "pause") else ""
    processes = sorted(site.processes_of(worker, part)) if part else []
    if part and not processes:
        return  # it is just being started again
    if part:
        site.fault_of_part(worker, kind, part, chance.choice(processes))
        kind = f"{kind}:{part}"
        if kind.startswith("pause"):
            stopped[worker.name] = time.monotonic() + chance.choice((0.5, 1.5, 2.5)) * lease
    elif kind in ("kill", "kill-parent"):
        site.fault(worker, kind)
    elif kind == "pause":
        site.fault(worker, "pause")
        stopped[worker.name] = time.monotonic() + chance.choice((0.5, 1.5, 2.5)) * lease
    elif kind == "broker-restart":
        site.restart_broker(BROKER_DOWN_SECONDS)
    elif kind == "resubmit":
        task = chance.choice(result.tasks)
        result.again.add(task)
        site.submit(task, 0.3 * lease)
    elif not _disturb(site, worker, kind, chance.choice((0.5, 1.5, 2.5)) * lease, stopped):
        return
    result.faults[kind] += 1


def _disturb(site: Site, worker: Worker, kind: str, seconds: float, stopped: dict[str, float]) -> bool:
    if worker.relay is None:
        return False
    site.ledger.write("fault", worker=worker.name, value=f"connection: {kind}")
    if kind == "cut":
        worker.relay.cut()
        return True
    if kind == "delay":
        worker.relay.delay(min(seconds / 10, 1.0))
    else:
        worker.relay.swallow(True)
    stopped[worker.name] = time.monotonic() + seconds
    return True


def _resume_due(site: Site, stopped: dict[str, float], *, everyone: bool = False) -> None:
    for worker in site.workers:
        if worker.name in stopped and (everyone or time.monotonic() >= stopped[worker.name]):
            del stopped[worker.name]
            site.fault(worker, "resume")
            if worker.relay is not None:
                worker.relay.delay(0.0)
                worker.relay.swallow(False)


def _calm(site: Site, result: Gusts, window: float) -> None:
    """Until all that was accepted has ended and nothing came for the quiet time, or for so long that the rest is lost.

    A task now and then goes with it, for queues that move only with traffic.
    """
    began = latest = time.monotonic()
    seen, number = len(site.ledger.read()), 0
    while time.monotonic() - began < CALM_SECONDS + 4 * window:
        number += 1
        site.submit(f"calm-{number}", 0.0)
        site.ledger.wait(lambda: False, 1.0, site.look)
        lines = site.ledger.read()
        if any((line.task or "").startswith("gust-") for line in lines[seen:]):
            latest = time.monotonic()
        seen = len(lines)
        waiting = {line.task for line in lines if line.what == "accepted"} - {
            line.task for line in lines if line.what in ENDS
        }
        if time.monotonic() - latest >= window and not waiting.intersection(result.tasks):
            return
