"""From the client's POST to a message on the queue."""

from pathlib import Path

import pytest

from onceproof.implementation.components.task_store import Submission
from onceproof.implementation.errors import AlreadyRecorded, NotEnabled
from onceproof.implementation.in_process.observation import MessageRow
from tests.helpers.core_steps import relayed, submitted
from tests.helpers.fixture_types import MakeCore

FIRST = {"task": "task1", "submission": "submission1"}
SECOND = {"task": "task1", "submission": "submission2"}


def test_accepted_task_is_recorded_and_waits_in_the_outbox(make_core: MakeCore) -> None:
    core = make_core()
    submitted(core)
    assert core.client.call("task1", "submission1") == "ACCEPTED"
    assert set(core.observer.tasks()) == {"task1"}
    assert core.observer.outbox() == {("task1", "submission1"): False}
    assert core.observer.messages() == {}


def test_known_task_id_is_refused_and_not_recorded_again(make_core: MakeCore) -> None:
    core = make_core()
    core.step("submit", **FIRST)
    core.step("admit", **FIRST)
    core.step("response_loss", **FIRST)
    core.step("submit", **SECOND)
    with pytest.raises(AlreadyRecorded):
        core.step("admit", **SECOND)
    core.step("refuse", **SECOND)
    core.step("hear_answer", **SECOND)
    assert core.client.call("task1", "submission2") == "REFUSED"
    assert core.observer.outbox() == {("task1", "submission1"): False}


def test_without_task_id_dedup_every_submission_is_a_task(make_core: MakeCore) -> None:
    core = make_core(task_id_dedup=False)
    core.step("submit", **FIRST)
    core.step("admit", **FIRST)
    core.step("response_loss", **FIRST)
    core.step("submit", **SECOND)
    with pytest.raises(NotEnabled):
        core.step("refuse", **SECOND)
    core.step("admit", **SECOND)
    assert set(core.observer.outbox()) == {("task1", "submission1"), ("task1", "submission2")}


def test_answer_after_the_clients_time_out_is_not_heard(make_core: MakeCore) -> None:
    core = make_core()
    core.step("submit", **FIRST)
    core.step("response_loss", **FIRST)
    core.step("admit", **FIRST)
    assert core.network.posts == {}
    assert set(core.observer.tasks()) == {"task1"}


def test_submission_lost_before_the_api_server_leaves_no_record(make_core: MakeCore) -> None:
    core = make_core()
    core.step("submit", **FIRST)
    core.step("request_loss_at_api", **FIRST)
    assert core.client.call("task1", "submission1") == "TIMED_OUT"
    with pytest.raises(NotEnabled):
        core.step("admit", **FIRST)


def test_without_the_outbox_a_crash_between_record_and_enqueue_loses_the_task(make_core: MakeCore) -> None:
    core = make_core(atomic_admission=False)
    core.step("submit", **FIRST)
    core.step("admit", **FIRST)
    core.step("api_crash")
    assert core.client.call("task1", "submission1") == "TIMED_OUT"
    assert set(core.observer.tasks()) == {"task1"}
    with pytest.raises(NotEnabled):
        core.step("enqueue", **FIRST, message="message1")


def test_without_the_outbox_the_api_server_enqueues(make_core: MakeCore) -> None:
    core = make_core(atomic_admission=False)
    core.step("submit", **FIRST)
    core.step("admit", **FIRST)
    assert core.network.posts == {}
    core.step("enqueue", **FIRST, message="message1")
    core.step("hear_answer", **FIRST)
    assert core.client.call("task1", "submission1") == "ACCEPTED"
    assert set(core.observer.messages()) == {"message1"}


def test_outbox_row_relayed_twice_makes_one_message(make_core: MakeCore) -> None:
    core = make_core()
    submitted(core)
    core.step("relay", **FIRST, message="message1")
    core.step("relay_crash")
    with pytest.raises(NotEnabled):
        core.step("relay", **FIRST, message="message2")
    core.step("relay_again", **FIRST)
    core.step("mark_relayed", **FIRST)
    assert core.observer.outbox() == {("task1", "submission1"): True}
    assert core.observer.messages() == {"message1": MessageRow("task1", "submission1", "VISIBLE", None, "user1")}


def test_without_idempotent_relay_a_row_relayed_twice_makes_two_messages(make_core: MakeCore) -> None:
    core = make_core(idempotent_relay=False)
    submitted(core)
    core.step("relay", **FIRST, message="message1")
    core.step("relay_crash")
    core.step("relay", **FIRST, message="message2")
    assert set(core.observer.messages()) == {"message1", "message2"}


def test_stopped_task_is_never_completed(make_core: MakeCore) -> None:
    core = make_core()
    relayed(core)
    with pytest.raises(NotEnabled):
        core.step("stop", task="task1", message="message2")
    core.step("stop", task="task1", message="message1")
    assert core.observer.runs()["message1"].outcome == "STOPPED"
    core.step("assign", scheduler="scheduler1", user="user1")
    core.step("receive", scheduler="scheduler1", message="message1")
    with pytest.raises(NotEnabled):
        core.step("place", scheduler="scheduler1", message="message1", agent="agent1")
    core.step("skip", scheduler="scheduler1", message="message1")
    core.step("delete", scheduler="scheduler1", message="message1")
    assert core.observer.messages()["message1"].stage == "DELETED"


def test_committed_task_is_there_for_the_next_process(make_core: MakeCore, tmp_path: Path) -> None:
    core = make_core()
    relayed(core)
    other = type(core.database)(core.database.path)
    assert other.rows("SELECT message, task FROM messages") == [("message1", "task1")]
    other.close()


def test_users_with_pending_rows_have_equal_shares_of_what_is_relayed_next(make_core: MakeCore) -> None:
    store = make_core().store
    for owner, number in (("flood", 50), ("carol", 2), ("bob", 1)):
        for index in range(number):
            task = f"{owner}{index}"
            store.put_outbox(Submission(f"{owner}/f/{task}", f"s{task}", owner))
    owners = [owner for _, _, owner in store.pending(30)]
    assert {owner: owners.count(owner) for owner in set(owners)} == {"flood": 27, "carol": 2, "bob": 1}
    assert len(set(store.pending(30))) == 30, "none is there twice, and what others leave over is used"
    assert [owner for _, _, owner in store.pending(2)] == ["bob", "carol", "flood"], "each has one at least"
    assert len(store.pending(100)) == 53
