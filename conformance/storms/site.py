"""A task queue while it runs in a storm: its broker, its workers, the program that submits, and the ledger."""

from __future__ import annotations

import re
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from onceproof.conformance.storms.brokers.base import Broker, host_and_port
from onceproof.conformance.storms.brokers.registry import broker
from onceproof.conformance.storms.environment import Environment, python_for
from onceproof.conformance.storms.errors import StormError
from onceproof.conformance.storms.ledger import StormLedger
from onceproof.conformance.storms.patience import Patience
from onceproof.conformance.storms.process_table import (
    DEAD,
    STOPPED,
    Entry,
    ancestors,
    command_line,
    entry,
    send,
    with_descendants,
)
from onceproof.conformance.storms.processes import Group, Processes, wait_until
from onceproof.conformance.storms.program import Answer, Program, WorkerCommand
from onceproof.conformance.storms.program import start as start_program
from onceproof.conformance.storms.relay import Relay, through
from onceproof.model.language.errors import nearest

FIRST_TASK_SECONDS = 60.0  # an import of a library takes long on a busy machine
AT_ONCE_SECONDS = 3.0  # a worker that ends so soon after its start never worked
MOST_FALLS = 3
RESTART_SECONDS = 0.3
ANSWER_SECONDS = 10.0
FIRST = "warm-up"
WORKER_NAME = "STORM_WORKER"  # what a worker may call itself, where names must differ
# Libraries of task queues, whose versions a report names where they are installed.
KNOWN = (
    *("celery", "kombu", "rq", "dramatiq", "arq", "taskiq", "taskiq-redis", "huey", "saq", "procrastinate", "pgqueuer"),
    *("redis", "valkey", "nats-py", "psycopg", "asyncpg", "pika", "boto3", "onceproof"),
)
VERSIONS = """
import importlib.metadata, sys
for name in sys.argv[1:]:
    try:
        print(name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        pass
"""


@dataclass
class Worker:
    """One worker: its command, the group that runs now, and earlier groups of which something may live on."""

    name: str
    declared: list[str]  # the command as the file says it
    command: list[str]  # and with the full path of its program
    variables: dict[str, str]
    relay: Relay | None
    groups: list[Group] = field(default_factory=list)
    kept_down: bool = False
    falls: int = 0  # how often in a row it ended at once, by itself
    killed: bool = False  # its last end was the storm's doing

    @property
    def group(self) -> Group:
        """The group that was started last."""
        return self.groups[-1]

    @property
    def members(self) -> list[Entry]:
        """All live processes of the worker, orphans of earlier groups included."""
        return list({each.pid: each for group in self.groups for each in group.members}.values())


