"""Write a model, a spec and a pytest test to start from."""

from __future__ import annotations

import keyword
import os
import re
import sys
from pathlib import Path

import click

from onceproof.errors import InputError

TEMPLATES = Path(__file__).parent.parent / "templates"
FILES = {"{name}.py": "model.py.in", "{name}.yaml": "spec.yaml.in", "test_{name}.py": "test.py.in"}


@click.command(short_help=__doc__)
@click.argument("name")
@click.option(
    "--in",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("."),
    show_default=True,
    help="Folder to write to; created if it does not exist.",
)
def command(name: str, folder: Path) -> None:
    """Write NAME.py (a small model that holds), NAME.yaml (a spec of it) and test_NAME.py, to be changed to yours.

    No file is ever overwritten.
    """
    _check(name)
    state = "".join(part.capitalize() for part in name.split("_")) + "State"
    texts = {
        folder / file.format(name=name): (TEMPLATES / template)
        .read_text(encoding="utf-8")
        .replace("NAME", name)
        .replace("STATE", state)
        for file, template in FILES.items()
    }
    for path in texts:
        if os.path.lexists(path):
            raise InputError(f"{path}: is there already; choose another name, or another folder (--in)")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be written: {(error.strerror or 'unknown').lower()}") from None
    model, spec, test = texts
    click.echo(f"{model}  the model: a lock with a lease, to be changed to yours")
    click.echo(f"{spec}  what is checked of it:  onceproof check {spec}")
    click.echo(f"{test}  the same as a test:  pytest {test}")


def _check(name: str) -> None:
    """InputError where no module of Python could have this name, or another one has it."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        meant = re.sub(r"\W+", "_", name.removesuffix(".py").lower()).strip("_")
        hint = f"; did you mean `{meant}`?" if meant.isidentifier() and not keyword.iskeyword(meant) else ""
        raise InputError(f"new: expected a name of small letters, digits and _ that starts with a letter{hint}")
    if name in sys.stdlib_module_names or name == "onceproof":
        raise InputError(f"new: `{name}` is a module that is installed, and {name}.py would hide it; try my_{name}")
