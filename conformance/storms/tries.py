"""Tries: one schedule carried out on one task, and everything that the storm itself saw of it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from onceproof.conformance.storms.ledger import SECOND, Line
from onceproof.conformance.storms.process_table import DEAD, entry
from onceproof.conformance.storms.program import Answer
from onceproof.conformance.storms.schedule import Fault, Moment, Schedule
from onceproof.conformance.storms.site import Site, Worker
from onceproof.storm.ledger import ENTERED, FINISHED, STARTED

MOMENT_SECONDS = 45.0  # until a task reaches the moment: workers may be slow to come up again
PROBE_SECONDS = 60.0
PROBE_AGAIN_SECONDS = 1.0  # after a submission that failed
BROKER_DOWN_SECONDS = 1.0
ACKED_SECONDS = 1.0  # after a function has returned, until its message is taken for acknowledged
LEAST_SECONDS = 1.0  # of a task: time enough for a fault while it runs
SPAN_SECONDS = 3.0  # what stands for a lease that is not known
LATE = 1.5  # leases by which a slow connection is late: whatever would renew or settle comes when the lease is over
RECEIVER = "scheduler"  # the part that takes messages, where a profile names parts
ENDS = ("finish", "fail", "stop")  # of a task, for all to see
HELD_AT = {Moment.BEFORE_START: ENTERED, Moment.AFTER_START: STARTED, Moment.BEFORE_ACK: FINISHED}
STRUCK = ("kill", "pause", "broker killed", "connection: ")  # how the lines begin that say that a fault came


@dataclass
class Try:
    """What came of one schedule. seconds: of the task; began, ended: times in nanoseconds.

    reached: the moment came; why_not: what kept the storm from doing or seeing what it had to ("" where nothing did);
    redelivery: seconds from the first start to the second; None where there was no second one.
    probed: an unrelated task was submitted at last, to see whether the system was there at all.
    """

    task: str
    schedule: Schedule
    seconds: float
    began: int = 0
    ended: int = 0
    let_go: int = 0  # when it was held no longer
    acted: int = 0  # when the fault was over
    reached: bool = False
    why_not: str = ""
    impossible: bool = False  # the fault cannot be done to this system
    redelivery: float | None = None
    taken_over: bool = False  # its holder was killed, and the system came to a result: somebody else had received it
    ran: float | None = None  # seconds from the first start to the first end
    in_hand: float = 0.0  # seconds from the first start until the function had ended and was held no longer
    paused: float = 0.0
    pids: list[int] = field(default_factory=list)
    probed: bool = False
    answered_again: str = ""  # what a second submission of the same ID was answered


def span(site: Site) -> float:
    """The lease in seconds, or what stands for it."""
    return site.lease or SPAN_SECONDS


def quiet(lease: float) -> float:
    """After how many seconds without an event a task is settled: beyond the lease, with a margin for slow machines."""
    return lease + min(max(4.0, 1.5 * lease), 20.0)


def _said(answer: Answer | None) -> str:
    """What became of a submission where it was not taken; "" where it was."""
    if answer is None:
        return "; its submission was not answered"
    if answer.ok:
        return ""
    return "; it was refused, as if its ID were known" if answer.refused else f"; submit raised {answer.error}"


def is_fault(line: Line) -> bool:
    """Whether a line says that a fault came."""
    return line.what == "fault" and (line.value or "").startswith(STRUCK)


class Trial:
    """Carries out schedules on a site, one after the other. say: is told what happens, in a few words."""

    def __init__(self, site: Site, say: Callable[[str], None] = lambda text: None) -> None:
        self.site, self.ledger, self.say = site, site.ledger, say
        self._numbers = itertools.count(1)
        self._restarted = False  # the broker, since a task was last seen to be done
        self._seen: set[int] = set()  # processes that ran tasks, and that this machine knows

    def run(self, schedule: Schedule) -> Try:
        """Carry out one schedule, and watch until nothing more is to be expected."""
        task = f"{schedule.fault}-{schedule.moment}-{next(self._numbers)}"
        this = Try(task, schedule, max(schedule.length * span(self.site), LEAST_SECONDS), began=time.time_ns())
        self.say(f"{schedule}: submitted")
        if self._restarted and not self._probe(task):
            this.why_not = "the system did not come back after the broker had"
        else:
            self._restarted = False
            self._do(this)
        if not this.why_not:
            self._watch(this)
        this.ended = time.time_ns()
        starts, ends = self.ledger.of(task, "start"), self.ledger.of(task, *ENDS)
        if len(starts) > 1:
            this.redelivery = (starts[1].time - starts[0].time) / SECOND
        this.why_not = this.why_not or self._too_late(schedule, this.began, ends)
        killed = [line.time for line in self.ledger.read() if line.pid in this.pids and line.value == "kill"]
        results = [line.time for line in self.ledger.of(task, "status") if line.value == "Succeeded"]
        this.taken_over = bool(killed and results) and max(results) > max(killed)
        if starts:
            last = max([this.let_go, *(line.time for line in ends[:1])])
            this.in_hand = max(last - starts[0].time, 0) / SECOND
        if starts and ends:
            this.ran = (ends[0].time - starts[0].time) / SECOND
        return this

    def _too_late(self, schedule: Schedule, began: int, ends: list[Line]) -> str:
        """What is to be said where a running task had ended when the fault came; "" where it had not.

        A task in another language is not held, and a machine may be slow.
        """
        if schedule.moment is not Moment.AFTER_START or not ends:
            return ""
        struck = [each for each in self.ledger.read() if each.time > began and is_fault(each)]
        late = bool(struck) and ends[0].time < struck[0].time
        return "the task had ended before the fault came" if late else ""

    def _do(self, this: Try) -> None:
        """Submit, wait for the moment, do what is to be done."""
        schedule, task = this.schedule, this.task
        if schedule.moment is Moment.QUEUED:
            self._resubmit_queued(this)
            return
        hold = schedule.moment in HELD_AT and schedule.fault is not Fault.NONE
        if hold:
            (self.site.holds / f"{task}.{HELD_AT[schedule.moment]}").touch()
        number = self.site.submit(task, this.seconds)
        pid = self._await_moment(this)
        answer = self.site.answer(number)
        if pid is None:
            this.why_not = f"the task did not come to the moment `{schedule.moment}`{_said(answer)}"
        else:
            this.reached = True
            self._note_dead([pid])
            self._act(this, pid)
        self._let_go(this)
        this.acted = time.time_ns()

    def _let_go(self, this: Try) -> None:
        """The task is held no longer, or is not held when it comes to the moment."""
        for file in self.site.holds.glob(f"{this.task}.*"):
            file.unlink(missing_ok=True)
        this.let_go = this.let_go or time.time_ns()

    def _struck(self, this: Try) -> None:
        """The fault has begun: a task that runs goes on, one that has not started or not returned waits for its end."""
        if this.schedule.moment is Moment.AFTER_START:
            self._let_go(this)

    def _await_moment(self, this: Try) -> int | None:
        """The process that has the task at the moment; None where the moment does not come."""
        moment, task = this.schedule.moment, this.task
        found: list[int] = []

        def held() -> bool:
            found.extend(int(file.name.rpartition(".")[2]) for file in self.site.holds.glob(f"{task}.*.*"))
            return bool(found)

        def logged() -> bool:
            what = "start" if moment is Moment.AFTER_START else "finish"
            found.extend(line.pid for line in self.ledger.of(task, what) if line.pid is not None)
            return bool(found)

        seen = logged if moment in (Moment.AFTER_START, Moment.AFTER_ACK) else held
        if not self.ledger.wait(seen, MOMENT_SECONDS + this.seconds, self.site.look):
            return None
        if moment is Moment.AFTER_ACK:
            self.ledger.wait(lambda: False, ACKED_SECONDS, self.site.look)
        return found[0]

    def _act(self, this: Try, pid: int) -> None:
        """The fault itself, on the worker that has the task."""
        fault = this.schedule.fault
        if fault is Fault.NONE:
            return
        if fault is Fault.BROKER and not self.site.broker.ours:
            this.why_not, this.impossible = "a broker that the storm did not start is never killed", True
            return
        if fault is Fault.BROKER:
            self.say(f"{this.schedule}: the broker is killed")
            self.site.restart_broker(BROKER_DOWN_SECONDS, lambda: self._struck(this))
            self._restarted = True
            return
        if fault is Fault.RESUBMIT:
            self._submit_again(this)
            return
        worker = self.site.owner(pid)
        if worker is None:
            this.why_not = f"the process {pid} had gone before anything was done to it"
            return
        self.say(f"{this.schedule}: {worker.name} has it (pid {pid})")
        part = this.schedule.part
        if part and fault is Fault.KILL:
            this.pids = self.site.fault_of_part(worker, "kill", part, pid)
        elif fault in (Fault.KILL, Fault.KILL_PARENT):
            this.pids = self.site.fault(worker, fault.value)
            if fault is Fault.KILL_PARENT and pid in this.pids:
                this.why_not = "the process that ran the task is the one that was started: it has no parent to kill"
                this.impossible = True
        elif fault is Fault.PAUSE:
            self._pause(this, worker, pid)
        else:
            self._disturb(this, worker)

    def _pause(self, this: Try, worker: Worker, pid: int) -> None:
        part = this.schedule.part
        fault = self.site.fault_of_part(worker, "pause", part, pid) if part else self.site.fault(worker, "pause")
        this.pids = fault
        self._struck(this)
        began = time.monotonic()
        self._hold(this)
        this.paused = time.monotonic() - began
        self.site.fault(worker, "resume")

    def _disturb(self, this: Try, worker: Worker) -> None:
        """Cut, delay or swallow what passes between a worker and the broker."""
        relay = worker.relay
        if relay is None:
            this.why_not = "the connection does not pass the relay (a cluster, or a broker without a port)"
            this.impossible = True
            return
        before = relay.passed
        self.ledger.write("fault", worker=worker.name, value=f"connection: {this.schedule.fault}")
        match this.schedule.fault:
            case Fault.CUT:
                relay.cut()
            case Fault.DELAY:
                relay.delay(LATE * span(self.site))
                self._struck(this)
                self._hold(this)
                relay.delay(0.0)
            case _:
                relay.swallow(True)
                self._struck(this)
                self._hold(this)
                relay.swallow(False)
        self.ledger.write("fault", worker=worker.name, value="connection: as before")
        if before == 0:
            this.why_not = "nothing ever passed the relay: the worker does not use queue.url"

    def _hold(self, this: Try) -> None:
        """Let a fault last: as long as the schedule says, or until somebody else has started the task."""
        seconds = this.schedule.hold * span(self.site)
        starts = len(self.ledger.of(this.task, "start"))
        self.ledger.wait(lambda: len(self.ledger.of(this.task, "start")) > max(starts, 1), seconds, self.site.look)

    def _resubmit_queued(self, this: Try) -> None:
        """Submit twice while whatever takes messages is stopped."""
        for worker in self.site.workers:
            if RECEIVER in self.site.parts:
                self.site.fault_of_part(worker, "pause", RECEIVER)
            else:
                self.site.fault(worker, "pause")
        number = self.site.submit(this.task, this.seconds)
        answer = self.site.answer(number)
        this.reached = answer is not None and answer.ok
        this.why_not = "" if this.reached else "the first submission was not accepted"
        self._submit_again(this)
        for worker in self.site.workers:
            self.site.fault(worker, "resume")

    def _submit_again(self, this: Try) -> None:
        answer = self.site.answer(self.site.submit(this.task, this.seconds))
        this.answered_again = "nothing" if answer is None else "accepted" if answer.ok else "refused"
        self.say(f"{this.schedule}: submitted again, {this.answered_again}")

    def _watch(self, this: Try) -> None:
        """Until the task is settled. Where it is not done by then, an unrelated task shows whether the system lives."""
        # A second submission is run when a worker is free: no lease must end for it.
        window = quiet(SPAN_SECONDS if this.schedule.fault is Fault.RESUBMIT else span(self.site))
        self._settle(this, window)
        if self.ledger.of(this.task, *ENDS) or this.schedule.traffic:
            return
        self.say(f"{this.schedule}: not done yet; an unrelated task is submitted")
        this.probed = True
        if self._probe(this.task):
            self._settle(this, window)
        else:
            this.why_not = "an unrelated task was not done either: the system did not come back"

    def _probe(self, task: str) -> bool:
        """Whether an unrelated task is done in time. A submission that fails is made again, as any client would.

        A client whose connection a fault has broken often finds that out only by its next submission.
        """
        deadline = time.monotonic() + PROBE_SECONDS
        probes: list[str] = []

        def done() -> bool:
            return any(self.ledger.of(probe, "finish") for probe in probes)

        while not done() and (left := deadline - time.monotonic()) > 0:
            probes.append(f"probe-{len(probes) + 1}-of-{task}")
            answer = self.site.answer(self.site.submit(probes[-1], 0.0))
            wanted = left if answer is not None and answer.ok else PROBE_AGAIN_SECONDS
            self.ledger.wait(done, min(wanted, max(deadline - time.monotonic(), 0.0)), self.site.look)
        return done()

    def _settle(self, this: Try, window: float) -> None:
        """Wait until nothing came for so long, or until nothing more can be learnt."""
        began = time.monotonic()
        limit = (this.seconds + window) * 6

        def settled() -> bool:
            lines = self.ledger.of(this.task)
            self._note_dead(self._open(lines))
            last = max([this.began, this.acted, *(line.time for line in lines)])
            idle = (time.time_ns() - last) / SECOND
            wanted = window + (this.seconds if self._open(lines) else 0.0)
            if time.monotonic() - began < window and this.probed:
                return False
            return idle >= wanted or self._told(lines)

        self.ledger.wait(settled, limit, self.site.look)

    def _note_dead(self, pids: list[int]) -> None:
        """Write into the ledger which of the processes that run the task have died, as soon as that is seen.

        One that was never seen alive may run elsewhere, in a container: nothing is known of it.
        """
        alive = {pid for pid in pids if (found := entry(pid)) is not None and found.state not in DEAD}
        gone = (set(pids) - alive) & self._seen
        self._seen |= alive
        if gone:
            known = {line.pid for line in self.ledger.read() if line.value in ("kill", "died") and line.pid is not None}
            self.ledger.fault("died", sorted(gone - known))

    def _open(self, lines: list[Line]) -> list[int]:
        """The processes that have started the task and not ended it."""
        running = [line.pid for line in lines if line.what == "start" and line.pid is not None]
        for line in lines:
            if line.what in ENDS and line.pid in running:
                running.remove(line.pid)
        return running

    def _told(self, lines: list[Line]) -> bool:
        """Whether the task was started again and every run of it has ended: its story is told."""
        starts = [line for line in lines if line.what == "start"]
        if len(starts) < 2 or not any(line.what == "finish" for line in lines):
            return False  # without a look at all processes of the machine, which is dear
        return all(self.site.owner(pid) is None for pid in self._open(lines))
