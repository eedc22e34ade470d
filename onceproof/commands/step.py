"""Walk through a model by hand: enabled actions, what each would change, and back."""

from __future__ import annotations

import contextlib
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from onceproof.commands._specs import Settings, given_spec, settings_options
from onceproof.commands._traces import TraceTarget
from onceproof.errors import InputError
from onceproof.explain.blocked import reasons
from onceproof.explain.explanation import explain_trace
from onceproof.explain.hand_walk import HandWalk
from onceproof.inputs.itf import read_trace
from onceproof.model.checker.results import Trace
from onceproof.model.language import ModelError, Step, Violation
from onceproof.model.language.errors import nearest
from onceproof.model.language.layout import LEFT, State
from onceproof.model.language.reading.result import UNMET
from onceproof.model.language.showing import text_of
from onceproof.reports.conformance import parse_call
from onceproof.reports.trace_text import counted, initial_text, page_width, step_lines, steps, wrapped

MOST_LISTED = 20  # of the initial states


@click.command(short_help=__doc__)
@click.argument("spec", type=click.Path(path_type=Path))
@settings_options
@click.option(
    "--trace", type=click.Path(path_type=Path, dir_okay=False), help="Begin at the end of this trace (an ITF file)."
)
def command(spec: Path, settings: Settings, trace: Path | None) -> None:
    """Walk through SPEC (a spec file or a model, FILE.py) step by step.

    It lists the enabled actions with what each would change; a number takes one. `help` lists what else there is: the
    way back, why an action is not possible, the counterexample of a property. Without a terminal the commands come from
    standard input, one a line, and the first that is wrong ends the walk with status 2.
    """
    walk = HandWalk(given_spec(spec, settings))
    if trace is not None:
        _read(walk, str(trace))
    session = _Session(walk)
    session.look()
    for line in _lines():
        try:
            if not session.obey(line):
                break
        except InputError as error:
            if not sys.stdin.isatty():
                raise
            click.echo(str(error))
        except KeyboardInterrupt:
            click.echo("interrupted")


def _lines() -> Iterator[str]:
    """What the user types, until Ctrl-D or Ctrl-C; or the lines of standard input, shown as if they had been typed."""
    if not sys.stdin.isatty():
        for line in sys.stdin:
            click.echo(f"> {line.strip()}")
            yield line
        return
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  # arrow keys, and what was typed before

    while True:
        try:
            yield input("> ")
        except (EOFError, KeyboardInterrupt):
            click.echo()
            return


