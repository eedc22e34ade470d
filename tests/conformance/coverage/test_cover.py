"""Covers: all transitions, in the least number of steps, the new ones first, within a budget."""

import random
import time
from collections.abc import Mapping, Sequence
from typing import Any

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onceproof.conformance.coverage.graph import Edge, Graph, explore
from onceproof.conformance.coverage.min_cost_flow import extra_walks
from onceproof.conformance.coverage.plan import plan
from onceproof.conformance.coverage.run import Budget, cover
from onceproof.conformance.driver import Abilities
from onceproof.conformance.reference.core_driver import CoreDriver
from onceproof.model.checker.results import Stop, StopReason
from onceproof.model.language import Step
from tests.helpers.present import present
from tests.helpers.systems import ModelDriver, small

SYSTEM = small()  # whose the graphs are that belong to no model: plans do not look at it
Ends = tuple[int, int]  # the tail and the head of an edge
Case = tuple[int, list[Ends]]  # how many states, and the edges between them


def least_extra(states: int, edges: Sequence[Ends]) -> int:
    """The same cost by an algorithm of networkx."""
    graph: networkx.DiGraph[int] = networkx.DiGraph()
    balance = [0] * states
    for tail, head in edges:
        balance[tail] -= 1
        balance[head] += 1
        graph.add_edge(tail, head, weight=1)
    for state in range(states):
        graph.add_node(state, demand=-balance[state])
        if state:
            graph.add_edge(state, 0, weight=0)
    return int(networkx.min_cost_flow_cost(graph))


@st.composite
def graphs(draw: st.DrawFn) -> Case:
    """Edges of a multigraph in which state 0 reaches every other."""
    states = draw(st.integers(1, 9))
    edges = [(draw(st.integers(0, state - 1)), state) for state in range(1, states)]
    more = st.tuples(st.integers(0, states - 1), st.integers(0, states - 1))
    edges += draw(st.lists(more, max_size=20))
    return states, edges


def graph_of(states: int, edges: Sequence[Ends]) -> Graph:
    leaving = [[n for n, edge in enumerate(edges) if edge[0] == state] for state in range(states)]
    numbered = [Edge(tail, head, Step("go", (n,))) for n, (tail, head) in enumerate(edges)]
    return Graph(SYSTEM, [(state,) for state in range(states)], numbered, leaving)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(graphs())
def test_cover_plan_walks_every_edge_in_the_fewest_steps(case: Case) -> None:
    states, edges = case
    extra, cost = extra_walks(states, edges)
    assert cost == sum(extra) == least_extra(states, edges)
    made = plan(graph_of(states, edges))
    assert {edge for path in made.paths for edge in path} == set(range(len(edges)))
    assert made.steps == made.bound == cost + len(edges)
    for path in made.paths:
        ends = [0, *(edges[edge][1] for edge in path)]
        assert [edges[edge][0] for edge in path] == ends[:-1]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(graphs(), st.data())
def test_cover_plan_of_chosen_edges_walks_all_of_them(case: Case, data: st.DataObject) -> None:
    states, edges = case
    wanted = data.draw(st.sets(st.sampled_from(range(len(edges))))) if edges else set()
    graph = graph_of(states, edges)
    graph.parents = [-1, *(n for n, edge in enumerate(edges[: states - 1]))]
    made = plan(graph, wanted)
    assert wanted <= {edge for path in made.paths for edge in path}
    assert made.steps >= made.bound >= len(wanted)
    for path in made.paths:
        ends = [0, *(edges[edge][1] for edge in path)]
        assert [edges[edge][0] for edge in path] == ends[:-1]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(graphs(), st.data())
def test_cover_planned_without_time_walks_every_edge_all_the_same(case: Case, data: st.DataObject) -> None:
    states, edges = case
    wanted = data.draw(st.sets(st.sampled_from(range(len(edges))))) if edges else set()
    graph = graph_of(states, edges)
    graph.parents = [-1, *(n for n, edge in enumerate(edges[: states - 1]))]
    made = plan(graph, wanted, max_seconds=0)
    assert made.greedy and made.bound == len(wanted)
    assert wanted <= {edge for path in made.paths for edge in path}
    for path in made.paths:
        ends = [0, *(edges[edge][1] for edge in path)]
        assert [edges[edge][0] for edge in path] == ends[:-1]
        assert path[-1] in wanted


def test_greedy_cover_of_a_model_takes_few_steps_more_than_the_least() -> None:
    graph = explore(small(scheduler_crash=1))
    assert plan(graph).steps <= plan(graph, max_seconds=0).steps < 1.15 * plan(graph).bound


