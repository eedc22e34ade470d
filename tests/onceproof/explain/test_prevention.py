"""What would have prevented a counterexample: only what was checked is claimed, and it says how much that was."""

from collections import deque
from pathlib import Path

import pytest

from onceproof.explain import prevention
from onceproof.explain.explanation import Explanation
from onceproof.explain.prevention import Checked
from onceproof.inputs.specs import load_spec
from onceproof.model.checker.engines import Options, check
from onceproof.model.language import build
from onceproof.reports.check_outcome import Outcome
from onceproof.reports.trace_text import explanation_lines
from tests.paths import SPECS

MODEL = '''
from onceproof import *

broken = field(bool)
swept = field(bool)
ready = field(bool)
lock = switch(on="nothing breaks", off="anything may break")
front_door = switch(on="the front door is closed", off="it is open")
slow = switch(on="one must get ready first", off="no preparation is needed")
sweeper = switch(on="somebody sweeps afterwards", off="nobody sweeps")

@action
def break_in(st):
    require(not st.broken and not st.lock and not st.front_door and (st.ready or not st.slow))
    st.broken = True

@action
def break_by_the_back(st):
    require(not st.broken and not st.lock and (st.ready or not st.slow) and st.front_door)
    st.broken = True

@action
def prepare(st):
    require(st.slow and not st.ready)
    st.ready = True

@action
def wait(st):
    require(st.slow and st.ready and not st.broken)
    st.ready = False

@action
def sweep(st):
    require(st.sweeper and st.broken and not st.swept)
    st.swept = True

@always
def whole(st):
    """Nothing is broken."""
    return not st.broken

@ending
def over(st):
    return st.broken or st.lock
'''


@pytest.fixture(autouse=True)
def forget_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prevention, "_results", {})


def explained(path: Path) -> Explanation:
    spec = load_spec(path)
    chosen = spec.properties if spec.chosen else None
    explanation = Outcome(spec, check(spec.system, chosen, Options("plain"))).explanation
    assert explanation is not None
    return explanation


def explained_model(folder: Path, model: str, spec: str) -> Explanation:
    (folder / "doors.py").write_text(model, encoding="utf-8")
    path = folder / "doors.yaml"
    path.write_text(f"model: doors.py\n{spec}\n", encoding="utf-8")
    return explained(path)


def off(*mechanisms: str) -> str:
    return f"mechanisms: {{{', '.join(f'{name}: off' for name in mechanisms)}}}"


def found(explanation: Explanation, mechanism: str) -> tuple[bool, Checked, str]:
    (one,) = [one for one in explanation.preventions if one.mechanism == mechanism]
    return one.prevents, one.checked, one.text


def test_a_mechanism_that_disables_every_way_prevents_in_all_runs(tmp_path: Path) -> None:
    explanation = explained_model(tmp_path, MODEL, off("lock", "front_door", "slow", "sweeper"))
    assert found(explanation, "lock") == (
        True,
        Checked.ALL,
        "lock: with it on, step 1, doors break_in(), is not enabled; no run violates whole (all 1 states were checked)",
    )


def test_another_run_of_the_same_length_means_that_nothing_is_prevented(tmp_path: Path) -> None:
    explanation = explained_model(tmp_path, MODEL, off("lock", "front_door", "slow", "sweeper"))
    assert found(explanation, "front_door") == (
        False,
        Checked.LENGTH,
        "front_door: with it on, step 1, doors break_in(), is not enabled; but another run of 1 step violates whole: "
        "break_by_the_back",
    )


def test_a_longer_run_is_not_excluded_and_the_text_says_so(tmp_path: Path) -> None:
    """With `slow` one more step is needed: the run itself is repaired by it, and violates the property still."""
    explanation = explained_model(tmp_path, MODEL, off("lock", "front_door", "slow", "sweeper"))
    assert found(explanation, "slow") == (False, Checked.STEPS, "slow: with it on, the same steps violate whole")
    # Where the preparation needs two steps, no single inserted step repairs the run.
    model = MODEL.replace("ready = field(bool)", "ready = field(bool)\nthought = field(bool)").replace(
        "require(st.slow and not st.ready)", "require(st.slow and not st.ready and st.thought)"
    )
    model += "\n@action\ndef think(st):\n    require(st.slow and not st.thought)\n    st.thought = True\n"
    explanation = explained_model(tmp_path / "..", model, off("lock", "front_door", "slow", "sweeper"))
    assert found(explanation, "slow") == (
        True,
        Checked.LENGTH,
        "slow: with it on, step 1, doors break_in(), is not enabled; no run of at most 1 step violates whole",
    )


