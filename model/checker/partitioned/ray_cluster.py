"""Partitions as actors of a Ray cluster: one on each node, or, on this machine alone, one for each processor."""

from __future__ import annotations

import os
import platform
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from onceproof.model.checker.compiled.memory import HEADROOM, free_memory
from onceproof.model.checker.partitioned.partition import Emitted, Partition
from onceproof.model.checker.partitioned.plan import Plan
from onceproof.model.checker.partitioned.transport import PartitionLost, Transport

LOCAL, AUTO, REMOTE = "local", "auto", "ray://"  # REMOTE: through a proxy of the cluster
SECONDS_TO_ANSWER = 10.0
OBJECT_STORE_BYTES = 512 << 20  # of a cluster that is started here; messages wait there
SECONDS_TO_START = 60.0  # an actor, with its imports


class ClusterError(Exception):
    """A cluster cannot be used; the message says why, and what to do."""


class PartitionActor:
    """A partition on a node."""

    def __init__(
        self, plan: Plan, mine: int, partitions: int, threads: int, max_memory: int | None, share: int
    ) -> None:
        memory = max_memory or int(free_memory() * HEADROOM / share)
        self.partition = Partition(plan, mine, partitions, threads, memory)

    def call(self, method: str, *arguments: Any) -> Any:
        """Calls a method of the partition."""
        return getattr(self.partition, method)(*arguments)

    def emit(self) -> tuple[Any, ...]:
        """As ``Partition.emit``; each message is a result of its own, so that it travels alone."""
        report, messages = self.partition.emit()
        return report, *messages


def versions() -> dict[str, str]:
    """What must be the same on all nodes."""
    from onceproof.model.checker.compiled.llvm.cache import version_of_kernels

    return {
        "onceproof": version("onceproof"),
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "the engine's code": version_of_kernels(),
    }


class RayTransport:
    """Partitions as actors. See ``Transport``."""

    def __init__(self, ray: Any, actors: list[Any]) -> None:
        self.ray, self.actors = ray, actors
        self._messages: list[list[Any]] = []  # of the last round, for each partition, not yet added
        self._adding: list[Any] = []

    @property
    def size(self) -> int:
        """How many partitions there are."""
        return len(self.actors)

    def ask(self, method: str, *arguments: Any) -> list[Any]:
        """As the protocol says."""
        given = [self.ray.put(one) if hasattr(one, "nbytes") else one for one in arguments]
        return self._results([actor.call.remote(method, *given) for actor in self.actors])

    def ask_one(self, partition: int, method: str, *arguments: Any) -> Any:
        """As the protocol says."""
        return self._results([self.actors[partition].call.remote(method, *arguments)])[0]

    def exchange(self) -> list[Emitted]:
        """As the protocol says. While partitions emit, what they emitted in the round before is on its way."""
        returned = [actor.emit.options(num_returns=self.size + 1).remote() for actor in self.actors]
        self._add()
        self._messages = [[one[1 + number] for one in returned] for number in range(self.size)]
        return self._results([one[0] for one in returned])

    def settle(self) -> None:
        """As the protocol says."""
        self._add()
        self._results(self._adding)
        self._adding = []

    def _add(self) -> None:
        self._results(self._adding)
        pairs = zip(self.actors, self._messages, strict=False)
        self._adding = [actor.call.remote("absorb", *messages) for actor, messages in pairs]
        self._messages = []

    def _results(self, references: list[Any]) -> list[Any]:
        return _results(self.ray, references)

    def close(self) -> None:
        """As the protocol says."""
        for actor in self.actors:
            self.ray.kill(actor)


