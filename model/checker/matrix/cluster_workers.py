"""Explores the cases of a matrix on the nodes of a Ray cluster, each content once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from types import TracebackType
from typing import Any

from onceproof.model.checker.agreement.comparison import Agreements
from onceproof.model.checker.engines import Options, checker
from onceproof.model.checker.matrix.cases import Case, CaseResult, Setting, not_explored
from onceproof.model.checker.matrix.workers import DIED, Turn, Workers
from onceproof.model.checker.partitioned.jobs import ClusterExecutor, JobLost
from onceproof.model.checker.results import Limits

LoadSetting = Callable[[], Setting]  # what can travel, and makes the setting where it arrives
_AGREEMENTS = Agreements()  # of this process, for all cases that come to it


def content_on_node(load: LoadSetting, case: Case) -> tuple[str, Any]:
    """The digest of the content of a case, or what is wrong with it."""
    return Turn(load(), case, (), _AGREEMENTS).content()


def found_on_node(
    load: LoadSetting, case: Case, probed: tuple[str, ...], limits: Limits, engine: str
) -> tuple[str, Any]:
    """The result of a case, or what is wrong with it."""
    return Turn(load(), case, probed, _AGREEMENTS).found(limits, checker(Options(engine)))


class ClusterWorkers(Workers):
    """As ``Workers``, on the nodes of a cluster. A case whose job is lost again and again is unknown.

    load: makes the setting on a node. engine: the name of the engine that explores there.
    """

    def __init__(
        self,
        executor: ClusterExecutor,
        load: LoadSetting,
        setting: Setting,
        limits: Limits,
        engine: str,
        probed: tuple[str, ...] = (),
    ) -> None:
        super().__init__(setting, limits, checker(Options(engine)), 0, None, probed)
        self.executor, self.load, self.engine = executor, load, engine
        self._jobs: dict[Future[Any], Case] = {}

    def __enter__(self) -> ClusterWorkers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.executor.cancel_all()
        self._jobs.clear()

    def run(self, cases: Iterable[Case]) -> Iterator[CaseResult]:
        """As ``Workers.run``."""
        for case in cases:
            known = self._known(case)
            if known is not None:
                yield known
            else:
                self._jobs[self.executor.submit(content_on_node, self.load, case)] = case
        while self._jobs:
            done, _ = wait(self._jobs, return_when=FIRST_COMPLETED)
            for future in done:
                for found in self._ended(future):
                    self.results[found.case] = found
                    yield found

    def _ended(self, future: Future[Any]) -> list[CaseResult]:
        """The results that the end of a job settles."""
        case = self._jobs.pop(future)
        try:
            kind, value = self.executor.result(future)
        except JobLost:
            return self._settled(case, not_explored(self.setting, case, DIED))
        if kind != "content":
            return self._answered(case, kind, value)
        first = self._sharing.first(value, case)
        if first == case:
            job = found_on_node, self.load, case, self.probed, self.limits, self.engine
            self._jobs[self.executor.submit(*job)] = case
            return []
        if first in self.results:
            return [self.results[first].instead_of(case)]
        self._waiting.setdefault(first, []).append(case)
        return []
