"""Explores the cases of a matrix in several processes, each content once, and reports how far each exploration is.

A worker gets a case, builds its system and sends the digest of its content. If no other case has it, it is asked to
explore; else the result is taken from the other. Workers ignore Ctrl-C: whoever runs them decides, and ends
them by leaving the ``with`` block. One that dies (out of memory, say) makes its case unknown and is replaced.
"""

from __future__ import annotations

import multiprocessing
import signal
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any

from onceproof.model.checker.agreement.comparison import Agreements
from onceproof.model.checker.matrix.cases import (
    Case,
    CaseResult,
    Explore,
    Setting,
    Sharing,
    content,
    explored,
    not_explored,
)
from onceproof.model.checker.results import Limits, Progress, Stop, StopReason
from onceproof.model.language import ConfigError, ModelError, System
from onceproof.model.language.errors import InternalContradiction

Report = Callable[[Case, Progress], None]
DIED = Stop(StopReason.PROCESS_LOST)


@dataclass
class _Worker:
    """A process, the pipe to it, and the case it is at."""

    process: Any
    pipe: Connection
    case: Case | None = None


class Workers:
    """The processes. ``results`` has all that was found so far, whatever happens. Use it as a context.

    report: called about once a second with a case and how far its exploration is; probed: which mechanisms a case with
    everything on is asked about (see ``probes``).
    """

    def __init__(
        self,
        setting: Setting,
        limits: Limits,
        explore: Explore,
        processes: int,
        report: Report | None = None,
        probed: tuple[str, ...] = (),
    ) -> None:
        self.setting, self.limits, self.explore, self.probed = setting, limits, explore, probed
        self.report = report
        self.results: dict[Case, CaseResult] = {}
        self._sharing = Sharing()
        self._waiting: dict[Case, list[Case]] = {}  # for a case under way: those that have the same content
        self._workers: list[_Worker] = []
        self._processes = processes

    def __enter__(self) -> Workers:
        for _ in range(self._processes):
            self._workers.append(self._started())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join()
            worker.pipe.close()
        self._workers.clear()

    def run(self, cases: Iterable[Case]) -> Iterator[CaseResult]:
        """The results of the cases, as they come; those known already at once. ModelError where the model is wrong."""
        queue: deque[Case] = deque()
        for case in cases:
            known = self._known(case)
            if known is not None:
                yield known
            else:
                queue.append(case)
        while True:
            for worker in self._workers:
                if worker.case is None and queue:
                    worker.case = queue.popleft()
                    worker.pipe.send(worker.case)
            busy = {worker.pipe: worker for worker in self._workers if worker.case is not None}
            if not busy:
                return
            for pipe in wait(list(busy)):
                for found in self._hear(busy[pipe]):  # type: ignore[index]
                    self.results[found.case] = found
                    yield found

    def _known(self, case: Case) -> CaseResult | None:
        """The result of a case, or that of the full design if the one mechanism that is off makes no difference."""
        known = self.results.get(case)
        whole = self.results.get(Case((), case.faults))
        if known is None and len(case.off) == 1 and whole is not None and case.off[0] in whole.indifferent:
            known = self.results[case] = whole.instead_of(case)
        return known

    def _hear(self, worker: _Worker) -> list[CaseResult]:
        """Take one message of a worker; the results that it settles."""
        case = worker.case
        assert case is not None
        try:
            kind, value = worker.pipe.recv()
        except (EOFError, OSError):
            self._replace(worker)
            return self._settled(case, not_explored(self.setting, case, DIED))
        if kind == "content":
            return self._compared(worker, case, value)
        if kind == "progress":
            if self.report:
                self.report(case, value)
            return []
        worker.case = None
        return self._answered(case, kind, value)

    def _answered(self, case: Case, kind: str, value: Any) -> list[CaseResult]:
        """The results that an answer about a case settles; what went wrong is raised."""
        if kind == "wrong":
            raise ModelError(f"{case}: {value}")
        if kind == "contradiction":
            raise InternalContradiction(f"{case}: {value}")
        if kind == "bug":
            raise RuntimeError(f"{case}: {value}")
        return self._settled(case, value)

    def _compared(self, worker: _Worker, case: Case, digest: bytes) -> list[CaseResult]:
        """Whether a worker must explore its case, or another did or does it."""
        first = self._sharing.first(digest, case)
        worker.pipe.send(first == case)
        if first == case:
            return []
        worker.case = None
        if first in self.results:
            return [self.results[first].instead_of(case)]
        self._waiting.setdefault(first, []).append(case)
        return []

    def _settled(self, case: Case, found: CaseResult) -> list[CaseResult]:
        return [found, *(found.instead_of(other) for other in self._waiting.pop(case, []))]

    def _replace(self, worker: _Worker) -> None:
        worker.process.join()
        worker.pipe.close()
        fresh = self._started()
        worker.process, worker.pipe, worker.case = fresh.process, fresh.pipe, None

    def _started(self) -> _Worker:
        # Forked, not spawned: the model may be a user's own, loaded from a file, and its functions can't be pickled.
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        others = [ours, *(worker.pipe for worker in self._workers if not worker.pipe.closed)]
        process = context.Process(
            target=_work, args=(self.setting, self.limits, self.explore, self.probed, theirs, others), daemon=True
        )
        process.start()
        theirs.close()
        return _Worker(process, ours)


