"""States have names: shown, read back, compared."""

from collections.abc import Callable
from typing import Any

import pytest

from onceproof.model.language import ModelError, Step, System, build
from onceproof.model.language.layout import State as PackedState
from onceproof.model.protocol.system import PROTOCOL


def after(system: System, *steps: tuple[Any, ...]) -> PackedState:
    state = system.initial
    for action, *arguments in steps:
        found = system.step(state, Step(action, tuple(arguments)))
        assert found is not None, action
        state = found
    return state


def test_shown_state_is_parsed_to_the_same_state() -> None:
    system = build(PROTOCOL, PROTOCOL.configure({"tasks": 2}, {}, {"scheduler_crash": 2, "api_crash": None}))
    state = after(system, ("submit", 1, 0), ("admit", 1, 0), ("relay", 1, 0, 0), ("assign", 1, 0))
    shown = system.layout.show(state)
    assert shown["task_of"] == {"message1": "task2", "message2": None}
    assert shown["owner"] == {"user1": "scheduler2"}
    assert shown["post"]["task2,submission1"] == "SAYS_202"
    assert shown["left_of_scheduler_crash"] == 2
    assert "left_of_api_crash" not in shown
    assert system.layout.parse(shown) == state


def test_changes_between_states_name_only_what_changed() -> None:
    system = build(PROTOCOL)
    before = after(system, ("submit", 0, 0))
    assert system.layout.changes(before, after(system, ("submit", 0, 0), ("admit", 0, 0))) == {
        "post[task1, submission1]": ("REQUEST", "SAYS_202"),
        "recorded[task1]": (False, True),
        "outbox[task1, submission1]": ("EMPTY", "PENDING"),
    }


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda shown: shown.pop("stage"), "no `stage`"),
        (lambda shown: shown["stage"].pop("message1"), r"no proper value for `stage\[message1\]`"),
        (lambda shown: shown["stage"].update(message1="GONE"), r"no proper value for `stage\[message1\]`"),
        (lambda shown: shown.update(stage=7), r"no proper value for `stage\[message1\]`"),
    ],
)
def test_state_of_another_model_is_refused(spoil: Callable[[dict[str, Any]], object], message: str) -> None:
    system = build(PROTOCOL)
    shown = system.layout.show(system.initial)
    spoil(shown)
    with pytest.raises(ModelError, match=message):
        system.layout.parse(shown)


def test_fresh_parameter_takes_the_first_blank_element() -> None:
    system = build(PROTOCOL, PROTOCOL.configure({"tasks": 2}))
    state = after(system, ("submit", 0, 0), ("admit", 0, 0))
    assert [step.arguments for step, _ in system.successors(state) if step.action == "relay"] == [(0, 0, 0)]
    assert system.step(state, Step("relay", (0, 0, 1))) is None
    assert system.step(state, Step("relay", (0, 0, 0))) is not None


def test_steps_are_parsed_and_shown_by_name() -> None:
    system = build(PROTOCOL)
    step = system.parse_step("receive", {"scheduler": "scheduler2", "message": "message1"})
    assert step == Step("receive", (1, 0))
    assert system.named_arguments(step) == {"scheduler": "scheduler2", "message": "message1"}
    assert system.actor(step) == "scheduler2"
    assert system.actor(Step("relay", (0, 0, 0))) == "relay"
    with pytest.raises(ModelError, match="unknown action `recieve`; did you mean `receive`"):
        system.parse_step("recieve", {})
    with pytest.raises(ModelError, match="`scheduler` must be one of scheduler1, scheduler2, found 'scheduler3'"):
        system.parse_step("receive", {"scheduler": "scheduler3", "message": "message1"})
    with pytest.raises(ModelError, match="has no argument `mesage`; did you mean `message`"):
        system.parse_step("receive", {"scheduler": "scheduler1", "mesage": "message1"})
