"""Why a run is none of an abstract model, in text, JSON and HTML; and what the command line says of refinements."""

import json
from pathlib import Path
from typing import Any

import pytest

import onceproof
from onceproof.explain.explanation import explain
from onceproof.explain.hand_walk import HandWalk
from onceproof.explain.refinement import WrongStep
from onceproof.inputs.models import resolve
from onceproof.inputs.specs import load_specs
from onceproof.main import run
from onceproof.model.checker.explicit import engine
from onceproof.model.language import Count, Model, action, build, field, refines, require
from onceproof.reports.trace_html import page
from tests.paths import ROOT

TWO_PHASE = ROOT / "docs" / "models" / "two_phase_commit.py"
NAME = "commits_as_one"


@action
def one_more(st: Any) -> None:
    """It grows by one, up to three."""
    require(st.number < 3)
    st.number += 1


@action
def back(st: Any) -> None:
    """It starts again."""
    st.number, st.rounds = 0, 1


SMALL = Model(
    "small", {"number": field(Count(4)), "rounds": field(Count(1, saturate=True)), "one_more": one_more, "back": back}
)


@action
def leap(st: Any) -> None:
    """It grows by two."""
    require(st.step < 2)
    st.step += 1


def by_two(st: Any, spec: Any) -> None:
    """Each step is two."""
    spec.number = 2 * st.step
    spec.rounds = 0


def by_none(st: Any, spec: Any) -> None:
    """It starts at another number, and its second step is none of either action."""
    spec.number = 1
    spec.rounds = 0


def sideways(st: Any, spec: Any) -> None:
    """One grows and the other is set, which no action does alone."""
    spec.number = st.step
    spec.rounds = st.step


def explained(mapping: Any) -> WrongStep:
    """What is wrong at the end of the counterexample to a refinement of SMALL."""
    model = Model("leaps", {"step": field(Count(2)), "leap": leap, "seen": refines(SMALL, mapping)})
    (found,) = engine.check(build(model), [model.properties["seen"]]).properties
    assert found.counterexample is not None
    wrong = explain(found.counterexample).wrong_step
    assert wrong is not None
    return wrong


def test_two_abstract_steps_at_once_are_named() -> None:
    wrong = explained(by_two)
    assert wrong.heading == "step 1, leap(), is not a step of small because"
    assert wrong.reasons == [
        "its image changes number: 0 → 2",
        "from the image number = 0, rounds = 0",
        "that takes two steps of small: one_more(), then one_more()",
    ]


def test_nearest_action_says_what_it_does_instead() -> None:
    wrong = explained(sideways)
    assert wrong.in_two == "back(), then one_more()"
    assert wrong.reasons[3:] == [
        "one_more() is possible there, but makes `rounds` 0, not 1",
        "back() is possible there, but makes `number` 0, not 1",
    ]


def test_start_is_shown_beside_that_of_the_abstract_model() -> None:
    wrong = explained(by_none)
    assert (wrong.heading, wrong.reasons) == (
        "the initial state is not one of small because",
        ["in small, `number` starts as 0, not 1"],
    )


def test_counterexample_shows_both_states_in_json_and_html() -> None:
    report = onceproof.check(TWO_PHASE, mechanisms={"hears_all": False}, properties=[NAME])
    found = report.properties[NAME].counterexample
    assert found is not None
    shown = found.to_json()["refinement"]
    assert shown["of"] == "transaction_commit" and list(shown["changed"]) == ["stage[manager1]"]
    assert shown["concrete"]["before"]["decision"] == shown["concrete"]["after"]["decision"] == "COMMIT"
    assert [shown["abstract"][at]["stage"]["manager1"] for at in ("before", "after")] == ["WORKING", "COMMITTED"]
    assert shown["nearest"][0]["action"] == "commit(manager1)" and not shown["nearest"][0]["differs"]
    html = page(found.explanation, "two_phase", "")
    assert "is not a step of transaction_commit because" in html
    assert "the images of the last two states in transaction_commit" in html


def test_trace_of_a_violation_is_read_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = tmp_path / "trace.itf.json"
    options = ["--mechanism", "hears_all=off", "--properties", NAME]
    assert run(["check", str(TWO_PHASE), *options, "--json", "--trace-out", str(trace)]) == 1
    assert '"refinement": {' in json.dumps(json.loads(capsys.readouterr().out))
    assert run(["show", str(trace), "--model", str(TWO_PHASE)]) == 0
    assert "step 2, obey(manager1), is not a step of transaction_commit because" in capsys.readouterr().out


def test_walk_finds_it_and_says_that_compiled_walks_do_not(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--mechanism", "hears_all=off", "--properties", NAME, "--runs", "30000"]
    assert run(["walk", str(TWO_PHASE), *options]) == 1
    printed = capsys.readouterr()
    assert f"{NAME} is violated" in printed.out
    assert f"it judges no refinement on a walk (`{NAME}`)" in printed.out + printed.err


def test_walk_by_hand_says_which_step_is_none(tmp_path: Path) -> None:
    spec = tmp_path / "broken.yaml"
    spec.write_text(f"model: {TWO_PHASE}\nmechanisms: {{hears_all: off}}\nproperties: [{NAME}]\n", encoding="utf-8")
    (loaded,) = load_specs([spec])
    walk = HandWalk(loaded)
    for action_name in ("decide", "obey"):
        assert not walk.false_here()
        step, after = next((step, after) for _, step, after in walk.options() if step.action == action_name)
        walk.take(step, after)
    assert [one.property for one in walk.false_here()] == [NAME]


def test_mapping_that_misses_a_field_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("transaction_commit.py", "two_phase_commit.py"):
        text = (TWO_PHASE.parent / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("spec.stage[manager] = st.stage[manager]", "pass"), encoding="utf-8")
    assert run(["check", str(tmp_path / "two_phase_commit.py")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("onceproof: refinement `commits_as_one`, two_phase_commit.py:")
    assert line.endswith("it gives `stage` of `transaction_commit` no value: write `spec.stage[manager] = ...`")


def test_prove_refuses_a_refinement_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["prove", str(TWO_PHASE), "--properties", NAME]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "only these can be proved for any size" in line


def test_matrix_knows_which_mechanism_it_rests_on() -> None:
    found = onceproof.matrix(resolve("two_phase_commit.py", TWO_PHASE.parent).model, properties=[NAME])
    assert "broken 2" in str(found) and "hears_all" in str(found)