def _work(
    setting: Setting,
    limits: Limits,
    explore: Explore,
    probed: tuple[str, ...],
    pipe: Connection,
    others: list[Connection],
) -> None:
    """What a worker does until its pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for other in others:
        other.close()  # or the end of the parent would never be seen as the end of a pipe
    reporting = Limits(
        limits.max_states, limits.max_depth, limits.max_seconds, lambda progress: pipe.send(("progress", progress))
    )
    agreements = Agreements()
    try:
        while True:
            turn = Turn(setting, pipe.recv(), probed, agreements)
            answer = turn.content()
            pipe.send(answer)
            if answer[0] == "content" and pipe.recv():
                pipe.send(turn.found(reporting, explore))
    except (EOFError, BrokenPipeError):
        return  # whoever asked is gone


class Turn:
    """What a worker does for one case. Answers are a kind ("content", "found", or what went wrong) and its value."""

    def __init__(self, setting: Setting, case: Case, probed: tuple[str, ...], agreements: Agreements) -> None:
        self.setting, self.case, self.probed, self.agreements = setting, case, probed, agreements

    def content(self) -> tuple[str, Any]:
        """The digest of the content of its system."""
        return self._answered(self._content)

    def found(self, limits: Limits, explore: Explore) -> tuple[str, Any]:
        """The result of its exploration."""
        return self._answered(lambda: ("found", self._explored(limits, explore)))

    def _content(self) -> tuple[str, Any]:
        system = self.setting.system(self.case)
        self._compare(system)  # before it may share the result of another case that is read alike
        return "content", content(self.setting, system)

    def _explored(self, limits: Limits, explore: Explore) -> CaseResult:
        if self.probed and not self.case.off:
            system: System = self.setting.probed(self.case, self.probed, self._compare)
        else:
            system = self.setting.system(self.case)
        return explored(self.setting, self.case, system, limits, explore)

    def _compare(self, system: System) -> None:
        self.agreements.check(system, self.setting.claims(system))

    def _answered(self, answer: Callable[[], tuple[str, Any]]) -> tuple[str, Any]:
        try:
            return answer()
        except (ModelError, ConfigError) as error:
            return "wrong", str(error)
        except InternalContradiction as error:
            return "contradiction", str(error)
        except MemoryError:
            return "found", not_explored(self.setting, self.case, Stop(StopReason.OUT_OF_MEMORY))
        except (EOFError, BrokenPipeError):
            raise
        except Exception:
            return "bug", traceback.format_exc()
