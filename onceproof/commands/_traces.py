"""Where commands write traces to: a file, a folder or standard output, all by ``--trace-out``."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from onceproof.errors import InputError, require_writable
from onceproof.inputs import itf
from onceproof.inputs.models import ModelRef
from onceproof.model.checker.results import Counterexample, Trace


@dataclass(frozen=True)
class TraceTarget:
    """What ``--trace-out`` says. text: a file, ``-`` for standard output, or a folder (it exists, or ends in ``/``)."""

    text: str

    @property
    def stdout(self) -> bool:
        """Whether the trace goes to standard output, so that the report must go elsewhere."""
        return self.text == "-"

    @property
    def folder(self) -> bool:
        """Whether each violated property gets a file of its own in a folder."""
        return not self.stdout and (self.text.endswith("/") or Path(self.text).is_dir())

    def prepare(self, as_json: bool) -> None:
        """Make the folder. InputError where nothing can be written there, or where two things go to one place."""
        if self.stdout:
            if as_json:
                raise InputError("--json and --trace-out - both write to standard output; give one of them a file")
            return
        path = Path(self.text)
        if self.folder:
            try:
                path.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise InputError(f"{path}: cannot be made: {(error.strerror or str(error)).lower()}") from None
            require_writable(path / "x")
        else:
            require_writable(path)

    def write(self, source: ModelRef, spec_name: str, found: Counterexample) -> Path | None:
        """Write one trace, and return the file (None: standard output). OSError where that is impossible."""
        if self.stdout:
            click.echo(itf.trace_text(source, spec_name, found, Path()), nl=False)
            return None
        path = Path(self.text)
        if self.folder:
            path /= f"{spec_name}.{found.property or 'trace'}.itf.json"
        itf.write_trace(path, source, spec_name, found)
        return path

    def save(self, source: ModelRef, spec_name: str, trace: Trace) -> tuple[Path | None, list[str]]:
        """Write a run that violates nothing: its file (None: standard output), and the option that names its model."""
        try:
            path = self.write(source, spec_name, Counterexample("", (), trace))
        except OSError as error:
            raise InputError(f"{self.text}: cannot be written: {(error.strerror or str(error)).lower()}") from None
        return path, [] if path is None else itf.model_option(source, path)

    def write_all(self, found: Sequence[tuple[ModelRef, str, Counterexample]]) -> None:
        """Write the first trace, or all to a folder, and say on stderr which file is what."""
        for source, spec_name, counterexample in found if self.folder else found[:1]:
            path = self.write(source, spec_name, counterexample)
            if path is not None:
                option = shlex.join(itf.model_option(source, path))
                hint = f" (its model is elsewhere: onceproof show {shlex.quote(str(path))} {option})" if option else ""
                click.echo(f"{path}: {counterexample.property} is violated in {spec_name}{hint}", err=True)
        if not found:
            click.echo(f"{self.text}: nothing is written, there is no counterexample", err=True)


model_option = click.option(
    "--model",
    metavar="MODEL",
    help="The model of the trace, FILE.py or FILE.py:NAME, if it is not in the folder of the trace.",
)


class _TraceOut(click.ParamType):  # type: ignore[type-arg]  # generic in the stubs of newer versions only
    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> TraceTarget:
        return value if isinstance(value, TraceTarget) else TraceTarget(str(value))


def trace_option(help_text: str) -> Callable[..., Any]:
    """The option ``--trace-out``, which gives a TraceTarget or None."""
    return click.option("--trace-out", type=_TraceOut(), metavar="PATH", help=help_text)
