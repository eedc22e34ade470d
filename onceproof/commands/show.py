"""Show a saved trace: as text, as a sequence diagram, or as a self-contained HTML page."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click

from onceproof.commands._traces import model_option
from onceproof.errors import require_writable
from onceproof.explain.explanation import explain, explain_trace
from onceproof.inputs.itf import read_trace
from onceproof.model.checker.results import Counterexample


@click.command(short_help=__doc__)
@click.argument("trace", type=click.Path(path_type=Path))
@model_option
@click.option(
    "--as",
    "form",
    type=click.Choice(["text", "sequence", "html"]),
    default="text",
    show_default=True,
    help="Form to show it in.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file instead of stdout.")
@click.option("--json", "as_json", is_flag=True, help="Print the counterexample as JSON, as in `check --json`.")
def command(trace: Path, model: str | None, form: str, out: Path | None, as_json: bool) -> None:
    """Show TRACE, an ITF file that `check --trace-out` wrote (-: standard input).

    The trace is first taken through its model again; a file that is not a run of the model is refused. A model is
    executed only if it lies in the folder of the trace or below it, or is given by --model.
    """
    require_writable(out)
    read = read_trace(trace, model)
    if read.property:
        explanation = explain(Counterexample(read.property, read.arguments, read.trace, read.minimal))
    else:
        explanation = explain_trace(read.trace)
    again = shlex.join(["onceproof", "show", str(trace), *(["--model", model] if model else [])])
    if as_json:
        text = json.dumps(explanation.as_json(), indent=2)
    elif form == "html":
        from onceproof.reports.trace_html import page

        text = page(explanation, read.spec_name, again)
    elif form == "sequence":
        from onceproof.explain.sequence import as_text
        from onceproof.reports.trace_text import page_width

        text = "\n".join(as_text(explanation, page_width()))
    else:
        from onceproof.reports.trace_text import explanation_lines

        text = "\n".join(explanation_lines(explanation, again))
    if out is None:
        click.echo(text)
        return
    out.write_text(click.unstyle(text) + "\n", encoding="utf-8")
