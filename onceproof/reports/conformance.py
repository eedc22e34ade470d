"""The text reports of replays and tests of systems: disagreements with their traces, and the mapping of a driver."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from onceproof.conformance.driver import Abilities
from onceproof.conformance.drivers import CORE
from onceproof.conformance.replay.confirm import Confirmation
from onceproof.conformance.replay.lockstep import Disagreement, Replay
from onceproof.errors import InputError
from onceproof.explain.explanation import explain_trace
from onceproof.model.checker.results import Trace
from onceproof.model.language import ModelError, Step, System
from onceproof.reports.style import style
from onceproof.reports.tables import plain
from onceproof.reports.trace_text import counted, steps


def call_text(system: System, step: Step) -> str:
    """``delete(scheduler1, message1)``."""
    return system.call(step)


def parse_call(system: System, text: str) -> Step:
    """The step that ``delete(scheduler1, message1)`` means; InputError where the model has no such step."""
    name, _, rest = text.strip().rstrip(")").partition("(")
    words = [word.strip() for word in rest.split(",") if word.strip()]
    chosen = dict(word.split("=", 1) for word in words if "=" in word)
    values = [word for word in words if "=" not in word]
    action = system.model.actions.get(name.strip())
    names = [parameter.name for parameter in action.parameters] if action else []
    if action is not None and len(values) != len(names):
        raise InputError(f"`{text}`: {name} takes {len(names)} arguments ({', '.join(names)}), found {len(values)}")
    try:
        return system.parse_step(name.strip(), {**dict(zip(names, values, strict=False)), **chosen})
    except ModelError as error:
        raise InputError(f"`{text}`: {error}") from None


def disagreement_lines(disagreement: Disagreement, trace: Trace, again: str) -> Iterator[str]:
    """The lines that say at which step model and system disagree, and how.

    again: the command that reproduces it.
    """
    system = trace.system
    width = max(100, shutil.get_terminal_size((140, 24)).columns)
    yield from steps(explain_trace(trace), width)
    if trace.steps:
        yield ""
    yield style(headline(disagreement, trace), fg="red", bold=True)
    if disagreement.reason:
        yield f"  {disagreement.reason}"
    if disagreement.forbidden:
        asked = [call_text(system, step) for step in disagreement.forbidden]
        yield f"  the model forbids {', '.join(asked)} after these steps"
    if disagreement.differences:
        yield ""
        rows = [(d.label, text_of(d.model), text_of(d.system)) for d in disagreement.differences]
        yield from (f"  {line}" for line in plain(("", "model", "system"), rows))
    if again:
        yield ""
        yield f"reproduce: {again}"


def headline(disagreement: Disagreement, trace: Trace) -> str:
    """One line: of which kind the disagreement is, and at which step."""
    kind = disagreement.kind.value.upper()
    if disagreement.step is not None:
        call = call_text(trace.system, disagreement.step)
        at = f"after step {len(trace)}" if disagreement.forbidden else f"at step {len(trace)}"
        at = at if trace.steps else "in the initial state"
        return f"{kind} {at}: {call}"
    return f"{kind} after step {len(trace)}" if trace.steps else f"{kind} in the initial state"


def confirmation_lines(confirmation: Confirmation, disagreement: Disagreement, trace: Trace) -> Iterator[str]:
    """What precedes a disagreement that was not reproduced every time: how each run ended."""
    if confirmation.flaky:
        yield style("FLAKY: the same steps do not always end in the same way", fg="red", bold=True)
        yield f"  first run   {headline(disagreement, trace)}"
        for number, run in enumerate(confirmation.runs, start=1):
            yield f"  again ({number})   {_ended(run)}"
        yield "the first run:"
    if confirmation.unconfirmed:
        yield style("not confirmed: the driver failed when the steps were repeated", fg="red", bold=True)
        yield f"  {confirmation.unconfirmed}"


def confirmation_json(confirmation: Confirmation) -> dict[str, Any]:
    """The same for machines."""
    return {
        "flaky": confirmation.flaky,
        "unconfirmed": confirmation.unconfirmed,
        "runs": [_ended(run) for run in confirmation.runs],
    }


def not_covered_line(replaced: Mapping[str, str], explain: bool = True) -> Iterator[str]:
    """What a stand-in of the driver does in the system's place; nothing where there is none."""
    if replaced:
        why = " (what covers it: --explain-mapping)" if explain else ""
        yield f"not covered: {', '.join(replaced)}{why}"


def differs(confirmation: Confirmation) -> str:
    """The verdict on a disagreement."""
    return "flaky" if confirmation.flaky else "differs"


