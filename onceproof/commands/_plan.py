"""What ``check --plan`` does instead of checking."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import click

from onceproof.commands._progress import ProgressLine
from onceproof.errors import InputError
from onceproof.inputs.specs import Spec
from onceproof.model.checker.results import Limits
from onceproof.reports.plan import plan_document, plan_lines

PLAN_SECONDS = 10.0


def print_plans(specs: Sequence[Spec], limits: Limits, *, symmetry: bool, as_json: bool) -> None:
    """Prints a plan for each spec; InputError where the compiled engine cannot explore it."""
    from onceproof.model.checker import compiled
    from onceproof.model.checker.plan import plan

    plans = []
    with ProgressLine(quiet=as_json) as progress:
        for spec in specs:
            progress.begin(spec.name)
            reason = compiled.why_not(spec.system, spec.properties)
            if reason is not None:
                raise InputError(f"{spec.path}: a plan needs the compiled engine, which cannot explore this: {reason}")
            found = plan(spec.system, spec.properties, replace(limits, report=progress.report), symmetry=symmetry)
            progress.wipe()
            plans.append(plan_document(spec, found))
            if not as_json:
                click.echo("\n".join(plan_lines(spec, found)))
    if as_json:
        click.echo(json.dumps({"plans": plans}, indent=2))
