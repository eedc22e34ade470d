"""The matrix as text: what differs from the full design, what suffices, and what breaks it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from onceproof.explain.explanation import explain
from onceproof.model.checker.matrix.cases import Case, CaseResult, Finding, counterexample
from onceproof.model.checker.matrix.matrix import Mark, Matrix, Names, mark
from onceproof.model.checker.matrix.minimal_sets import Breaking, Sufficient
from onceproof.reports.stops import stop_text
from onceproof.reports.style import style
from onceproof.reports.trace_text import counted, explanation_lines

SAME = "·"
COLORS = {Mark.BROKEN: "red", Mark.UNKNOWN: "yellow", Mark.HOLDS: "green"}
MOST_SHOWN = 6  # undecided sets that are named


def matrix_lines(matrix: Matrix, *, everything: bool, stories: bool) -> Iterator[str]:
    """The report. everything: also the rows in which nothing differs; stories: a counterexample per broken cell."""
    yield from lines(matrix, everything=everything)
    if stories:
        yield from counterexamples(matrix, everything=everything)


def lines(matrix: Matrix, *, everything: bool) -> Iterator[str]:
    """The lines of the report, without stories."""
    yield from head(matrix)
    yield ""
    yield from _table(matrix, everything=everything)
    if matrix.sufficient:
        yield ""
        yield from _sufficient(matrix)
    if matrix.breaking:
        yield ""
        yield from _breaking(matrix)
    yield ""
    yield from tail(matrix)


def head(matrix: Matrix) -> Iterator[str]:
    """What was computed, at which sizes."""
    plan = matrix.plan
    yield style(f"{plan.setting.model.name}: mechanism by fault by property", bold=True)
    sizes = [f"{name}={size}" for name, size in plan.setting.config(Case()).sizes.items() if size]
    sizes += [f"{name}={value}" for name, value in plan.setting.parameters.items()]
    yield f"  {', '.join(sizes)}; each fault once"
    if plan.setting.model.bounds:
        yield f"  explored within {' and '.join(plan.setting.model.bounds)} only"
    for fault, needs in plan.setting.model.needs.items():
        more = [f"{name}={size}" for name, size in needs.items() if name not in plan.setting.sizes]
        if fault in plan.faults and more:
            yield f"  with {fault}: {', '.join(more)}"


def _table(matrix: Matrix, *, everything: bool) -> Iterator[str]:
    rows = [cell for cell in matrix.cells if everything or (_differs(matrix, cell) and not _as_without(matrix, cell))]
    if not rows:
        yield "The full design holds in every cell, and switching off any one mechanism changes nothing."
        return
    names = [
        name
        for name in matrix.setting.names
        if everything or any(_cell(matrix, cell, name, everything=False) != SAME for cell in rows)
    ]
    body = []
    for cell in rows:
        texts = [_cell(matrix, cell, name, everything=everything) for name in names]
        body.append([off_text(cell.case.off), fault_text(cell.case.faults), *texts])
    yield from _columns(["mechanism", "fault", *names], body)
    yield ""
    yield from _legend(body, everything=everything)
    stopped = {cell.stopped: cell for cell in matrix.unknown}
    for why in stopped:
        yield f"unknown in {counted(sum(cell.stopped == why for cell in matrix.unknown), 'cell')}: {stop_text(why)}"


def _differs(matrix: Matrix, cell: CaseResult) -> bool:
    return any(_cell(matrix, cell, name, everything=False) != SAME for name in matrix.setting.names)


def _as_without(matrix: Matrix, cell: CaseResult) -> bool:
    """Whether a row with fewer of the faults says the very same: then that row stands for this one."""

    def texts(row: CaseResult) -> list[str]:
        return [_cell(matrix, row, name, everything=False) for name in matrix.setting.names]

    fewer = [column for column in matrix.plan.columns if set(column) < set(cell.case.faults)]
    rows = [row for faults in fewer if (row := matrix.results.get(Case(cell.case.off, faults))) is not None]
    return any(texts(row) == texts(cell) for row in rows)


def _cell(matrix: Matrix, cell: CaseResult, name: str, *, everything: bool) -> str:
    """What a cell prints of a property. Of the full design, only what is not as wanted, unless everything is asked."""
    finding = cell.of(name)
    found = mark(finding)
    if not everything:
        wanted = found in (Mark.HOLDS, Mark.IDLE, Mark.NONE)
        if wanted if not cell.case.off else _as_well(matrix, cell, name):
            return SAME
    return cell_text(finding)


def _as_well(matrix: Matrix, cell: CaseResult, name: str) -> bool:
    """Whether the full design gives the same result; idle and not applicable count as holding."""
    whole = matrix.results.get(Case((), cell.case.faults))
    quiet = (Mark.HOLDS, Mark.IDLE, Mark.NONE)
    if whole is not None and mark(whole.of(name)) in quiet and mark(cell.of(name)) in quiet:
        return True
    return matrix.same_as_all_on(cell, name)


def cell_text(finding: Finding | None) -> str:
    """``holds``, ``idle``, ``broken 13``, ``unknown``, or ``-`` where the property does not apply."""
    found = mark(finding)
    if found is Mark.NONE:
        return "-"
    if finding is not None and finding.broken:
        return f"broken {'' if finding.sure else '≤'}{finding.length}"
    return str(found.value)


def off_text(off: Names) -> str:
    """``no renewal``, or ``all on``."""
    return f"no {', no '.join(off)}" if off else "all on"


def fault_text(faults: Names) -> str:
    """``scheduler_crash + reply_loss``, or ``no fault``."""
    return " + ".join(faults) or "no fault"


def _legend(body: Sequence[Sequence[str]], *, everything: bool) -> Iterator[str]:
    used = {word for row in body for text in row[2:] for word in text.split()[:1]}
    if "broken" in used:
        yield "broken N: the shortest counterexample has N steps (fewest faults first)"
    if any("≤" in text for row in body for text in row[2:]):
        yield "broken ≤N: a limit was reached, so there may be a shorter one"
    if "idle" in used:
        yield "idle: holds, but only vacuously: the situation it is about never occurs"
    if "-" in used:
        yield "-: the property does not apply"
    if SAME in used and not everything:
        yield f"{SAME}: same as with all mechanisms on (holds, where the table has no such row)"
        yield "rows with more faults are left out where these break nothing more (--all shows every cell)"


def _columns(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table whose long headers stand in several lines, a word each, over their columns."""
    words = [header.split("_") if number > 1 else [header] for number, header in enumerate(headers)]
    height = max(len(parts) for parts in words)
    above = [[""] * (height - len(parts)) + parts for parts in words]
    heads = [[parts[line] for parts in above] for line in range(height)]
    widths = [max(len(row[column]) for row in [*heads, *rows]) for column in range(len(headers))]
    for head in heads:
        yield style(_padded(head, widths), bold=True)
    for row in rows:
        yield _padded(row, widths, colored=True)


