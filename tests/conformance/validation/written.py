"""Logs for tests: runs of a model written as newline-delimited JSON, some of it left out."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from onceproof import build
from onceproof.conformance.validation.logs import LoggedEvent, read_events
from onceproof.conformance.validation.mapping import LogMapping, Rule, arguments_of
from onceproof.model.language import Model, Step, System
from onceproof.model.protocol.system import PROTOCOL


def random_run(system: System, seed: int, steps: int) -> list[Step]:
    """Steps chosen at random from the initial state."""
    r, state, run = random.Random(seed), system.initial, list[Step]()
    for _ in range(steps):
        choices = list(system.successors(state))
        if not choices:
            break
        step, state = r.choice(choices)
        run.append(step)
    return run


def lines_of(system: System, run: Sequence[Step], unlogged: frozenset[str] = frozenset()) -> list[dict[str, object]]:
    """A line for each step that leaves one, a second after the one before."""
    return [
        {"time": second, "process": "p", "action": step.action, "arguments": system.named_arguments(step)}
        for second, step in enumerate(run, 1)
        if step.action not in unlogged
    ]


def written(path: Path, lines: Sequence[object]) -> str:
    """The lines in a file; its name."""
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


def mapping_of(model: Model, unlogged: frozenset[str] = frozenset(), **more: object) -> LogMapping:
    """The mapping of a log that uses the model's own names."""
    arguments = arguments_of(build(model, model.configure()))
    rules = {
        name: Rule(name, {one.name: f"arguments.{one.name}" for one in arguments[name]})
        for name in model.actions
        if name not in unlogged
    }
    return LogMapping(rules=rules, unlogged=unlogged, arguments=arguments, **more)  # type: ignore[arg-type]


def events_of(folder: Path, lines: Sequence[object], mapping: LogMapping) -> list[LoggedEvent]:
    """The lines as events, by way of a file."""
    return read_events([written(folder / "log.ndjson", lines)], mapping)[0]


WAY = ("submit", "admit", "hear_answer", "relay", "mark_relayed", "assign", "receive", "place", "dispatch")
END = ("start", "finish", "hear", "record", "delete")
SHARED = frozenset({"assign"})


def one_task() -> list[dict[str, Any]]:
    """The lines of a task that goes its way without any fault."""
    system = build(PROTOCOL, PROTOCOL.configure({"tasks": 1, "schedulers": 1, "agents": 1}))
    state, steps = system.initial, []
    for action in (*WAY, *END):
        arguments, state = next(iter(system.steps_of(action, state)))
        steps.append(system.parse_step(action, dict(zip(names(action), elements(action, arguments), strict=True))))
    return [dict(line) for line in lines_of(system, steps)]


def names(action: str) -> list[str]:
    return [parameter.name for parameter in PROTOCOL.actions[action].parameters]


def elements(action: str, arguments: tuple[int, ...]) -> list[str]:
    parameters = PROTOCOL.actions[action].parameters
    return [p.sort.element(a) for p, a in zip(parameters, arguments, strict=True)]


def task_at(number: int, second: float) -> list[dict[str, Any]]:
    """The lines of a task under names of its own, from a time on; the owner of the queue is known by then."""
    lines = [line for line in one_task() if line["action"] not in SHARED or number == 0]
    for line in lines:
        line["time"] = second + line["time"] / 100
        own = {"task", "message", "submission"}
        line["arguments"] = {k: f"{v}-{number}" if k in own else v for k, v in line["arguments"].items()}
    return lines
