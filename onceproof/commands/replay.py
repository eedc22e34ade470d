"""Drive a system along traces of the model, and compare states after every step."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import click

from onceproof.commands._driving import StepProgress, answer_option, driver_option, driving
from onceproof.conformance.coverage.run import REFUSALS, Budget, Coverage, cover
from onceproof.conformance.driver import setting_of
from onceproof.conformance.drivers import CORE
from onceproof.conformance.replay.confirm import Confirmation, confirm
from onceproof.conformance.replay.lockstep import Replay, replay
from onceproof.conformance.replay.negative_tests import Guards
from onceproof.errors import Exit, InputError
from onceproof.inputs.itf import TraceFile, read_trace
from onceproof.inputs.models import resolve
from onceproof.inputs.specs import Spec, load_spec
from onceproof.model.checker.results import INTERRUPTED, StopReason
from onceproof.model.language import System, build
from onceproof.reports.conformance import (
    again_command,
    call_text,
    confirmation_json,
    confirmation_lines,
    differs,
    disagreement_json,
    mapping_json,
    mapping_lines,
    parse_call,
    save,
    tell,
)
from onceproof.reports.stops import stop_text
from onceproof.reports.trace_text import counted

POSITIVE = click.IntRange(min=1)
MOST_STATES = 50_000  # their plan takes some ten seconds


@click.command(short_help=__doc__)
@click.argument("trace", required=False, type=click.Path(path_type=Path))
@click.option("--cover", "spec", type=click.Path(path_type=Path), metavar="SPEC", help="Every transition of a spec.")
@driver_option
@answer_option
@click.option("--forbidden", multiple=True, metavar="STEP", help="Ask for it after TRACE; it must be refused.")
@click.option("--explain-mapping", is_flag=True, help="Print how observations are read as the model's state; no run.")
@click.option("--max-seconds", type=click.FloatRange(min=0, min_open=True), help="Cover for so long at most.")
@click.option("--max-steps", type=POSITIVE, help="Cover with so many steps at most.")
@click.option(
    "--max-states",
    type=POSITIVE,
    default=MOST_STATES,
    show_default=True,
    help="Explore so many states of the spec at most; what lies beyond is not covered.",
)
@click.option("--sample", type=POSITIVE, metavar="N", help="Walk N of the cover's paths only, chosen by --seed.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="For what is chosen at random.")
@click.option("--symmetric", is_flag=True, help="Cover one of the transitions that differ in names alone.")
@click.option(
    "--refusals",
    type=click.IntRange(min=0),
    default=REFUSALS,
    show_default=True,
    metavar="N",
    help="At each new state ask for N steps that the model forbids.",
)
@click.option("--trace-out", type=click.Path(path_type=Path, dir_okay=False), help="Write what disagrees as ITF.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--quiet", is_flag=True, help="Only what disagrees; no progress.")
def command(
    trace: Path | None,
    spec: Path | None,
    driver: str,
    answer_seconds: float,
    forbidden: tuple[str, ...],
    explain_mapping: bool,
    max_seconds: float | None,
    max_steps: int | None,
    max_states: int,
    sample: int | None,
    seed: int,
    symmetric: bool,
    refusals: int,
    trace_out: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Replay TRACE (an ITF file) against a system, or cover every transition of a spec.

    Model and system take each step side by side; after each their states must be the same. What the model forbids
    the system must refuse. Exit status: 0 they agree, 1 they do not, 2 wrong trace, spec or driver, 3 undecided.
    """
    if explain_mapping:
        _explain(trace, spec, driver, answer_seconds, as_json)
    elif (trace is None) == (spec is None):
        raise InputError("replay: give either a TRACE or --cover SPEC")
    elif trace is not None:
        _replay(read_trace(trace), driver, answer_seconds, forbidden, trace_out, as_json, quiet)
    elif spec is not None:
        budget = Budget(max_seconds, max_steps, max_states, refusals, sample, seed, symmetric)
        _cover(load_spec(spec), driver, answer_seconds, budget, trace_out, as_json, quiet)


