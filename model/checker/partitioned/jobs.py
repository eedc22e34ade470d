"""Calls of functions on the nodes of a Ray cluster, as an executor: each job has a processor of its own.

A job whose node is lost is given to another one. Functions and what they are called with must be such that they can
travel: functions of this package, and data.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any

from onceproof.model.checker.partitioned.ray_cluster import check_versions, connected, living_nodes

RETRIES = 3  # of a job whose node, or process, dies


class JobLost(Exception):
    """A job was lost: with its node, again and again, or for want of memory there."""


class ClusterExecutor(Executor):
    """Runs jobs on a cluster that this process is connected to. slots: how many run at the same time."""

    def __init__(self, ray: Any) -> None:
        self.ray = ray
        self.slots = max(int(ray.cluster_resources().get("CPU", 1)), 1)
        self._remote: dict[Any, Any] = {}
        self._references: dict[Future[Any], Any] = {}

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """As ``Executor.submit``; ``result`` says what a job returned."""
        if function not in self._remote:
            options = {"num_cpus": 1, "max_retries": RETRIES, "scheduling_strategy": "SPREAD"}
            self._remote[function] = self.ray.remote(function).options(**options)
        reference = self._remote[function].remote(*arguments, **named)
        future: Future[Any] = reference.future()
        self._references[future] = reference
        return future

    def result(self, future: Future[Any]) -> Any:
        """What a job returned, or raised. JobLost where there is neither."""
        from ray.exceptions import RayError, RayTaskError

        self._references.pop(future, None)
        try:
            return future.result()
        except RayTaskError as error:
            cause = error.cause
            if isinstance(cause, Exception) and not isinstance(cause, RayError):
                raise cause from None
            raise JobLost(str(error).strip().splitlines()[-1]) from None
        except RayError as error:
            raise JobLost(str(error).strip().splitlines()[0]) from None

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As ``Executor.shutdown``; jobs that still run are ended."""
        self.cancel_all()

    def cancel_all(self) -> None:
        """Ends what still runs; other jobs may follow."""
        for reference in self._references.values():
            self.ray.cancel(reference, force=True)
        self._references.clear()


@contextmanager
def cluster_executor(address: str, processors: int | None = None) -> Iterator[ClusterExecutor]:
    """An executor on the cluster at an address (``local``: one that is started here, and ended).

    processors: of a local cluster; None: all. ClusterError where there is no cluster, or a node has other versions.
    """
    ray = connected(address, processors or len(os.sched_getaffinity(0)))
    try:
        check_versions(ray, living_nodes(ray))
        with ClusterExecutor(ray) as executor:
            yield executor
    finally:
        ray.shutdown()
