"""The platform with its queue on JetStream: one node, and a cluster of three that loses one."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from onceproof.implementation.clock import RealClock
from onceproof.implementation.components.queue import Offer, Received
from onceproof.implementation.errors import NotEnabled
from onceproof.implementation.queues.jetstream import STREAM, JetStreamQueue
from onceproof.implementation.settings import SECOND_NS, Mechanisms
from onceproof.implementation.stores.sqlite import SqliteDatabase
from tests.helpers.nats_servers import Nats
from tests.helpers.platforms import LEDGER, Platform
from tests.helpers.storms import QUICK, ROUNDS, SAFE, SEED, Clients, judge, storm
from tests.helpers.waiting import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def one_node(tmp_path: Path) -> Iterator[Nats]:
    made = Nats(tmp_path / "nats").start()
    yield made
    made.stop()


@pytest.fixture
def three_nodes(tmp_path: Path) -> Iterator[Nats]:
    made = Nats(tmp_path / "nats", 3).start()
    yield made
    made.stop()


def platform_on(nats: Nats, folder: Path, replicas: int) -> Platform:
    made = Platform(folder / "platform", {**QUICK, "queue": nats.url, "replicas": replicas})
    made.function("ledger", LEDGER)
    return made.start()


def left_on_stream(nats: Nats, folder: Path) -> int:
    queue = queue_of(nats, folder)
    state = queue.link.call(lambda jetstream: jetstream.stream_info(STREAM)).state
    queue.close()
    return int(state.messages)


def queue_of(nats: Nats, folder: Path, lease_seconds: float = 1.0) -> JetStreamQueue:
    database = SqliteDatabase(str(folder / "queue.db"))
    return JetStreamQueue(database, RealClock(), Mechanisms(), int(lease_seconds * SECOND_NS), nats.url)


def test_storm_on_jetstream_with_one_node(one_node: Nats, tmp_path: Path) -> None:
    platform = platform_on(one_node, tmp_path, 1)
    try:
        accepted = storm(platform, SEED, ROUNDS or 8, SAFE)
        judge(platform, accepted, may_fail=False)
        wait_until(lambda: left_on_stream(one_node, tmp_path) == 0)
    finally:
        platform.end()


def test_jetstream_cluster_of_three_loses_its_leader_for_good(three_nodes: Nats, tmp_path: Path) -> None:
    platform = platform_on(three_nodes, tmp_path, 3)
    try:
        clients = Clients(platform)
        wait_until(lambda: len(clients.accepted) > 5)
        os.kill(three_nodes.processes[three_nodes.leader()].pid, signal.SIGKILL)
        before = len(clients.accepted)
        wait_until(lambda: len(clients.accepted) > before + 10)
        judge(platform, clients.end(), may_fail=False)
    finally:
        platform.end()


def test_store_fences_receipts_that_jetstream_would_accept(one_node: Nats, tmp_path: Path) -> None:
    queue = queue_of(one_node, tmp_path, 0.3)
    queue.prepare()
    queue.database.run("INSERT INTO owners VALUES ('user1', 'old', 1)")
    with queue.publishing():
        assert queue.publish("m1", "t1", "s1", "user1")
    with queue.publishing():
        assert not queue.publish("m2", "t1", "s1", "user1"), "the same submission is the same message"
    assert wait_until(lambda: queue.waiting("user1", 5)) == ["m1"]
    old = queue.receive("m1", "old", {"user1": 1})
    queue.database.run("UPDATE owners SET scheduler = 'new', epoch = 2")
    assert wait_until(lambda: queue.waiting("user1", 5)) == ["m1"], "JetStream delivers it again, unrenewed"
    new = wait_until(lambda: received(queue))
    with pytest.raises(NotEnabled):
        queue.renew("m1", old.receipt)
    with pytest.raises(NotEnabled):
        queue.delete("m1", old.receipt)
    queue.renew("m1", new.receipt)
    queue.delete("m1", new.receipt)
    queue.committed()
    assert queue.is_deleted("m1")
    queue.close()


def test_message_goes_to_the_scheduler_that_owns_its_queue(one_node: Nats, tmp_path: Path) -> None:
    """One that does not own it asks for nothing, and gives back at once what it got before it lost the queue."""
    owner, other = (queue_of(one_node, tmp_path, 3600.0) for _ in range(2))
    owner.prepare()
    owner.database.run("INSERT INTO owners VALUES ('user1', 'other', 1)")
    with owner.publishing():
        for number in range(20):
            owner.publish(f"m{number}", f"t{number}", f"s{number}", "user1")
    assert wait_until(lambda: len(other.offered(50, "other")) == 20)
    owner.database.run("UPDATE owners SET scheduler = 'owner', epoch = 2")
    (head,) = {(offer.user, offer.scheduler) for offer in other.offered(50, "other")}
    assert head == ("user1", "owner") and other.offered(50, "other")[0].epoch == 2

    def all_offered() -> list[Offer]:
        other.offered(50, "other")  # what comes by a pull that is still open goes back, too
        found = owner.offered(50, "owner")
        return found if len(found) == 20 else []

    offers = wait_until(all_offered)
    assert {offer.message for offer in offers} == {f"m{number}" for number in range(20)}
    for offer in offers:
        owner.receive(offer.message, "owner", {"user1": 2})
    for queue in (owner, other):
        queue.close()


def received(queue: JetStreamQueue) -> Received | None:
    for message in queue.waiting("user1", 5):
        try:
            return queue.receive(message, "new", {"user1": 2})
        except NotEnabled:
            continue
    return None


def test_message_that_jetstream_lost_is_published_again(one_node: Nats, tmp_path: Path) -> None:
    queue = queue_of(one_node, tmp_path, 0.05)
    queue.prepare()
    with queue.publishing():
        queue.publish("m1", "t1", "s1", "user1")
    queue.link.call(lambda jetstream: jetstream.purge_stream(STREAM))
    assert wait_until(lambda: queue.republish_lost("user1")) == 1
    assert wait_until(lambda: queue.waiting("user1", 5)) == ["m1"]
    assert queue.republish_lost("user1") == 0
    queue.close()


def test_jetstream_server_that_is_not_there_is_reported(tmp_path: Path) -> None:
    made = Platform(tmp_path, {"queue": "nats://127.0.0.1:1"})
    made.function("ledger", LEDGER)
    assert "the store cannot be used: the queue at nats://127.0.0.1:1" in made.refusal()
