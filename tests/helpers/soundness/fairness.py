"""Whether a fair run breaks what is promised of endless runs, in a graph that is small enough to try everything.

A run is fair if its faults end, if a weakly fair step that stays possible for ever is taken, and if a strongly fair one
that is possible again and again is taken. A step that changes nothing is neither possible nor taken. So a run without
end goes at last through a set of states, all of them again and again, or stays in one.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

State = tuple[Any, ...]


@dataclass(frozen=True)
class Taken:
    """A step: of which action with which arguments, whether it is a fault, its fairness, and the state after it."""

    instance: Hashable
    fault: bool
    fairness: str
    after: State


Graph = Mapping[State, list[Taken]]


def changes(graph: Graph, state: State) -> Iterator[Taken]:
    """The steps from a state that change it."""
    return (taken for taken in graph[state] if taken.after != state)


def reached(graph: Graph, start: Iterable[State], within: set[State], faults: bool) -> set[State]:
    """All that is reached from some states, these among them, without leaving a set."""
    found = set(start) & within
    waiting = list(found)
    while waiting:
        for taken in changes(graph, waiting.pop()):
            if taken.after in within - found and (faults or not taken.fault):
                found.add(taken.after)
                waiting.append(taken.after)
    return found


def lasting(graph: Graph, within: set[State]) -> Iterator[set[State]]:
    """The sets of states in which a fair run can stay for ever, visiting all of them (the largest ones, and single
    states)."""
    for state in within:
        if all(taken.fairness == "none" for taken in changes(graph, state)):
            yield {state}
    left = set(within)
    while left:
        some = next(iter(left))
        onward = reached(graph, [some], within, faults=False)
        group = {state for state in onward if some in reached(graph, [state], within, faults=False)}
        left -= group
        if len(group) < 2:
            continue
        possible = {state: {one.instance for one in changes(graph, state)} for state in group}
        inside = {one.instance for s in group for one in changes(graph, s) if one.after in group and not one.fault}
        kinds = {one.instance: one.fairness for state in group for one in changes(graph, state)}
        always = set.intersection(*possible.values())
        if any(kinds[one] != "none" for one in always - inside):
            continue  # it stays possible and is not taken, here or in any part of the group
        missed = {one for one, kind in kinds.items() if kind == "strong" and one not in inside}
        if not missed:
            yield group
        else:
            yield from (one for one in lasting(graph, {s for s in group if not possible[s] & missed}) if len(one) > 1)


def is_broken(
    graph: Graph,
    initial: State,
    kind: str,
    presupposes: bool,
    kept: Mapping[State, bool],
    incurred: set[State],
) -> bool:
    """Whether some fair run breaks a promise.

    kept: whether what is promised is true in a state; incurred: where what is given is true, and what is promised not.
    """
    unkept = {state for state in graph if not kept[state]}
    if kind == "stays":  # what is false again and again
        return any(group & unkept for group in lasting(graph, set(graph)))
    starts = {initial} if kind == "eventually" and not presupposes else set(graph)
    open_ = reached(graph, starts & incurred, unkept, faults=True)
    return any(True for _ in lasting(graph, open_))
