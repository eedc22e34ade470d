"""``validate``: every slice of a log explained by a run of the model, refuted, or left undecided at a limit."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from onceproof.conformance.validation.logs import LoggedEvent
from onceproof.conformance.validation.mapping import LogMapping
from onceproof.conformance.validation.search import Explainer, Explanation
from onceproof.conformance.validation.slices import Slice, names_of, slices_of
from onceproof.model.checker.agreement.comparison import check_agreement
from onceproof.model.checker.ground.python_code import GeneratedSystem
from onceproof.model.checker.safety import truths_along
from onceproof.model.language import Config, Model, build

NODES = 200_000  # what a slice may take by default
RUNS_JUDGED = 25  # of so many runs the properties are asked, each in every state


@dataclass
class Validation:
    """What came of a log. refuted, undecided: the slices without an explanation; run_steps: of all explanations.

    fired: how often each action was taken; unlogged: how often without a line. interrupted: Ctrl-C came first.
    silent: properties that said nothing of any state of the runs that were looked at; broken: those that are false in
    one, each with the key of the slice.
    """

    events: int
    slices: int
    explained: int = 0
    refuted: list[Explanation] = field(default_factory=list)
    undecided: list[Explanation] = field(default_factory=list)
    nodes: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    unlogged: Counter[str] = field(default_factory=Counter)
    interrupted: bool = False
    silent: list[str] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)

    @property
    def holds(self) -> bool | None:
        """Whether the model admits the log; None where that is undecided."""
        if self.refuted:
            return False
        return None if self.undecided or self.interrupted else True


class Validator:
    """Validates slices under one configuration, enlarged where a slice names more elements than it has."""

    def __init__(self, model: Model, config: Config, mapping: LogMapping, limit: int = NODES) -> None:
        self.model, self.config, self.mapping, self.limit = model, config, mapping, limit
        self._explainers: dict[tuple[tuple[str, int], ...], Explainer] = {}

    def explain(self, part: Slice, tick: Callable[[int], None] | None = None) -> Explanation:
        """Look for a run that explains a slice."""
        return self.explainer(part).explain(part, self.limit, tick)

    def explainer(self, part: Slice) -> Explainer:
        """The search for slices of this size; built once."""
        sizes = self._sizes(part)
        key = tuple(sorted(sizes.items()))
        if key not in self._explainers:
            known = self.config
            config = self.model.configure(sizes, known.switches, known.budgets, known.parameters)
            system = build(self.model.without_bounds(), config)  # a log may go further than exploration
            check_agreement(system)
            self._explainers[key] = Explainer(GeneratedSystem(system), self.mapping)
        return self._explainers[key]

    def _sizes(self, part: Slice) -> dict[str, int]:
        """As many elements of each sort as the slice names, and as the configuration has."""
        named: dict[str, set[str]] = {}
        again: Counter[str] = Counter()
        for stream in part.streams:
            for event in stream:
                for owner, name in names_of(event, self.mapping):
                    named.setdefault(owner, set()).add(name)
                if event.name in self.mapping.reborn:
                    again.update(each for each, names in named.items() if names & set(event.arguments.values()))
        sizes = {name: size for name, size in self.config.sizes.items() if size}
        for name, sort in self.model.sorts.items():
            least = 1 if name == self.mapping.by else self.config.sizes[sort.size_name]
            sizes[sort.size_name] = max(least, len(named.get(name, ())) + again[name])
        return sizes


def validate(
    validator: Validator,
    events: Sequence[LoggedEvent],
    report: Callable[[int, int, int], None] | None = None,
    most_refuted: int = 10,
) -> Validation:
    """Validate a log. report: called with the slices done, all slices, and the nodes of the present one.

    After ``most_refuted`` slices without an explanation the rest is left out.
    """
    parts = slices_of(events, validator.mapping, validator.model)
    result = Validation(len(events), len(parts))
    try:
        for number, part in enumerate(parts):
            tick = None if report is None else functools.partial(report, number, len(parts))
            count(result, validator.explain(part, tick))
            if report is not None:
                report(number + 1, len(parts), 0)
            if len(result.refuted) >= most_refuted:
                break
    except KeyboardInterrupt:
        result.interrupted = True
    return result


def _judge(result: Validation, found: Explanation) -> None:
    """Ask the safety properties along one run: whether they say anything of it, and whether they are false."""
    system = found.system
    claims = [claim for claim in system.properties() if claim.is_safety]
    if not result.explained:
        result.silent = [claim.name for claim in claims]
    for claim in claims:
        if claim.name in result.broken:
            continue
        instances = system.instances(claim)
        truths = {truth for one in instances for truth in truths_along(system, claim, one, found.states)}
        if False in truths:
            result.broken[claim.name] = found.slice.key
        if truths - {None} and claim.name in result.silent:
            result.silent.remove(claim.name)


def count(result: Validation, found: Explanation) -> None:
    """Add what was found of one slice to the result."""
    result.nodes += found.nodes
    if found.explained:
        if result.explained < RUNS_JUDGED:
            _judge(result, found)
        result.explained += 1
        for move in found.run:
            result.fired[move.step.action] += 1
            result.unlogged[move.step.action] += move.event is None
    elif found.complete:
        result.refuted.append(found)
    else:
        result.undecided.append(found)
