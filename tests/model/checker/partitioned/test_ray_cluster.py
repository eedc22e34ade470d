"""A search over real Ray nodes on this machine: counts, counterexamples, and a node that is killed in mid-level."""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from onceproof.model.checker import compiled
from onceproof.model.checker.compiled.checkpoint import CheckpointError
from onceproof.model.checker.engines import EngineError, Options, check
from onceproof.model.checker.partitioned import ray_cluster
from onceproof.model.checker.partitioned.plan import Plan
from onceproof.model.checker.partitioned.ray_cluster import ClusterError, RayPartitions, RayTransport
from onceproof.model.checker.partitioned.transport import Here, PartitionLost
from onceproof.model.language import System, build
from onceproof.model.protocol.system import PROTOCOL
from tests.helpers.comparison import comparable

os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # as `connected` sets it before Ray is imported
ray: Any = pytest.importorskip("ray")
MEMORY = 256 << 20  # bytes on each node


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Three nodes on the loopback interface."""
    from ray.cluster_utils import Cluster

    arguments = {"include_dashboard": False, "object_store_memory": 80 << 20, "node_ip_address": "127.0.0.1"}
    cluster: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, **arguments})
    try:
        for _ in range(2):
            cluster.add_node(num_cpus=1, object_store_memory=80 << 20, node_ip_address="127.0.0.1")
        ray_cluster.connected(cluster.address, 1)
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


def protocol() -> System:
    faults: dict[str, int | None] = {"request_duplication": 1, "scheduler_crash": 1}
    return build(PROTOCOL, PROTOCOL.configure({}, {"agent_dedup": False}, faults))


class KillingTransport(RayTransport):
    """Actors of which a node is killed in the middle of a level."""

    cluster: Any = None
    rounds = 0

    def exchange(self) -> Any:
        """Kills a node in the twelfth round."""
        self.rounds += 1
        if self.cluster is not None and self.rounds == 12:
            self.cluster.remove_node(next(iter(self.cluster.worker_nodes)), allow_graceful=False)
            with pytest.raises(PartitionLost):  # the actor ends a moment after its node
                while True:
                    self.ask("ready")
        return super().exchange()


class KillingPartitions(RayPartitions):
    """A search of which a node is killed."""

    starts = 0
    sizes: tuple[int, ...] = ()
    cluster: Any = None

    def start(self, plan: Plan) -> Any:
        """As ``RayPartitions``; what is started first loses a node later."""
        started = super().start(plan)
        transport = KillingTransport(self.ray, started.actors)  # type: ignore[attr-defined]
        transport.cluster = None if self.sizes else self.cluster
        self.sizes = (*self.sizes, transport.size)
        return transport


def test_nodes_find_what_one_machine_finds_also_when_one_is_killed_in_mid_level(cluster: Any, tmp_path: Path) -> None:
    system = protocol()
    whole = compiled.check(system, workers=1)
    costs: dict[str, Any] = {}
    calm = RayPartitions(ray, None, 1, MEMORY, None)
    assert comparable(compiled.check(system, workers=1, partitions=calm, report=costs)) == comparable(whole)
    assert costs["on_the_wire"] > 0 and len(costs["node_bytes"]) == 3
    killed = KillingPartitions(ray, None, 1, MEMORY, tmp_path / "levels")
    killed.cluster = cluster
    assert comparable(compiled.check(system, workers=1, partitions=killed, report=costs)) == comparable(whole)
    assert killed.sizes[0] == 3 and killed.sizes[-1] == 2 and costs["losses"] >= 1


def test_nodes_with_another_version_are_refused(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    there = ray_cluster.versions()
    monkeypatch.setattr(ray_cluster, "version", lambda _: "0.0.9")
    assert ray_cluster.versions() != there
    with pytest.raises(ClusterError, match=r"node 127\.0\.0\.1 has another version .* onceproof is .* here"):
        compiled.check(protocol(), workers=1, partitions=RayPartitions(ray, None, 1, MEMORY, None))


def test_a_folder_with_other_files_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(CheckpointError, match="the folder is not empty"):
        compiled.check(protocol(), workers=1, partitions=Here(1, checkpoint=tmp_path))


def test_a_cluster_that_does_not_answer_is_one_line() -> None:
    with socket.socket() as taken:  # bound, and not listening
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(EngineError, match=r"no Ray cluster answers at 127\.0\.0\.1:\d+: .*refused"):
            check(protocol(), None, Options(ray=f"127.0.0.1:{taken.getsockname()[1]}"))


def test_what_ray_does_not_go_with_is_refused() -> None:
    with pytest.raises(EngineError, match="--ray keeps whole states"):
        check(protocol(), None, Options(ray="local", fingerprint=True))


def test_without_ray_one_line_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(EngineError, match=r"not installed: pip install 'onceproof\[ray\]'"):
        check(protocol(), None, Options(ray="local"))
