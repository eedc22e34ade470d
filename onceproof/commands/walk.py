"""Random runs of a spec, seeded: for what is too large to explore; says how much of it was probably seen."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import click

from onceproof.errors import Exit, InputError, require_writable
from onceproof.explain.explanation import explain
from onceproof.inputs.itf import write_trace
from onceproof.inputs.specs import Spec, load_specs
from onceproof.model.checker.engines import EngineError
from onceproof.model.checker.explicit.random_walk import WalkResult
from onceproof.model.checker.results import INTERRUPTED, Limits
from onceproof.model.checker.walks import WalkOptions, walk
from onceproof.reports.progress import ProgressLine
from onceproof.reports.stops import stop_text
from onceproof.reports.trace_text import explanation_lines

POSITIVE = click.IntRange(min=1)


@click.command(short_help=__doc__)
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="The same seed, the same runs.")
@click.option("--runs", type=POSITIVE, default=10_000, show_default=True, help="How many runs at most.")
@click.option("--depth", type=POSITIVE, default=100, show_default=True, help="How many steps a run takes at most.")
@click.option("--engine", type=click.Choice(["auto", "plain", "compiled"]), default="auto", show_default=True)
@click.option("--workers", type=POSITIVE, help="Threads of the compiled engine (default: one a processor).")
@click.option("--max-seconds", type=click.FloatRange(min=0, min_open=True), help="Give up after so long.")
@click.option("--trace-out", type=click.Path(path_type=Path, dir_okay=False), help="Write the counterexample as ITF.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--quiet", is_flag=True, help="Print only what was found, and no progress.")
def command(
    spec: Path,
    seed: int,
    runs: int,
    depth: int,
    engine: str,
    workers: int | None,
    max_seconds: float | None,
    trace_out: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Walk through SPEC at random, judging every *always* property in every state on the way.

    A violation is shortened before it is told. No violation is no proof: `check` explores everything. Exit status: 0 as
    expected (or nothing found), 1 a violation that the spec does not expect, 2 wrong input, 3 an expected violation was
    not met, or Ctrl-C.
    """
    require_writable(trace_out)
    loaded = load_specs([spec])
    if len(loaded) != 1:
        raise InputError(f"{spec}: expected one spec, found a folder of {len(loaded)}")
    one = loaded[0]
    if not any(claim.kind == "always" for claim in one.properties):
        raise InputError(f"{one.path}: no *always* property to judge on the way; nothing to check")
    with ProgressLine(quiet=quiet) as progress:
        progress.begin(one.name)
        limits = Limits(max_seconds=max_seconds, report=progress.report)
        try:
            result = walk(one.system, one.properties, WalkOptions(runs, depth, seed, engine, workers, limits))
        except EngineError as error:
            raise InputError(str(error)) from None
    for note in result.notes:
        click.echo(note, err=True)
    if trace_out is not None and result.violation is not None:
        write_trace(trace_out, one.source, one.name, result.violation)
    again = f"onceproof walk {shlex.quote(str(spec))} --seed {seed} --depth {depth} --runs {(result.run or 0) + 1}"
    again += f" --engine {result.engine}"
    if as_json:
        click.echo(json.dumps(document(one, result, depth), indent=2))
    else:
        _tell(one, result, again, quiet=quiet)
    raise click.exceptions.Exit(exit_status(one, result))


def exit_status(spec: Spec, result: WalkResult) -> Exit:
    """How the command ends: see its help."""
    if result.violation is not None:
        return Exit.AS_EXPECTED if result.violation.property in spec.expect.violated else Exit.VIOLATED
    interrupted = result.stopped == INTERRUPTED
    return Exit.UNDECIDED if interrupted or spec.expect.violated else Exit.AS_EXPECTED


def document(spec: Spec, result: WalkResult, depth: int) -> dict[str, Any]:
    """The result as JSON."""
    return {
        "spec": spec.name,
        "verdict": "violated" if result.violation else "unknown",
        "seed": result.seed,
        "runs": result.runs,
        "depth_limit": depth,
        "steps": result.steps,
        "deepest": result.deepest,
        "seconds": round(result.seconds, 3),
        "engine": result.engine,
        "states_met": result.distinct,
        "states_met_exact": result.exact,
        "states_estimated": result.estimated_states if result.exact else None,
        "coverage_estimated": round(result.coverage, 6) if result.exact else None,
        "actions": [{"name": name, "fired": count} for name, count in result.fired.items()],
        "never_fired": [name for name, count in result.fired.items() if not count],
        "sometimes": result.seen,
        "stopped": stop_text(result.stopped),
        "run": result.run,
        "length_found": result.length_found,
        "counterexample": explain(result.violation).as_json() if result.violation else None,
    }


def _tell(spec: Spec, result: WalkResult, again: str, *, quiet: bool) -> None:
    if result.violation is not None:
        click.echo("\n".join(explanation_lines(explain(result.violation), again)))
        click.echo(
            f"found in run {result.run}, in {result.length_found} steps, and shortened; `check` finds the shortest"
        )
    if quiet:
        return
    rate = result.steps / result.seconds if result.seconds else 0.0
    click.echo(f"{spec.name}: {result.runs:,} runs, {result.steps:,} steps ({rate:,.0f} a second), seed {result.seed}")
    click.echo(
        f"  deepest {result.deepest} steps; {'' if result.exact else 'about '}{result.distinct:,} distinct states met"
    )
    if result.exact:
        click.echo(f"  of at least some {result.estimated_states:,} that such runs can meet; what was met is")
        click.echo(f"  {result.coverage:.2%} of what they do")
    idle = [name for name, count in result.fired.items() if not count]
    if idle:
        click.echo(f"  never fired: {', '.join(idle)}")
    unseen = [name for name, seen in result.seen.items() if not seen]
    if unseen:
        click.echo(f"  not seen: {', '.join(unseen)}")
    if result.stopped:
        click.echo(f"  stopped: {stop_text(result.stopped)}")
    if result.violation is None:
        click.echo("no violation on the way, which is no proof: `onceproof check` explores everything")
