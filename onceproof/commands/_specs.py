"""The specs that a command is given: spec files, or models with options that say how each is built."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from onceproof.api.sources import spec_of
from onceproof.errors import InputError
from onceproof.inputs.models import names_a_model
from onceproof.inputs.specs import ON_OFF, Spec, load_specs

T = TypeVar("T")
MECHANISM = ("--mechanism", "--mechanisms")


@dataclass(frozen=True)
class Settings:
    """What the options say on top of a spec, or of a model; ``written`` is how they say it, for a reproduce line."""

    sizes: Mapping[str, int] = field(default_factory=dict)
    mechanisms: Mapping[str, bool] = field(default_factory=dict)
    faults: Mapping[str, int | str] = field(default_factory=dict)
    parameters: Mapping[str, int] = field(default_factory=dict)
    properties: tuple[str, ...] = ()

    @property
    def written(self) -> tuple[str, ...]:
        """The options again."""
        pairs = (
            ("--size", self.sizes),
            ("--mechanism", {name: "on" if on else "off" for name, on in self.mechanisms.items()}),
            ("--faults", self.faults),
            ("--parameters", self.parameters),
        )
        listed = [(option, ",".join(f"{name}={value}" for name, value in given.items())) for option, given in pairs]
        listed.append(("--properties", ",".join(self.properties)))
        return tuple(part for option, text in listed if text for part in (option, text))


def settings_options(function: Callable[..., T], mechanism: Sequence[str] = MECHANISM) -> Callable[..., T]:
    """Add ``--size``, ``--mechanism``, ``--faults`` and ``--properties``, which the command gets as ``settings``.

    mechanism: what the option for mechanisms is called, in a command where one of its names means something else.
    """

    @functools.wraps(function)
    def command(
        *,
        sizes: Mapping[str, int],
        mechanisms: Mapping[str, bool],
        faults: Mapping[str, int | str],
        parameters: Mapping[str, int],
        properties: tuple[str, ...],
        **others: Any,
    ) -> T:
        return function(settings=Settings(sizes, mechanisms, faults, parameters, properties), **others)

    for option in reversed(_options(mechanism)):
        command = option(command)
    return command


def _size(text: str) -> int | None:
    return int(text) if text.isdecimal() and int(text) > 0 else None


def _budget(text: str) -> int | str | None:
    return "any" if text == "any" else int(text) if text.isdecimal() else None


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"-?\d+", text, re.ASCII) else None


def _switch(text: str) -> bool | None:
    return ON_OFF.get(text.lower())


def _pairs(read: Callable[[str], T | None], expected: str) -> Callable[..., dict[str, T]]:
    """The callback of an option that is given as ``NAME=VALUE,NAME=VALUE`` or several times."""

    def callback(ctx: click.Context, param: click.Parameter, given: Sequence[str]) -> dict[str, T]:
        found: dict[str, T] = {}
        for part in (part.strip() for text in given for part in text.split(",")):
            name, _, text = (half.strip() for half in part.partition("="))
            value = read(text) if name and text else None
            if value is None:
                raise click.BadParameter(f"expected {expected}, found `{part}`", ctx, param)
            if name in found:
                raise click.BadParameter(f"`{name}` is given twice", ctx, param)
            found[name] = value
        return found

    return callback


def _names(ctx: click.Context, param: click.Parameter, given: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.strip() for text in given for name in text.split(","))


parameters_option = click.option(
    "--parameter",
    "--parameters",
    "parameters",
    multiple=True,
    metavar="NAME=N,...",
    callback=_pairs(_number, "NAME=NUMBER, such as retries=2"),
    help="What a parameter of the model is set to: retries=2.",
)


def _options(mechanism: Sequence[str]) -> tuple[Callable[[Any], Any], ...]:
    return (
        click.option(
            "--size",
            "--sizes",
            "sizes",
            multiple=True,
            metavar="NAME=N,...",
            callback=_pairs(_size, "NAME=NUMBER with a number of at least 1, such as nodes=3"),
            help="How many there are of a sort: nodes=3.",
        ),
        click.option(
            *mechanism,
            "mechanisms",
            multiple=True,
            metavar="NAME=on|off,...",
            callback=_pairs(_switch, "NAME=on or NAME=off"),
            help="Switch mechanisms off, or on.",
        ),
        click.option(
            "--faults",
            multiple=True,
            metavar="NAME=N,...",
            callback=_pairs(_budget, "NAME=NUMBER or NAME=any, such as crash=1"),
            help="How often a fault may happen: crash=1, or crash=any.",
        ),
        parameters_option,
        click.option(
            "--properties",
            multiple=True,
            metavar="P,Q",
            callback=_names,
            help="Properties to check (default: those of the spec, or all).",
        ),
    )


def given_specs(arguments: Sequence[str | Path], settings: Settings | None = None) -> list[Spec]:
    """The specs of a command: of each file or folder of specs, and of each model (``FILE.py``, ``MODULE:NAME``).

    InputError where there is none, or where one, or a setting, is wrong.
    """
    found: list[Spec] = []
    for argument in map(str, arguments):
        found += [_of_model(argument)] if names_a_model(argument) else load_specs([argument])
    distinct = list({spec.path.resolve(): spec for spec in found}.values())
    return [_changed(spec, settings) for spec in distinct] if settings and settings.written else distinct


def given_spec(argument: str | Path, settings: Settings | None = None) -> Spec:
    """The one spec of a command; InputError where it is a folder of several."""
    found = given_specs([argument], settings)
    if len(found) != 1:
        raise InputError(f"{argument}: expected one spec, found a folder of {len(found)}")
    return found[0]


def _of_model(argument: str) -> Spec:
    return replace(spec_of(argument), path=Path(argument), from_file=True)


def _changed(spec: Spec, settings: Settings) -> Spec:
    try:
        changed = spec_of(
            spec,
            sizes=settings.sizes,
            mechanisms=settings.mechanisms,
            faults=settings.faults,
            parameters=settings.parameters,
            properties=settings.properties or None,
        )
    except InputError as error:
        raise InputError(f"{spec.path}: {error}") from None
    return replace(changed, from_file=True, options=settings.written)
