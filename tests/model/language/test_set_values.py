"""Sets and bags as values: given from cell to cell, and compared, alike in every engine."""

from typing import Any

import pytest

from onceproof.model.checker import compiled
from onceproof.model.checker.explicit.engine import check
from onceproof.model.checker.results import Verdict
from onceproof.model.language import Bag, Model, ModelError, Set, action, build, field, require
from tests.helpers.comparison import comparable
from tests.models.gossip import GOSSIP, Node


def test_engines_agree_on_sets_that_are_given_and_compared() -> None:
    system = build(GOSSIP, GOSSIP.configure())
    direct, plain = check(system, engine="direct"), check(system)
    assert plain.complete and plain.states > 500
    assert {p.name: p.verdict for p in plain.properties} == {
        "nobody_is_ahead": Verdict.VIOLATED,
        "nothing_is_forgotten": Verdict.HOLDS,
        "deadlock": Verdict.VIOLATED,
    }
    assert comparable(direct) == comparable(plain)
    for workers in (1, 2):
        assert comparable(compiled.check(system, workers=workers)) == comparable(plain)


def refused(function: Any) -> str:
    fields = {
        **{"a": field(Set(Node)), "again": field(Set(Node)), "b": field(Set(bool))},
        **{"c": field(Bag(Node, 2)), "d": field(Bag(Node, 3))},
    }
    model = Model("refused", {"__name__": "refused", **fields, "go": action(function)})
    with pytest.raises(ModelError) as found:
        list(build(model, model.configure()).successors(build(model, model.configure()).initial))
    return str(found.value)


def other_kind(st: Any) -> None:
    st.a = st.b


def other_size(st: Any) -> None:
    st.c = st.d


def a_list(st: Any) -> None:
    st.a = [1]


def smaller_bag(st: Any) -> None:
    require(st.c <= st.c)
    st.c.clear()


def with_a_number(st: Any) -> None:
    require(st.a == 3)
    st.a.clear()


def changed_afterwards(st: Any) -> None:
    st.a = st.again
    st.again.clear()


def changed_through_a_local(st: Any) -> None:
    old = st.a
    st.a = st.again
    old.clear()


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (changed_afterwards, "`again`"),
        (changed_through_a_local, "`a`"),
        (other_kind, "`a` is given the set `b`, which holds values of another kind"),
        (other_size, "`c` is given the bag `d`, which holds values of another kind"),
        (a_list, "is given another field's of one kind with it, or changed by"),
        (smaller_bag, "bags by `==` and `!=`"),
        (with_a_number, "is compared with another field's of one kind"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(function: Any, message: str) -> None:
    assert message in refused(function)
