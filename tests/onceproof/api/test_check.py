"""``onceproof.check`` and ``onceproof.walk`` as a user of pytest calls them: what they take, and what they return."""

import json
import re
from pathlib import Path

import pytest

import onceproof
from onceproof.main import run
from onceproof.model.checker.results import Stop, StopReason
from tests.helpers.fixture_types import Written
from tests.models import jugs, lease
from tests.paths import MODELS, SPECS

CRASH = SPECS / "failover-chooses-another-agent.yaml"


def test_a_violated_model_comes_with_its_steps() -> None:
    result = onceproof.check(jugs)
    assert result.verdict is onceproof.Verdict.VIOLATED and not result.holds
    found = result.properties["never_four"].counterexample
    assert found is not None and found.property == "never_four"
    actions = ["fill_big", "big_to_small", "empty_small", "big_to_small", "fill_big", "big_to_small"]
    assert [step.action for step in found.steps] == actions
    assert len(found) == 6 and found.faults == 0 and found.loop is None
    assert str(found.steps[0]) == "jugs fill_big()"
    assert found.steps[0].changed == {"big": (0, 5)}
    assert found.to_json()["length"] == 6
    assert "never_four is violated" in str(found) and "\x1b" not in str(found)
    assert result.properties["both_full"].holds


@pytest.mark.parametrize("source", [jugs, jugs.JUGS, MODELS / "jugs.py", f"{MODELS / 'jugs.py'}:JUGS"])
def test_a_model_can_be_given_as_module_model_or_path(source: onceproof.Model) -> None:
    result = onceproof.check(source)
    assert (result.states, result.transitions, result.depth, result.complete) == (16, 96, 7, True)


def test_settings_are_keywords() -> None:
    assert onceproof.check(lease, faults={"lease_ends": 1}).holds
    broken = onceproof.check(lease, faults={"lease_ends": 1}, mechanisms={"fencing": False})
    assert not broken.holds and not broken.properties["never_spoiled"].holds
    one = onceproof.check(lease, faults={"lease_ends": "any"}, properties=["never_spoiled"])
    assert list(one.properties) == ["never_spoiled"]


def test_a_property_that_says_nothing_does_not_hold() -> None:
    """Without its fault no lease ends: that the property is never false is no evidence."""
    result = onceproof.check(lease)
    assert result.verdict is onceproof.Verdict.HOLDS
    assert result.vacuous and not result.holds
    assert "VACUOUS" in str(result)


def test_the_text_of_a_spec_is_what_the_command_line_prints(capsys: pytest.CaptureFixture[str]) -> None:
    result = onceproof.check(CRASH)
    assert result.as_expected and not result.holds
    assert run(["check", str(CRASH)]) == 0
    printed = capsys.readouterr().out
    assert re.sub(r"\d\.\d\d", "0.00", str(result)).rstrip() == re.sub(r"\d\.\d\d", "0.00", printed).rstrip()


def test_json_has_the_keys_of_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    document = onceproof.check(CRASH).to_json()
    run(["check", str(CRASH), "--json"])
    printed = json.loads(capsys.readouterr().out)["specs"][0]
    assert {**document, "seconds": 0} == {**printed, "seconds": 0}


def test_a_spec_can_be_changed(spec: Written) -> None:
    loaded = onceproof.load_spec(spec("faults: {lease_ends: 1}\nexpect: holds"))
    assert onceproof.check(loaded).holds
    assert not onceproof.check(loaded, mechanisms={"fencing": False}).holds
    assert not onceproof.check(loaded, faults={"lease_ends": 0}).holds
    assert loaded.config.budgets["lease_ends"] == 1


def test_sizes_that_follow_from_others_follow_again() -> None:
    """Two tasks need two messages: the one message of the spec is not kept."""
    result = onceproof.check(SPECS / "plain-day.yaml", sizes={"tasks": 2}, max_states=10)
    assert result.spec.config.sizes["messages"] == 2


def test_a_limit_is_unknown_and_says_which() -> None:
    result = onceproof.check(CRASH, max_states=50)
    assert result.verdict is onceproof.Verdict.UNKNOWN and not result.holds and not result.complete
    assert result.stopped == Stop(StopReason.STATES, 50)
    assert "stopped by --max-states 50" in str(result)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sizes": {"taks": 1}}, "unknown size `taks`; did you mean `tasks`?"),
        ({"faults": {"scheduler_crush": 1}}, "did you mean `scheduler_crash`?"),
        ({"faults": {"scheduler_crash": "often"}}, "expected a budget: a whole number, or `any`; found `often`"),
        ({"properties": ["at_most_onse"]}, "unknown property `at_most_onse`; did you mean `at_most_once`?"),
        ({"properties": []}, "expected a list of properties"),
        ({"engine": "plane"}, "unknown engine `plane`; did you mean `plain`?"),
        ({"engine": "plain", "workers": 2}, "only the compiled engine has workers, not `plain`"),
    ],
)
def test_wrong_settings_name_what_was_meant(settings: dict[str, object], message: str) -> None:
    with pytest.raises(onceproof.InputError) as raised:
        onceproof.check(SPECS / "plain-day.yaml", **settings)  # type: ignore[arg-type]
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere.py", "no model file `nowhere.py`"),
        (SPECS / "plain-dya.yaml", "did you mean"),
        (json, "declares no model"),
    ],
)
def test_wrong_sources_are_told_apart(source: str, message: str) -> None:
    with pytest.raises(onceproof.InputError, match=message):
        onceproof.check(source)


