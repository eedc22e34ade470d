"""States that differ by which element is which count as one only where no step and no property tells them apart."""

import pytest

from model.checker import compiled, explore
from model.language import Model, Sort, action, always, build, field, given, require
from model.language.declare import Property


class Node(Sort, default=3, symmetric=True):
    """One that votes, and then acts."""


def vote(st, node: Node):
    st.voted[node] = True


def act(st, node: Node):
    require(st.voted[node])
    st.acted[node] = True


def the_last_one_acts_alone(st):
    last = None
    for node in Node:
        if st.voted[node]:
            last = node
    given(sum(st.voted[node] for node in Node) == 3)
    given(sum(st.acted[node] for node in Node) == 1)
    return last is None or not st.acted[last]


def two_act(st):
    return sum(st.acted[node] for node in Node) <= 2


def system(claim: Property):
    fields = {"voted": field(Node, bool), "acted": field(Node, bool)}
    return build(Model("votes", {**fields, "vote": action(vote), "act": action(act), "claim": claim}))


@pytest.mark.parametrize(
    ("claim", "symmetry", "states", "length"),
    [
        (the_last_one_acts_alone, "none", 27, 4),  # it tells the third node from the others
        (two_act, "node", 12, 6),  # a sum does not
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_property_that_goes_through_a_sort(claim, symmetry, states, length):
    built = system(always(claim))
    plain, found = explore.check(built), compiled.check(built, symmetry=True)
    assert plain.states == 27
    assert (found.symmetry, found.states) == (symmetry, states)
    for result in (plain, found):
        judged = result.property("claim")
        assert judged is not None and judged.counterexample is not None
        assert len(judged.counterexample.trace) == length