def test_plan_of_a_hundred_thousand_transitions_keeps_its_time() -> None:
    chance = random.Random(5)
    edges = [(max(0, state - chance.randint(1, 300)), state) for state in range(1, 20_000)]
    edges += [(tail, min(19_999, tail + chance.randint(1, 300))) for tail in range(20_000) for _ in range(4)]
    leaving: list[list[int]] = [[] for _ in range(20_000)]
    for number, (tail, _) in enumerate(edges):
        leaving[tail].append(number)
    numbered = [Edge(tail, head, Step("go", (n,))) for n, (tail, head) in enumerate(edges)]
    graph = Graph(SYSTEM, [(n,) for n in range(20_000)], numbered, leaving, parents=[-1, *range(19_999)])
    started = time.process_time()
    made = plan(graph, max_seconds=0.3)
    assert time.process_time() - started < 5  # the least flow takes many times as long
    assert made.greedy and {edge for path in made.paths for edge in path} == set(range(len(edges)))


def test_symmetric_cover_reports_the_transitions_it_stands_for(core: CoreDriver) -> None:
    found = cover(small(scheduler_crash=1), core, Budget(symmetric=True, refusals=0))
    assert found.disagreement is None and found.complete
    assert found.covered == found.symmetric
    assert found.covered < 0.6 * found.performable
    assert found.steps < 0.6 * 13894 and found.plan.steps <= 1.05 * found.plan.bound


def test_smallest_failover_is_covered_completely_with_exact_numbers(core: CoreDriver) -> None:
    found = cover(small(scheduler_crash=1), core)
    assert found.disagreement is None and found.complete
    assert (len(found.plan.graph.states), found.transitions, found.covered) == (1136, 3932, 3932)
    assert (found.steps, found.plan.bound, found.paths) == (13894, 13894, 913)
    assert found.compared >= found.steps + found.paths
    assert found.refused == 20 * 1136
    assert set(found.unobserved) == {"user_of", "misused", "needless", "overslept"}


def test_cover_plan_walks_new_transitions_first() -> None:
    made = plan(explore(small(scheduler_crash=1)))
    covered: set[int] = set()
    steps = 0
    for path in made.paths:
        if steps + len(path) > made.steps / 4:
            break
        steps += len(path)
        covered.update(path)
    assert len(covered) > 0.4 * len(made.graph.edges)


def test_step_limit_gives_a_partial_cover_and_reports_what_is_left(core: CoreDriver) -> None:
    found = cover(small(), core, Budget(max_steps=100))
    assert found.steps == 100 and not found.complete and found.stopped == Stop(StopReason.STEPS, 100)
    assert found.covered + sum(found.left.values()) == found.performable
    assert found.disagreement is None


def test_cover_keeps_its_time_limit(core: CoreDriver) -> None:
    found = cover(small(scheduler_pause=1), core, Budget(0.2))
    assert not found.complete and found.stopped


def test_cover_sample_is_the_same_for_the_same_seed(core: CoreDriver) -> None:
    one, again, other = (cover(small(), core, Budget(sample=5, seed=seed)) for seed in (1, 1, 2))
    assert one.paths == again.paths == 5
    assert one.left == again.left != other.left
    assert one.stopped == Stop(StopReason.SAMPLE, 5)


def test_partial_driver_is_covered_as_far_as_it_performs() -> None:
    system = small()
    driver = ModelDriver(system, performs=set(system.actions) - {"dispatch"}, hidden={"memory"})
    found = cover(system, driver)
    assert found.complete and found.covered == found.performable < found.transitions
    assert set(found.skipped) == {"dispatch"}
    assert found.unobserved == ["memory"]


class Unresetting(ModelDriver):
    """Stays in its state when it is reset."""

    def reset(self, setting: Mapping[str, Any]) -> Abilities:
        kept = self.state
        abilities = super().reset(setting)
        self.state = kept
        return abilities


def test_driver_that_does_not_reset_is_found_before_the_first_step() -> None:
    system = small()
    driver = Unresetting(system)
    driver.state = next(iter(system.successors(system.initial)))[1]
    found = cover(system, driver)
    assert found.disagreement is not None and found.disagreement.step is None
    assert (found.steps, len(present(found.trace))) == (0, 0)


def test_cover_of_a_model_cut_short_is_reported_as_incomplete() -> None:
    system = small(scheduler_crash=1)
    found = cover(system, ModelDriver(system), Budget(max_states=50, refusals=0))
    assert not found.complete and found.stopped == Stop(StopReason.MODEL_CUT_SHORT)
    assert found.disagreement is None


@pytest.mark.parametrize("refusals", [0, 3])
def test_negative_tests_are_asked_once_for_each_state(refusals: int) -> None:
    system = small()
    found = cover(system, ModelDriver(system), Budget(refusals=refusals))
    assert found.refused == refusals * len(found.plan.graph.states)
