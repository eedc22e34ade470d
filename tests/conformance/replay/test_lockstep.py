"""Replay step by step: no false alarm on the reference core, and a labelled difference where there is one."""

import random
from collections import Counter

import pytest

from onceproof.conformance.driver import Abilities, DriverError, Observation, setting_of
from onceproof.conformance.reference.core_driver import CoreDriver
from onceproof.conformance.reference.system_driver import ABILITIES
from onceproof.conformance.replay.lockstep import Disagreement, Kind, Lockstep, random_traces, replay
from onceproof.conformance.replay.negative_tests import Guards, NegativeTests
from onceproof.model.language import Step, System, build
from onceproof.model.language.layout import State as PackedState
from onceproof.model.protocol.system import PROTOCOL
from tests.helpers.present import present
from tests.helpers.systems import ModelDriver, small

BIG = {
    "tasks": 2,
    "submissions": 2,
    "schedulers": 2,
    "agents": 2,
    "users": 2,
    "attempts": 2,
    "messages": 3,
    "stops": 1,
    "expiries": 1,
}


def test_core_driver_accounts_for_every_field_and_action_of_the_model() -> None:
    fields = set(PROTOCOL.fields)
    assert ABILITIES.observes | set(ABILITIES.unseen) == fields
    assert not ABILITIES.observes & set(ABILITIES.unseen)
    assert ABILITIES.performs == set(PROTOCOL.actions)
    assert set(ABILITIES.lenient) <= ABILITIES.performs
    assert all(ABILITIES.sources[name] for name in ABILITIES.observes)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_replay_raises_no_false_alarm_on_a_thousand_random_traces(core: CoreDriver) -> None:
    """Each with its own sizes, mechanisms and faults; what the model forbids on the way is refused."""
    chance = random.Random(7)
    fired: Counter[str] = Counter()
    traces = 0
    while traces < 1000:
        faults = {name: chance.choice([1, 2, None]) if chance.random() < 0.3 else 0 for name in PROTOCOL.faults}
        off = {name: False for name in PROTOCOL.switches if chance.random() < 0.15}
        sizes = {name: 2 if chance.random() < 0.4 else 1 for name in BIG}
        system = build(PROTOCOL, PROTOCOL.configure(sizes, off, faults))
        lockstep = Lockstep(system, core)
        lockstep.begin()
        refusals = NegativeTests(system, lockstep.abilities, seed=traces)
        for trace in random_traces(system, 25, 40, seed=traces):
            traces += 1
            lockstep.begin()
            for step, after in zip(trace.steps, trace.states[1:], strict=True):
                lockstep.take(step, after)
                fired[step.action] += 1
            lockstep.expect_refusals(refusals.choose(trace.states[-1], 10))
    rare = {
        "record_failure",
        "replace",
        "fail_lost",
        "hand_over",
        "join",
        "retry",
    }  # covers and shared traces have them
    assert set(PROTOCOL.actions) - set(fired) <= rare


@pytest.mark.parametrize("mechanism", [None, *PROTOCOL.switches])
def test_replay_raises_no_false_alarm_with_a_mechanism_off(core: CoreDriver, mechanism: str | None) -> None:
    off = {mechanism: False} if mechanism else {}
    system = build(PROTOCOL, PROTOCOL.configure(BIG, off, dict.fromkeys(PROTOCOL.faults, 1)))
    results = [replay(trace, core) for trace in random_traces(system, 8, 40, seed=3)]
    assert [result.disagreement for result in results] == [None] * 8
    assert sum(result.compared for result in results) > 100


class Spoiled(ModelDriver):
    """Loses what ``hear_answer`` brings, and deletes for anyone."""

    def take(self, step: Step) -> PackedState | None:
        after = super().take(step)
        if step.action == "hear_answer" and after is not None:
            place = self.system.layout.places["call"]
            after = (*after[: place.offset], 1, *after[place.offset + 1 :])
        if step.action == "refuse" and after is None:
            return self.state
        return after


def walked(system: System, *names: str) -> tuple[list[Step], list[PackedState]]:
    """The states along the first enabled step of each of these actions."""
    states, steps = [system.initial], list[Step]()
    for name in names:
        arguments, after = next(iter(system.steps_of(name, states[-1])))
        steps.append(Step(name, arguments))
        states.append(after)
    return steps, states


