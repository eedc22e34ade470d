"""Logs for tests: runs of a model written as newline-delimited JSON, some of it left out."""

import json
import random
from collections.abc import Sequence
from pathlib import Path

from onceproof.conformance.validation.logs import LoggedEvent, read_events
from onceproof.conformance.validation.mapping import LogMapping, Rule
from onceproof.model.language import Model, Step, System


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
    rules = {
        name: Rule(name, {p.name: f"arguments.{p.name}" for p in action.parameters})
        for name, action in model.actions.items()
        if name not in unlogged
    }
    return LogMapping(rules=rules, unlogged=unlogged, **more)  # type: ignore[arg-type]


def events_of(folder: Path, lines: Sequence[object], mapping: LogMapping) -> list[LoggedEvent]:
    """The lines as events, by way of a file."""
    return read_events([written(folder / "log.ndjson", lines)], mapping)[0]
