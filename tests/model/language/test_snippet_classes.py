"""Ordinary Python, snippet by snippet: each is read as CPython runs it, or refused with its place; none is misread.

They lie in ``snippet_classes/``, one file for each construct. ``=== right: name`` means that reading agrees with
running on all the states tried and with all arguments, ``=== refused: name`` that the model is not taken.
"""

import functools
import itertools
import random
import re
import sys
from pathlib import Path

import pytest

from onceproof.model.language import ModelError, System, build
from onceproof.model.language.evaluate import value_of
from onceproof.model.language.layout import State
from tests.helpers.readings import read_step
from tests.helpers.written_models import written_model

FOLDER = Path(__file__).parent / "snippet_classes"
STATES = 60


def snippets() -> list[tuple[str, str, str]]:
    """The class, the name and the body of each."""
    found = []
    for path in sorted(FOLDER.glob("*.txt")):
        for part in path.read_text(encoding="utf-8").split("=== ")[1:]:
            head, body = part.split("\n", 1)
            kind, name = head.split(": ", 1)
            found.append((kind, f"{path.stem}: {name}", body.rstrip() + "\n"))
    return found


@functools.cache
def preamble() -> str:
    """The little model in which every snippet is the body of an action."""
    return (FOLDER / "model.py.in").read_text(encoding="utf-8")


def text_of(body: str) -> str:
    """The model with a snippet as its action ``step``."""
    return preamble() + "".join(f"    {line}\n" for line in body.splitlines())


def states(system: System) -> list[State]:
    """Random states, each cell any value that it may hold, and the initial one."""
    draw = random.Random(1)
    cells = [place.cardinality for place in system.layout.places.values() for _ in range(place.cells)]
    return [system.initial, *(tuple(draw.randrange(most) for most in cells) for _ in range(STATES))]


def difference(system: System) -> str:
    """The first state in which reading and running a step differ, for people; "" where none does."""
    reading, action = system.readings.get("step"), system.model.actions["step"]
    if reading is None:
        return "the action is dropped"
    layout = system.layout
    for state in states(system):
        for arguments in itertools.product(*(range(system.sizes[p.sort.__name__]) for p in action.parameters)):
            environment = dict(zip(reading.variables, arguments, strict=True))
            fails = [
                o.message for o in reading.obligations if all(value_of(t, layout, state, environment) for t in o.guard)
            ]
            read = "fails" if fails else read_step(reading, layout, state, arguments)
            try:
                ran = system._run("step", state, arguments)
            except ModelError as error:
                if not fails:
                    return f"{state} {arguments}: running fails ({error}), reading gives {read}"
                continue
            if ran != read:
                return f"{state} {arguments}: run {ran}, read {read} {fails}"
    return ""


def classified(body: str) -> tuple[str, str]:
    """ "right", "wrong" or "refused" (or what else happens), and what there is to say of it."""
    try:
        system = build(written_model(text_of(body), "snippets"))
    except ModelError as error:
        return "refused", str(error)
    except SyntaxError as error:
        return "syntax", str(error)
    found = difference(system)
    return ("wrong", found) if found else ("right", "")


@pytest.mark.parametrize(("kind", "name", "body"), snippets(), ids=lambda value: value if ": " in value else "")
def test_snippet_is_read_as_python_runs_it_or_refused(kind: str, name: str, body: str) -> None:
    found, detail = classified(body)
    assert (found, detail if found != "refused" else "") == (kind, ""), detail
    if kind == "refused":
        assert re.match(r"action `step`, \S+:\d+:\d+", detail), f"no line and column: {detail}"
        assert len(detail.split(": ", 1)[1]) > 15, detail


def test_there_are_enough_snippets_of_both_classes() -> None:
    kinds = [kind for kind, _, _ in snippets()]
    assert len(kinds) >= 400
    assert min(kinds.count("right"), kinds.count("refused")) >= 150
    assert len({name for _, name, _ in snippets()}) == len(kinds)


def test_misreading_would_be_noticed() -> None:
    """A step that is read from another text than the one that runs is told from it."""
    system = build(written_model(text_of("st.flag = True"), "snippets"))
    other = build(written_model(text_of("st.flag = st.voted[a]"), "snippets"))
    system.readings["step"] = other.readings["step"]
    assert "run" in difference(system)


if __name__ == "__main__":
    for kind, name, body in snippets():
        found, detail = classified(body)
        if found != kind:
            sys.stdout.write(f"{name}: {found} rather than {kind}: {detail}\n")
