"""Options that several commands have, and how their values are read."""

from __future__ import annotations

import re

import click

from onceproof.errors import Exit, InputError
from onceproof.model.checker.engines import AUTO, ENGINES, UnsupportedOptions
from onceproof.reports.check_outcome import Conclusion

UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
LEAST_MEMORY = 2**20

EXITS = {
    Conclusion.AS_EXPECTED: Exit.AS_EXPECTED,
    Conclusion.NOT_AS_EXPECTED: Exit.VIOLATED,
    Conclusion.UNDECIDED: Exit.UNDECIDED,
}

engine_option = click.option(
    "--engine", type=click.Choice(list(ENGINES)), default=AUTO, show_default=True, help="Engine to use."
)


def parse_size(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """The callback of an option for a size of memory, ``500M`` or ``4G``: its bytes; a usage error for all else."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:I?B)?", value.strip().upper())
    if not found:
        raise click.BadParameter(f"expected a size such as 500M or 4G, found {value!r}", ctx, param)
    size = int(float(found[1]) * UNITS[found[2]])
    if size < LEAST_MEMORY:
        raise click.BadParameter(f"expected at least 1M, found {value!r}", ctx, param)
    return size


def parse_address(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """The callback of an option for the address of a Ray cluster, ``HOST:PORT``; a usage error for all else."""
    if value is None or value in ("local", "auto") or re.fullmatch(r"(ray://)?[\w.\-]+:\d+", value):
        return value
    raise click.BadParameter(
        f"expected the address of a Ray cluster, HOST:PORT, found {value!r} (without an address, give --ray last)",
        ctx,
        param,
    )


def with_flags(error: InputError) -> InputError:
    """The error as the command line says it: with the options as they are spelled here."""
    cause = error.__cause__
    if not isinstance(cause, UnsupportedOptions):
        return error
    flags = ", ".join(f"--{name.replace('_', '-')}" for name in cause.options)
    return InputError(f"only the compiled engine has {flags}, not `{cause.engine}`")
