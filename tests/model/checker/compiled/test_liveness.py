"""The time limit holds inside of the searches for liveness, too, which never look at a clock."""

from typing import Any

import numpy as np
import pytest

from onceproof.model.checker.compiled.kernels import graph as kernels
from onceproof.model.checker.compiled.liveness import LivenessGraph
from onceproof.model.checker.deadline import OutOfTime, deadline

STATES = 50


def graph_of(first: Any) -> LivenessGraph:
    """A graph of which only where the edges of each state begin is of interest."""
    graph = LivenessGraph.__new__(LivenessGraph)
    graph.first = first
    return graph


def test_kernel_that_goes_on_as_long_as_there_are_edges_ends_when_the_time_is_up() -> None:
    graph = graph_of(np.arange(STATES + 1))

    def kernel(first: Any) -> None:
        while first.any():
            pass

    with deadline(0.05), pytest.raises(OutOfTime):
        graph._in_time(kernel, graph.first)


def test_what_a_kernel_found_in_time_is_kept() -> None:
    graph = graph_of(np.arange(STATES + 1))
    assert graph._in_time(int, 7) == 7
    with deadline(60):
        assert graph._in_time(int, 7) == 7
    assert graph.first[-1] == STATES


def test_kernels_come_to_their_end_without_edges() -> None:
    """A ring of states, whose edges are taken away before: whatever is found then is not looked at."""
    first, none = np.zeros(STATES + 1, np.int64), np.zeros(STATES, np.int64)
    moves, targets = np.zeros(STATES, np.int32), np.roll(np.arange(STATES, dtype=np.int32), -1)
    is_fault, fairness = np.zeros(2, np.bool_), np.array([1, 0], np.int64)
    graph = (first, moves, targets, is_fault, fairness)
    everywhere, nowhere = np.ones(STATES, np.bool_), np.zeros(STATES, np.bool_)
    kernels.peel(*graph, np.ones(STATES, np.int32), np.zeros(STATES, np.int32), nowhere.copy())
    queue = np.arange(STATES + 1)
    assert kernels.reach(first, targets, everywhere, everywhere.copy(), queue, STATES) == STATES
    room, counts = np.zeros((7, STATES), np.int64), np.zeros((3, 2), np.int64)
    kernels.fair_sets(*graph, np.arange(STATES), none.copy(), room, counts)
    faults, steps, noted = np.full((3, STATES), -1, np.int64)
    zero, queues = np.zeros(1, np.int64), np.zeros((5, STATES + 1), np.int64)
    kernels.least_costs(first, moves, targets, is_fault, everywhere, zero, zero, zero, faults, steps, queues, noted)
    assert (faults[0], steps[0], steps[1]) == (0, 0, -1)
