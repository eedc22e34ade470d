"""Queues, owners, leases and receipts; schedulers that die, sleep and wake."""

import pytest

from onceproof.implementation.errors import NotEnabled
from tests.helpers.core_steps import heard, held, relayed, running, submitted, taken_over
from tests.helpers.fixture_types import MakeCore

S1 = {"scheduler": "scheduler1", "message": "message1"}
S2 = {"scheduler": "scheduler2", "message": "message1"}


def test_a_received_message_is_hidden_until_its_lease_ends(make_core: MakeCore) -> None:
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


def test_renewal_extends_the_lease(make_core: MakeCore) -> None:
    core = make_core()
    held(core)
    core.clock.move_to(core.clock.now_ns() + core.settings.lease_ns - 1)
    core.step("renew", **S1)
    core.clock.move_to(core.clock.now_ns() + core.settings.lease_ns - 1)
    assert core.observer.messages()["message1"].holder == "scheduler1"


def test_one_lease_lapses_and_no_other(make_core: MakeCore) -> None:
    core = make_core()
    held(core)
    relayed(core, "task2", "message2")
    core.step("receive", scheduler="scheduler1", message="message2")
    core.step("lapse", message="message1")
    stages = {message: row.stage for message, row in core.observer.messages().items()}
    assert stages == {"message1": "VISIBLE", "message2": "INVISIBLE"}
    assert core.load_balancer.up() == ["scheduler1", "scheduler2"]


def test_only_the_owner_receives(make_core: MakeCore) -> None:
    core = make_core()
    relayed(core)
    with pytest.raises(NotEnabled):
        core.step("receive", **S1)
    core.step("assign", scheduler="scheduler1", user="user1")
    with pytest.raises(NotEnabled):
        core.step("receive", **S2)
    core.step("receive", **S1)


def test_an_owner_that_is_up_keeps_its_queue(make_core: MakeCore) -> None:
    core = make_core()
    core.step("assign", scheduler="scheduler1", user="user1")
    with pytest.raises(NotEnabled):
        core.step("assign", scheduler="scheduler2", user="user1")
    core.step("scheduler_pause", scheduler="scheduler1")
    core.step("assign", scheduler="scheduler2", user="user1")
    assert core.observer.owners() == {"user1": "scheduler2"}


@pytest.mark.parametrize("owner_epoch", [True, False])
def test_the_epoch_ends_the_old_owners_rights(make_core: MakeCore, owner_epoch: bool) -> None:
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


def test_users_have_queues_of_their_own(make_core: MakeCore) -> None:
    core = make_core(users=2)
    for number in (1, 2):
        submitted(core, f"task{number}")
        core.step("relay", task=f"task{number}", submission="submission1", message=f"message{number}")
        core.step("assign", scheduler=f"scheduler{number}", user=f"user{number}")
    with pytest.raises(NotEnabled):
        core.step("receive", scheduler="scheduler1", message="message2")
    core.step("receive", scheduler="scheduler2", message="message2")


def test_a_zombies_receipt_neither_renews_nor_deletes(make_core: MakeCore) -> None:
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


def test_without_fencing_the_zombie_deletes_anothers_message(make_core: MakeCore) -> None:
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


def test_a_lapsed_receipt_is_no_good_even_if_nobody_else_came(make_core: MakeCore) -> None:
    core = make_core()
    held(core)
    core.step("lease_lapse", message="message1")
    with pytest.raises(NotEnabled):
        core.step("renew", **S1)
    core.step("receive", **S1)
    core.step("renew", **S1)


def test_the_duplicate_of_a_broker_has_the_newer_receipt(make_core: MakeCore) -> None:
    core = make_core()
    held(core)
    core.step("broker_duplicate", **S2)
    assert core.observer.messages()["message1"].holder == "scheduler2"
    core.step("receipt_refused", **S1)
    core.step("renew", **S2)


def test_deleted_when_received_is_lost_with_its_scheduler(make_core: MakeCore) -> None:
    core = make_core(delete_after_result=False)
    held(core)
    row = core.observer.messages()["message1"]
    assert (row.stage, row.holder) == ("DELETED", "scheduler1")
    core.step("scheduler_crash", scheduler="scheduler1")
    with pytest.raises(NotEnabled):
        core.step("lapse", message="message1")


def test_without_invisibility_two_schedulers_have_it(make_core: MakeCore) -> None:
    core = make_core(invisibility=False)
    held(core)
    core.step("stale_owner", scheduler="scheduler2", user="user1")
    core.step("receive", **S2)
    assert set(core.schedulers["scheduler1"].works) == set(core.schedulers["scheduler2"].works) == {"message1"}


def test_a_crash_takes_memory_and_replies_but_not_requests(make_core: MakeCore) -> None:
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


def test_draining_finishes_what_is_in_hand_and_takes_no_more(make_core: MakeCore) -> None:
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


def test_an_upgrade_without_draining_stops_at_once(make_core: MakeCore) -> None:
    core = make_core(graceful_drain=False)
    held(core)
    core.step("scheduler_upgrade", scheduler="scheduler1")
    assert core.schedulers["scheduler1"].mode == "DOWN"
    assert core.schedulers["scheduler1"].works == {}


def test_renewal_off_cannot_renew(make_core: MakeCore) -> None:
    core = make_core(renewal=False)
    held(core)
    with pytest.raises(NotEnabled):
        core.step("renew", **S1)
