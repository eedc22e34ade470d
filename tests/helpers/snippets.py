"""Snippets of Python as bodies of an action: texts of them, and the models that they make."""

from __future__ import annotations

import linecache
import re
import sys
import textwrap
import types

from onceproof.model.language import Model, System, build
from tests.paths import ROOT

FOLDER = ROOT / "tests" / "model" / "language" / "snippets"
HEADER, RIGHT, REFUSED = (
    (FOLDER / f"{name}.txt").read_text(encoding="utf-8") for name in ("model", "right", "refused")
)
# The same of sequences, records and optional values.
COMPOSITES, COMPOSITES_RIGHT, COMPOSITES_REFUSED = (
    (FOLDER / f"composite_{name}.txt").read_text(encoding="utf-8") for name in ("model", "right", "refused")
)


def blocks(text: str) -> list[str]:
    """The snippets of a text."""
    return [block.strip("\n") for block in text.split("\n---\n")]


def model_of(name: str, body: str, header: str = HEADER) -> System:
    """A model with one action, ``step``, of this body, and an ``@always`` beside it."""
    text = header + f"\n\n@action\ndef step(st, n: Node, m: Node):\n{textwrap.indent(body, '    ')}\n"
    file = f"<snippet {name}>"
    module = types.ModuleType(re.sub(r"\W", "_", name))
    sys.modules[module.__name__] = module
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(compile(text, file, "exec"), module.__dict__)
    return build(Model("snippet", module))
