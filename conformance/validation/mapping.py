"""The mapping from a log to a model: which event is which action, and what the log never says."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from onceproof.conformance.judging.errors import LogError
from onceproof.model.language import Model, System
from onceproof.model.language.arguments import Parameter
from onceproof.model.language.errors import nearest
from onceproof.model.language.reading.result import Chosen

KEYS = (
    *("event", "unit", "time", "begin", "process", "sequence", "clock", "clock_error"),
    *("by", "actions", "unlogged", "sometimes", "ignored", "reborn"),
)
UNITS = {"": 0, "s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
RULE_KEYS = ("action", "arguments", "shows")
Arguments = Mapping[str, tuple[Parameter | Chosen, ...]]


@dataclass(frozen=True)
class Rule:
    """What one kind of event says: a step of ``action``, its arguments, and cells of the state after it.

    arguments: for each parameter and choice the path of its value in the event; one that is left out may be anything.
    shows: for each cell, ``stage[message]``, the path of its value.
    """

    action: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    shows: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LogMapping:
    """How a log is read as steps of a model.

    event, time, begin, process, sequence, clock: paths in a line. clock: a vector clock. unit: of times that are
    numbers, "" to tell it by their size. clock_error: by how many
    seconds the clocks of two processes may differ. by: the sort whose elements are validated one by one, "" for none.
    rules: by the name of an event. unlogged: actions that never leave a line; sometimes: those that may.
    ignored: events that are not steps. reborn: events after which a name stands for a further element: {event: its
    parameter}. arguments: what the arguments of each action's steps stand for, its parameters and then its choices.
    own_names: the log uses the model's own names, so that an argument of another name is a mistake.
    """

    event: str = "action"
    unit: str = ""
    time: str = "time"
    begin: str = ""
    process: str = "process"
    sequence: str = "sequence"
    clock: str = ""
    clock_error: float = 0.0
    by: str = ""
    rules: Mapping[str, Rule] = field(default_factory=dict)
    unlogged: frozenset[str] = frozenset()
    sometimes: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()
    reborn: Mapping[str, str] = field(default_factory=dict)
    arguments: Arguments = field(default_factory=dict)
    own_names: bool = False


def arguments_of(system: System) -> Arguments:
    """What the arguments of each action's steps stand for: its parameters, and then its choices."""
    return {name: system.parameters_of(name) for name in system.model.actions}


def load(path: Path, system: System) -> LogMapping:
    """The mapping in a YAML file, checked against a model. LogError that names file and key."""
    try:
        loaded = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise LogError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LogError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    return _Reader(str(path), system).mapping(loaded)


def identity(system: System, names: Iterable[str], by: str = "") -> LogMapping:
    """The mapping of a log that uses the model's own names: what it never shows is taken as unlogged.

    names: the events that the log has; others than actions are ignored.
    """
    seen, arguments = set(names), arguments_of(system)
    rules = {
        name: Rule(name, {one.name: f"arguments.{one.name}" for one in arguments[name]})
        for name in seen & set(arguments)
    }
    unlogged, ignored = frozenset(set(arguments) - seen), frozenset(seen - set(arguments))
    return LogMapping(by=by, rules=rules, unlogged=unlogged, ignored=ignored, arguments=arguments, own_names=True)


