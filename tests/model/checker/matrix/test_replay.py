"""A counterexample that is asked of another system: which loops are fair there."""

from enum import Enum
from typing import Any

import pytest

from onceproof.model.checker.matrix.cases import Case, Finding, Setting
from onceproof.model.checker.matrix.replay import UntracedSystem, breaks
from onceproof.model.checker.results import Verdict
from onceproof.model.language import Fairness, Model, action, eventually, field, require
from onceproof.model.language.system import Step


class At(Enum):
    LEFT, RIGHT, GOAL = range(3)


def go_right(st: Any) -> None:
    require(st.at == At.LEFT)
    st.at = At.RIGHT


def go_left(st: Any) -> None:
    require(st.at == At.RIGHT)
    st.at = At.LEFT


def score(st: Any) -> None:
    """Possible in both places; on the left it changes nothing."""
    require(st.at != At.GOAL)
    if st.at == At.RIGHT:
        st.at = At.GOAL


def scores(st: Any) -> bool:
    return bool(st.at == At.GOAL)


@pytest.mark.parametrize(("fairness", "broken"), [(Fairness.STRONG, False), (Fairness.WEAK, True)])
def test_step_that_changes_nothing_is_not_taken_for_one_that_does(fairness: Fairness, broken: bool) -> None:
    """Weak fairness does not ask for a score, which is not possible on the left; strong fairness does."""
    names = {
        "at": field(At),
        "go_right": action(fairness=Fairness.NONE)(go_right),
        "go_left": action(fairness=Fairness.NONE)(go_left),
        "score": action(fairness=fairness)(score),
        "scores": eventually(scores),
    }
    system = UntracedSystem(Setting(Model("court", {"__name__": "court", **names})), Case((), ()))
    steps = (Step("go_right", ()), Step("go_left", ()))
    finding = Finding("scores", "eventually", Verdict.VIOLATED, steps=steps, loop=0)
    assert breaks(system, finding) == broken