def test_a_mechanism_that_only_adds_an_action_prevents_no_safety_violation(tmp_path: Path) -> None:
    explanation = explained_model(tmp_path, MODEL, off("lock", "front_door", "slow", "sweeper"))
    assert found(explanation, "sweeper") == (False, Checked.STEPS, "sweeper: with it on, the same steps violate whole")
    lines = list(explanation_lines(explanation, "", width=200))
    start = lines.index("\x1b[1mwhat would not have prevented it\x1b[0m")
    assert [line.split(":")[0].strip() for line in lines[start + 1 :]] == ["front_door", "slow", "sweeper"]


def test_a_search_that_reaches_its_limit_claims_only_these_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prevention, "SEARCHED_STATES", 50)
    explanation = explained(SPECS / "zombie-deletes-with-old-receipt.yaml")
    prevents, checked, text = found(explanation, "receipt_fencing")
    assert (prevents, checked) == (True, Checked.STEPS)
    assert text.endswith("; only these steps were checked")


def test_json_keeps_apart_what_prevents_and_what_does_not(tmp_path: Path) -> None:
    document = explained_model(tmp_path, MODEL, off("lock", "sweeper")).as_json()
    (one,), (other,) = document["prevented_by"], document["not_prevented_by"]
    assert (one["mechanism"], one["step"], one["action"], one["checked"]) == (
        "lock",
        2,
        "break_by_the_back",
        "all runs",
    )
    assert (other["mechanism"], other["step"], other["checked"]) == ("sweeper", None, "these steps")


STUCK = """
from onceproof import *

done = field(bool)
rescue = switch(on="one can go back", off="no way back")
loud = switch(on="it is announced", off="it is not")

@action
def go(st):
    require(not st.done)
    st.done = True

@action
def go_back(st):
    require(st.rescue and st.done)
    st.done = False

@ending
def never(st):
    return not st.done
"""


def test_an_action_that_becomes_possible_prevents_a_deadlock(tmp_path: Path) -> None:
    explanation = explained_model(tmp_path, STUCK, off("rescue", "loud"))
    assert explanation.property == "deadlock"
    assert found(explanation, "rescue") == (
        True,
        Checked.ALL,
        "rescue: with it on, the same steps do not violate deadlock: go_back can happen after them; no run violates "
        "deadlock (all 2 states were checked)",
    )
    assert found(explanation, "loud") == (False, Checked.STEPS, "loud: with it on, the same steps violate deadlock")


WAITING = '''
from onceproof import *

asked = field(bool)
answered = field(bool)
ticks = field(bool)
answering = switch(on="an answer is sent", off="nobody answers")
optional = switch(on="an answer may be sent", off="nobody answers")
quiet = switch(on="no ticking", off="it ticks")

@action
def ask(st):
    require(not st.asked)
    st.asked = True

@action
def tick(st):
    require(st.asked and not st.quiet)
    st.ticks = not st.ticks

@action
def answer(st):
    require(st.answering and st.asked and not st.answered)
    st.answered = True

@action(fairness=Fairness.NONE)
def perhaps_answer(st):
    require(st.optional and st.asked and not st.answered)
    st.answered = True

@eventually
def gets_an_answer(st):
    """Who asks gets an answer."""
    given(st.asked)
    return st.answered
'''


def test_only_a_fair_action_is_a_way_out_of_a_loop(tmp_path: Path) -> None:
    explanation = explained_model(
        tmp_path, WAITING, f"{off('answering', 'optional', 'quiet')}\nproperties: [gets_an_answer]"
    )
    assert found(explanation, "answering") == (
        True,
        Checked.ALL,
        "answering: with it on, the same steps do not violate gets_an_answer: answer can happen as well, and does if "
        "actions are fair; no run violates gets_an_answer (all 5 states were checked)",
    )
    assert found(explanation, "optional")[:2] == (False, Checked.STEPS)
    prevents, checked, text = found(explanation, "quiet")
    assert (prevents, checked) == (False, Checked.LENGTH)
    assert "another run of 1 step violates gets_an_answer: ask" in text


SAFETY = [
    "agent-forgets-too-early",
    "deleted-when-received",
    "request-twice-started-twice",
    "two-results-for-one-attempt",
    "api-dies-between-record-and-enqueue",
]


@pytest.mark.parametrize("name", SAFETY)
def test_claims_agree_with_a_search_by_the_models_own_functions(name: str) -> None:
    """Breadth first with the functions of the model, which shares nothing with the search that the claim rests on."""
    explanation = explained(SPECS / f"{name}.yaml")
    assert explanation.prevented_by
    for one in explanation.prevented_by:
        assert one.checked is not Checked.STEPS
        before = explanation.trace.system
        system = build(before.model, before.config.with_switches(**{one.mechanism: True}))
        claim = system.model.properties[explanation.property]
        depths, queue = {system.initial: 0}, deque([system.initial])
        while queue:
            state = queue.popleft()
            assert all(system.holds(claim, state, arguments) is not False for arguments in system.instances(claim))
            if depths[state] < len(explanation.trace):
                for _, after in system.successors(state):
                    if after not in depths:
                        depths[after] = depths[state] + 1
                        queue.append(after)
