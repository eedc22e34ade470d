"""Placement, dispatch, agents' memory, results, retries, and agents that are lost."""

import pytest

from onceproof.implementation.errors import NotEnabled
from onceproof.implementation.in_process.observation import PlacementRow
from tests.helpers.core_steps import dispatched, heard, held, relayed, running, taken_over
from tests.helpers.fixture_types import MakeCore

S1 = {"scheduler": "scheduler1", "message": "message1"}
S2 = {"scheduler": "scheduler2", "message": "message1"}
K1 = {"message": "message1", "attempt": "attempt1"}
WIRE1 = {"scheduler": "scheduler1", "agent": "agent1", **K1}
WIRE2 = {"scheduler": "scheduler2", "agent": "agent1", **K1}


def test_task_runs_from_submission_to_deleted_message(make_core: MakeCore) -> None:
    core = make_core()
    heard(core)
    core.step("record", **S1)
    core.step("delete", **S1)
    core.step("forget", agent="agent1", **K1)
    assert core.observer.runs()["message1"].outcome == "COMPLETED"
    assert core.observer.messages()["message1"].stage == "DELETED"
    assert core.ledger.starts == {("task1", 1): 1}
    assert core.ledger.succeeded == {("task1", 1): 1}
    assert core.agents["agent1"].memory == {}


def test_placement_is_made_once_and_kept(make_core: MakeCore) -> None:
    core = make_core()
    held(core)
    with pytest.raises(NotEnabled):
        core.step("dispatch", **S1, agent="agent1")
    core.step("place", **S1, agent="agent1")
    with pytest.raises(NotEnabled):
        core.step("place", **S1, agent="agent2")
    with pytest.raises(NotEnabled):
        core.step("dispatch", **S1, agent="agent2")
    assert core.observer.placements() == {"message1": PlacementRow("agent1", superseded=False)}


def test_without_sticky_placement_any_agent_is_chosen(make_core: MakeCore) -> None:
    core = make_core(sticky_placement=False)
    held(core)
    core.step("dispatch", **S1, agent="agent2")
    assert set(core.network.requests) == {("scheduler1", "agent2", "message1", 1)}


def test_second_asker_joins_and_both_get_the_result(make_core: MakeCore) -> None:
    core = make_core()
    running(core)
    core.step("scheduler_pause", scheduler="scheduler1")
    taken_over(core)
    core.step("dispatch", **S2, agent="agent1")
    with pytest.raises(NotEnabled):
        core.step("start", **WIRE2)
    core.step("join", **WIRE2)
    core.step("finish", agent="agent1", **K1)
    assert {key[0] for key in core.network.replies} == {"scheduler1", "scheduler2"}
    assert core.ledger.starts == {("task1", 1): 1}


def test_without_join_only_the_first_asker_gets_the_result(make_core: MakeCore) -> None:
    core = make_core(join_running=False)
    running(core)
    core.step("scheduler_pause", scheduler="scheduler1")
    taken_over(core)
    core.step("dispatch", **S2, agent="agent1")
    core.step("join", **WIRE2)
    core.step("finish", agent="agent1", **K1)
    assert {key[0] for key in core.network.replies} == {"scheduler1"}


def test_agent_answers_from_memory_after_the_function_ended(make_core: MakeCore) -> None:
    core = make_core()
    running(core)
    core.step("finish", agent="agent1", **K1)
    core.step("reply_loss", **WIRE1)
    core.step("dispatch", **S1, agent="agent1")
    core.step("answer", **WIRE1)
    core.step("hear", **WIRE1)
    assert core.schedulers["scheduler1"].works["message1"].stage == "SUCCEEDED"
    assert core.ledger.starts == {("task1", 1): 1}


def test_without_agent_dedup_each_request_starts_the_function(make_core: MakeCore) -> None:
    core = make_core(agent_dedup=False)
    dispatched(core)
    core.step("request_duplication", **WIRE1)
    core.step("start", **WIRE1)
    core.step("start", **WIRE1)
    assert core.ledger.starts == {("task1", 1): 2}


