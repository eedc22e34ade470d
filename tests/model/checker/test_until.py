"""``@until``: what is true until its goal comes, against brute force on random graphs, in every engine and report."""

import random
from typing import Any

import pytest

from onceproof.explain.explanation import explain
from onceproof.explain.rerun import rerun
from onceproof.model.checker import compiled
from onceproof.model.checker.explicit.engine import check
from onceproof.model.checker.obligations import broken, unmet
from onceproof.model.checker.results import CheckResult, Verdict
from onceproof.model.checker.tla.export import export
from onceproof.model.language import Count, Model, ModelError, Sort, System, action, build, fault, field, require, until
from onceproof.model.language import given as presuppose
from onceproof.reports.trace_text import explanation_lines
from tests.helpers.fair_graphs import (
    KINDS,
    NODES,
    Edge,
    any_of,
    declared,
    least_stem_by_brute_force,
)
from tests.helpers.results import result_of, violation

Least = tuple[int, int] | None
NAMES = ("waits", "waits_weakly", "starts", "starts_weakly")


def graph_of(edges: list[Edge], kinds: list[str], begins: set[int], lasts: set[int], ends: set[int]) -> System:
    """A walk on a graph with all four forms of ``until``."""
    names: dict[str, object] = {"__name__": "graph", "at": field(Count(NODES))}
    targets: dict[int, dict[int, int]] = {}
    for source, target, number in edges:
        targets.setdefault(number, {}).setdefault(source, target)
    names |= {f"move{number}": declared(number, leads, kinds[number]) for number, leads in targets.items()}

    def over(st: Any) -> bool:
        return any_of(st, ends)

    def waiting(st: Any) -> bool:
        presuppose(any_of(st, begins))
        return any_of(st, lasts)

    def from_the_start(st: Any) -> bool:
        return any_of(st, lasts)

    marked = [until(over)(waiting), until(over, weak=True)(waiting)]
    marked += [until(over)(from_the_start), until(over, weak=True)(from_the_start)]
    model = Model("graph", names | dict(zip(NAMES, marked, strict=True)))
    return build(model, model.configure({}, {}, dict.fromkeys(model.faults)))


def least_break(edges: list[Edge], kinds: list[str], begins: set[int], lasts: set[int], ends: set[int]) -> Least:
    """The least (faults, steps) to where it is begun and not ended, and what must last does not."""
    moves: dict[tuple[int, int], int] = {}
    for source, target, number in edges:
        moves.setdefault((source, number), target)
    costs = {(0, 0 in begins - ends): (0, 0)}
    changed = True
    while changed:
        changed = False
        for (here, is_open), (faults, steps) in list(costs.items()):
            for (source, number), target in moves.items():
                onward = (target, (is_open or target in begins) and target not in ends)
                cost = (faults + (kinds[number] == "fault"), steps + 1)
                if source == here and cost < costs.get(onward, (10**9, 0)):
                    costs[onward] = cost
                    changed = True
    return min((cost for (here, is_open), cost in costs.items() if is_open and here not in lasts), default=None)


@pytest.mark.parametrize("seed", range(60))
def test_until_on_random_graphs(seed: int) -> None:
    chance = random.Random(seed)
    places = range(NODES)
    edges = [(chance.choice(places), chance.choice(places), chance.randrange(5)) for _ in range(chance.randint(4, 14))]
    kinds = [chance.choice(KINDS) for _ in range(5)]
    begins, ends = set(chance.sample(places, 2)), set(chance.sample(places, chance.randint(1, 2)))
    lasts = set(chance.sample(places, chance.randint(3, NODES)))
    system = graph_of(edges, kinds, begins, lasts, ends)
    gone = least_break(edges, kinds, begins, lasts, ends)
    stays = least_stem_by_brute_force(edges, kinds, begins, ends)
    expected = {"waits": min(filter(None, (gone, stays)), default=None), "waits_weakly": gone}
    results = [check(system, engine="direct"), check(system)]
    if seed < 12:
        results.append(compiled.check(system, workers=1))
    for result in results:
        for name, least in expected.items():
            assert_least(result, name, least)
        assert_all_agree(results[0], result)


