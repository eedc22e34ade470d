"""Refinement in all engines, held against a plain program: on two-phase commit, and on random models and mappings."""

import heapq
import itertools
from collections.abc import Iterator

import pytest

from onceproof.inputs.models import resolve
from onceproof.model.checker import compiled
from onceproof.model.checker.compiled.refinement import RefinementScan
from onceproof.model.checker.explicit import engine as explicit
from onceproof.model.checker.results import CheckResult, Limits, PropertyResult, Verdict
from onceproof.model.language import System, build
from onceproof.model.language.layout import State
from onceproof.model.language.refinement import refinement_of
from tests.helpers.refinements import seen_from_afar
from tests.models.letters import POST
from tests.paths import ROOT

GALLERY = ROOT / "docs" / "models"
MODELS = 60
MOST_STATES = 1_500


def least_by_hand(system: System) -> tuple[bool, tuple[int, int] | None]:
    """Whether all steps are steps of the abstract model, and faults and steps of a least run on which one is not."""
    refinement = refinement_of(system, system.model.properties["seen"])
    abstract = refinement.abstract
    if refinement.image(system.initial) != abstract.initial:
        return False, (0, 0)

    def good(before: State, after: State) -> bool:
        mine, theirs = refinement.image(before), refinement.image(after)
        if mine is None or mine == theirs:
            return True
        return any(theirs == end for name in abstract.actions for end in _ends(abstract, name, mine))

    waiting, done, wrong = [(0, 0, system.initial)], set[State](), list[tuple[int, int]]()
    while waiting:
        faults, steps, state = heapq.heappop(waiting)
        if state in done:
            continue
        done.add(state)
        for step, after in system.successors(state):
            cost = faults + system.actions[step.action].fault, steps + 1
            if not good(state, after):
                wrong.append(cost)
            heapq.heappush(waiting, (*cost, after))
    return not wrong, min(wrong, default=None)


def _ends(abstract: System, name: str, state: State) -> Iterator[State]:
    """The states that an action leads to; of its choices those that lead to a state."""
    reading = abstract.readings[name]
    for group in abstract.candidates(name):
        for arguments, chosen in itertools.product(group, itertools.product(*reading.codes(abstract.sizes))):
            try:
                after = abstract.run_action(abstract.actions[name], state, (*arguments, *chosen))
            except Exception:
                continue
            if after is not None:
                yield after


def cost_of(found: PropertyResult) -> tuple[int, int] | None:
    """The faults and steps of a counterexample; it must end with a step that is wrong."""
    if found.counterexample is None:
        return None
    trace = found.counterexample.trace
    refinement = refinement_of(trace.system, trace.system.model.properties[found.name])
    for step, before, after in zip(trace.steps, trace.states, trace.states[1:], strict=False):
        assert trace.system.step(before, step) == after
    kept = [refinement.keeps(before, after) for before, after in itertools.pairwise(trace.states)]
    assert kept == [*[True] * (len(kept) - 1), False][-len(kept) :] if kept else True
    return trace.faults, len(trace)


def every_engine(system: System, name: str) -> dict[str, CheckResult]:
    """What each engine finds of a refinement, alone."""
    claims = system.properties([name])
    return {
        "direct": explicit.check(system, claims, engine="direct"),
        "plain": explicit.check(system, claims, engine="plain"),
        "compiled": compiled.check(system, claims, workers=1),
        "two workers": compiled.check(system, claims, workers=2),
        "symmetry": compiled.check(system, claims, workers=1, symmetry=True),
    }


@pytest.mark.parametrize("first", range(0, MODELS, 30))
def test_every_engine_agrees_with_a_plain_program_on_random_models(first: int) -> None:
    verdicts = []
    for seed in range(first, first + 30):
        system = seen_from_afar(seed)
        size = explicit.check(system, [], Limits(max_states=MOST_STATES), "plain")
        if not size.complete:
            continue
        holds, least = least_by_hand(system)
        for engine, result in every_engine(system, "seen").items():
            (found,) = result.properties
            assert (found.verdict is Verdict.HOLDS, cost_of(found)) == (holds, least), (seed, engine)
        verdicts.append(holds)
    assert any(verdicts) and not all(verdicts)


@pytest.mark.parametrize(("on", "states", "fewer"), [(True, 288, 80), (False, 623, 160)])
def test_two_phase_commit_is_judged_alike_everywhere(on: bool, states: int, fewer: int) -> None:
    model = resolve("two_phase_commit.py", GALLERY).model
    system = build(model, model.configure(switches={"hears_all": on}))
    found = every_engine(system, "commits_as_one")
    assert {name: result.states for name, result in found.items()} == {
        **dict.fromkeys(found, states),
        "symmetry": fewer,
    }
    assert {cost_of(result.properties[0]) for result in found.values()} == {None if on else (0, 2)}


@pytest.mark.parametrize(("name", "cost"), [("delivers", None), ("delivers_backwards", (0, 3)), ("overflows", (0, 3))])
def test_lists_sets_and_records_have_images(name: str, cost: tuple[int, int] | None) -> None:
    found = every_engine(build(POST, POST.configure(budgets={"fire": 1})), name)
    assert {result.states for result in found.values()} == {282}
    assert {cost_of(result.properties[0]) for result in found.values()} == {cost}


def test_search_by_fingerprints_leaves_it_unknown() -> None:
    system = build(resolve("two_phase_commit.py", GALLERY).model)
    found = compiled.check(system, system.properties(["commits_as_one"]), fingerprint=True)
    assert found.properties[0].verdict is Verdict.UNKNOWN
    assert "`commits_as_one` needs whole states, not fingerprints" in found.notes


def test_time_that_is_up_leaves_it_unknown() -> None:
    system = build(resolve("two_phase_commit.py", GALLERY).model)
    found = compiled.check(system, system.properties(["commits_as_one"]), Limits(max_seconds=0.0))
    assert found.properties[0].verdict is Verdict.UNKNOWN


def test_interrupt_while_steps_are_judged_leaves_it_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(RefinementScan, "judge", interrupted)
    system = build(resolve("two_phase_commit.py", GALLERY).model)
    found = compiled.check(system, system.properties(["commits_as_one"]))
    assert found.verdict is Verdict.UNKNOWN and found.stopped is not None and found.stopped.interrupted
