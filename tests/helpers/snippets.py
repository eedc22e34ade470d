"""Snippets of Python as bodies of an action: texts of them, and the models that they make."""

from __future__ import annotations

import linecache
import re
import sys
import textwrap
import types
from dataclasses import dataclass

from onceproof.model.language import Model, System, build
from tests.paths import ROOT

FOLDER = ROOT / "tests" / "model" / "language" / "snippets"


@dataclass(frozen=True)
class Kind:
    """Snippets over one little model: its text, those that are read as Python runs them, and those that are refused."""

    header: str
    right: str
    refused: str
    parameters: str = "n: Node, m: Node"


def _kind(prefix: str, parameters: str = "n: Node, m: Node") -> Kind:
    header, right, refused = (
        (FOLDER / f"{prefix}{name}.txt").read_text(encoding="utf-8") for name in ("model", "right", "refused")
    )
    return Kind(header, right, refused, parameters)


KINDS = {
    "ordinary": _kind(""),
    "by construct": _kind("classes_", "a: Node, b: Node"),
    "composite values": _kind("composite_"),  # sequences, records and optional values
}


def blocks(text: str) -> list[str]:
    """The snippets of a text."""
    return [block.strip("\n") for block in text.split("\n---\n")]


def model_of(name: str, body: str, kind: Kind = KINDS["ordinary"]) -> System:
    """A model with one action, ``step``, of this body, and an ``@always`` beside it."""
    text = kind.header + f"\n\n@action\ndef step(st, {kind.parameters}):\n{textwrap.indent(body, '    ')}\n"
    file = f"<snippet {name}>"
    module = types.ModuleType(re.sub(r"\W", "_", name))
    sys.modules[module.__name__] = module
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(compile(text, file, "exec"), module.__dict__)
    return build(Model("snippet", module))