def test_difference_names_the_cell_and_both_values() -> None:
    system = small()
    lockstep = Lockstep(system, Spoiled(system))
    steps, states = walked(system, "submit", "admit", "hear_answer")
    lockstep.begin()
    lockstep.take(steps[0], states[1])
    lockstep.take(steps[1], states[2])
    with pytest.raises(Disagreement) as caught:
        lockstep.take(steps[2], states[3])
    assert caught.value.kind is Kind.DIFFERENT
    [difference] = caught.value.differences
    assert (difference.label, difference.model, difference.system) == (
        "call[task1, submission1]",
        "ACCEPTED",
        "WAITING",
    )


class Refusing(ModelDriver):
    """Takes no step."""

    def take(self, step: Step) -> PackedState | None:
        return None


def test_refusal_of_an_allowed_step_is_reported_as_missing() -> None:
    system = small()
    lockstep = Lockstep(system, Refusing(system))
    lockstep.begin()
    steps, states = walked(system, "submit")
    with pytest.raises(Disagreement, match="the model forbids it") as caught:
        lockstep.take(steps[0], states[1])
    assert caught.value.kind is Kind.MISSING


def test_forbidden_step_that_succeeds_is_reported_as_unexpected() -> None:
    system = small()
    lockstep = Lockstep(system, Spoiled(system))
    lockstep.begin()
    step = system.parse_step("refuse", {"task": "task1", "submission": "submission1"})
    with pytest.raises(Disagreement, match="what the model forbids") as caught:
        lockstep.expect_refusals([step])
    assert (caught.value.kind, caught.value.forbidden) == (Kind.UNEXPECTED, (step,))


def test_spent_fault_budget_does_not_make_a_step_forbidden() -> None:
    system = small(scheduler_crash=1)
    crash = system.parse_step("scheduler_crash", {"scheduler": "scheduler1"})
    spent = present(system.step(system.initial, crash))
    other = system.parse_step("scheduler_crash", {"scheduler": "scheduler2"})
    assert system.step(spent, other) is None
    assert not Guards(system).forbids(spent, other)
    assert Guards(system).forbids(spent, crash)


def test_replay_on_a_partial_driver_stops_at_the_first_action_it_lacks() -> None:
    system = small()
    driver = ModelDriver(system, performs={"submit", "admit"}, hidden={"post"})
    trace = next(iter(random_traces(system, 1, 30, seed=1)))
    result = replay(trace, driver)
    assert result.disagreement is None
    assert result.not_performed == trace.steps[result.steps].action
    assert result.not_performed not in driver.performs


@pytest.mark.parametrize(
    ("abilities", "message"),
    [
        (Abilities("d", frozenset({"recieve"}), frozenset({"call"})), "action `recieve`.*did you mean `receive`"),
        (Abilities("d", frozenset({"receive"}), frozenset({"calls"})), "`calls`.*did you mean `call`"),
        (Abilities("d", frozenset({"receive"}), frozenset()), "observes nothing"),
        (Abilities("d", frozenset(), frozenset({"call"})), "performs nothing"),
    ],
)
def test_abilities_unknown_to_the_model_are_refused(
    abilities: Abilities, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = small()
    driver = ModelDriver(system)
    monkeypatch.setattr(driver, "reset", lambda setting: abilities)
    with pytest.raises(DriverError, match=message):
        Lockstep(system, driver).begin()


@pytest.mark.parametrize(
    ("seen", "message"),
    [
        ({"stage": {"message9": "VISIBLE"}}, r"stage\[message9\].*did you mean `message1`"),
        ({"stage": {"message1": "SEEN"}}, r"stage\[message1\] = 'SEEN', expected one of ABSENT, VISIBLE"),
        ({"stage": {"message1": ["VISIBLE"]}}, r"stage\[message1\] = \['VISIBLE'\]"),
        ({"stages": {}}, "`stages`, which it did not announce; did you mean `stage`"),
    ],
)
def test_observations_unknown_to_the_model_are_refused(
    seen: Observation, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = small()
    driver = ModelDriver(system)
    monkeypatch.setattr(driver, "observe", lambda: seen)
    with pytest.raises(DriverError, match=message):
        Lockstep(system, driver).begin()


def test_setting_sent_to_a_driver_has_names_and_numbers_only() -> None:
    setting = setting_of(small({"tasks": 2}, {"renewal": False}, scheduler_crash=None, reply_loss=2))
    assert (setting["model"], setting["sizes"]["tasks"], setting["mechanisms"]["renewal"]) == (
        "task-dispatch",
        2,
        False,
    )
    assert (setting["faults"]["scheduler_crash"], setting["faults"]["reply_loss"]) == ("any", 2)
