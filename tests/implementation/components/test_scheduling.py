"""Queues, owners, leases and receipts; schedulers that die, sleep and wake."""

from typing import Any

import pytest

from onceproof.implementation.errors import NotEnabled
from tests.helpers.core_steps import heard, held, relayed, running, submitted, taken_over
from tests.helpers.fixture_types import MakeCore

S1 = {"scheduler": "scheduler1", "message": "message1"}
S2 = {"scheduler": "scheduler2", "message": "message1"}


def test_received_message_is_invisible_until_its_lease_ends(make_core: MakeCore) -> None:
    core = make_core()
    held(core)
    row = core.observer.messages()["message1"]
    assert (row.stage, row.holder) == ("INVISIBLE", "scheduler1")
    assert core.queue.waiting("user1", 10) == []
    core.clock.move_to(core.clock.now_ns() + core.settings.lease_ns - 1)
    assert core.observer.messages()["message1"].stage == "INVISIBLE"
    core.clock.move_to(core.clock.now_ns() + 1)
    row = core.observer.messages()["message1"]
    assert (row.stage, row.holder) == ("VISIBLE", None)
    assert core.queue.waiting("user1", 10) == ["message1"]


def test_users_without_messages_are_not_looked_at(make_core: MakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    core = make_core(users=3)
    for number in (1, 2, 4, 7):  # three of the first user, one of the second
        relayed(core, f"task{number}", f"message{number}")
        core.clock.move_to(core.clock.now_ns() + 1)
    for number in range(100):
        core.store.put_user(f"idle{number}")
    core.step("assign", scheduler="scheduler2", user="user1")
    asked: list[str] = []
    rows = core.database.rows

    def noted(sql: str, *values: Any) -> list[tuple[Any, ...]]:
        asked.append(sql)
        return rows(sql, *values)

    monkeypatch.setattr(core.database, "rows", noted)
    offers = core.queue.offered(2, "scheduler1")
    assert [(offer.message, offer.user, offer.scheduler, offer.epoch) for offer in offers] == [
        ("message1", "user1", "scheduler2", 1),
        ("message4", "user1", "scheduler2", 1),
        ("message2", "user2", None, None),
    ]
    assert len(asked) == 1
    assert [offer.message for offer in core.queue.offered(9, "scheduler1")] == [
        "message1",
        "message4",
        "message7",
        "message2",
    ]


def test_renewal_extends_the_lease_of_a_message(make_core: MakeCore) -> None:
    core = make_core()
    held(core)
    core.clock.move_to(core.clock.now_ns() + core.settings.lease_ns - 1)
    core.step("renew", **S1)
    core.clock.move_to(core.clock.now_ns() + core.settings.lease_ns - 1)
    assert core.observer.messages()["message1"].holder == "scheduler1"


def test_lapse_of_one_lease_leaves_the_others(make_core: MakeCore) -> None:
    core = make_core()
    held(core)
    relayed(core, "task2", "message2")
    core.step("receive", scheduler="scheduler1", message="message2")
    core.step("lapse", message="message1")
    stages = {message: row.stage for message, row in core.observer.messages().items()}
    assert stages == {"message1": "VISIBLE", "message2": "INVISIBLE"}
    assert core.load_balancer.up() == ["scheduler1", "scheduler2"]


def test_only_the_owner_of_a_queue_receives(make_core: MakeCore) -> None:
    core = make_core()
    relayed(core)
    with pytest.raises(NotEnabled):
        core.step("receive", **S1)
    core.step("assign", scheduler="scheduler1", user="user1")
    with pytest.raises(NotEnabled):
        core.step("receive", **S2)
    core.step("receive", **S1)


def test_queue_stays_with_an_owner_that_is_up(make_core: MakeCore) -> None:
    core = make_core()
    core.step("assign", scheduler="scheduler1", user="user1")
    with pytest.raises(NotEnabled):
        core.step("assign", scheduler="scheduler2", user="user1")
    core.step("scheduler_pause", scheduler="scheduler1")
    core.step("assign", scheduler="scheduler2", user="user1")
    assert core.observer.owners() == {"user1": "scheduler2"}


@pytest.mark.parametrize("owner_epoch", [True, False])
def test_new_owner_epoch_ends_the_rights_of_the_old_owner(make_core: MakeCore, owner_epoch: bool) -> None:
    core = make_core(owner_epoch=owner_epoch)
    relayed(core)
    core.step("assign", scheduler="scheduler1", user="user1")
    core.step("stale_owner", scheduler="scheduler2", user="user1")
    if owner_epoch:
        with pytest.raises(NotEnabled):
            core.step("receive", **S1)
        core.step("receive", **S2)
    else:
        core.step("receive", **S1)


def test_each_user_has_its_own_queue(make_core: MakeCore) -> None:
    core = make_core(users=2)
    for number in (1, 2):
        submitted(core, f"task{number}")
        core.step("relay", task=f"task{number}", submission="submission1", message=f"message{number}")
        core.step("assign", scheduler=f"scheduler{number}", user=f"user{number}")
    with pytest.raises(NotEnabled):
        core.step("receive", scheduler="scheduler1", message="message2")
    core.step("receive", scheduler="scheduler2", message="message2")


def test_old_receipt_of_a_zombie_neither_renews_nor_deletes(make_core: MakeCore) -> None:
    core = make_core()
    heard(core)
    core.step("record", **S1)
    core.step("scheduler_pause", scheduler="scheduler1")
    taken_over(core)
    core.step("scheduler_resume", scheduler="scheduler1")
    with pytest.raises(NotEnabled):
        core.step("renew", **S1)
    with pytest.raises(NotEnabled):
        core.step("delete", **S1)
    core.step("receipt_refused", **S1)
    assert core.schedulers["scheduler1"].works == {}
    assert core.observer.messages()["message1"].holder == "scheduler2"
    core.step("skip", **S2)
    core.step("delete", **S2)


def test_without_receipt_fencing_a_zombie_deletes_the_message_of_another(make_core: MakeCore) -> None:
    core = make_core(receipt_fencing=False)
    heard(core)
    core.step("record", **S1)
    core.step("scheduler_pause", scheduler="scheduler1")
    taken_over(core)
    core.step("scheduler_resume", scheduler="scheduler1")
    core.step("renew", **S1)
    core.step("delete", **S1)
    assert core.observer.messages()["message1"].stage == "DELETED"
    core.step("receipt_refused", **S2)


def test_lapsed_receipt_is_invalid_even_if_nobody_received_since(make_core: MakeCore) -> None:
    core = make_core()
    held(core)
    core.step("lease_lapse", message="message1")
    with pytest.raises(NotEnabled):
        core.step("renew", **S1)
    core.step("receive", **S1)
    core.step("renew", **S1)


def test_message_delivered_twice_by_the_broker_has_the_newer_receipt(make_core: MakeCore) -> None:
    core = make_core()
    held(core)
    core.step("broker_duplicate", **S2)
    assert core.observer.messages()["message1"].holder == "scheduler2"
    core.step("receipt_refused", **S1)
    core.step("renew", **S2)


def test_message_deleted_when_received_is_lost_with_its_scheduler(make_core: MakeCore) -> None:
    core = make_core(delete_after_result=False)
    held(core)
    row = core.observer.messages()["message1"]
    assert (row.stage, row.holder) == ("DELETED", "scheduler1")
    core.step("scheduler_crash", scheduler="scheduler1")
    with pytest.raises(NotEnabled):
        core.step("lapse", message="message1")


def test_without_invisibility_two_schedulers_receive_one_message(make_core: MakeCore) -> None:
    core = make_core(invisibility=False)
    held(core)
    core.step("stale_owner", scheduler="scheduler2", user="user1")
    core.step("receive", **S2)
    assert set(core.schedulers["scheduler1"].works) == set(core.schedulers["scheduler2"].works) == {"message1"}


def test_scheduler_crash_loses_memory_and_replies_but_no_requests(make_core: MakeCore) -> None:
    core = make_core()
    running(core)
    core.step("finish", agent="agent1", message="message1", attempt="attempt1")
    assert len(core.network.replies) == 1
    core.step("scheduler_crash", scheduler="scheduler1")
    assert core.network.replies == {}
    assert core.schedulers["scheduler1"].works == {}
    core.step("scheduler_restart", scheduler="scheduler1")
    core.step("lapse", message="message1")
    core.step("receive", **S1)


def test_draining_scheduler_finishes_its_messages_and_receives_no_more(make_core: MakeCore) -> None:
    core = make_core()
    heard(core)
    relayed(core, "task2", "message2")
    core.step("scheduler_upgrade", scheduler="scheduler1")
    with pytest.raises(NotEnabled):
        core.step("receive", scheduler="scheduler1", message="message2")
    with pytest.raises(NotEnabled):
        core.step("upgrade_finish", scheduler="scheduler1")
    core.step("assign", scheduler="scheduler2", user="user1")
    core.step("record", **S1)
    core.step("delete", **S1)
    core.step("upgrade_finish", scheduler="scheduler1")
    assert core.schedulers["scheduler1"].mode == "DOWN"


def test_upgrade_without_draining_stops_a_scheduler_at_once(make_core: MakeCore) -> None:
    core = make_core(graceful_drain=False)
    held(core)
    core.step("scheduler_upgrade", scheduler="scheduler1")
    assert core.schedulers["scheduler1"].mode == "DOWN"
    assert core.schedulers["scheduler1"].works == {}


def test_without_renewal_a_lease_cannot_be_renewed(make_core: MakeCore) -> None:
    core = make_core(renewal=False)
    held(core)
    with pytest.raises(NotEnabled):
        core.step("renew", **S1)


def test_draining_scheduler_gives_back_what_it_has_not_sent(make_core: MakeCore) -> None:
    core = make_core()
    held(core)
    with pytest.raises(NotEnabled):
        core.step("release", **S1)
    core.step("scheduler_upgrade", scheduler="scheduler1")
    core.step("release", **S1)
    assert core.observer.messages()["message1"].stage == "VISIBLE"
    core.step("upgrade_finish", scheduler="scheduler1")
    core.step("assign", scheduler="scheduler2", user="user1")
    core.step("receive", **S2)


@pytest.mark.parametrize("owner_epoch", [True, False])
def test_queue_that_is_handed_over_starts_nothing_twice(make_core: MakeCore, owner_epoch: bool) -> None:
    core = make_core(owner_epoch=owner_epoch)
    running(core)
    relayed(core, "task2", "message2")
    core.step("receive", scheduler="scheduler1", message="message2")
    core.step("hand_over", scheduler="scheduler2", user="user1")
    with pytest.raises(NotEnabled):
        core.step("release", **S1)
    core.step("release", scheduler="scheduler1", message="message2")
    with pytest.raises(NotEnabled):
        core.step("receive", scheduler="scheduler1", message="message2")
    core.step("receive", scheduler="scheduler2", message="message2")
    core.step("finish", agent="agent1", message="message1", attempt="attempt1")
    core.step("hear", scheduler="scheduler1", agent="agent1", message="message1", attempt="attempt1")
    core.step("record", **S1)
    core.step("delete", **S1)
    assert core.ledger.starts == {("task1", 1): 1}
