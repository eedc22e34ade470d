"""Traces written as ITF."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onceproof.inputs.itf.values import ACTION, NONE, PICKS, encoded, some
from onceproof.inputs.models import ModelRef
from onceproof.inputs.specs import settings_of
from onceproof.model.checker.results import Counterexample, Trace
from onceproof.model.language.initials import INITIALLY


def write_trace(path: Path, source: ModelRef, spec_name: str, found: Counterexample) -> None:
    """Write a counterexample; a run that violates nothing has "" as its property. OSError where that is impossible."""
    path.write_text(trace_text(source, spec_name, found, path.parent), encoding="utf-8")


def trace_text(source: ModelRef, spec_name: str, found: Counterexample, folder: Path) -> str:
    """The text of a trace file. folder: where the file will be; its model is named relative to that."""
    meta: dict[str, Any] = {
        "format": "ITF",
        "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
        "description": f"a trace of {source.model.name}, written by onceproof",
        "model": source.model.name,
        "spec": {"name": spec_name, **settings_of(found.trace.system.config)},
        "property": found.property,
        "elements": _elements(found),
        "minimal": found.minimal,
    }
    if found.trace.departure is not None:
        step = found.trace.departure.step
        meta["departure"] = {"action": step.action, "arguments": found.trace.system.named_arguments(step)}
    if source.file is not None:
        # Relative to the trace, so that the two can be moved together.
        meta["model_file"] = os.path.relpath(source.file, folder.resolve())
        meta["model_name"] = source.variable
    elif source.reference:
        meta["model_module"] = source.reference
    return _lines({"#meta": meta, **_body(found.trace)})


def model_option(source: ModelRef, path: Path) -> list[str]:
    """The option that ``show`` and ``replay`` need for a trace in this file: none if its model lies with it."""
    if source.file is not None:
        if source.file.resolve().is_relative_to(path.resolve().parent):
            return []
        return ["--model", f"{nearest_path(source.file)}:{source.variable}".rstrip(":")]
    return ["--model", source.reference] if source.reference else []


def nearest_path(file: Path) -> str:
    """A file as one would name it here: relative if it is in the working directory or below it, else in full."""
    resolved = file.resolve()
    return os.path.relpath(resolved) if resolved.is_relative_to(Path.cwd()) else str(resolved)


def _lines(document: Mapping[str, Any]) -> str:
    """The document with a line for each state, so that files can be compared line by line."""
    parts = []
    for key, value in document.items():
        text = json.dumps(value)
        if key == "states":
            text = "[\n  " + ",\n  ".join(map(json.dumps, value)) + "\n ]"
        parts.append(f" {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _elements(found: Counterexample) -> list[str]:
    claim = found.trace.system.model.properties.get(found.property)
    parameters = claim.parameters if claim else ()
    return [p.element(a) for p, a in zip(parameters, found.arguments, strict=True)]


def _body(trace: Trace) -> dict[str, Any]:
    layout = trace.system.layout
    taken = [trace.start, *trace.steps]
    arguments = [trace.system.named_arguments(step) for step in taken]
    # Quint's picks are a record, of one type in all states: what an action does not pick is None there.
    names = sorted({name for picks in arguments for name in picks})
    states = []
    for index, (state, step, picks) in enumerate(zip(trace.states, taken, arguments, strict=True)):
        states.append(
            {
                "#meta": {"index": index},
                ACTION: "init" if step.action == INITIALLY else step.action,
                PICKS: {name: some(picks[name]) if name in picks else NONE for name in names},
                **{name: encoded(layout, name, state) for name in layout.cells},
            }
        )
    body: dict[str, Any] = {"vars": [ACTION, PICKS, *layout.cells], "states": states}
    return body if trace.loop is None else {**body, "loop": trace.loop}
