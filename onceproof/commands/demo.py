"""Take the tour: a check, a counterexample, a proof, and a replay on the reference system."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import click

from onceproof import main
from onceproof.errors import Exit, InputError

SPECS = Path(main.__file__).with_name("specs").resolve()  # in a checkout a link
HOLDS, BREAKS, SMALL = "scheduler-failover.yaml", "failover-chooses-another-agent.yaml", "plain-day.yaml"


@dataclass(frozen=True)
class Scene:
    """One command of the tour, what to say before it, and the exit status that it must end with."""

    says: str
    arguments: tuple[str, ...]
    status: Exit = Exit.AS_EXPECTED


def scenes(folder: Path) -> Iterator[Scene]:
    """The tour. folder: where the counterexample goes."""
    trace = str(folder / "counterexample.itf.json")
    yield Scene(
        "A user's function is to run once for each task, whatever fails on the way. Here a scheduler may die at any\n"
        "moment. Every reachable state of the model is visited, and every property judged in it.",
        ("check", _spec(HOLDS)),
    )
    yield Scene(
        "Which mechanism carries that? Switch one off: the agent of a task is no longer recorded before it is used.\n"
        "The same crash now starts a function twice, and this is the shortest way to it.",
        ("check", _spec(BREAKS), "--trace-out", trace),
    )
    yield Scene("The same counterexample as a sequence diagram.", ("show", trace, "--as", "sequence"))
    if (main.COMMANDS / "prove.py").exists():
        yield Scene(
            "Two schedulers and one task prove little. The safety properties hold for any number of tasks, schedulers\n"
            "and agents, and any number of faults: an inductive invariant, each step of the argument checked by z3.",
            ("prove",),
        )
    yield Scene(
        "Is the model true of a system that runs? The counterexample, step by step, against the reference system (its\n"
        "own tables and transactions, the same mechanism off): after each step the states of both must be the same,\n"
        "and in the end the function has been started twice there, too.",
        ("replay", trace),
        Exit.VIOLATED,
    )
    yield Scene(
        "And every transition of a small spec, the whole design on; what the model forbids the system must refuse.",
        ("replay", "--cover", _spec(SMALL)),
    )


def _spec(name: str) -> str:
    """A spec of the library, as one would name it from here."""
    path = SPECS / name
    if not path.exists():
        raise InputError(
            f"{path}: the specs of the tour are not there; run it from a checkout, or install onceproof anew"
        )
    return _from_here(path)


def _from_here(path: Path) -> str:
    """The shortest name of a path for somebody who is in the working directory."""
    relative = os.path.relpath(path)
    return relative if not relative.startswith("..") else str(path)


def _next() -> str:
    return f"""what to try next
  onceproof check {_from_here(SPECS)}    all specs of the library (README.md there describes them)
  onceproof check {_spec(BREAKS)} --json
  onceproof show TRACE --as html --out page.html    a counterexample to click through
  onceproof serve    the reference system as a platform of several processes
The README shows how to write a model of your own in sixteen lines."""


@click.command(short_help=__doc__)
def command() -> None:
    """A tour of onceproof in under a minute: each command is printed, then run.

    Exit status: 0 if every command ended as expected, else 1.
    """
    began = time.monotonic()
    failed = []
    with tempfile.TemporaryDirectory(prefix="onceproof-demo-") as folder:
        for number, scene in enumerate(scenes(Path(folder)), 1):
            if not _play(number, scene):
                failed.append(scene.arguments[0])
    click.echo(click.style(f"── the end, after {time.monotonic() - began:.0f} s\n", bold=True))
    click.echo(_next())
    if failed:
        click.echo(f"\nnot as expected: {', '.join(failed)}", err=True)
        raise click.exceptions.Exit(Exit.VIOLATED)


def _play(number: int, scene: Scene) -> bool:
    """Print a scene's text and its command, and run it; return whether it ended as it should."""
    click.echo(click.style(f"── {number}. {scene.says}", bold=True))
    click.echo(click.style(f"$ onceproof {shlex.join(scene.arguments)}", fg="cyan") + "\n")
    with _interruptible() as interrupts:
        status = main.run(scene.arguments)
    click.echo()
    if interrupts:
        # A command ends cleanly on Ctrl-C, and says what it knows; the tour must not go on with the next one.
        raise click.exceptions.Exit(Exit.UNDECIDED)
    return status == scene.status


@contextlib.contextmanager
def _interruptible() -> Iterator[list[int]]:
    """Note each Ctrl-C, and let it do what it does."""
    seen: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, before)