class Site:
    """Everything that one storm starts, in one folder. A context manager: at its end nothing is left running."""

    def __init__(self, file: Path, folder: Path, python: Path | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file, self.folder = file, folder.absolute()
        self.environment = Environment(python_for(file, python), self.folder, file.absolute().parent)
        self.ledger = StormLedger(self.folder / "ledger.ndjson")
        self.holds = self.folder / "holds"
        self.holds.mkdir(exist_ok=True)
        self.processes = Processes()
        self.workers: list[Worker] = []
        self.relays: list[Relay] = []
        self.lease: float | None = None
        self.parts: dict[str, str] = {}  # kinds of processes, each with an expression for their command lines
        self.proven = False  # a first task was done
        self.ending = threading.Event()
        self.variables: dict[str, str] = {}  # for every process of the queue, beside those of the storm
        self._asked: dict[int, str] = {}
        self._answers: dict[int, Answer] = {}
        self._submitting = threading.Lock()
        self._failed: StormError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self.processes.end()
        finally:
            for relay in self.relays:
                relay.close()
            self.ledger.close()

    def start(self) -> None:
        """Start all, and have a first task done. StormError, with the last lines of the log, where that fails."""
        variables = self._variables("")
        log = self.folder / "program.log"
        self.program: Program = start_program(self.file, self.environment, variables, self.processes, log)
        wanted = self.program.declare()
        self.lease = wanted.lease
        self.broker: Broker = broker(wanted.broker, self.folder / "broker", self.processes)
        self.broker.start()
        self.program.answered = self._answered
        ready = self.program.connect(self.broker.url)
        for command in ready.workers:
            for _ in range(command.copies):
                self._start_worker(command)
        self._first_task()

    def _variables(self, url: str) -> dict[str, str]:
        return {**self.environment.variables(url, self.ledger.path, self.holds), **self.variables}

    def versions(self) -> dict[str, str]:
        """The versions of the libraries of task queues that its file speaks of."""
        text = self.file.read_text(encoding="utf-8", errors="replace")
        spoken = [name for name in KNOWN if name.replace("-", "_") in text or f"import {name.split('-')[0]}" in text]
        command = [str(self.environment.python), "-P", "-c", VERSIONS, *spoken]
        said = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/").stdout
        return dict(line.split() for line in said.splitlines())

    def _start_worker(self, declared: WorkerCommand) -> None:
        name = f"worker{len(self.workers) + 1}"
        where = host_and_port(self.broker.url) if self.broker.relayed else None
        relay = Relay(*where) if where is not None else None
        if relay is not None:
            self.relays.append(relay)
        url = self.broker.url if relay is None else through(self.broker.url, relay.port)
        words = shlex.split(declared.command) if isinstance(declared.command, str) else declared.command
        words = [word.replace("{worker}", name) for word in words]
        if words and words[0] in ("python", "python3"):
            words = [str(self.environment.python), *words[1:]]
        variables = {**self._variables(url), WORKER_NAME: name}
        worker = Worker(name, words, _found(words, variables), variables, relay)
        self.workers.append(worker)
        self.launch(worker)

    def launch(self, worker: Worker) -> None:
        """Start a worker, for the first time or again."""
        log = self.folder / f"{worker.name}.log"
        group = self.processes.start(worker.name, worker.command, log, environment=worker.variables, folder=self.folder)
        worker.groups = [*(each for each in worker.groups if each.members), group]
        worker.killed = False

    def _first_task(self) -> None:
        """A task that must be done before anything is broken: else whatever follows would show nothing."""
        began = time.monotonic()
        number = self.submit(FIRST, 0.0)
        if not self._come(lambda: number in self._answers, lambda: self.program.group.members):
            raise StormError("submit does not return: no answer to the first task", self.program.group.tail())
        answer = self._answers[number]
        if not answer.ok:
            how = "was refused" if answer.refused else f"raises {answer.error}"
            raise StormError(f"submit {how}, with nothing broken yet", self.program.group.tail())
        done = self._come(
            lambda: bool(self.ledger.of(FIRST, "finish")),
            lambda: [each for worker in self.workers for each in worker.members],
        )
        if not done:
            started = bool(self.ledger.of(FIRST, "start"))
            what = "started and never ended" if started else "was accepted, and its function never ran"
            seconds = time.monotonic() - began
            raise StormError(f"the first task {what}, in {seconds:.0f} s", self.workers[0].group.tail())
        self.proven = True

    def _come(self, seen: Callable[[], bool], processes: Callable[[], list[Entry]]) -> bool:
        """Whether something came, while these processes worked for it."""
        patience = Patience(processes, FIRST_TASK_SECONDS)
        self.ledger.wait(lambda: seen() or patience.is_over(), 2 * FIRST_TASK_SECONDS, self.look)
        return seen()

    def submit(self, task: str, seconds: float) -> int:
        """Submit a task; the number of the submission."""
        with self._submitting:
            self.ledger.write("submit", task)
            self._asked[self.program._number + 1] = task
            return self.program.submit(task, seconds)

    def answer(self, number: int, seconds: float = ANSWER_SECONDS) -> Answer | None:
        """What became of a submission; None, and so it is recorded, where nobody can say."""
        self.ledger.wait(lambda: number in self._answers, seconds, self.look)
        if number not in self._answers:
            self.ledger.write("unanswered", self._asked[number])
        return self._answers.get(number)

    def _answered(self, answer: Answer) -> None:
        """Called by the thread that reads the program's answers."""
        task = self._asked.get(answer.id)
        if task is None:
            return
        what = "accepted" if answer.ok else "refused" if answer.refused else "unanswered"
        try:
            self.ledger.write(what, task, **({"value": "known already"} if what == "refused" else {}))
        except StormError as error:
            self._failed = error
        self._answers[answer.id] = answer

    def look(self) -> None:
        """Start workers again that have ended, as a supervisor would. StormError where one cannot be kept up.

        KeyboardInterrupt where the storm is to end early.
        """
        if self.ending.is_set():
            raise KeyboardInterrupt
        if self._failed is not None:
            raise self._failed
        if not self.program.group.alive:
            status = self.program.group.root.returncode
            raise StormError(f"the program that submits ended with status {status}", self.program.group.tail())
        for worker in self.workers:
            if worker.group.alive or worker.kept_down:
                continue
            at_once = time.monotonic() - worker.group.began < AT_ONCE_SECONDS or not self.proven
            if not worker.killed and at_once:
                worker.falls += 1
                if worker.falls >= MOST_FALLS:
                    status = worker.group.root.returncode
                    when = "at once" if self.proven else f"before a first task is done, {MOST_FALLS} times"
                    raise StormError(f"{worker.name} ends {when}, with status {status}", worker.group.tail())
            else:
                worker.falls = 0
            wait_until(lambda: False, RESTART_SECONDS)
            self.launch(worker)

    def owner(self, pid: int) -> Worker | None:
        """The worker that a process belongs to."""
        return next((worker for worker in self.workers if any(each.pid == pid for each in worker.members)), None)

    def fault(self, worker: Worker, how: str) -> list[int]:
        """Kill (``kill``, ``kill-parent``), stop or resume a worker, and write that into the ledger; the pids."""
        if how == "kill":
            worker.killed = True
            pids = sorted({pid for group in worker.groups for pid in group.kill()})
        elif how == "kill-parent":
            worker.killed = True
            pids = worker.group.kill_root()
        elif how == "pause":
            worker.kept_down = True
            pids = sorted({pid for group in worker.groups for pid in group.pause()})
        else:
            worker.kept_down = False
            stopped = [each.pid for each in worker.members if each.state in "Tt"]
            self.ledger.fault("resume", stopped)  # before it happens: what they write comes after this line
            for group in worker.groups:
                group.resume()
            return stopped
        self.ledger.fault("pause" if how == "pause" else "kill", pids)
        return pids

    def processes_of(self, worker: Worker, part: str) -> set[int]:
        """The processes of one kind that a worker has now."""
        pattern = re.compile(self.parts[part])
        return {each.pid for each in worker.members if pattern.search(command_line(each.pid))}

    def fault_of_part(self, worker: Worker, how: str, part: str, pid: int | None = None) -> list[int]:
        """Kill or stop the processes of one kind: of these the one that has the task, if one of them started it.

        pid: of the process that runs the task; None where none does. StormError where the worker has no such part.
        """
        matching = self.processes_of(worker, part)
        if not matching:
            raise StormError(f"{worker.name} has no process whose command line matches `{self.parts[part]}` ({part})")
        chosen = sorted(with_descendants((matching & (ancestors(pid) if pid is not None else set())) or matching))
        for each in chosen:
            send(each, signal.SIGKILL if how == "kill" else signal.SIGSTOP)
        wanted = DEAD if how == "kill" else STOPPED + DEAD
        wait_until(lambda: all((found := entry(each)) is None or found.state in wanted for each in chosen), 10.0)
        self.ledger.fault("pause" if how == "pause" else "kill", chosen)
        return chosen

    def restart_broker(self, down_seconds: float, meanwhile: Callable[[], None] = lambda: None) -> None:
        """SIGKILL to the broker, and start it again on its data. meanwhile: is called when it is down."""
        self.ledger.fault("broker killed", self.broker.kill())
        meanwhile()
        wait_until(lambda: False, down_seconds)
        self.broker.start()
        self.ledger.write("fault", worker="broker", value="broker restarted")


def _found(words: list[str], variables: dict[str, str]) -> list[str]:
    """The command with the full path of its program, which is looked for in the environment of the storm file."""
    if not words:
        raise StormError("a worker has an empty command")
    program = shutil.which(words[0], path=variables["PATH"])
    if program is None:
        beside = Path(variables["PATH"].split(":")[0])
        known = [each.name for each in beside.iterdir()] if beside.is_dir() else []
        raise StormError(
            f"the worker's command `{words[0]}` is not found in {beside} or on PATH{nearest(words[0], known)}"
        )
    return [program, *words[1:]]
