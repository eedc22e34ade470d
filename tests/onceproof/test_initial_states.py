"""Runs of models with several initial states say in which of them they begin, in every report and on the way back."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import onceproof as api
from onceproof.inputs.itf import read_trace
from tests.helpers.fixture_types import Command

LAMP = '''
"""A lamp that any of three nodes may hold, lit or not."""
from onceproof import Optional, Sort, State, action, always, choose, choose_from, field, initial, require, switch


class Node(Sort, default=3):
    """A node."""


class Lamp(State):
    """Who holds it, and whether it is lit."""

    safe = switch(on="nobody but the first node begins", off="anybody begins", default=False)
    holder = field(Node, bool)
    lit = field(bool)
    hot = field(bool)


@initial
def held(st: Lamp) -> None:
    """Somebody holds it."""
    who = choose(Node)
    if not st.safe:
        st.lit = choose_from([False, True])
    st.holder[who] = True


@action
def warm_up(st: Lamp, node: Node) -> None:
    """A lamp that is lit gets hot in the hand that holds it."""
    require(st.lit and st.holder[node])
    st.hot = True


@action
def glow(st: Lamp) -> None:
    """Nothing comes of it."""
    st.lit = st.lit


@always
def never_hot(st: Lamp) -> bool:
    """Nobody is burnt."""
    return not st.hot
'''


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "lamp.py"
    path.write_text(LAMP, encoding="utf-8")
    return path


@pytest.fixture
def trace(onceproof: Command, model: Path, tmp_path: Path) -> Path:
    """The counterexample, as a file."""
    path = tmp_path / "trace.itf.json"
    found = onceproof("check", model, "--trace-out", path)
    assert found.status == 1, found.err
    assert "  initially: who=node1, lit=True (holder[node1]: yes)" in found.out.splitlines()
    return path


def test_python_and_json_say_what_was_chosen(onceproof: Command, model: Path) -> None:
    found = api.check(model).counterexample
    assert found is not None and "initially: who=node1, lit=True" in str(found)
    assert "  9 states (6 initial), 15 transitions, depth 1" in onceproof("check", model).out.splitlines()
    (spec,) = json.loads(onceproof("check", model, "--json").out)["specs"]
    assert spec["initial_states"] == 6
    assert spec["properties"][0]["counterexample"]["initially"] == {"who": "node1", "lit": "True"}


def test_a_mechanism_that_rules_out_the_start_prevents_the_run(model: Path) -> None:
    found = api.check(model).counterexample
    assert found is not None
    assert "there is no such initial state" in str(found)


def test_a_trace_file_has_the_choices_and_is_read_back(onceproof: Command, trace: Path) -> None:
    first, second = json.loads(trace.read_text(encoding="utf-8"))["states"]
    assert first["mbt::actionTaken"] == "init"
    assert first["mbt::nondetPicks"]["who"] == {"tag": "Some", "value": "node1"}
    assert second["mbt::nondetPicks"]["who"]["tag"] == "None"
    read = read_trace(trace).trace
    assert read.system.named_arguments(read.start) == {"who": "node1", "lit": "True"}
    assert "initially: who=node1, lit=True" in onceproof("show", trace).out


def test_a_page_shows_the_first_state_and_what_was_chosen(onceproof: Command, trace: Path, tmp_path: Path) -> None:
    page = tmp_path / "trace.html"
    assert onceproof("show", trace, "--as", "html", "--out", page).status == 0
    text = page.read_text(encoding="utf-8")
    assert "initially: who=node1, lit=True (holder[node1]: yes)</span>" in text
    assert "0. initial state: who=node1, lit=True" in text
    assert "cells that differ from their declared initial values" in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda states: states[0].update(hot=True), "not one of the 6 initial states: `hot` is True"),
        (lambda states: states[0]["mbt::nondetPicks"]["who"].update(value="node2"), "these choices do not lead"),
        (lambda states: states[0]["mbt::nondetPicks"]["who"].update(value="node9"), "`initially`: `who` must be"),
    ],
)  # fmt: skip
def test_a_file_whose_start_is_none_is_refused(
    change: Callable[[list[Any]], None], said: str, onceproof: Command, trace: Path
) -> None:
    document = json.loads(trace.read_text(encoding="utf-8"))
    change(document["states"])
    trace.write_text(json.dumps(document), encoding="utf-8")
    result = onceproof("show", trace)
    assert result.status == 2 and said in result.err


def test_a_walk_by_hand_begins_in_the_state_that_is_asked_for(
    onceproof: Command, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("initial\ninitial 4\n1\npath\ninitial 7\n"))
    result = onceproof("step", model)
    lines = result.out.splitlines()
    assert lines[0] == "lamp, an initial state"
    assert "  initially: who=node1, lit=False (holder[node1]: yes); `initial` lists all 6" in lines
    assert "    6  who=node3, lit=True (holder[node3]: yes)" in lines
    assert "  initially: who=node2, lit=True (holder[node2]: yes)" in lines[lines.index("> path") :]
    assert result.status == 2
    assert "initial: expected the number of an initial state, 1 to 6, found `7`" in result.err


def test_a_model_that_cannot_start_is_an_error_in_every_command(onceproof: Command, model: Path) -> None:
    text = LAMP.replace("    st.holder[who] = True\n", "    require(st.hot)\n")
    model.write_text(text, encoding="utf-8")
    for command in (["check"], ["walk"], ["prove"], ["export", "--to", "tla", "--out", str(model.parent)], ["step"]):
        result = onceproof(command[0], model, *command[1:])
        assert result.status == 2, command
        assert "there is no initial state" in result.err, command
        assert len(result.err.strip().splitlines()) == 1, result.err


def test_a_failure_of_the_model_says_where_its_run_began(onceproof: Command, model: Path) -> None:
    text = LAMP.replace("    st.hot = True\n", "    st.hot = True\n    assert not st.holder[node] or node != node\n")
    model.write_text(text, encoding="utf-8")
    result = onceproof("check", model)
    assert result.status == 2
    assert "initially: who=node1, lit=True" in result.out + result.err
