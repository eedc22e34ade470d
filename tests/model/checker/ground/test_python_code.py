"""Generated code tells exactly what running the model's functions tells."""

import random
import re
import time
from typing import Any

import pytest

from onceproof.model.checker.ground.python_code import GeneratedProperties, GeneratedSystem
from onceproof.model.language import Bag, Model, ModelError, Sort, System, action, build, field
from onceproof.model.language.layout import State
from onceproof.model.protocol.system import PROTOCOL
from tests.helpers.pace import slowness
from tests.helpers.random_models import random_system

CONFIGURATIONS: list[tuple[dict[str, int], dict[str, bool], dict[str, int | None]]] = [
    ({}, {}, {}),
    ({"tasks": 2, "submissions": 2}, {}, {"scheduler_crash": 1, "reply_loss": 1}),
    ({"attempts": 2, "users": 2, "stops": 1, "expiries": 1}, {}, {"function_failure": None, "agent_crash": 1}),
    (
        {"submissions": 2},
        {"atomic_admission": False, "receipt_fencing": False, "owner_epoch": False, "retain_until_delete": False},
        {"api_crash": 1, "stale_owner": 1, "scheduler_pause": 1, "agent_recycle": 1, "response_loss": 1},
    ),
    (
        {"messages": 2},
        {"idempotent_relay": False, "sticky_placement": False, "join_running": False, "invisibility": False},
        {"relay_crash": 1, "request_duplication": 1, "lease_lapse": 1, "broker_duplicate": 1, "scheduler_upgrade": 1},
    ),
]


def protocol(number: int) -> System:
    sizes, switches, budgets = CONFIGURATIONS[number]
    return build(PROTOCOL, PROTOCOL.configure(sizes, switches, budgets))


def by_faults(system: System, judge: GeneratedProperties, state: State) -> set[int]:
    """The numbers of the properties of steps that a fault violates in a state."""
    after_faults = [after for step, after in system.successors(state) if system.actions[step.action].fault]
    return {
        number + len(judge.instances)
        for number, (claim, arguments) in enumerate(judge.instances)
        if claim.kind == "step"
        and any(system.holds_of_step(claim, state, after, arguments) is False for after in after_faults)
    }


def agree(system: System, seed: int, states: int) -> None:
    """Random walks from the initial state: in every state both tell the same steps and the same truths."""
    generated = GeneratedSystem(system)
    numbers = {step: number for number, step in enumerate(generated.steps)}
    claims = [claim for claim in system.model.properties.values() if claim.kind not in ("ending", "refines")]
    judge = generated.properties(claims)
    rand = random.Random(seed)
    state = system.initial
    for _ in range(states):
        expected = [(numbers[step], after) for step, after in system.successors(state)]
        assert generated.successors(state) == expected
        truths = [system.holds(claim, state, arguments) for claim, arguments in judge.instances]
        assert [judge.truth(number)(state) for number in range(len(truths))] == truths
        kinds = [claim.kind for claim, _ in judge.instances]
        false = {n for n, truth in enumerate(truths) if kinds[n] in ("always", "step") and truth is False}
        true = [n for n, truth in enumerate(truths) if kinds[n] == "sometimes" and truth is True]
        assert {number % len(truths) for number in judge.violated(state)} == false
        assert {n for n in judge.violated(state) if judge.owner(n)[2]} == by_faults(system, judge, state)
        assert sorted(judge.shown(state)) == true
        state = rand.choice(expected)[1] if expected and rand.random() < 0.97 else system.initial


@pytest.mark.parametrize("number", range(len(CONFIGURATIONS)))
def test_generated_code_takes_the_steps_of_the_protocol(number: int) -> None:
    agree(protocol(number), number, 250)


@pytest.mark.parametrize("start", range(0, 60, 10))
def test_generated_code_takes_the_steps_of_random_models(start: int) -> None:
    for seed in range(start, start + 10):
        agree(random_system(seed), seed, 60)


def test_generated_code_keeps_its_rate_on_the_protocol() -> None:
    """Far above what running the functions does; the floor is low because machines differ."""
    system = protocol(1)
    began = time.process_time()
    generated = GeneratedSystem(system)
    judge = generated.properties(system.properties())
    assert time.process_time() - began < 3 * slowness()
    seen, queue = {system.initial}, [system.initial]
    began = time.process_time()
    for state in queue:
        for _, after in generated.successors(state):
            if after not in seen:
                seen.add(after)
                queue.append(after)
                judge.violated(after)
        if len(seen) > 20_000:
            break
    assert len(seen) / (time.process_time() - began) > 5_000 / slowness()


def test_generated_code_reads_like_the_model() -> None:
    lines = [line.strip() for line in GeneratedSystem(protocol(0)).source.splitlines()]
    assert any(re.fullmatch(r"after_\[\d+\] = 1  # work_scheduler1_message1", line) for line in lines)
    assert not any("admitting" in line for line in lines)  # no step of this configuration can change it


def faulty() -> Model:
    from onceproof.model.language import Optional, Sort, action, always, field

    class Thing(Sort, default=2):
        """A thing."""

    pointer = field(Optional[Thing])
    flag = field(Thing, bool)

    def follow(st, thing: Thing):  # type: ignore[no-untyped-def]
        st.flag[st.pointer] = True

    def point(st, thing: Thing):  # type: ignore[no-untyped-def]
        st.pointer = thing

    def claim(st):  # type: ignore[no-untyped-def]
        return not st.flag[st.pointer]

    for function in (follow, point, claim):
        function.__annotations__.update({"thing": Thing} if function is not claim else {})
    names = {"pointer": pointer, "flag": flag, "follow": action(follow), "point": action(point)}
    return Model("faulty", {"__name__": "faulty", **names, "claim": always(claim)})


def test_failure_of_the_model_is_reported_with_its_place() -> None:
    system = build(faulty())
    generated = GeneratedSystem(system)
    with pytest.raises(
        ModelError, match=r"action `follow`, test_python_code.py:\d+: `flag` is indexed by .*found None"
    ):
        generated.successors(system.initial)
    judge = generated.properties(system.properties())
    with pytest.raises(ModelError, match=r"property `claim`, test_python_code.py:\d+"):
        judge.violated(system.initial)
    with pytest.raises(ModelError, match=r"property `claim`"):
        judge.truth(0)(system.initial)
    pointed = next(system.steps_of("point", system.initial))[1]
    assert [generated.steps[n].action for n, _ in generated.successors(pointed)] == [
        "follow",
        "follow",
        "point",
        "point",
    ]


class Thing(Sort, default=2):
    """What may be in a bag."""


def test_message_is_taken_under_two_conditions_out_of_a_bag_in_which_nothing_ever_is() -> None:
    """The count of it would be negative, and could not be written: the guard rules that out only in the end."""

    def turn(st: Any) -> None:
        st.one, st.other = st.other, not st.one

    def take(st: Any, thing: Thing) -> None:
        if st.one and st.other:
            st.held.receive(thing)

    model = Model(
        "empty",
        {
            "__name__": "empty",
            "Thing": Thing,
            "held": field(Bag(Thing, 2)),
            "one": field(bool),
            "other": field(bool),
            "turn": action(turn),
            "take": action(take),
        },
    )
    agree(build(model), 1, 50)