def _padded(row: Sequence[str], widths: Sequence[int], colored: bool = False) -> str:
    cells = [text.ljust(width) for text, width in zip(row, widths, strict=True)]
    cells[-1] = row[-1]
    if colored:
        colors = {found.value: color for found, color in COLORS.items()}
        cells[2:] = [style(text, fg=colors.get(text.split(" ")[0])) for text in cells[2:]]
    line: str = "  ".join(cells).rstrip()
    return line


def _sufficient(matrix: Matrix) -> Iterator[str]:
    yield style("Minimal sets of mechanisms that suffice, all others off", bold=True)
    if set(matrix.plan.mechanisms) != set(matrix.setting.model.switches):
        yield f"(chosen from {', '.join(matrix.plan.mechanisms)}; all other mechanisms stay on)"
    for result in matrix.sufficient:
        yield f"  {result.property}{_but_for(matrix, result)}"
        for names in result.sets:
            yield f"    {', '.join(names) or 'no mechanism is needed'}"
        if result.silent:
            yield "    holds only vacuously in every case"
        elif not result.columns:
            yield "    no set: violated even with all mechanisms on, under each of these faults"
        elif not result.sets:
            yield "    none found"
        if result.undecided:
            shown = "; ".join(", ".join(names) or "no mechanism" for names in result.undecided[:MOST_SHOWN])
            more = f" and {len(result.undecided) - MOST_SHOWN} more" if len(result.undecided) > MOST_SHOWN else ""
            yield f"    undecided (may suffice): {shown}{more}"
    yield from how_far(matrix)


