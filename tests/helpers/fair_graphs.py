"""Random small graphs as models, and fair runs on them, found by trying every set of states that one could stay in."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from onceproof.model.language import Fairness, action, fault, require
from onceproof.model.language.declare import Action

NODES = 6
KINDS = ["fault", "none", "weak", "strong"]
Edge = tuple[int, int, int]  # from, to, action


def declared(number: int, leads: dict[int, int], kind: str, together: str | None = None) -> Action:
    def move(st: Any) -> None:
        require(any_of(st, set(leads)))
        for_each(st, leads)

    move.__name__ = f"move{number}"
    if kind == "fault":
        return fault(move)
    return action(fairness=Fairness(kind), fair_with=together)(move)


def for_each(st: Any, leads: dict[int, int]) -> None:
    here = st.at
    for source, target in leads.items():
        if here == source:
            st.at = target


def any_of(st: Any, places: set[int]) -> bool:
    return any(st.at == place for place in sorted(places))


def least_stem_by_brute_force(
    edges: list[Edge], kinds: list[str], incurred: set[int], fulfilled: set[int], together: Sequence[int] = ()
) -> tuple[int, int] | None:
    """The least (faults, steps) to a set of states that a fair run can stay in, the obligation being open; or None."""
    moves: dict[tuple[int, int], int] = {}
    for source, target, number in edges:
        moves.setdefault((source, number), target)
    costs = {(0, 0 in incurred - fulfilled): (0, 0)}
    changed = True
    while changed:
        changed = False
        for (here, is_open), (faults, steps) in list(costs.items()):
            for (source, number), target in moves.items():
                if source != here:
                    continue
                onward = (target, (is_open or target in incurred) and target not in fulfilled)
                cost = (faults + (kinds[number] == "fault"), steps + 1)
                if cost < costs.get(onward, (10**9, 0)):
                    costs[onward] = cost
                    changed = True
    open_states = sorted(state for state, is_open in costs if is_open)
    fair = {
        state
        for size in range(1, len(open_states) + 1)
        for group in itertools.combinations(open_states, size)
        if can_stay(set(group), moves, kinds, together)
        for state in group
    }
    return min((costs[state, True] for state in fair), default=None)


def can_stay(
    group: set[int], moves: dict[tuple[int, int], int], kinds: list[str], together: Sequence[int] = ()
) -> bool:
    """Whether a fair run can visit all of a set for ever; only steps that change the state count for fairness.

    together: the actions of which fairness asks only that one of them happens.
    """
    changes = {(s, n): t for (s, n), t in moves.items() if s != t}
    inside = {(s, n, t) for (s, n), t in changes.items() if s in group and t in group and kinds[n] != "fault"}
    for start in group:
        found = {start}
        while more := {t for s, _, t in inside if s in found} - found:
            found |= more
        if found != group:
            return False
    taken = {n for _, n, _ in inside}
    classes = [{number} for number in range(len(kinds)) if number not in together]
    classes += [set(together)] if together else []
    for numbers in classes:
        kind = kinds[min(numbers)]
        enabled = {s for s in group if any((s, number) in changes for number in numbers)}
        if kind == "weak" and enabled == group and not numbers & taken:
            return False
        if kind == "strong" and enabled and not numbers & taken:
            return False
    return True
