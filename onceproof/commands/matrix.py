"""Find out which mechanism protects which property against which fault."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click

from onceproof.api.matrix import matrix
from onceproof.api.sources import load_model
from onceproof.commands._options import engine_option, parse_address
from onceproof.commands._progress import StatusLine
from onceproof.commands._specs import parameters_option
from onceproof.errors import Exit, InputError, require_writable
from onceproof.model.language import Model
from onceproof.model.language.errors import nearest
from onceproof.model.protocol.system import PROTOCOL
from onceproof.reports.matrix_text import matrix_lines

POSITIVE = click.IntRange(min=1)
NONE = "none"  # no mechanism off, or no fault


def size_options(function: Callable[..., None]) -> Callable[..., None]:
    """An option for each size of the protocol; a model of one's own has ``--sizes``."""
    for name in reversed(PROTOCOL.size_names):
        function = click.option(f"--{name}", type=POSITIVE, help=f"Number of {name}.")(function)
    return function


@click.command(short_help=__doc__)
@click.option("--model", "reference", metavar="MODEL", help="A model of your own: FILE.py, or FILE.py:NAME.")
@size_options
@click.option("--sizes", "more", metavar="NAME=N,...", help="Sizes by name; needed for a model of your own.")
@parameters_option
@click.option(
    "--mechanisms", metavar="A,B", help="Mechanisms to switch off (default: each); none: only the full design."
)
@click.option("--faults", metavar="X,Y", help="Faults to inject (default: each); none: no fault at all.")
@click.option("--properties", metavar="P,Q", help="Properties to check (default: all).")
@click.option("--pairs", is_flag=True, help="Inject pairs of faults, too.")
@click.option("--triples", is_flag=True, help="Search sets of up to three faults for those that break the full design.")
@click.option("--no-sets", is_flag=True, help="Do not search for the minimal sets of mechanisms.")
@click.option("--most", type=click.IntRange(min=0), help="Largest set of mechanisms to try (default: all of them).")
@click.option(
    "--all", "everything", is_flag=True, help="Print every cell, not only those that differ from the full design."
)
@click.option("--stories", is_flag=True, help="Print the counterexample of each broken cell that is shown.")
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), help="Write an HTML page with all counterexamples."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
@click.option("--quiet", is_flag=True, help="Print no progress.")
@engine_option
@click.option("--max-states", type=POSITIVE, default=1_000_000, show_default=True, help="State limit per cell.")
@click.option(
    "--set-states", type=POSITIVE, default=20_000, show_default=True, help="State limit per set of mechanisms."
)
@click.option(
    "--processes", type=click.IntRange(1, 64), default=2, show_default=True, help="Number of worker processes."
)
@click.option(
    "--ray",
    is_flag=False,
    flag_value="local",
    metavar="[ADDRESS]",
    callback=parse_address,
    help="Explore the cells on the Ray cluster at HOST:PORT (without an address: on one that is started here).",
)
def command(
    reference: str | None,
    more: str | None,
    mechanisms: str | None,
    faults: str | None,
    properties: str | None,
    pairs: bool,
    triples: bool,
    no_sets: bool,
    most: int | None,
    everything: bool,
    stories: bool,
    html: Path | None,
    as_json: bool,
    quiet: bool,
    engine: str,
    max_states: int,
    set_states: int,
    processes: int,
    ray: str | None,
    parameters: dict[str, int],
    **named: int | None,
) -> None:
    """Explore the protocol (or --model) with each mechanism off, under each fault, and check every property each time.

    Below the table: the minimal sets of mechanisms that suffice for a property, and the minimal sets of faults that
    break the full design. Exit status: 0 computed completely, 2 wrong input, 3 a cell is unknown.
    """
    require_writable(html)
    model = load_model(reference)
    sizes = _sizes(more, model)
    for name, size in named.items():
        if size is not None:
            sizes |= _sizes(f"{name}={size}", model, f"--{name}")
    with StatusLine(quiet, at_once=True) as line:
        report = matrix(
            reference,
            sizes=sizes,
            parameters=parameters,
            mechanisms=_names("--mechanisms", mechanisms, list(model.switches)),
            faults=_names("--faults", faults, list(model.faults)),
            properties=_names("--properties", properties, None),
            pairs=pairs,
            triples=triples,
            sets=not no_sets,
            most=most,
            engine=engine,
            max_states=max_states,
            set_states=set_states,
            processes=processes,
            ray=ray,
            progress=line.show,
            keep_partial=True,
        )
    if html is not None:
        html.write_text(report.to_html(), encoding="utf-8")
        click.echo(f"{html}: the page", err=True)
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        for text in matrix_lines(report.matrix, everything=everything, stories=stories):
            click.echo(text)
    raise click.exceptions.Exit(Exit.AS_EXPECTED if report.complete else Exit.UNDECIDED)


def _names(option: str, text: str | None, known: list[str] | None) -> list[str] | None:
    """The names in ``a,b``, in the order of the model; None where nothing is asked, [] for none."""
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise InputError(f"{option}: expected names, found nothing")
    if known is None:
        return list(dict.fromkeys(names))
    if names == [NONE]:
        return []
    for name in names:
        if name not in known:
            hint = nearest(name, known) or f"; expected some of {', '.join(known)}, or {NONE}"
            raise InputError(f"{option}: unknown name `{name}`{hint}")
    return [name for name in known if name in names]


def _sizes(text: str | None, model: Model, option: str = "--sizes") -> dict[str, int]:
    found: dict[str, int] = {}
    for part in (text or "").split(","):
        if not part.strip():
            continue
        name, equals, number = (word.strip() for word in part.partition("="))
        if name not in model.size_names:
            hint = nearest(name, model.size_names) or f"; expected one of {', '.join(model.size_names)}"
            raise InputError(f"{option}: unknown size `{name}`{hint}")
        if not equals or not number.isdecimal() or int(number) < 1:
            raise InputError(f"{option}: {name} must be a whole number of at least 1, found `{number}`")
        found[name] = int(number)
    return found
