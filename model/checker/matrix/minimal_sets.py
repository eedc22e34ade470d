"""The least sets: of mechanisms that suffice for a property, and of faults that break it.

Neither search assumes that more mechanisms are always better (they are not: each policy for a dead agent breaks one
half of exactly-once). Sets are tried in the order of their size, every one of them; a set is passed over only

- if it contains a set that was found to suffice (or to break): it is not minimal, whatever it does;
- if a known counterexample can be taken step for step under it, and is one there too (``Witness``).

All others are explored, one fault (or pair) after the other, until one breaks the property.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from onceproof.model.checker.matrix.cases import Case, CaseResult, Finding, Setting
from onceproof.model.checker.matrix.replay import Witness
from onceproof.model.checker.results import INTERRUPTED, Stop, StopReason, Verdict

Names = tuple[str, ...]
Run = Callable[[Iterable[Case]], Iterator[CaseResult]]


@dataclass
class Sufficient:
    """The minimal sets of mechanisms under which a property holds, whichever of the faults happens.

    claims: the property itself, or several that must hold together; columns: under which faults; left_out: those under
    which it does not hold even with everything on (or nobody knows); undecided: sets of which a limit kept the answer
    back; tried: all sets of at most so many mechanisms were; stopped: why no larger ones; silent: with everything on it
    never says anything under any of the faults, so there is nothing to look for.
    """

    property: str
    claims: Names
    columns: list[Names]
    left_out: list[Names]
    sets: list[Names] = field(default_factory=list)
    undecided: list[Names] = field(default_factory=list)
    tried: int = -1
    stopped: Stop | None = None
    silent: bool = False


@dataclass
class Breaking:
    """The minimal sets of faults that break a property with every mechanism on; undecided as in ``Sufficient``."""

    property: str
    sets: list[Finding] = field(default_factory=list)
    faults: list[Names] = field(default_factory=list)
    undecided: list[Names] = field(default_factory=list)
    tried: int = -1


class SufficientSearch:
    """Looks for the minimal sufficient sets of all properties at once.

    known: what the matrix found already; together: what is asked of several properties at once, by a name for it.
    """

    def __init__(
        self,
        setting: Setting,
        mechanisms: Sequence[str],
        columns: Sequence[Names],
        known: Mapping[Case, CaseResult],
        together: Mapping[str, Names] | None = None,
    ) -> None:
        self.setting, self.mechanisms, self.columns = setting, list(mechanisms), list(columns)
        self.known = dict(known)
        asked = {**{name: (name,) for name in setting.names}, **(together or {})}
        self.results = [self._survived(name, claims) for name, claims in asked.items()]
        self.witnesses: dict[str, list[Witness]] = {name: [] for name in setting.names}
        self.explored = self.passed = 0  # cases explored for this; sets that a known counterexample broke
        for result in known.values():
            self._learn(result)

    def _survived(self, name: str, claims: Names) -> Sufficient:
        """The columns in which properties hold with everything on."""
        whole = {faults: self.known.get(Case((), faults)) for faults in self.columns}
        if len(claims) > 1:
            claims = tuple(claim for claim in claims if self._says(claim))
        kept: list[Names] = []
        left_out: list[Names] = []
        for faults, result in whole.items():
            findings = [result.of(claim) for claim in claims] if result else []
            holds = result is not None and all(f is None or f.verdict is Verdict.HOLDS for f in findings)
            (kept if holds else left_out).append(faults)
        silent = not claims or not all(self._says(claim) for claim in claims)
        return Sufficient(name, claims, kept, left_out, silent=silent)

    def _says(self, claim: str) -> bool:
        """Whether a property says anything of the full design under any of the faults."""
        cells = [self.known.get(Case((), faults)) for faults in self.columns]
        findings = [cell.of(claim) for cell in cells if cell is not None]
        return any(finding is not None and not finding.vacuous for finding in findings)

    def _learn(self, result: CaseResult) -> None:
        """Keep the counterexamples of a result, unless it was learnt from before."""
        if set(result.case.off) <= set(self.mechanisms) and result.shared is None:
            for finding in result.findings.values():
                if finding.broken:
                    witness = Witness(self.setting, self.mechanisms, result.case.faults, finding)
                    self.witnesses[finding.name].append(witness)

    def run(self, run: Run, at_once: int, most: int | None = None) -> None:
        """Fills ``results``. at_once: how many cases ``run`` can take at a time; most: the largest sets to try."""
        largest = len(self.mechanisms) if most is None else min(most, len(self.mechanisms))
        for size in range(largest + 1):
            for result in self.results:
                result.stopped = INTERRUPTED if result.tried == size - 1 else result.stopped
            self._level(size, run, at_once)
            for result in self.results:
                result.tried = size
                result.stopped = None if size == len(self.mechanisms) else Stop(StopReason.SET_SIZE, size)

    def _level(self, size: int, run: Run, at_once: int) -> None:
        """All sets of one size."""
        open_: dict[int, list[Sufficient]] = {}
        for chosen in itertools.combinations(range(len(self.mechanisms)), size):
            on = sum(1 << bit for bit in chosen)
            names = self._names(on)
            asked = [result for result in self.results if result.columns and not result.silent]
            wanted = [result for result in asked if not any(set(found) <= set(names) for found in result.sets)]
            open_[on] = [r for r in wanted if not self._broken(on, r) and self._speaks(on, r)]
        open_ = {on: wanted for on, wanted in open_.items() if wanted}
        while open_:
            chosen_cases = list(itertools.islice(self._next_cases(open_), at_once))
            for found in run(chosen_cases):
                self.known[found.case] = found
                self.explored += 1
                self._learn(found)
            for on in list(open_):
                open_[on] = [result for result in open_[on] if not self._broken(on, result)]
                self._settle(on, open_)

    def _next_cases(self, open_: dict[int, list[Sufficient]]) -> Iterator[Case]:
        """For each open set the first case that is not known; sets that need none are settled already."""
        for on, wanted in open_.items():
            columns = {faults for result in wanted for faults in result.columns}
            for faults in sorted(columns, key=self._promise):
                if self._case(on, faults) not in self.known:
                    yield self._case(on, faults)
                    break

    def _promise(self, faults: Names) -> tuple[int, int]:
        """The faults under which most sets were broken so far come first."""
        kills = sum(w.kills for witnesses in self.witnesses.values() for w in witnesses if w.faults == faults)
        return -kills, self.columns.index(faults)

    def _settle(self, on: int, open_: dict[int, list[Sufficient]]) -> None:
        """Takes out of ``open_`` what is known to the end."""
        left = []
        for result in open_[on]:
            cells = [self.known.get(self._case(on, faults)) for faults in result.columns]
            if any(cell is None for cell in cells):
                left.append(result)
                continue
            findings = {claim: [cell.of(claim) for cell in cells if cell is not None] for claim in result.claims}
            if any(f is not None and f.verdict is Verdict.UNKNOWN for found in findings.values() for f in found):
                result.undecided.append(self._names(on))
            elif all(any(f is not None and not f.vacuous for f in found) for found in findings.values()):
                result.sets.append(self._names(on))  # one under which a claim never says anything does not count
        if left:
            open_[on] = left
        else:
            del open_[on]

    def _broken(self, on: int, result: Sufficient) -> bool:
        """Whether a known counterexample breaks one of the properties with just these mechanisms on."""
        columns = set(result.columns)
        for claim in result.claims:
            witnesses = self.witnesses[claim]
            for position, witness in enumerate(witnesses):
                if witness.faults in columns and witness.breaks(on):
                    witnesses.insert(0, witnesses.pop(position))  # what broke one will break the next
                    self.passed += 1
                    return True
        return False

    def _speaks(self, on: int, result: Sufficient) -> bool:
        """Whether each of the properties applies under some of the faults: a set that makes one idle does not count."""
        names = [self.setting.config(self._case(on, faults)).names() for faults in result.columns]
        claims = [self.setting.model.properties.get(claim) for claim in result.claims]
        whens = [claim.when for claim in claims if claim is not None and claim.when is not None]
        return all(any(when(known) for known in names) for when in whens)

    def _case(self, on: int, faults: Names) -> Case:
        return Case(tuple(name for bit, name in enumerate(self.mechanisms) if not on >> bit & 1), faults)

    def _names(self, on: int) -> Names:
        return tuple(name for bit, name in enumerate(self.mechanisms) if on >> bit & 1)


def breaking_faults(
    setting: Setting, faults: Sequence[str], most: int, known: Mapping[Case, CaseResult], run: Run
) -> list[Breaking]:
    """For each property the minimal sets, of at most so many faults, that break the full design."""
    results = [Breaking(name) for name in setting.names]
    cells = dict(known)
    for size in range(most + 1):
        level = list(itertools.combinations(faults, size))
        needed = [Case((), chosen) for chosen in level if any(not _contains(chosen, r) for r in results)]
        cells.update((found.case, found) for found in run([case for case in needed if case not in cells]))
        for case in needed:
            for result in results:
                if not _contains(case.faults, result):
                    _note(result, case.faults, cells[case].of(result.property))
        for result in results:
            result.tried = size
    return results


def _contains(chosen: Names, result: Breaking) -> bool:
    return any(set(found) <= set(chosen) for found in result.faults)


def _note(result: Breaking, faults: Names, finding: Finding | None) -> None:
    if finding is None:
        return
    if finding.broken:
        result.faults.append(faults)
        result.sets.append(finding)
    elif finding.verdict is Verdict.UNKNOWN:
        result.undecided.append(faults)