class _Reader:
    """Checks what a YAML file says, key by key."""

    def __init__(self, place: str, system: System) -> None:
        self._place, self._model, self._arguments = place, system.model, arguments_of(system)

    def mapping(self, loaded: Any) -> LogMapping:
        if not isinstance(loaded, dict):
            raise LogError(f"{self._place}: expected a mapping with the key `actions`")
        self._known("key", loaded, KEYS)
        if "actions" not in loaded:
            raise LogError(f"{self._place}: the key `actions` is missing: it says which event is which action")
        rules = {str(name): self._rule(str(name), rule) for name, rule in dict(loaded["actions"] or {}).items()}
        if not rules:
            raise LogError(f"{self._place}: actions: no event is mapped to an action")
        by = str(loaded.get("by", ""))
        if by:
            self._name("by", by, self._model.sorts)
        if loaded.get("unit", "") not in UNITS:
            raise LogError(f"{self._place}: unit: expected one of {', '.join(filter(None, UNITS))}")
        paths = ("event", "unit", "time", "begin", "process", "sequence", "clock")
        texts: dict[str, Any] = {key: str(loaded[key]) for key in paths if key in loaded}
        return LogMapping(
            **texts,
            clock_error=self._number("clock_error", loaded.get("clock_error", 0)),
            by=by,
            rules=rules,
            unlogged=self._actions("unlogged", loaded.get("unlogged", ())),
            sometimes=self._actions("sometimes", loaded.get("sometimes", ())),
            ignored=frozenset(map(str, loaded.get("ignored", ()) or ())),
            reborn={str(event): str(name) for event, name in dict(loaded.get("reborn", {}) or {}).items()},
            arguments=self._arguments,
        )

    def _rule(self, event: str, rule: Any) -> Rule:
        if isinstance(rule, str):
            rule = {"action": rule}
        if not isinstance(rule, dict):
            raise LogError(f"{self._place}: actions.{event}: expected the name of an action, or a mapping")
        self._known(f"key of actions.{event}", rule, RULE_KEYS)
        action = str(rule.get("action", event))
        self._name(f"actions.{event}", action, self._model.actions)
        parameters = [one.name for one in self._arguments[action]]
        arguments = rule.get("arguments")
        if arguments is None:
            arguments = {name: f"arguments.{name}" for name in parameters}
        for name in arguments:
            self._name(f"actions.{event}.arguments", str(name), parameters)
        shows = {str(cell): str(path) for cell, path in dict(rule.get("shows", {})).items()}
        for cell in shows:
            self._name(f"actions.{event}.shows", cell.split("[")[0], self._model.field_names)
        return Rule(action, {str(name): str(path) for name, path in arguments.items()}, shows)

    def _actions(self, key: str, names: Any) -> frozenset[str]:
        if isinstance(names, str):
            names = [names]
        for name in names or ():
            self._name(key, str(name), self._model.actions)
        return frozenset(map(str, names or ()))

    def _number(self, key: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise LogError(f"{self._place}: {key}: expected a number of seconds, found `{value}`")
        return float(value)

    def _name(self, key: str, name: str, known: Iterable[str]) -> None:
        if name not in known:
            hint = nearest(name, known) or f"; known are {', '.join(known)}"
            raise LogError(f"{self._place}: {key}: unknown name `{name}`{hint}")

    def _known(self, what: str, found: Mapping[Any, Any], known: tuple[str, ...]) -> None:
        for key in found:
            if key not in known:
                hint = nearest(str(key), known) or f"; known are {', '.join(known)}"
                raise LogError(f"{self._place}: unknown {what} `{key}`{hint}")


def draft(system: System, names: Iterable[str]) -> str:
    """A mapping to start from, as YAML: events with the names of actions, or names near to them."""
    model, arguments = system.model, arguments_of(system)
    seen = list(dict.fromkeys(names))
    lines = [
        "# Which event of the log is which action of the model; paths are keys of a line, joined by dots.",
        "actions:",
    ]
    used: set[str] = set()
    for name in seen:
        action = name if name in model.actions else _near(name, model)
        if action is None:
            continue
        used.add(action)
        parameters = ", ".join(f"{one.name}: arguments.{one.name}" for one in arguments[action])
        lines.append(f"  {name}: {{action: {action}, arguments: {{{parameters}}}}}")
    strangers = [name for name in seen if name not in model.actions and _near(name, model) is None]
    lines.append("# Events that are not steps of the model:")
    lines.append(f"ignored: [{', '.join(strangers)}]")
    lines.append("# Actions that never leave a line; `sometimes: [...]` for those that may leave one:")
    lines.append(f"unlogged: [{', '.join(name for name in model.actions if name not in used)}]")
    lines.append("# The sort whose elements are validated one by one; without it the whole log is one run:")
    lines.append(f"# by: {next(iter(model.sorts), 'Task')}")
    return "\n".join(lines) + "\n"


def _near(name: str, model: Model) -> str | None:
    """The action whose name is almost the same but for how its words are put together."""
    plain = {re.sub(r"[\W_]", "", action).lower(): action for action in model.actions}
    close = difflib.get_close_matches(re.sub(r"[\W_]", "", name).lower(), plain, n=1, cutoff=0.8)
    return plain[close[0]] if close else None