class _Session:
    """What each word does. A method says by False that the walk is over."""

    def __init__(self, walk: HandWalk) -> None:
        self.walk = walk
        self.words: dict[str, Callable[[str], None]] = {
            "back": self.back,
            "forward": self.forward,
            "goto": self.goto,
            "initial": self.initial,
            "look": lambda _: self.look(),
            "state": self.state,
            "path": self.path,
            "why": self.why,
            "counterexample": self.counterexample,
            "trace": self.trace,
            "save": self.save,
            "help": self.help,
        }

    def obey(self, line: str) -> bool:
        """Do what a line says; False at the end. InputError, one line, for what is not understood."""
        word, _, rest = line.strip().partition(" ")
        rest = rest.strip()
        if word in ("quit", "q", "exit"):
            return False
        if not word:
            self.look()
        elif word.isdecimal() and not rest:
            self.take(int(word))
        elif "(" in word or rest.startswith("("):
            self.call(line.strip())
        else:
            self.words[self._known(word)](rest)
        return True

    def _known(self, word: str) -> str:
        found = [name for name in self.words if name.startswith(word)]
        if word == "?":
            return "help"
        if len(found) == 1 or word in self.words:
            return word if word in self.words else found[0]
        meant = f"; that may be {' or '.join(found)}" if found else nearest(word, self.words)
        raise InputError(f"`{word}` is not understood{meant or '; `help` lists what is'}")

    def look(self) -> None:
        """Where the walk is, and what can happen."""
        walk = self.walk
        several = len(walk.system.initials) > 1
        where = f"{'an' if several else 'the'} initial state" if walk.at == 0 else f"after step {walk.at}"
        ahead = len(walk.steps) - walk.at
        click.echo(click.style(f"{walk.spec.name}, {where}", bold=True) + (f" ({ahead} ahead)" if ahead else ""))
        if several and walk.at == 0:
            said = initial_text(explain_trace(walk.trace))
            click.echo(f"  initially: {said}; `initial` lists all {len(walk.system.initials):,}")
        for violation in walk.false_here():
            click.echo(click.style(f"  {self._violated(violation)}", fg="red"))
        options, failures = walk.options(), walk.failures()
        for line in step_lines([option[0] for option in options], page_width()):
            click.echo(line)
        for failure in failures:
            click.echo(click.style(f"  fails here: {failure}", fg="red"))
        bound = walk.system.outside(walk.state)
        if bound is not None:
            click.echo(f"  {bound.name} is false here: exploration takes no step from here")
        elif not options and not failures:
            click.echo("  nothing can happen here")

    def _violated(self, violation: Violation) -> str:
        claim = next(one for one in self.walk.spec.properties if one.name == violation.property)
        names = ", ".join(p.element(a) for p, a in zip(claim.parameters, violation.arguments, strict=True))
        return f"{violation.property} is false here{f' for {names}' if names else ''}"

    def take(self, number: int) -> None:
        """Take an option by its number."""
        options = self.walk.options()
        if not 1 <= number <= len(options):
            there = f"there are 1 to {len(options)}" if options else "nothing can happen here"
            raise InputError(f"no step {number}: {there}")
        self.walk.take(*options[number - 1][1:])
        self.look()

    def call(self, text: str) -> None:
        """Take a step by its name and arguments."""
        step = parse_call(self.walk.system, text)
        after = self._after(step, text)
        if after is None:
            raise InputError(f"`{text}` is not possible here; `why {text}` says why")
        self.walk.take(step, after)
        self.look()

    def _after(self, step: Step, text: str) -> State | None:
        """The state after a step; None where it is not possible. InputError where it fails, or lacks a choice."""
        try:
            after = self.walk.system.step(self.walk.state, step)
        except ModelError as error:
            raise InputError(f"`{text}` fails here: {error}") from None
        names = [one.name for one in self.walk.system.parameters_of(step.action)]
        choices = [name for name, code in zip(names, step.arguments, strict=True) if code == UNMET]
        if after is None and choices:
            raise InputError(f"`{text}` is not possible without a choice: add {', '.join(f'{c}=...' for c in choices)}")
        return after

    def initial(self, rest: str) -> None:
        """Begin in another initial state, by its number; or list them."""
        system = self.walk.system
        if not rest:
            for number, state in enumerate(itertools.islice(system.initials, MOST_LISTED), start=1):
                said = initial_text(explain_trace(Trace(system, (state,), ()))) or "the only initial state"
                click.echo(f"  {number:>3}  {said}")
            if len(system.initials) > MOST_LISTED:
                click.echo(f"  and {len(system.initials) - MOST_LISTED:,} more")
            return
        if not rest.isdecimal() or not 1 <= int(rest) <= len(system.initials):
            there = f"1 to {len(system.initials):,}"
            raise InputError(f"initial: expected the number of an initial state, {there}, found `{rest}`")
        self.walk.begin(system.initials[int(rest) - 1])
        self.look()

    def back(self, rest: str) -> None:
        """One step back, or as many as are said."""
        self._move(self.walk.at - self._number(rest or "1"))

    def forward(self, rest: str) -> None:
        """Forward again, on the same path."""
        self._move(self.walk.at + self._number(rest or "1"))

    def goto(self, rest: str) -> None:
        """To the state after a step of the path; 0 is where it begins."""
        self._move(self._number(rest))

    def _move(self, to: int) -> None:
        if not 0 <= to <= len(self.walk.steps):
            raise InputError(f"the path has the steps 0 to {len(self.walk.steps)}")
        self.walk.at = to
        self.look()

    def _number(self, text: str) -> int:
        if not text.isdecimal():
            raise InputError(f"expected a number of steps, found `{text}`")
        return int(text)

    def state(self, rest: str) -> None:
        """The state: what differs from the one in which the path begins, or all of it."""
        if rest not in ("", "all"):
            raise InputError(f"expected `state` or `state all`, found `state {rest}`")
        system = self.walk.system
        changed = system.layout.changes(self.walk.states[0], self.walk.state)
        for cells in system.layout.cells.values():
            for cell in cells:
                value = text_of(cell.show(self.walk.state))
                if cell.label.startswith(LEFT):
                    click.echo(f"  {cell.label.removeprefix(LEFT)}: may still happen {counted(int(value), 'time')}")
                elif rest or cell.label in changed:
                    click.echo(f"  {cell.label} = {value}")
        if not rest:
            click.echo("  all else is as in the initial state" if changed else "  it is the initial state")

    def path(self, rest: str) -> None:
        """The steps up to here."""
        for line in steps(explain_trace(self.walk.trace), page_width()):
            click.echo(line)

    def why(self, rest: str) -> None:
        """Which conditions of a step are false."""
        if not rest:
            raise InputError("why: expected a step, such as `why acquire(worker1)`")
        step = parse_call(self.walk.system, rest)
        if self._after(step, rest) is not None:
            click.echo(f"  {rest} is possible here")
            return
        for reason in reasons(self.walk.system, self.walk.state, step):
            click.echo("\n".join(wrapped(f"  {reason}", page_width())))

    def counterexample(self, rest: str) -> None:
        """Look for a counterexample, and go to its end."""
        from onceproof.api.check import check

        names = None if not rest else [rest]
        report = check(self.walk.spec, properties=names, keep_partial=True)
        found = report.counterexample
        if found is None:
            click.echo(f"  no counterexample: {report.outcome.limits}")
            return
        self.walk.follow(found.trace)
        click.echo(f"  {found.property} is violated in {len(found)} steps; `path` shows them, `back` goes back")
        self.look()

    def trace(self, rest: str) -> None:
        """Go to the end of a saved trace."""
        _read(self.walk, rest)
        self.look()

    def save(self, rest: str) -> None:
        """Write the path as a trace."""
        if not rest:
            raise InputError("save: expected a file, such as `save run.itf.json`")
        TraceTarget(rest).save(self.walk.spec.source, self.walk.spec.name, self.walk.trace)
        click.echo(f"  {rest}: {self.walk.at} steps")

    def help(self, rest: str) -> None:
        """What there is."""
        click.echo(HELP)


