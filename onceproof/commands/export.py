"""Export specs as TLA+, for an independent checker to count the same states."""

from __future__ import annotations

import re
from pathlib import Path

import click

from onceproof.errors import InputError
from onceproof.inputs.specs import Spec, load_specs
from onceproof.model.checker.tla.export import export


@click.command(short_help=__doc__)
@click.argument("specs", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--to", "form", type=click.Choice(["tla"]), required=True, help="The language to write.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("."),
    show_default=True,
    help="The folder to write to; it is made if it is not there.",
)
def command(specs: tuple[Path, ...], form: str, out: Path) -> None:
    """Write NAME.tla and NAME.cfg for each of SPECS (a folder means all in it), as plain TLA+ that TLC reads.

    The module has the same initial states, actions and properties as the spec, one operator for each action; without
    symmetry a checker reports the same number of distinct states as `onceproof check`.
    """
    loaded = load_specs(specs)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: cannot be made: {(error.strerror or 'no reason given').lower()}") from None
    names: dict[str, Spec] = {}
    for spec in loaded:
        name = module_name(spec.name)
        if name in names:
            raise InputError(f"{spec.path}: `{spec.name}` and `{names[name].name}` would be one module, {name}")
        names[name] = spec
    for name, spec in names.items():
        module, configuration = export(spec.system, name, spec.properties)
        (out / f"{name}.tla").write_text(module, encoding="utf-8")
        (out / f"{name}.cfg").write_text(configuration, encoding="utf-8")
        click.echo(f"{out / name}.tla  {out / name}.cfg")


def module_name(name: str) -> str:
    """A spec's name as TLA+ allows it: letters, digits and underscores, and a letter somewhere."""
    plain = re.sub(r"\W", "_", name, flags=re.ASCII)
    return plain if re.search("[A-Za-z]", plain) else f"spec_{plain}"