def _explain(trace: Path | None, spec: Path | None, driver: str, answer_seconds: float, as_json: bool) -> None:
    system: System
    if trace is not None:
        system = read_trace(trace).trace.system
    else:
        system = load_spec(spec).system if spec is not None else build(resolve(None, Path()).model)
    with driving(driver, answer_seconds) as driven:
        abilities = driven.reset(setting_of(system))
    if as_json:
        click.echo(json.dumps(mapping_json(abilities, system), indent=2))
    else:
        click.echo("\n".join(mapping_lines(abilities, system)))


def _replay(
    read: TraceFile,
    driver: str,
    answer_seconds: float,
    forbidden: tuple[str, ...],
    trace_out: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    trace = read.trace
    refused = [parse_call(trace.system, text) for text in forbidden]
    if not trace.steps and not refused:
        raise InputError(f"{read.path}: the trace has no steps; nothing to replay")
    guards = Guards(trace.system)
    for step in refused:
        if not guards.forbids(trace.states[-1], step):
            raise InputError(f"{read.path}: the model allows {call_text(trace.system, step)} after this trace")
    with driving(driver, answer_seconds) as driven:
        result = replay(trace, driven, refused)
        found = result.disagreement
        short = type(trace)(trace.system, trace.states[: result.steps + 2], trace.steps[: result.steps + 1])
        confirmation = Confirmation() if found is None else confirm(short, found, driven)
    if found is not None:
        if trace_out is not None:
            save(trace_out, read.source, read.spec_name, short)
        if as_json:
            document = {**_replay_json(read, result, confirmation), "disagreement": disagreement_json(found, short)}
            click.echo(json.dumps(document, indent=2))
        else:
            click.echo("".join(f"{line}\n" for line in confirmation_lines(confirmation, found, short)), nl=False)
            click.echo("\n".join(tell(found, short, again_command(read.path, found, short, driver))))
        raise click.exceptions.Exit(Exit.VIOLATED)
    if as_json:
        click.echo(json.dumps(_replay_json(read, result, confirmation), indent=2))
    elif result.not_performed:
        click.echo(
            f"{read.path}: agrees for {result.steps} of {len(trace)} steps; "
            f"the driver does not perform `{result.not_performed}`"
        )
    elif not quiet:
        click.echo(f"{read.path}: agrees in all {len(trace)} steps, {result.compared} states compared")
    if result.not_performed:
        raise click.exceptions.Exit(Exit.UNDECIDED)


def _replay_json(read: TraceFile, result: Replay, confirmation: Confirmation) -> dict[str, Any]:
    undecided = "undecided" if result.not_performed else "agrees"
    return {
        "trace": str(read.path),
        "verdict": differs(confirmation) if result.disagreement else undecided,
        "steps": len(read.trace),
        "agreed": result.steps,
        "compared": result.compared,
        "not_performed": result.not_performed or None,
        **confirmation_json(confirmation),
        "disagreement": None,
    }


def _cover(
    spec: Spec,
    driver: str,
    answer_seconds: float,
    budget: Budget,
    trace_out: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    progress = StepProgress(spec.name, quiet or as_json)
    with driving(driver, answer_seconds) as driven:
        found = cover(spec.system, driven, budget, progress)
        progress.wipe()
        if not found.performable and found.disagreement is None:
            raise InputError(f"{spec.path}: the driver performs none of the steps that come first; nothing to cover")
    if found.trace is not None and trace_out is not None:
        save(trace_out, spec.source, spec.name, found.trace)
    undecided = (not found.complete and budget.sample is None) or found.stopped == INTERRUPTED
    if as_json:
        click.echo(json.dumps(_cover_json(spec, found, undecided, budget.seed), indent=2))
    else:
        _print_cover(spec, found, driver, trace_out, quiet, budget.seed)
    if found.disagreement is not None:
        raise click.exceptions.Exit(Exit.VIOLATED)
    if undecided:
        raise click.exceptions.Exit(Exit.UNDECIDED)


def _print_cover(spec: Spec, found: Coverage, driver: str, trace_out: Path | None, quiet: bool, seed: int) -> None:
    if not quiet:
        for line in _summary(spec, found, seed):
            click.echo(line)
    if found.disagreement is not None and found.trace is not None:
        again = again_command(trace_out, found.disagreement, found.trace, driver) or _same_command(spec, driver)
        click.echo("" if quiet else "\n", nl=False)
        remarks = confirmation_lines(found.confirmation, found.disagreement, found.trace)
        click.echo("".join(f"{line}\n" for line in remarks), nl=False)
        click.echo("\n".join(tell(found.disagreement, found.trace, again)))


def _same_command(spec: Spec, driver: str) -> str:
    words = ["onceproof", "replay", "--cover", str(spec.path)]
    if driver != CORE:
        words += ["--driver", driver]
    return " ".join([*map(shlex.quote, words), "--trace-out", "FILE.itf.json"])


def _stopped(found: Coverage, seed: int) -> str:
    if found.stopped is not None and found.stopped.reason is StopReason.SAMPLE:
        return f"a sample of {found.stopped.limit} of {len(found.plan.paths)} paths, seed {seed}"
    return stop_text(found.stopped)


def _summary(spec: Spec, found: Coverage, seed: int) -> list[str]:
    wanted = found.performable if found.symmetric is None else found.symmetric
    share = 100 * found.covered / wanted if wanted else 0.0
    lines = [click.style(spec.name, bold=True)]
    of_model = f" (of {found.transitions:,} of the model)" if found.transitions > found.performable else ""
    lines.append(f"  covered   {found.covered:,} of {wanted:,} transitions, {share:.1f} %{of_model}")
    if not found.plan.graph.complete:
        lines.append(
            f"  explored  {len(found.plan.graph.states):,} states of the model, which has more: those transitions are "
            "not counted (more --max-states, more --max-seconds)"
        )
    if found.symmetric is not None:
        lines.append(f"  reduced   these stand for {found.performable:,} that differ from them in names alone")
    over = 100 * (found.plan.steps / found.plan.bound - 1) if found.plan.bound else 0.0
    lines.append(
        f"  planned   {counted(found.plan.steps, 'step')} in {counted(len(found.plan.paths), 'path')}; "
        f"the least possible is {found.plan.bound:,} ({over:.1f} % over)"
    )
    rate = found.compared / found.seconds if found.seconds else 0.0
    lines.append(
        f"  walked    {counted(found.steps, 'step')} in {counted(found.paths, 'path')}, "
        f"{counted(found.compared, 'state')} compared, "
        f"{found.refused:,} forbidden steps refused, {found.seconds:.1f} s ({rate:,.0f} comparisons a second)"
    )
    if found.stopped:
        lines.append(f"  stopped   {_stopped(found, seed)}")
    if found.left and found.disagreement is None:
        left = ", ".join(f"{action} {count:,}" for action, count in found.left.items())
        lines.append(f"  left      {sum(found.left.values()):,} transitions: {left}")
    for action, count in sorted(found.skipped.items()):
        lines.append(
            f"  skipped   {action}: the driver does not perform it ({counted(count, 'transition')}, and what follows)"
        )
    if found.unobserved:
        lines.append(f"  not seen  {', '.join(found.unobserved)} (why: --explain-mapping)")
    if found.disagreement is None:
        lines.append("  agrees" if found.complete else "  agrees as far as it was walked")
    return lines


def _cover_json(spec: Spec, found: Coverage, undecided: bool, seed: int) -> dict[str, Any]:
    disagreement = None
    if found.disagreement is not None and found.trace is not None:
        disagreement = disagreement_json(found.disagreement, found.trace)
    verdict = "undecided" if undecided else "agrees"
    return {
        "spec": spec.name,
        "verdict": differs(found.confirmation) if disagreement else verdict,
        "complete": found.complete,
        "explored_all": found.plan.graph.complete,
        "transitions": found.transitions,
        "performable": found.performable,
        "symmetric": found.symmetric,
        "covered": found.covered,
        "paths": found.paths,
        "paths_planned": len(found.plan.paths),
        "steps": found.steps,
        "steps_planned": found.plan.steps,
        "steps_least": found.plan.bound,
        "compared": found.compared,
        "refused": found.refused,
        "seconds": round(found.seconds, 3),
        "stopped": _stopped(found, seed),
        "left": found.left,
        "skipped": found.skipped,
        "unobserved": found.unobserved,
        **confirmation_json(found.confirmation),
        "disagreement": disagreement,
    }