HELP = """\
  NUMBER                   take this step
  ACTION(ELEMENT, ...)     take a step by its name; what it chooses as CHOICE=VALUE
  look, or an empty line   where the walk is, and what can happen
  back [N], forward [N]    along the path; a new step forgets what was ahead
  goto N                   to the state after step N of the path; 0 is where it begins
  initial, initial N       the initial states; begin anew in another one
  state, state all         what differs from the initial state; all of it
  path                     the steps up to here
  why ACTION(...)          which of its conditions are false here
  counterexample [NAME]    explore, and go to the end of the counterexample (of this property)
  trace FILE, save FILE    go to the end of a saved trace; save the path as one
  quit, Ctrl-D, Ctrl-C     end
A word may be shortened, as long as it is clear: `b 2`, `g 0`, `c`."""


def _read(walk: HandWalk, file: str) -> None:
    """Go to the end of a saved trace, which must be of the same model under the same configuration."""
    if not file:
        raise InputError("trace: expected a file, such as `trace run.itf.json`")
    source = walk.spec.source
    read = read_trace(Path(file), str(source.file) if source.file else None)
    ours, theirs = walk.system, read.trace.system
    if (ours.model.name, ours.config) != (theirs.model.name, theirs.config):
        raise InputError(f"{file}: it is a trace of another model, or of another configuration of {walk.spec.name}")
    walk.follow(read.trace)
