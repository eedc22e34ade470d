"""Traces read from ITF files, and taken through the model again, step by step.

A trace is data, wherever it came from: reading one executes no code that it names, except a model file in the folder of
the trace or below it. Any other model must be named by the user.
"""

from __future__ import annotations

import builtins
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from onceproof.errors import InputError
from onceproof.inputs.itf.values import ACTION, PICKS, decoded, unwrapped
from onceproof.inputs.itf.writer import nearest_path
from onceproof.inputs.models import ModelRef, resolve
from onceproof.inputs.specs import spec_of
from onceproof.model.checker.results import Counterexample, Departure, Trace
from onceproof.model.language import ConfigError, ModelError, Step, System, build
from onceproof.model.language.declare import DEADLOCK
from onceproof.model.language.errors import OutOfRange, nearest
from onceproof.model.language.initials import INITIALLY
from onceproof.model.language.layout import State
from onceproof.model.language.step_arguments import codes_of_arguments

STDIN = "-"
KINDS: dict[type, str] = {dict: "a mapping", list: "a list", str: "text"}


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

    @builtins.property
    def counterexample(self) -> Counterexample | None:
        """The trace as what shows that a property is false; None where it violates nothing."""
        return Counterexample(self.property, self.arguments, self.trace, self.minimal) if self.property else None


def read_trace(path: Path, model: str | None = None) -> TraceFile:
    """The trace in a file, taken through its model again; InputError, one line, for whatever is wrong with it.

    path: ``-`` for standard input. model: the model that it is a trace of, as ``resolve`` reads it from the working
    directory; None for the one that the trace names, which must be the protocol of this project or a file in the folder
    of the trace or below it.
    """
    return _Reader(path, model).read()


