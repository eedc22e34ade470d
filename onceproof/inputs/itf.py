"""Traces as files in the Informal Trace Format (ITF, https://apalache-mc.org/docs/adr/015adr-trace.html), both ways.

Each state says, as Quint's traces do, which action led to it (``mbt::actionTaken``) and with which arguments
(``mbt::nondetPicks``). The ``#meta`` of the file holds what the format has no place for: the model, its configuration
and the property that the trace violates. A file that is read is stepped through again, so that a trace that the model
does not have can't be mistaken for one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onceproof.errors import InputError
from onceproof.inputs.models import ModelRef, resolve
from onceproof.inputs.specs import settings_of, spec_of
from onceproof.model.checker.results import Counterexample, Trace
from onceproof.model.language import ConfigError, ModelError, Step, System, build
from onceproof.model.language.declare import DEADLOCK
from onceproof.model.language.errors import nearest
from onceproof.model.language.layout import Layout, Place, State
from onceproof.model.language.sorts import Count, Maybe

ACTION, PICKS = "mbt::actionTaken", "mbt::nondetPicks"
KINDS: dict[type, str] = {dict: "a mapping", list: "a list", str: "text"}
NONE: dict[str, Any] = {"tag": "None", "value": {"#tup": []}}


@dataclass(frozen=True)
class TraceFile:
    """A trace that was read. property: which one it violates ("" for none), for which elements (0-based)."""

    path: Path
    source: ModelRef
    spec_name: str
    trace: Trace
    property: str
    arguments: tuple[int, ...]
    minimal: str


def write_trace(path: Path, source: ModelRef, spec_name: str, found: Counterexample) -> None:
    """Write a counterexample; a run that violates nothing has "" as its property. OSError where that is impossible."""
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
    if source.file is not None:
        # Relative to the trace, so that the two can be moved together.
        meta["model_file"] = os.path.relpath(source.file, path.resolve().parent)
        meta["model_name"] = source.variable
    elif source.reference:
        meta["model_module"] = source.reference
    path.write_text(_lines({"#meta": meta, **_body(found.trace)}), encoding="utf-8")


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
    return [p.sort.element(a) for p, a in zip(parameters, found.arguments, strict=True)]


def _body(trace: Trace) -> dict[str, Any]:
    layout = trace.system.layout
    taken = [None, *trace.steps]
    arguments = [trace.system.named_arguments(step) if step else {} for step in taken]
    # Quint's picks are a record, of one type in all states: what an action does not pick is None there.
    names = sorted({name for picks in arguments for name in picks})
    states = []
    for index, (state, step, picks) in enumerate(zip(trace.states, taken, arguments, strict=True)):
        states.append(
            {
                "#meta": {"index": index},
                ACTION: step.action if step else "init",
                PICKS: {name: some(picks[name]) if name in picks else NONE for name in names},
                **{place.name: _encoded(layout, place, state) for place in layout.places.values()},
            }
        )
    body: dict[str, Any] = {"vars": [ACTION, PICKS, *layout.places], "states": states}
    return body if trace.loop is None else {**body, "loop": trace.loop}


def some(value: Any) -> dict[str, Any]:
    """The variant ``Some(value)``."""
    return {"tag": "Some", "value": value}


def _encoded(layout: Layout, place: Place, state: State) -> Any:
    def cell(slot: int) -> Any:
        value = place.kind.show(state[slot])
        if isinstance(place.kind, Maybe):
            return NONE if value is None else some(value)
        return {"#bigint": str(value)} if isinstance(place.kind, Count) else value

    if not place.shape:
        return cell(place.offset)
    keys = [[sort.element(i) for sort, i in zip(place.sorts, key, strict=True)] for key in place.all_indices()]
    pairs = [[key[0] if len(key) == 1 else {"#tup": key}, cell(place.offset + n)] for n, key in enumerate(keys)]
    return {"#map": pairs}


def read_trace(path: Path) -> TraceFile:
    """The trace in a file, stepped through again; InputError, one line, for whatever is wrong with it."""
    reader = _Reader(path)
    return reader.read()


class _Reader:
    """Reads one file; every error message names it, and the state."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def wrong(self, problem: str) -> InputError:
        return InputError(f"{self.path}: {problem}")

    def read(self) -> TraceFile:
        document = self.document()
        meta = self.part(document, "#meta", dict, "the file")
        source = self.source(meta)
        settings = self.part(meta, "spec", dict, "#meta")
        system = self.system(source, settings)
        steps, states = self.run(system, self.part(document, "states", list, "the file"))
        loop = self.loop(document, states)
        name, arguments = self.claim(system, meta)
        trace = Trace(system, states, steps, loop)
        minimal = str(meta.get("minimal", ""))
        return TraceFile(self.path, source, str(settings.get("name", "")), trace, name, arguments, minimal)

    def document(self) -> dict[str, Any]:
        try:
            document = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise self.wrong("no such file") from None
        except OSError as error:
            raise self.wrong(f"cannot be read: {(error.strerror or str(error)).lower()}") from None
        except json.JSONDecodeError as error:
            where = f"line {error.lineno}, column {error.colno}"
            raise self.wrong(f"not JSON, or cut short: {error.msg.lower()} at {where}") from None
        except (UnicodeDecodeError, RecursionError, ValueError):
            raise self.wrong("not JSON: expected a trace in the Informal Trace Format") from None
        if not isinstance(document, dict) or "states" not in document:
            raise self.wrong("not a trace: expected an ITF document with `#meta`, `vars` and `states`")
        return document

    def part(self, mapping: Mapping[str, Any], key: str, kind: type, where: str) -> Any:
        value = mapping.get(key)
        if not isinstance(value, kind):
            found = "nothing" if value is None else type(value).__name__
            wanted = KINDS[kind]
            raise self.wrong(f"`{key}` of {where}: expected {wanted}, found {found}")
        return value

    def source(self, meta: Mapping[str, Any]) -> ModelRef:
        name = self.part(meta, "model", str, "#meta")
        reference = meta.get("model_module")
        if "model_file" in meta:
            reference = f"{meta['model_file']}:{meta.get('model_name', '')}".rstrip(":")
        try:
            source = resolve(reference, self.path.parent)
        except InputError as error:
            raise self.wrong(str(error)) from None
        if source.model.name != name:
            raise self.wrong(f"this is a trace of the model `{name}`, not of `{source.model.name}`")
        return source

    def system(self, source: ModelRef, settings: Mapping[str, Any]) -> System:
        for key in ("sizes", "mechanisms", "faults"):
            self.part({key: {}} | dict(settings), key, dict, "#meta.spec")
        try:
            return build(source.model, spec_of(source, settings, self.path).config)
        except (ConfigError, ModelError) as error:
            raise self.wrong(f"#meta.spec does not fit the model `{source.model.name}`: {error}") from None

    def run(self, system: System, shown: list[Any]) -> tuple[tuple[Step, ...], tuple[State, ...]]:
        if not shown:
            raise self.wrong("the trace has no states")
        states = [self.state(system, number, value) for number, value in enumerate(shown)]
        if states[0] != system.initial:
            raise self.wrong(f"state 0 is not the initial state: {self.difference(system, system.initial, states[0])}")
        steps = []
        for number in range(1, len(states)):
            step = self.step(system, number, shown[number])
            after = system.step(states[number - 1], step)
            if after is None:
                raise self.wrong(f"step {number}, {_call(system, step)}, is not enabled in state {number - 1}")
            if after != states[number]:
                differs = self.difference(system, after, states[number])
                raise self.wrong(f"step {number}, {_call(system, step)}, does not lead to state {number}: {differs}")
            steps.append(step)
        return tuple(steps), tuple(states)

    def step(self, system: System, number: int, shown: Mapping[str, Any]) -> Step:
        action = self.part(shown, ACTION, str, f"state {number}")
        picks = self.part(shown, PICKS, dict, f"state {number}")
        chosen = {name: _unwrapped(value) for name, value in picks.items()}
        try:
            return system.parse_step(action, {name: value for name, value in chosen.items() if value is not None})
        except ModelError as error:
            raise self.wrong(f"step {number}: {error}") from None

    def state(self, system: System, number: int, shown: Any) -> State:
        if not isinstance(shown, dict):
            raise self.wrong(f"state {number} is not a mapping from fields to values")
        layout = system.layout
        fields = {name: value for name, value in shown.items() if name not in ("#meta", ACTION, PICKS)}
        for name in fields:
            if name not in layout.places:
                raise self.wrong(f"state {number}: the model has no field `{name}`{nearest(name, layout.places)}")
        try:
            return layout.parse({name: _decoded(value) for name, value in fields.items()})
        except (ModelError, TypeError, ValueError, KeyError, IndexError) as error:
            raise self.wrong(f"state {number}: {error}") from None

    def difference(self, system: System, expected: State, found: State) -> str:
        label, (wanted, value) = next(iter(system.layout.changes(expected, found).items()))
        return f"`{label}` is {value}, expected {wanted}"

    def loop(self, document: Mapping[str, Any], states: tuple[State, ...]) -> int | None:
        loop = document.get("loop")
        if loop is None:
            return None
        loop = int(loop["#bigint"]) if isinstance(loop, dict) and str(loop.get("#bigint")).isdigit() else loop
        if type(loop) is not int or not 0 <= loop < len(states):
            raise self.wrong(f"`loop` must be the index of a state, found {loop!r}")
        if states[loop] != states[-1]:
            raise self.wrong(f"`loop` says that the last state equals state {loop}, but it does not")
        return loop

    def claim(self, system: System, meta: Mapping[str, Any]) -> tuple[str, tuple[int, ...]]:
        name = meta.get("property") or ""
        claim = system.model.properties.get(str(name))
        if not name or name == DEADLOCK:
            return name, ()
        if claim is None or claim.kind == "ending":
            hint = nearest(str(name), system.model.properties)
            raise self.wrong(f"#meta.property: the model has no property `{name}`{hint}")
        elements = self.part(meta, "elements", list, "#meta")
        known = [[p.sort.element(i) for i in range(system.sizes[p.sort.__name__])] for p in claim.parameters]
        if len(elements) != len(known) or not all(e in names for e, names in zip(elements, known, strict=True)):
            wanted = ", ".join(p.name for p in claim.parameters) or "none"
            raise self.wrong(f"#meta.elements: expected the elements of `{name}` ({wanted}), found {elements}")
        return str(name), tuple(names.index(e) for e, names in zip(elements, known, strict=True))


def _call(system: System, step: Step) -> str:
    return f"{step.action}({', '.join(system.named_arguments(step).values())})"


def _decoded(value: Any) -> Any:
    """A value of ITF as ``Layout.show`` has it."""
    if isinstance(value, dict):
        if "#bigint" in value:
            return int(value["#bigint"])
        if "#map" in value:
            return {_key(key): _decoded(inner) for key, inner in value["#map"]}
        if "tag" in value:
            return _unwrapped(value)
    return value


def _unwrapped(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return value.get("value") if value.get("tag") == "Some" else None


def _key(key: Any) -> str:
    parts: Iterable[Any] = key["#tup"] if isinstance(key, dict) else [key]
    return ",".join(map(str, parts))