class RayPartitions:
    """The partitions of a search on a Ray cluster that this process is connected to. See ``Partitions``."""

    settling = True

    def __init__(
        self, ray: Any, local: int | None, threads: int | None, max_memory: int | None, checkpoint: Path | None
    ) -> None:
        self.ray, self.local, self.threads, self.max_memory = ray, local, threads, max_memory
        self.checkpoint = checkpoint

    def start(self, plan: Plan) -> Transport:
        """One partition on each node that lives; ``local`` of them on this machine, if it is the whole cluster."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        nodes = living_nodes(self.ray)
        if not nodes:
            raise PartitionLost("no node of the cluster is left")
        places = nodes * (self.local or 1)
        share = self.local or 1
        memory = self.max_memory and self.max_memory // share
        known = self.ray.put(plan)
        kind = self.ray.remote(PartitionActor)
        check_versions(self.ray, nodes)
        actors = []
        for number, node in enumerate(places):
            threads = 1 if self.local else self.threads or int(node["Resources"].get("CPU", 1)) or 1
            where = NodeAffinitySchedulingStrategy(node_id=node["NodeID"], soft=False)
            options = kind.options(num_cpus=0, max_restarts=0, scheduling_strategy=where)
            actors.append(options.remote(known, number, len(places), threads, memory, share))
        transport = RayTransport(self.ray, actors)
        try:
            _results(self.ray, [actor.call.remote("ready") for actor in actors], SECONDS_TO_START)
        except PartitionLost:
            transport.close()
            raise
        return transport


def living_nodes(ray: Any) -> list[Any]:
    """What Ray says of each node that lives."""
    return [node for node in ray.nodes() if node["Alive"]]


def check_versions(ray: Any, nodes: list[Any]) -> None:
    """ClusterError where a node has other versions than this process."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    ask = ray.remote(versions)
    asked = [
        ask.options(
            num_cpus=0,
            max_retries=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False),
        ).remote()
        for node in nodes
    ]
    mine = versions()
    for node, reference in zip(nodes, asked, strict=True):
        try:
            theirs = _results(ray, [reference], SECONDS_TO_START)[0]
        except PartitionLost as error:
            if "No module named" in str(error):
                raise ClusterError(
                    f"node {node['NodeManagerAddress']} has no onceproof: install it there, where its Ray is"
                ) from None
            raise
        for name, found in theirs.items():
            if found != mine[name]:
                raise ClusterError(
                    f"node {node['NodeManagerAddress']} has another version than this machine: {name} is "
                    f"{found} there, {mine[name]} here; install the same on all"
                )


@contextmanager
def ray_partitions(
    address: str, workers: int | None, max_memory: int | None, checkpoint: Path | None
) -> Iterator[RayPartitions]:
    """The partitions of a search on the cluster at an address (``LOCAL``: one that is started here, and ended).

    workers: partitions of a local cluster, threads on each node of another. ClusterError where there is no cluster.
    """
    processors = workers or len(os.sched_getaffinity(0))
    ray = connected(address, processors)
    try:
        yield RayPartitions(ray, processors if address == LOCAL else None, workers, max_memory, checkpoint)
    finally:
        ray.shutdown()


def connected(address: str, processors: int) -> Any:
    """The module ``ray``, connected to a cluster. ClusterError where it is not installed, or nothing answers."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_TQDM_PATCH_PRINT", "0")  # else Ray puts a `print` of its own into this process
    if address.startswith(REMOTE):
        host = address.removeprefix(REMOTE).partition(":")[0]
        raise ClusterError(
            f"{address} is the address of Ray's proxy, and states go from node to node: run this on a machine of the "
            f"cluster, and give the address of its head node, such as {host}:6379"
        )
    if address != LOCAL:
        _check_answers(address)
    try:
        import ray
    except ImportError:
        raise ClusterError("--ray needs Ray, which is not installed: pip install 'onceproof[ray]'") from None
    settings: dict[str, Any] = {"log_to_driver": False, "logging_level": "critical", "address": address}
    if address == LOCAL:
        settings |= {
            "num_cpus": processors,
            "include_dashboard": False,
            "object_store_memory": OBJECT_STORE_BYTES,
            "_node_ip_address": "127.0.0.1",
            "_system_config": {"automatic_object_spilling_enabled": False},
        }
    try:
        ray.init(**settings)
    except Exception as error:  # Ray raises whatever went wrong inside
        reason = str(error).strip().splitlines() or [type(error).__name__]
        where = "a local Ray cluster does not start" if address == LOCAL else f"no Ray cluster can be used at {address}"
        raise ClusterError(f"{where}: {reason[0].rstrip('.:')}") from None
    return ray


def _check_answers(address: str) -> None:
    """ClusterError where nothing listens at an address: Ray itself would try for minutes."""
    if address == AUTO:
        return
    host, _, port = address.rpartition(":")
    if host in ("localhost", "127.0.0.1"):
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # else Ray takes another address of this machine for it
    try:
        socket.create_connection((host, int(port)), SECONDS_TO_ANSWER).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(f"no Ray cluster answers at {address}: {error}; start one with `ray start --head`") from None


def _results(ray: Any, references: list[Any], seconds: float | None = None) -> list[Any]:
    """What calls returned. Our own errors come through; PartitionLost where Ray has one."""
    from ray.exceptions import RayError, RayTaskError

    try:
        return list(ray.get(references, timeout=seconds))
    except RayTaskError as error:
        cause = error.cause
        if isinstance(cause, Exception) and not isinstance(cause, RayError):
            raise cause from None
        raise PartitionLost(str(error)) from None
    except RayError as error:
        raise PartitionLost(str(error)) from None
