"""``--watch``: a command that is run again whenever a file that it read has changed."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import sysconfig
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import click

import onceproof
from onceproof.errors import Exit
from onceproof.inputs.specs import ENDINGS

Stamp = tuple[int, int] | None  # when a file was last written, and its size; None where there is none
POLL_SECONDS = 0.3
OURS = Path(onceproof.__file__).parent
INSTALLED = [Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")]


def watch_command(arguments: Sequence[str]) -> int:
    """Run the command of the current context again and again, without its ``--watch``; see ``watch``."""
    from onceproof.main import ARGUMENTS, run

    given = click.get_current_context().meta[ARGUMENTS]
    return watch(arguments, lambda: run([one for one in given if one != "--watch"]))


def watch(arguments: Sequence[str], once: Callable[[], int]) -> int:
    """Run ``once`` again and again until Ctrl-C, and return how it ended last.

    arguments: the files and folders of the command. Each run is a process of its own, which reads all files anew.
    """
    files: set[str] = set()
    while True:
        before = stamps([*files, *_named(arguments)])
        status, read, interrupted = _run(once)
        files = files | read if status == Exit.WRONG_INPUT else read  # a model with a slip in it imports less
        if interrupted:
            return status
        try:
            known = {**stamps([*files, *_named(arguments)]), **before}  # what was written during the run has changed
            click.echo(click.style("watching; Ctrl-C ends", fg="cyan"), err=True)
            changed = _wait(known, lambda: [*files, *_named(arguments)])  # noqa: B023  # it is asked in this round
        except KeyboardInterrupt:
            click.echo(err=True)
            return status
        click.echo(click.style(f"\n{changed} has changed; checking again", fg="cyan"), err=True)


def stamps(files: Iterable[str]) -> dict[str, Stamp]:
    """When each file was last written."""
    found: dict[str, Stamp] = {}
    for file in files:
        try:
            status = os.stat(file)
            found[file] = status.st_mtime_ns, status.st_size
        except OSError:
            found[file] = None
    return found


def changed_file(before: Mapping[str, Stamp], now: Mapping[str, Stamp]) -> str | None:
    """A file that was written, made or removed; None where there is none."""
    return next((file for file in sorted({*before, *now}) if before.get(file) != now.get(file)), None)


def _wait(known: Mapping[str, Stamp], files: Callable[[], list[str]]) -> str:
    """The file that changed, once nothing changes any more: an editor may write in several steps."""
    while (changed := changed_file(known, stamps(files()))) is None:
        time.sleep(POLL_SECONDS)
    latest = stamps(files())
    while True:
        time.sleep(POLL_SECONDS)
        now = stamps(files())
        if changed_file(latest, now) is None:
            return os.path.relpath(changed)
        latest = now


def _named(arguments: Sequence[str]) -> list[str]:
    """The files that the arguments name: of a folder, all specs that are there now."""
    found = []
    for argument in arguments:
        path = Path(argument)
        if path.is_dir():
            found += [str(file.resolve()) for file in path.rglob("*") if file.suffix in ENDINGS]
        else:
            place, _, _ = argument.partition(":")
            found.append(str(Path(place if place.endswith(".py") else argument).resolve()))
    return found


def _run(once: Callable[[], int]) -> tuple[int, set[str], bool]:
    """Run it in a process of its own: its status, the user's files that it imported, and whether Ctrl-C ended it."""
    sys.stdout.flush()
    sys.stderr.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        status = once()
        with contextlib.suppress(OSError), os.fdopen(writing, "w") as pipe:
            json.dump(users_files(), pipe)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    os.close(writing)
    interrupted = False
    while True:
        try:
            with os.fdopen(reading, closefd=False) as pipe:
                text = pipe.read()
            _, ended = os.waitpid(child, 0)
            break
        except KeyboardInterrupt:
            interrupted = True  # the child was interrupted, too: it says what it knows, and ends
    os.close(reading)
    return os.waitstatus_to_exitcode(ended), set(json.loads(text or "[]")), interrupted


def users_files() -> list[str]:
    """The files of all modules that are neither installed nor part of onceproof: a model, and what it imports."""
    places = [module.__file__ for module in list(sys.modules.values()) if getattr(module, "__file__", None)]
    files = [Path(place).resolve() for place in places if place is not None]
    foreign = [*INSTALLED, OURS.resolve(), *(part.resolve() for part in OURS.iterdir() if part.is_symlink())]
    return sorted({str(file) for file in files if not any(file.is_relative_to(folder) for folder in foreign)})