def _but_for(matrix: Matrix, result: Sufficient) -> str:
    """The faults for which no set is claimed to suffice."""
    if not result.left_out or not result.columns:
        return ""
    faults = ", ".join(map(fault_text, result.left_out))
    return f" (except under {faults}, where even all mechanisms together do not suffice)"


def how_far(matrix: Matrix) -> Iterator[str]:
    """What was tried, and what was not."""
    tried = min((result.tried for result in matrix.sufficient if result.columns and not result.silent), default=-1)
    number = len(matrix.plan.mechanisms)
    limit = matrix.plan.set_states
    how = f"exploring {matrix.explored_for_sets:,} cases{f' (up to {limit:,} states each)' if limit else ''}"
    if tried == number:
        yield f"  all {2**number:,} sets were decided by {how}; the others follow from these:"
        yield "  a subset of theirs suffices, or a known counterexample is also a run with their mechanisms on"
    elif tried < 0:
        yield "  no set was tried"
    else:
        why = stop_text(matrix.sufficient[0].stopped)
        yield f"  all sets of at most {tried} of {number} mechanisms were tried by {how}; larger sets were not: {why}"


def _breaking(matrix: Matrix) -> Iterator[str]:
    yield style("Minimal sets of faults (each at most once) that break the full design", bold=True)
    for result in matrix.breaking:
        if result.sets or result.undecided:
            yield f"  {result.property}"
        for faults, finding in zip(result.faults, result.sets, strict=True):
            yield f"    {fault_text(faults)}: {cell_text(finding)}"
        if result.undecided:
            yield f"    undecided: {'; '.join(fault_text(faults) for faults in result.undecided)}"
    none = [result.property for result in matrix.breaking if not result.sets and not result.undecided]
    if none:
        yield f"  none for {', '.join(none)}"
    yield f"  {sets_of_faults(matrix.breaking[0], len(matrix.plan.faults))}"


def sets_of_faults(result: Breaking, number: int) -> str:
    """Which sets of so many faults were tried, and which were not."""
    sizes = {1: "single faults", 2: "pairs", 3: "triples"}
    tried = min(result.tried, number)
    if tried < 1:
        return "no fault was tried"
    upto = ", ".join(sizes[size] for size in range(1, tried + 1))
    left = "" if tried == number else "; larger sets were not tried"
    return f"tried, of {counted(number, 'fault')}: all {upto}{left}"


def tail(matrix: Matrix) -> Iterator[str]:
    """Counts and times."""
    cells = matrix.cells
    broken = sum(any(finding.broken for finding in cell.findings.values()) for cell in cells)
    counts = f"{len(cells)} cells, {matrix.explored} explored ({sum(c.states for c in cells if not c.shared):,} states)"
    parts = ", ".join(f"{part} {seconds:.1f} s" for part, seconds in matrix.seconds.items())
    yield f"{counts}; {broken} with a violation, {len(matrix.unknown)} with an unknown verdict; time: {parts}"
    if matrix.interrupted:
        yield "interrupted: the report shows what was known by then"


def counterexamples(matrix: Matrix, *, everything: bool) -> Iterator[str]:
    """The counterexamples of the cells that the table shows as violated."""
    for cell in matrix.cells:
        for finding in cell.findings.values():
            text = _cell(matrix, cell, finding.name, everything=everything)
            if finding.broken and text != SAME:
                yield ""
                yield style(f"{off_text(cell.case.off)}, {fault_text(cell.case.faults)}", bold=True)
                found = counterexample(matrix.setting.system(cell.case), finding)
                yield from explanation_lines(explain(found), again(matrix, cell.case, finding.name))


def again(matrix: Matrix, case: Case, name: str) -> str:
    """The command that reproduces the counterexample of a cell."""
    parts = ["onceproof", "matrix", *(["--model", matrix.setting.reference] if matrix.setting.reference else [])]
    parts += ["--mechanisms", ",".join(case.off) or "none"]
    parts += ["--faults", ",".join(case.faults) or "none", *(["--pairs"] if len(case.faults) > 1 else [])]
    sizes = ",".join(f"{key}={size}" for key, size in matrix.setting.given_sizes(case).items())
    parts += ["--properties", name, *(["--sizes", sizes] if sizes else [])]
    parameters = ",".join(f"{key}={value}" for key, value in matrix.setting.parameters.items())
    parts += [*(["--parameters", parameters] if parameters else []), "--no-sets", "--stories"]
    return shlex.join(parts)