def test_ctrl_c_is_not_swallowed() -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    wide = {"tasks": 2, "submissions": 2, "schedulers": 3}
    with pytest.raises(KeyboardInterrupt):
        onceproof.check(sizes=wide, faults={"reply_loss": 3}, engine="plain", progress=interrupt)


def test_a_counterexample_is_saved_with_its_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = onceproof.check(jugs).counterexample
    assert found is not None
    found.save(tmp_path / "four.itf.json")
    path = str(tmp_path / "four.itf.json")
    assert run(["show", path]) == 2  # its model lies elsewhere, and a trace alone executes nothing
    assert "if you trust it: --model" in capsys.readouterr().err
    assert run(["show", path, "--model", str(jugs.__file__)]) == 0
    assert "never_four is violated" in capsys.readouterr().out


def test_walks_find_the_violation_again() -> None:
    result = onceproof.walk(jugs, seed=3)
    assert result.violated and result.verdict is onceproof.Verdict.VIOLATED
    assert result.counterexample is not None and len(result.counterexample) == 6
    assert "found in run" in str(result)
    again = onceproof.walk(jugs, seed=3)
    assert (again.runs, again.steps) == (result.runs, result.steps)
    assert result.to_json()["verdict"] == "violated"
    with pytest.raises(onceproof.InputError, match="unknown engine `direct`"):
        onceproof.walk(jugs, engine="direct")


def test_load_model_gives_the_model() -> None:
    assert onceproof.load_model(MODELS / "jugs.py").name == "jugs"
    assert onceproof.load_model().name == "task-dispatch"


LOG = """
from onceproof import Int, Seq, State, action, always, field


class Log(State):
    "What was said."
    said = field(Seq(Int(0, 1), 2))


@action
def say(st: Log) -> None:
    "Something more."
    st.said.append(1)
"""


def test_a_model_without_properties_is_asked_for_deadlocks_and_ranges(tmp_path: Path) -> None:
    model = tmp_path / "log.py"
    model.write_text(LOG)
    result = onceproof.check(model)
    assert [(name, one.verdict) for name, one in result.properties.items()] == [
        ("deadlock", onceproof.Verdict.UNKNOWN),
        ("range of said", onceproof.Verdict.VIOLATED),
    ]
    found = result.properties["range of said"].counterexample
    assert found is not None and len(found) == 3


def test_a_model_that_says_only_what_an_ending_is_is_asked_for_deadlocks(tmp_path: Path) -> None:
    model = tmp_path / "told.py"
    ending = """
from onceproof import ending


@ending
def full(st: Log) -> bool:
    "All is said."
    return len(st.said) == 2
"""
    guarded = LOG.replace("    st.said.append", "    require(len(st.said) < 2)\n    st.said.append")
    model.write_text(guarded.replace("import Int,", "import require, Int,") + ending)
    result = onceproof.check(model)
    assert list(result.properties) == ["deadlock"] and result.holds
    model.write_text(guarded.replace("import Int,", "import require, Int,"))
    assert onceproof.check(model).verdict is onceproof.Verdict.VIOLATED


def test_properties_of_which_none_applies_are_nothing_to_check(tmp_path: Path) -> None:
    model = tmp_path / "quiet.py"
    model.write_text(f"""{LOG}

@always(when=lambda config: False)
def silent(st: Log) -> bool:
    "Nothing is said."
    return len(st.said) == 0
""")
    with pytest.raises(onceproof.InputError, match="no property of the model applies to this spec; nothing to check"):
        onceproof.check(model)


def test_a_builtin_that_a_library_replaced_is_refused_as_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Ray and others replace `print`."""
    monkeypatch.setattr("builtins.print", lambda *_: None)
    model = tmp_path / "talks.py"
    model.write_text(LOG.replace("    st.said.append(1)", "    print(1)\n    st.said.append(1)"))
    with pytest.raises(onceproof.ModelError, match=r"`print` is called, which cannot be read: .* was put in its place"):
        onceproof.check(model)
