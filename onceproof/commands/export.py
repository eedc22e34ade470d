"""Export specs as TLA+, for an independent checker to count the same states."""

from __future__ import annotations

from pathlib import Path

import click

from onceproof.api.export import export_tla, module_name
from onceproof.commands._specs import Settings, given_specs, settings_options
from onceproof.errors import InputError
from onceproof.inputs.specs import Spec


@click.command(short_help=__doc__)
@click.argument("specs", type=click.Path(path_type=Path), nargs=-1, required=True)
@settings_options
@click.option("--to", "form", type=click.Choice(["tla"]), required=True, help="Target language.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("."),
    show_default=True,
    help="Folder to write to; created if it does not exist.",
)
def command(specs: tuple[Path, ...], settings: Settings, form: str, out: Path) -> None:
    """Write NAME.tla and NAME.cfg for each of SPECS (spec files, folders of them, models), as plain TLA+ for TLC.

    The module has the same initial states, actions and properties as the spec, one operator for each action. TLC
    reports the same number of distinct states as `onceproof check --no-symmetry`. The invariant NoDeadlock is what
    `check` calls a deadlock; TLC's own notion of it is to be switched off (-deadlock).
    """
    loaded = given_specs(specs, settings)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: cannot be made: {(error.strerror or 'no reason given').lower()}") from None
    names: dict[str, Spec] = {}
    for spec in loaded:
        other = names.setdefault(module_name(spec.name), spec)
        if other is not spec:
            name = module_name(spec.name)
            raise InputError(f"{spec.path}: `{spec.name}` and `{other.name}` would be one module, {name}")
    for spec in loaded:
        exported = export_tla(spec)
        module, configuration = exported.write(out)
        click.echo("  ".join(map(str, (module, configuration, *(out / f"{name}.tla" for name in exported.instances)))))
        for remark in exported.remarks:
            if "not checked" in remark:
                click.echo(f"  {remark}")
    click.echo(f"Check them with: java -cp tla2tools.jar tlc2.TLC -deadlock -config NAME.cfg {out / 'NAME.tla'}")
