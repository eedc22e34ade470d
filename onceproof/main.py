"""The entry of the command line: finds the commands, runs one, and turns errors into one line and an exit status."""

from __future__ import annotations

import ast
import errno
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from onceproof.errors import Exit, InputError
from onceproof.surroundings import memory_limit, out_of_memory, prepare

COMPLETION = "_ONCEPROOF_COMPLETE"  # how a shell asks for completions
ARGUMENTS = "onceproof.arguments"  # where a context keeps what was typed
COMMANDS = Path(__file__).parent / "commands"
# The order of a newcomer's interest; commands that are not named here follow in the order of the alphabet.
ORDER = (
    *("demo", "new", "check", "step", "show", "prove", "matrix", "walk"),
    *("replay", "test", "storm", "judge", "validate", "export"),
)

# What the extra `platform` of the distribution installs, by the names of the modules.
PLATFORM_MODULES = ("fastapi", "httptools", "nats", "prometheus_client", "psutil", "psycopg", "starlette", "uvicorn")


class LazyCommands(click.Group):
    """The commands are the modules in ``commands/``; a module is imported only when its command is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the modules, in the order of ``ORDER``."""
        names = sorted(path.stem for path in COMMANDS.glob("*.py") if not path.stem.startswith("_"))
        return sorted(names, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a module, which is imported for it; None where there is none of this name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command = importlib.import_module(f"onceproof.commands.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each command's line without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary(name)) for name in self.list_commands(ctx)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As in click; a usage error that offers the nearest command where there is none."""
        from onceproof.model.language.errors import nearest

        known = self.list_commands(ctx)
        if args and not args[0].startswith("-") and args[0] not in known:
            raise click.UsageError(f"no command `{args[0]}`{nearest(args[0], known)} (there are: {', '.join(known)})")
        return super().resolve_command(ctx, args)


def summary(name: str) -> str:
    """The first line of the docstring of a command's module, read without importing it."""
    module = ast.parse((COMMANDS / f"{name}.py").read_text(encoding="utf-8"))
    return (ast.get_docstring(module) or "").split("\n")[0]


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="onceproof", message="onceproof %(version)s")
def commands() -> None:
    """Prove, test and break exactly-once task dispatch: one Python model, checked, proved and replayed.

    Exit status: 0 as expected; 1 a property is violated, a system does not conform or an expectation is not met;
    2 the input is wrong; 3 undecided (a limit was reached, or Ctrl-C).
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status; errors of the user become one line on stderr."""
    try:
        if arguments is None and COMPLETION in os.environ:
            commands.main(prog_name="onceproof")  # a shell asks how a command goes on; this ends the process
        # Not click's own `main`: it ends with 1, which is "violated", where the output is closed.
        with commands.make_context("onceproof", list(sys.argv[1:] if arguments is None else arguments)) as context:
            context.color = _color()
            context.meta[ARGUMENTS] = list(sys.argv[1:] if arguments is None else arguments)
            returned = commands.invoke(context)
        sys.stdout.flush()
        return returned if isinstance(returned, int) else Exit.AS_EXPECTED
    except click.exceptions.Exit as end:
        return _flushed(end.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)  # a group of commands by itself: its help, as it is laid out
        return Exit.WRONG_INPUT
    except click.UsageError as error:
        return _complain(_usage(error))
    except click.ClickException as error:
        return _complain(error.format_message())
    except (KeyboardInterrupt, click.Abort):
        # Before the command had anything to report; still one document for whoever reads it.
        if "--json" in (sys.argv[1:] if arguments is None else arguments):
            click.echo('{"verdict": "unknown", "interrupted": true}')
        click.echo("onceproof: interrupted", err=True)
        return _flushed(Exit.UNDECIDED)
    except BrokenPipeError:
        return _deaf(Exit.PIPE_CLOSED)
    except Exception as error:
        if out_of_memory(error):
            return _no_memory()
        return _other(error)


def _flushed(status: int) -> int:
    """The status of a command that has ended, unless its last words cannot be written."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _deaf(Exit.PIPE_CLOSED)
    except OSError as error:
        return _other(error)
    return status


def _deaf(status: int) -> int:
    """Nothing more can be printed; Python would complain once more when it flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return status


def _no_memory() -> int:
    limit = memory_limit()
    under = f" under the limit of {limit // 2**20:,} MB (ulimit -v)" if limit is not None else ""
    click.echo(f"onceproof: out of memory{under}; undecided (see --max-states and --max-memory)", err=True)
    return Exit.UNDECIDED


def _color() -> bool | None:
    """No colours where the user wants none (https://no-color.org); else click asks whether stdout is a terminal."""
    return False if "NO_COLOR" in os.environ else None


def _usage(error: click.UsageError) -> str:
    """A misuse of the command line as one line that says where to read on."""
    path = error.ctx.command_path if error.ctx else "onceproof"
    parts = path.split()[1:]
    where = f"{' '.join(parts)}: " if parts else ""
    text = " ".join(error.format_message().split()).rstrip(".")
    return f"{where}{text[:1].lower()}{text[1:]}; see `{' '.join(['onceproof', *parts])} --help`"


def _other(error: Exception) -> int:
    # Imported here: `onceproof --help` has no use for the language.
    from onceproof.model.language.errors import ConfigError, InternalContradiction, ModelError

    if isinstance(error, ModelError):
        from onceproof.reports.failure import failure_lines

        for line in failure_lines(error):
            click.echo(line, err=True)
    if isinstance(error, InputError | ConfigError | ModelError):
        return _complain(" ".join(str(error).split()))
    package = (error.name or "").split(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if package in PLATFORM_MODULES:
        extra = "`pip install 'onceproof[platform]'` installs all that the platform needs"
        return _complain(f"the package `{package}` is not installed; {extra}")
    if isinstance(error, OSError) and error.filename:
        return _complain(f"{error.filename}: {(error.strerror or 'cannot be used').lower()}")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG):
        _deaf(Exit.WRONG_INPUT)
        return _complain(f"the output cannot be written: {(error.strerror or str(error)).lower()}")
    if isinstance(error, InternalContradiction):
        click.echo(f"onceproof: {error}", err=True)
        return Exit.BUG
    traceback.print_exc()
    click.echo("onceproof: this is a fault of onceproof itself, not of your input", err=True)
    return Exit.BUG


def _complain(line: str) -> int:
    click.echo(f"onceproof: {line}", err=True)
    return Exit.WRONG_INPUT


def main() -> None:
    """Run the command line and end the process with its exit status."""
    prepare()
    sys.exit(run())


if __name__ == "__main__":
    main()
