"""Ordinary Python in a model is read right or refused with its line; nothing is read wrongly without a word.

The snippets are bodies of an action, separated by lines of dashes; one that is refused ends with ``#!`` and a part of
the message.
"""

from __future__ import annotations

import linecache
import re
import sys
import textwrap
import types

import pytest

from onceproof.model.checker.agreement.comparison import Comparison
from onceproof.model.language import Model, ModelError, System, build
from tests.paths import ROOT

FOLDER = ROOT / "tests" / "model" / "language" / "snippets"
HEADER, RIGHT, REFUSED = (
    (FOLDER / f"{name}.txt").read_text(encoding="utf-8") for name in ("model", "right", "refused")
)


def blocks(text: str) -> list[str]:
    return [block.strip("\n") for block in text.split("\n---\n")]


def model_of(name: str, body: str) -> System:
    """A model with one action, ``step``, of this body, and an ``@always`` beside it."""
    text = HEADER + f"\n\n@action\ndef step(st, n: Node, m: Node):\n{textwrap.indent(body, '    ')}\n"
    file = f"<snippet {name}>"
    module = types.ModuleType(re.sub(r"\W", "_", name))
    sys.modules[module.__name__] = module
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(compile(text, file, "exec"), module.__dict__)
    return build(Model("snippet", module))


def named(text: str) -> list[object]:
    return [pytest.param(one, id=f"{number:03} {one.splitlines()[0][:40]}") for number, one in enumerate(blocks(text))]


def test_there_are_enough_of_them() -> None:
    assert len(blocks(RIGHT)) + len(blocks(REFUSED)) >= 250
    assert len(set(blocks(RIGHT)) | set(blocks(REFUSED))) == len(blocks(RIGHT)) + len(blocks(REFUSED))


@pytest.mark.parametrize("body", named(RIGHT))
def test_snippet_is_read_as_it_runs(body: str) -> None:
    comparison = Comparison(model_of("right", body), [], unbounded=False)
    comparison.run(comparison.readings)


@pytest.mark.parametrize("block", named(REFUSED))
def test_snippet_is_refused_with_its_place(block: str) -> None:
    body, _, message = block.rpartition("\n#! ")
    with pytest.raises(ModelError) as caught:
        model_of("refused", body)
    assert message in str(caught.value)
    place = re.match(r"action `step`, <snippet refused>:(\d+):(\d+)", str(caught.value))
    assert place, str(caught.value)
