"""Ordinary Python in a model is read right or refused with its line; nothing is read wrongly without a word.

The snippets are bodies of an action, separated by lines of dashes; one that is refused ends with ``#!`` and a part of
the message.
"""

from __future__ import annotations

import re

import pytest

from onceproof.model.checker.agreement.comparison import Comparison
from onceproof.model.language import ModelError
from tests.helpers.snippets import (
    COMPOSITES,
    COMPOSITES_REFUSED,
    COMPOSITES_RIGHT,
    HEADER,
    REFUSED,
    RIGHT,
    blocks,
    model_of,
)


def named(text: str) -> list[object]:
    return [pytest.param(one, id=f"{number:03} {one.splitlines()[0][:40]}") for number, one in enumerate(blocks(text))]


def test_there_are_enough_of_them() -> None:
    assert len(blocks(RIGHT)) + len(blocks(REFUSED)) >= 250
    assert len(set(blocks(RIGHT)) | set(blocks(REFUSED))) == len(blocks(RIGHT)) + len(blocks(REFUSED))


@pytest.mark.parametrize("body", named(RIGHT))
def test_snippet_is_read_as_it_runs(body: str) -> None:
    comparison = Comparison(model_of("right", body), [], unbounded=False)
    comparison.run(comparison.readings)


@pytest.mark.parametrize("body", named(COMPOSITES_RIGHT))
def test_snippet_about_composite_values_is_read_as_it_runs(body: str) -> None:
    comparison = Comparison(model_of("right", body, COMPOSITES), [], unbounded=False)
    comparison.run(comparison.readings)


@pytest.mark.parametrize("block", named(REFUSED))
def test_snippet_is_refused_with_its_place(block: str) -> None:
    assert_refused(block, HEADER)


@pytest.mark.parametrize("block", named(COMPOSITES_REFUSED))
def test_snippet_about_composite_values_is_refused_with_its_place(block: str) -> None:
    assert_refused(block, COMPOSITES)


def assert_refused(block: str, header: str) -> None:
    body, _, message = block.rpartition("\n#! ")
    with pytest.raises(ModelError) as caught:
        model_of("refused", body, header)
    assert message in str(caught.value)
    place = re.match(r"action `step`, <snippet refused>:(\d+):(\d+)", str(caught.value))
    assert place, str(caught.value)