def test_duplicated_request_joins_the_running_function(make_core: MakeCore) -> None:
    core = make_core()
    dispatched(core)
    core.step("request_duplication", **WIRE1)
    core.step("start", **WIRE1)
    core.step("join", **WIRE1)
    assert core.network.requests == core.network.duplicates == {}


def test_lost_request_is_sent_again(make_core: MakeCore) -> None:
    core = make_core()
    dispatched(core)
    core.step("request_loss", **WIRE1)
    assert core.schedulers["scheduler1"].works["message1"].stage == "HELD"
    core.step("dispatch", **S1, agent="agent1")
    core.step("start", **WIRE1)


def test_agent_remembers_a_task_until_its_message_is_deleted(make_core: MakeCore) -> None:
    core = make_core()
    heard(core)
    with pytest.raises(NotEnabled):
        core.step("forget", agent="agent1", **K1)
    core.step("record", **S1)
    core.step("delete", **S1)
    core.step("forget", agent="agent1", **K1)


def test_without_retention_the_agent_forgets_when_the_function_ends(make_core: MakeCore) -> None:
    core = make_core(retain_until_delete=False)
    running(core)
    with pytest.raises(NotEnabled):
        core.step("forget", agent="agent1", **K1)
    core.step("finish", agent="agent1", **K1)
    core.step("forget", agent="agent1", **K1)


def test_failed_attempt_is_followed_by_the_next(make_core: MakeCore) -> None:
    core = make_core(attempts=2)
    running(core)
    core.step("function_failure", agent="agent1", **K1)
    core.step("hear", **WIRE1)
    with pytest.raises(NotEnabled):
        core.step("record_failure", **S1)
    core.step("retry", **S1, next_attempt="attempt2")
    assert set(core.observer.failed_attempts()) == {("message1", 1)}
    core.step("dispatch", **S1, agent="agent1")
    second = {"agent": "agent1", "scheduler": "scheduler1", "message": "message1", "attempt": "attempt2"}
    core.step("start", **second)
    core.step("function_failure", agent="agent1", message="message1", attempt="attempt2")
    core.step("hear", **second)
    with pytest.raises(NotEnabled):
        core.step("retry", **S1, next_attempt="attempt3")
    core.step("record_failure", **S1)
    assert core.observer.runs()["message1"].outcome == "FAILED"
    assert core.ledger.starts == {("task1", 1): 1, ("task1", 2): 1}


def test_second_result_of_an_attempt_is_not_recorded(make_core: MakeCore) -> None:
    core = make_core()
    heard(core)
    core.step("scheduler_pause", scheduler="scheduler1")
    taken_over(core)
    core.step("dispatch", **S2, agent="agent1")
    core.step("answer", **WIRE2)
    core.step("hear", **WIRE2)
    core.step("record", **S2)
    core.step("scheduler_resume", scheduler="scheduler1")
    with pytest.raises(NotEnabled):
        core.step("record", **S1)
    core.step("overtaken", **S1)
    core.step("receipt_refused", **S1)


def test_task_of_a_lost_agent_fails_visibly(make_core: MakeCore) -> None:
    core = make_core()
    running(core)
    with pytest.raises(NotEnabled):
        core.step("fail_lost", **S1)
    core.step("agent_crash", agent="agent1")
    assert core.schedulers["scheduler1"].works["message1"].stage == "HELD"
    with pytest.raises(NotEnabled):
        core.step("dispatch", **S1, agent="agent1")
    core.step("fail_lost", **S1)
    core.step("delete", **S1)
    assert core.observer.runs()["message1"].outcome == "FAILED"


def test_task_of_a_lost_agent_is_placed_again_by_the_other_policy(make_core: MakeCore) -> None:
    core = make_core(fail_on_agent_loss=False)
    running(core)
    core.step("agent_crash", agent="agent1")
    core.step("replace", **S1, agent="agent2")
    core.step("dispatch", **S1, agent="agent2")
    core.step("start", agent="agent2", **S1, attempt="attempt1")
    assert core.ledger.starts == {("task1", 1): 2}


