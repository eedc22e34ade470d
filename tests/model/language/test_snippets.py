"""Ordinary Python in a model is read right or refused with its line; nothing is read wrongly without a word.

The snippets are bodies of an action, separated by lines of dashes; one that is refused ends with ``#!`` and a part of
the message.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from onceproof.model.checker.agreement.comparison import Comparison, Disagreement
from onceproof.model.language import ModelError
from tests.helpers.snippets import KINDS, blocks, model_of


def named(of: str) -> list[object]:
    """The snippets of one sort, "right" or "refused", of all kinds."""
    return [
        pytest.param(kind, one, id=f"{kind} {number:03} {one.splitlines()[0][:40]}")
        for kind, snippets in KINDS.items()
        for number, one in enumerate(blocks(getattr(snippets, of)))
    ]


@pytest.mark.parametrize(("kind", "least"), [("ordinary", 250), ("by construct", 400), ("composite values", 60)])
def test_there_are_enough_of_them(kind: str, least: int) -> None:
    every = [*blocks(KINDS[kind].right), *blocks(KINDS[kind].refused)]
    assert len(every) >= least
    assert len(set(every)) == len(every)


@pytest.mark.parametrize(("kind", "body"), named("right"))
def test_snippet_is_read_as_it_runs(kind: str, body: str) -> None:
    comparison = Comparison(model_of("right", body, KINDS[kind]), [], unbounded=False)
    comparison.run(comparison.readings)


@pytest.mark.parametrize(("kind", "block"), named("refused"))
def test_snippet_is_refused_with_its_place(kind: str, block: str) -> None:
    body, _, message = block.rpartition("\n#! ")
    with pytest.raises(ModelError) as caught:
        model_of("refused", body, KINDS[kind])
    assert message in str(caught.value)
    place = re.match(r"action `step`, <snippet refused>:(\d+):(\d+)", str(caught.value))
    assert place, str(caught.value)


def test_misreading_would_be_noticed() -> None:
    """A step that is read from another text than the one that runs is told from it."""
    system, other = (model_of("right", body) for body in ("st.flag = True", "st.flag = st.mark[n]"))
    system.all_readings["step"] = replace(other.all_readings["step"], action=system.model.actions["step"])
    comparison = Comparison(system, [], unbounded=False)
    with pytest.raises(Disagreement):
        comparison.run(comparison.readings)