def assert_least(result: CheckResult, name: str, least: Least) -> None:
    found = result_of(result, name)
    assert (found.verdict is Verdict.VIOLATED) == (least is not None), name
    if found.counterexample is not None:
        trace = found.counterexample.trace
        stem = len(trace) if trace.loop is None else trace.loop
        faults = sum(trace.system.actions[step.action].fault for step in trace.steps[:stem])
        assert (faults, stem) == least
        claim = trace.system.model.properties[name]
        assert unmet(trace.system, claim, (), trace.states, trace.loop)
        if trace.loop is None:
            assert broken(trace.system, claim, (), trace.states) == len(trace)


def assert_all_agree(one: CheckResult, other: CheckResult) -> None:
    for name in NAMES:
        mine, theirs = result_of(one, name), result_of(other, name)
        assert mine.verdict is theirs.verdict, name
        if mine.counterexample is not None and theirs.counterexample is not None:
            loops = (mine.counterexample.trace.loop, theirs.counterexample.trace.loop)
            assert (loops[0] is None) == (loops[1] is None)
            trace = theirs.counterexample.trace
            assert unmet(trace.system, trace.system.model.properties[name], (), trace.states, trace.loop)


class Job(Sort, default=2, symmetric=True):
    """A job."""


@action
def submit(st: Any, job: Job) -> None:
    """A job is handed in."""
    require(not st.waits[job] and not st.done[job])
    st.waits[job] = True


@action
def finish(st: Any, job: Job) -> None:
    """A job is done."""
    require(st.waits[job])
    st.waits[job] = False
    st.done[job] = True


@fault
def lose(st: Any, job: Job) -> None:
    """A job is lost."""
    require(st.waits[job])
    st.waits[job] = False


def is_done(st: Any, job: Job) -> bool:
    return bool(st.done[job])


@until(is_done)
def waits_until_done(st: Any, job: Job) -> bool:
    """What was handed in waits until it is done."""
    presuppose(st.waits[job])
    return bool(st.waits[job])


@until(lambda st, job: st.waits[job], weak=True)
def not_before(st: Any, job: Job) -> bool:
    """Nothing is done before it is handed in."""
    return not st.done[job]


def desk(faults: int, *claims: Any) -> System:
    names = {"waits": field(Job, bool), "done": field(Job, bool)}
    declared_here = {one.name: one for one in (submit, finish, lose, waits_until_done, not_before, *claims)}
    model = Model("desk", {"__name__": "desk", "Job": Job, **names, **declared_here})
    return build(model, model.configure({}, {}, {"lose": faults}))


@pytest.mark.parametrize("engine", ["direct", "plain", "compiled", "symmetry"])
def test_a_run_that_ends_too_early_is_shown(engine: str) -> None:
    system = desk(1)
    claims = system.properties(["waits_until_done", "not_before"])
    if engine in ("direct", "plain"):
        result = check(system, claims, engine=engine)
    else:
        result = compiled.check(system, claims, symmetry=engine == "symmetry")
    found = violation(result, "waits_until_done")
    assert [step.action for step in found.trace.steps] == ["submit", "lose"] and found.trace.loop is None
    assert found.minimal == "faults, then steps"
    assert result_of(result, "not_before").verdict is Verdict.HOLDS
    text = "\n".join(explanation_lines(explain(found), ""))
    assert "waits_until_done begins because" in text and "and it ends too early: in the last state" in text
    assert rerun(found.trace, "waits_until_done", system).violates
    assert compiled.check(desk(0), desk(0).properties(["waits_until_done"]), symmetry=True).verdict is Verdict.HOLDS


def two_things(st: Any) -> bool:
    return True


def says_given(st: Any, job: Job) -> bool:
    presuppose(st.waits[job])
    return True


def test_what_cannot_be_meant_is_refused() -> None:
    with pytest.raises(ModelError, match=r"what ends `waits` takes the same parameters, \(st, job\), not 1"):

        @until(two_things)
        def waits(st: Any, job: Job) -> bool:
            return True

    with pytest.raises(ModelError, match="@until takes the condition that ends it"):
        until(waits_until_done)  # type: ignore[arg-type]
    odd = until(says_given)(waits_until_done.function)
    odd.name = "odd"
    system = desk(1, odd)
    with pytest.raises(ModelError, match="what ends an @until has no `given`"):
        system.property_reading(system.model.properties["odd"])
    with pytest.raises(ModelError, match="TLA\\+ has no `until`"):
        export(desk(1), "desk", desk(1).properties(["waits_until_done"]))