class _Reader:
    """Reads one file; every error message names it, and the state."""

    def __init__(self, path: Path, model: str | None) -> None:
        self.path, self.model = path, model
        self.folder = path.parent

    def wrong(self, problem: str) -> InputError:
        return InputError(f"{self.path}: {problem}")

    def read(self) -> TraceFile:
        document = self.document()
        meta = self.meta(document)
        source = self.source(meta)
        settings = self.part(meta, "spec", dict, "#meta")
        system = self.system(source, settings)
        steps, states = self.run(system, self.part(document, "states", list, "the file"))
        loop = self.loop(document, states)
        name, arguments = self.claim(system, meta)
        trace = Trace(system, states, steps, loop, self.departure(system, meta, states[-1]))
        if trace.departure is not None and trace.departure.claim != name:
            raise self.wrong(f"its last step violates `{trace.departure.claim}`, not `{name}`, as #meta.property says")
        minimal = str(meta.get("minimal", ""))
        return TraceFile(self.path, source, str(settings.get("name", "")), trace, name, arguments, minimal)

    def document(self) -> dict[str, Any]:
        try:
            text = sys.stdin.read() if str(self.path) == STDIN else self.path.read_text(encoding="utf-8")
            document = json.loads(text)
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

    def meta(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """The part of the file that only onceproof writes."""
        meta = document.get("#meta", {})
        if not isinstance(meta, dict) or "model" not in meta:
            said = meta.get("description") or meta.get("source") if isinstance(meta, dict) else None
            origin = f" (`#meta` describes it as {' '.join(str(said).split())!r})" if said else ""
            raise self.wrong(f"this ITF trace was not written by onceproof: its `#meta` names no `model`{origin}")
        return meta

    def source(self, meta: Mapping[str, Any]) -> ModelRef:
        name = self.part(meta, "model", str, "#meta")
        try:
            source = resolve(self.model, Path()) if self.model is not None else self.named(meta)
        except InputError as error:
            raise self.wrong(str(error)) from None
        if source.model.name != name:
            raise self.wrong(f"this is a trace of the model `{name}`, not of `{source.model.name}`")
        return source

    def named(self, meta: Mapping[str, Any]) -> ModelRef:
        """The model that the trace names. Only a file that lies with the trace is executed."""
        if "model_module" in meta:
            module = self.part(meta, "model_module", str, "#meta")
            raise InputError(f"the trace names the Python module `{module}`; if you trust it: --model {quote(module)}")
        if "model_file" not in meta:
            return resolve(None, self.folder)
        place, variable = self.part(meta, "model_file", str, "#meta"), str(meta.get("model_name", ""))
        reference = f"{place}:{variable}".rstrip(":")
        if not place.endswith(".py"):
            raise InputError(f"`model_file` of #meta: expected a file that ends in .py, found `{place}`")
        file = (self.folder / place).resolve()
        if not file.is_relative_to(self.folder.resolve()):
            there = f"{nearest_path(file)}:{variable}".rstrip(":")
            raise InputError(
                f"the trace names the model `{place}`, which is outside the trace's folder; if you trust it: "
                f"--model {quote(there)}"
            )
        return resolve(reference, self.folder)

    def system(self, source: ModelRef, settings: Mapping[str, Any]) -> System:
        for key in ("sizes", "mechanisms", "faults", "parameters"):
            self.part({key: {}} | dict(settings), key, dict, "#meta.spec")
        try:
            return build(source.model, spec_of(source, settings, self.path).config)
        except (ConfigError, ModelError) as error:
            raise self.wrong(f"#meta.spec does not fit the model `{source.model.name}`: {error}") from None

    def run(self, system: System, shown: list[Any]) -> tuple[tuple[Step, ...], tuple[State, ...]]:
        if not shown:
            raise self.wrong("the trace has no states")
        states = [self.state(system, number, value) for number, value in enumerate(shown)]
        self.check_start(system, states[0], shown[0])
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

    def check_start(self, system: System, first: State, shown: Mapping[str, Any]) -> None:
        """InputError where a run of the system cannot begin so, or not by the choices that are noted."""
        if first not in system.starts:
            nearest_one = min(system.initials, key=lambda one: len(system.layout.changes(one, first)))
            which = (
                "the initial state" if len(system.starts) == 1 else f"one of the {len(system.starts):,} initial states"
            )
            raise self.wrong(f"state 0 is not {which}: {self.difference(system, nearest_one, first)}")
        chosen = {
            name: unwrapped(value)
            for name, value in self.part({PICKS: {}} | dict(shown), PICKS, dict, "state 0").items()
        }
        chosen = {name: value for name, value in chosen.items() if value is not None}
        if not chosen:
            return
        if system.beginning is None:
            raise self.wrong(f"state 0: the model has no choice at its start, and {', '.join(chosen)} is picked")
        try:
            reading = system.beginning
            codes = codes_of_arguments(reading.action, reading.choices, system.sizes, chosen)
        except ModelError as error:
            raise self.wrong(f"state 0: {error}") from None
        if system.begun(Step(INITIALLY, codes)) != first:
            picked = ", ".join(f"{name}={value}" for name, value in chosen.items())
            raise self.wrong(f"state 0: these choices do not lead to it: {picked}")

    def step(self, system: System, number: int, shown: Mapping[str, Any]) -> Step:
        action = self.part(shown, ACTION, str, f"state {number}")
        picks = self.part(shown, PICKS, dict, f"state {number}")
        chosen = {name: unwrapped(value) for name, value in picks.items()}
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
            if name not in layout.cells:
                raise self.wrong(f"state {number}: the model has no field `{name}`{nearest(name, layout.cells)}")
        try:
            return layout.parse({name: decoded(value) for name, value in fields.items()})
        except (ModelError, TypeError, ValueError, KeyError, IndexError) as error:
            raise self.wrong(f"state {number}: {error}") from None

    def difference(self, system: System, expected: State, found: State) -> str:
        label, (wanted, value) = next(iter(system.layout.changes(expected, found).items()))
        return f"`{label}` is {value}, expected {wanted}"

    def departure(self, system: System, meta: Mapping[str, Any], last: State) -> Departure | None:
        """The last step, after which there is no state."""
        if "departure" not in meta:
            return None
        said = self.part(meta, "departure", dict, "#meta")
        arguments = self.part(said, "arguments", dict, "#meta.departure")
        try:
            step = system.parse_step(self.part(said, "action", str, "#meta.departure"), arguments)
            system.step(last, step)
        except OutOfRange as error:
            return Departure.by(step, error)
        except ModelError as error:
            raise self.wrong(f"#meta.departure: {error}") from None
        raise self.wrong(f"#meta.departure: {_call(system, step)} leaves no range in the last state")

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
        if not name or name == DEADLOCK or (name in system.model.ranges and "departure" in meta):
            return name, ()
        if claim is None or claim.kind == "ending":
            hint = nearest(str(name), system.model.properties)
            raise self.wrong(f"#meta.property: the model has no property `{name}`{hint}")
        elements = self.part(meta, "elements", list, "#meta")
        known = [[p.element(i) for i in range(system.sizes[p.sort.__name__])] for p in claim.parameters]
        if len(elements) != len(known) or not all(e in names for e, names in zip(elements, known, strict=True)):
            wanted = ", ".join(p.name for p in claim.parameters) or "none"
            raise self.wrong(f"#meta.elements: expected the elements of `{name}` ({wanted}), found {elements}")
        return str(name), tuple(names.index(e) for e, names in zip(elements, known, strict=True))


def _call(system: System, step: Step) -> str:
    return system.call(step)