def _ended(run: Replay) -> str:
    if run.disagreement is None:
        return f"agrees in {counted(run.steps, 'step')}"
    ended = type(run.trace)(run.trace.system, run.trace.states[: run.steps + 2], run.trace.steps[: run.steps + 1])
    cells = ", ".join(difference.label for difference in run.disagreement.differences)
    return headline(run.disagreement, ended) + (f" ({cells})" if cells else "")


def text_of(value: Any) -> str:
    """A value as tables show it."""
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def disagreement_json(disagreement: Disagreement, trace: Trace) -> dict[str, Any]:
    """The same for machines."""
    system = trace.system

    def step_json(step: Step) -> dict[str, Any]:
        return {"action": step.action, "arguments": system.named_arguments(step)}

    return {
        "kind": disagreement.kind.value,
        "at": len(trace),
        "step": step_json(disagreement.step) if disagreement.step else None,
        "reason": disagreement.reason,
        "forbidden": [step_json(step) for step in disagreement.forbidden],
        "differences": [{"cell": d.label, "model": d.model, "system": d.system} for d in disagreement.differences],
        "steps": [step_json(step) for step in trace.steps],
        "faults": trace.faults,
    }


def again_command(
    path: Path | None, disagreement: Disagreement, trace: Trace, driver: str, model: Sequence[str] = ()
) -> str:
    """The command that replays a saved disagreement; "" if it was not saved. model: the option that names its model."""
    if path is None:
        return ""
    import shlex

    parts = ["onceproof", "replay", str(path), *model]
    if driver != CORE:
        parts += ["--driver", driver]
    for step in disagreement.forbidden:
        parts += ["--forbidden", call_text(trace.system, step)]
    return " ".join(map(shlex.quote, parts))


def mapping_lines(abilities: Abilities, system: System) -> Iterator[str]:
    """How a driver's observations are read as the model's state: a table, and what is left out with the reasons."""
    fields = list(system.model.field_names)
    yield f"{abilities.name}: observed"
    rows = [(name, abilities.sources.get(name, "")) for name in fields if name in abilities.observes]
    yield from (f"  {line}" for line in plain(("field", "read from"), rows))
    yield ""
    yield "not observed"
    hidden = [(name, abilities.unseen.get(name, "the driver does not say why")) for name in fields]
    yield from (f"  {line}" for line in _rows([row for row in hidden if row[0] not in abilities.observes]))
    budgets = [
        (name, "what is left of a fault budget (part of the model only)")
        for name in system.layout.cells
        if name not in fields
    ]
    yield from (f"  {line}" for line in _rows(budgets))
    yield ""
    yield "internal: steps of the model that the system does not have (not sent to the driver; states are compared)"
    yield f"  {', '.join(sorted(abilities.internal)) or 'none'}"
    yield ""
    yield "not performed"
    lacking = sorted(set(system.model.actions) - abilities.performs - abilities.internal)
    rows = [(name, abilities.unperformed.get(name, "the driver does not say why")) for name in lacking]
    yield from (f"  {line}" for line in _rows(rows) or ["none: every action of the model is performed"])
    yield ""
    if abilities.how:
        yield "how the driver performs steps that the system does not take by itself"
        yield from (f"  {line}" for line in _rows(sorted(abilities.how.items())))
        yield ""
    if abilities.replaced:
        yield "not covered: what the driver does in the system's place"
        yield from (f"  {line}" for line in _rows(list(abilities.replaced.items())))
        yield ""
    yield "what the system may do although the model does not allow it"
    yield from (f"  {line}" for line in _rows(sorted(abilities.lenient.items())) or ["none"])


def _rows(rows: Sequence[tuple[str, str]]) -> list[str]:
    return plain(("", ""), rows)[1:] if rows else []


def mapping_json(abilities: Abilities, system: System) -> dict[str, Any]:
    """The same for machines."""
    lacking = sorted(set(system.model.actions) - abilities.performs - abilities.internal)
    fields = list(system.model.field_names)
    return {
        "driver": abilities.name,
        "observed": {name: abilities.sources.get(name, "") for name in fields if name in abilities.observes},
        "not_observed": {name: abilities.unseen.get(name, "") for name in fields if name not in abilities.observes},
        "internal": sorted(abilities.internal),
        "not_performed": lacking,
        "why_not_performed": {name: abilities.unperformed.get(name, "") for name in lacking},
        "how": dict(abilities.how),
        "not_covered": dict(abilities.replaced),
        "lenient": dict(abilities.lenient),
    }