def test_restarted_agent_is_not_mistaken_for_its_predecessor(make_core: MakeCore) -> None:
    core = make_core()
    running(core)
    core.step("agent_crash", agent="agent1")
    core.step("agent_boot", agent="agent1")
    assert core.store.incarnation("agent1") == 2
    placement = core.store.placement("message1")
    assert placement is not None and placement.gone
    with pytest.raises(NotEnabled):
        core.step("dispatch", **S1, agent="agent1")
    core.step("fail_lost", **S1)


def test_only_an_idle_agent_with_empty_memory_is_recycled(make_core: MakeCore) -> None:
    core = make_core()
    heard(core)
    with pytest.raises(NotEnabled):
        core.step("agent_recycle", agent="agent1")
    core.step("agent_recycle", agent="agent2")
    core.step("record", **S1)
    core.step("delete", **S1)
    core.step("forget", agent="agent1", **K1)
    core.step("agent_recycle", agent="agent1")


def test_message_that_is_too_old_expires_until_it_is_begun(make_core: MakeCore) -> None:
    core = make_core()
    dispatched(core)
    core.step("request_duplication", **WIRE1)
    core.step("request_loss", **WIRE1)
    relayed(core, "task2", "message2")
    core.step("receive", scheduler="scheduler1", message="message2")
    core.step("expire", **S1)
    with pytest.raises(NotEnabled):
        core.step("start", **WIRE1)
    core.step("turn_away", **WIRE1)
    for name, wire in (("place", {}), ("dispatch", {}), ("start", {"attempt": "attempt1"})):
        core.step(name, scheduler="scheduler1", message="message2", agent="agent1", **wire)
    core.step("scheduler_crash", scheduler="scheduler1")
    core.step("scheduler_restart", scheduler="scheduler1")
    core.step("lapse", message="message2")
    core.step("receive", scheduler="scheduler1", message="message2")
    with pytest.raises(NotEnabled):
        core.step("expire", scheduler="scheduler1", message="message2")
    assert core.observer.runs()["message1"].outcome == "EXPIRED"
    assert core.ledger.starts == {("task2", 1): 1}


def test_task_of_a_lost_agent_is_placed_anew_unless_it_was_begun(make_core: MakeCore) -> None:
    core = make_core()
    dispatched(core)
    core.step("agent_crash", agent="agent1")
    with pytest.raises(NotEnabled):
        core.step("fail_lost", **S1)
    core.step("unplace", **S1)
    assert core.observer.placements() == {}
    core.step("place", **S1, agent="agent2")
    core.step("dispatch", **S1, agent="agent2")
    core.step("start", agent="agent2", scheduler="scheduler1", **K1)
    core.step("agent_crash", agent="agent2")
    with pytest.raises(NotEnabled):
        core.step("unplace", **S1)
    core.step("fail_lost", **S1)
    assert core.ledger.starts == {("task1", 1): 1}


def test_incarnation_that_is_known_to_be_gone_begins_nothing(make_core: MakeCore) -> None:
    core = make_core()
    dispatched(core)
    core.store.agent_gone("agent1", 1)
    with pytest.raises(NotEnabled):
        core.step("start", **WIRE1)
    core.step("request_loss", **WIRE1)
    core.step("unplace", **S1)
    assert core.ledger.starts == {}


def test_retry_that_no_agent_has_begun_is_placed_anew(make_core: MakeCore) -> None:
    core = make_core(attempts=2)
    running(core)
    core.step("function_failure", agent="agent1", **K1)
    core.step("hear", **WIRE1)
    core.step("retry", **S1, next_attempt="attempt2")
    core.step("agent_crash", agent="agent1")
    core.step("unplace", **S1)
    core.step("place", **S1, agent="agent2")
    assert core.observer.runs()["message1"].begun == 1
