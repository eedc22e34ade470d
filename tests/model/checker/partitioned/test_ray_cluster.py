"""A search over real Ray nodes on this machine: counts, counterexamples, and a node that is killed in mid-level."""

import contextlib
import os
import pickle
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from onceproof.errors import InputError
from onceproof.inputs import shipping
from onceproof.inputs.models import ModelRef, resolve
from onceproof.inputs.shipping import ShippedModel, shipped, shipped_setting
from onceproof.model.checker import compiled
from onceproof.model.checker import swarm as swarms
from onceproof.model.checker.compiled.checkpoint import CheckpointError
from onceproof.model.checker.engines import EngineError, Options, check, checker
from onceproof.model.checker.matrix.cases import Setting
from onceproof.model.checker.matrix.cluster_workers import ClusterWorkers
from onceproof.model.checker.matrix.matrix import MatrixProgress, columns_of, compute, rows_of
from onceproof.model.checker.matrix.matrix import Plan as MatrixPlan
from onceproof.model.checker.matrix.workers import Workers
from onceproof.model.checker.partitioned import ray_cluster
from onceproof.model.checker.partitioned.jobs import ClusterExecutor, JobLost
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


COUNTER = """
from limit import MOST
from onceproof import Int, State, action, always, fault, field, require, switch


class Counter(State):
    "A number that goes up."
    bounded = switch(on="it stops", off="it goes on")
    n = field(Int(0, 9))


@action
def up(st: Counter) -> None:
    "One more."
    require(st.n < MOST or not st.bounded)
    require(st.n < 9)
    st.n += 1


@fault
def jump(st: Counter) -> None:
    "One more, whatever the limit."
    require(st.n < 9)
    st.n += 1


@always
def small(st: Counter) -> bool:
    "It is small."
    return st.n <= MOST
"""


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


def test_nodes_compute_the_matrix_that_processes_compute(cluster: Any, tmp_path: Path) -> None:
    (tmp_path / "limit.py").write_text("MOST = 2")
    (tmp_path / "counter.py").write_text(COUNTER)
    source = resolve("counter.py", tmp_path)
    setting = Setting(source.model, {}, None, "counter.py")
    mechanisms = tuple(source.model.switches)
    plan = MatrixPlan(setting, rows_of(mechanisms), columns_of(source.model.faults, 1), source.model.faults, mechanisms)
    load = shipped_setting(setting, source)
    assert {name for name, _ in load.model.files} == {"counter.py", "limit.py"}
    travelled = pickle.loads(pickle.dumps(load))
    executor = ClusterExecutor(ray)
    told = MatrixProgress(lambda text: None)
    on_nodes, here = (
        compute(plan, crew, told)
        for crew in (
            lambda limits, report, probed: ClusterWorkers(executor, travelled, setting, limits, "auto", probed),
            lambda limits, report, probed: Workers(setting, limits, checker(Options("auto")), 2, report, probed),
        )
    )
    assert on_nodes.complete and not on_nodes.interrupted
    assert [cell.findings for cell in on_nodes.cells] == [cell.findings for cell in here.cells]
    assert {finding.verdict.name for cell in here.cells for finding in cell.findings.values()} == {"HOLDS", "VIOLATED"}
    assert (on_nodes.sufficient, on_nodes.breaking) == (here.sufficient, here.breaking)


def test_members_of_a_swarm_meet_on_nodes_what_they_meet_here(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def met(crew: Callable[..., Any] | None) -> tuple[Any, ...]:
        if crew is not None:
            monkeypatch.setattr(swarms, "_crew", crew)
        found = swarms.swarm(build(PROTOCOL, PROTOCOL.configure({}, {}, {"reply_loss": 1})), None, options)
        return found.visits, found.table, found.members, found.deepest, found.complete, found.notes

    options = swarms.SwarmOptions(members=3, depth=60)
    here = met(None)
    assert met(lambda plan, *_: contextlib.nullcontext(swarms._Nodes(plan, ClusterExecutor(ray)))) == here


def test_job_that_dies_again_and_again_is_lost(cluster: Any) -> None:
    executor = ClusterExecutor(ray)
    with pytest.raises(JobLost):
        executor.result(executor.submit(lambda: os._exit(1)))
    assert executor.result(executor.submit(lambda one, other: one + other, 3, 4)) == 7
    with pytest.raises(ValueError, match="invalid literal"):
        executor.result(executor.submit(lambda text: int(text), "x"))


def test_model_that_arrives_lies_in_one_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    sent = ShippedModel((("counter.py", COUNTER), ("limit.py", "MOST = 3")), "counter.py")
    assert compiled.check(build(sent.model(), sent.model().configure({})), workers=1).states == 4
    (folder,) = tmp_path.iterdir()
    assert {file.name for file in folder.iterdir() if file.is_file()} == {"counter.py", "limit.py"}
    assert folder.stat().st_mode & 0o077 == 0
    (folder / "limit.py").write_text("MOST = 9")  # whatever lies there, what was sent counts
    shipping._loaded.cache_clear()
    assert sent.model() is not None and (folder / "limit.py").read_text() == "MOST = 3"


def test_model_that_is_in_no_file_is_not_sent() -> None:
    with pytest.raises(InputError, match=r"cannot be sent to other machines: name it by its file, FILE\.py"):
        shipped(ModelRef(PROTOCOL, "package.module:MODEL"))


def test_a_folder_with_other_files_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(CheckpointError, match="the folder is not empty"):
        compiled.check(protocol(), workers=1, partitions=Here(1, checkpoint=tmp_path))


def test_a_cluster_that_does_not_answer_is_one_line() -> None:
    with socket.socket() as taken:  # bound, and not listening
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(EngineError, match=r"no Ray cluster answers at 127\.0\.0\.1:\d+: .*refused"):
            check(protocol(), None, Options(ray=f"127.0.0.1:{taken.getsockname()[1]}"))


def test_address_of_a_proxy_is_refused() -> None:
    with pytest.raises(EngineError, match=r"the address of its head node, such as head\.local:6379"):
        check(protocol(), None, Options(ray="ray://head.local:10001"))


def test_what_ray_does_not_go_with_is_refused() -> None:
    with pytest.raises(EngineError, match="--ray keeps whole states"):
        check(protocol(), None, Options(ray="local", fingerprint=True))


def test_without_ray_one_line_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(EngineError, match=r"not installed: pip install 'onceproof\[ray\]'"):
        check(protocol(), None, Options(ray="local"))
