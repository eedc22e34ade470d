"""The text report of `check`: the verdicts of one spec, and the table of all specs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from onceproof.explain.explanation import Explanation
from onceproof.inputs.specs import Spec
from onceproof.model.checker.results import PropertyResult, Verdict
from onceproof.model.language.declare import LIVENESS
from onceproof.reports.check_outcome import Outcome
from onceproof.reports.stops import stop_text, stopped_by
from onceproof.reports.style import style
from onceproof.reports.tables import table_lines
from onceproof.reports.trace_text import INDENT, counted, explanation_lines, page_width, wrapped
from onceproof.reports.ways_on import ways_on

HEADERS = ("spec", "verdict", "expected", "states", "transitions", "depth", "seconds", "")


NUMBERS = frozenset({3, 4, 5, 6})  # columns, aligned to the right
MOST_REASONS = 3  # of a counterexample that is shown in short
NARROW = (0, 1, 3, 7)
WIDE = 130


def outcome_lines(outcome: Outcome, *, quiet: bool, alone: bool, everything: bool = False) -> Iterator[str]:
    """One spec: its verdicts, what is vacuous, and the counterexamples: the first in full, the others in short.

    alone: the only spec of this check; otherwise a result that is as expected is left to the table.
    everything: all counterexamples in full.
    """
    spec, result = outcome.spec, outcome.result
    if quiet:
        why = outcome.disagreement or f"undecided: {outcome.limits} ({stop_text(result.stopped)})"
        yield f"{spec.path}: {why}"
        return
    if not alone and outcome.as_expected:
        return
    yield style(spec.name, bold=True)
    yield from wrapped(spec.about, page_width())
    if spec.config.parameters:
        yield f"  with {', '.join(f'{name}={value}' for name, value in spec.config.parameters.items())}"
    initial = f" ({len(spec.system.initials):,} initial)" if spec.system.beginning is not None else ""
    yield f"  {result.states:,} states{initial}, {result.transitions:,} transitions, depth {result.depth}"
    if result.outside:
        beyond = f"{counted(result.outside, 'state')} beyond {result.within}"
        yield f"  and {beyond}: judged like all others, but no step was taken from there"
    if result.symmetry != "none":
        yield f"  symmetry reduction over {result.symmetry}: one representative per orbit counts (--no-symmetry: all)"
    if result.stopped:
        yield f"  {stopped_by(result.stopped)}: the verdicts below cover only the states found so far"
        for way in ways_on(outcome.spec, result):
            yield from wrapped(way, page_width(), indent="    ")
    yield ""
    yield from table_lines(("property", "kind", "verdict"), [property_row(outcome, p) for p in result.properties])
    for reason in outcome.vacuous:
        yield style("VACUOUS ", fg="yellow", bold=True) + reason
    idle = [name for name in result.never_fired if name not in result.faults]  # of faults it is vacuous
    if idle and result.complete:
        where = result.extent if result.outside else "here"
        yield from wrapped(f"actions that never happen {where}: {', '.join(idle)}", page_width(), indent="")
    for name in result.without_effect:
        text = f"{name} is off, which makes no difference here: with it on every reachable state has the same steps"
        yield from wrapped(text, page_width(), indent="")
    for note in result.notes:
        yield f"note: {note}"
    if outcome.explanation is not None:
        yield ""
        again = f"onceproof check {spec.asked}" if spec.from_file else ""
        first, *others = outcome.explanations.values()
        for explanation in (first, *others) if everything else (first,):
            if explanation is not first:
                yield ""
            yield from explanation_lines(explanation, again)
        if others and not everything:
            yield ""
            yield style("also violated (--all shows these in full)", bold=True)
            yield from (line for explanation in others for line in _short(explanation))
    yield ""


def _short(explanation: Explanation) -> Iterator[str]:
    """A counterexample in a few lines: its length, its actions, and why the property is false."""
    trace, who = explanation.trace, f" for {', '.join(explanation.elements)}" if explanation.elements else ""
    length = f"{counted(len(trace), 'step')}, {counted(trace.faults, 'fault')}"
    yield from wrapped(
        f"{explanation.property}{who}, {length}: {', '.join(s.action for s in trace.taken)}", page_width()
    )
    for reason in explanation.because[:MOST_REASONS]:
        yield f"{INDENT * 2}{reason}"


def property_row(outcome: Outcome, found: PropertyResult) -> tuple[str, str, str]:
    """The name, the kind and the verdict of a property, for a table."""
    if found.counterexample is not None:
        trace = found.counterexample.trace
        text = f"violated in {counted(len(trace), 'step')}, {counted(trace.faults, 'fault')}"
    elif found.kind == "sometimes":
        seen = {Verdict.HOLDS: "seen", Verdict.VIOLATED: "never seen", Verdict.UNKNOWN: "not seen so far"}
        text = seen[found.verdict]
    elif found.verdict is Verdict.UNKNOWN:
        text = _unknown(outcome, found)
    else:
        extent = outcome.result.extent
        text = f"{found.verdict.value}{' ' if outcome.result.outside else ', '}{extent}"
        text = text if outcome.result.complete else found.verdict.value
    return found.name, found.kind, text


def _unknown(outcome: Outcome, found: PropertyResult) -> str:
    if found.kind in LIVENESS:
        if not outcome.result.complete:
            return "unknown: needs a complete search"
        if outcome.result.outside:
            return f"unknown: runs that leave {outcome.result.within} are not followed"
        return f"unknown: {stop_text(outcome.result.stopped) or 'see the note'}"
    return outcome.result.bounded


def summary_lines(outcomes: Sequence[Outcome], not_checked: Sequence[Spec]) -> Iterator[str]:
    """The table of all specs, and one last line that counts."""
    rows = [_row(outcome) for outcome in outcomes]
    # On a narrow terminal one line per row matters more than all columns.
    columns = range(len(HEADERS)) if page_width() >= WIDE else NARROW
    numbers = frozenset(place for place, column in enumerate(columns) if column in NUMBERS)
    yield from table_lines([HEADERS[n] for n in columns], [[row[n] for n in columns] for row in rows], right=numbers)
    for outcome in outcomes:
        if outcome.disagreement:
            yield f"{outcome.spec.name}: {outcome.disagreement}"
    for spec in not_checked:
        yield f"{spec.name}: not checked"
    if len(outcomes) + len(not_checked) > 1:
        good = sum(outcome.as_expected for outcome in outcomes)
        yield f"{good} of {len(outcomes) + len(not_checked)} specs are as expected"


def _row(outcome: Outcome) -> tuple[str, ...]:
    result = outcome.result
    verdict = outcome.limits
    if verdict == "violated" and outcome.counterexample is not None:
        steps = counted(len(outcome.counterexample.trace), "step")
        verdict = f"{outcome.counterexample.property} violated in {steps}"
    return (
        outcome.spec.name,
        verdict,
        str(outcome.spec.expect),
        f"{result.states:,}",
        f"{result.transitions:,}",
        str(result.depth),
        f"{result.seconds:.2f}",
        outcome.conclusion.value,
    )
