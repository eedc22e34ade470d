"""Axioms: laws about constants that every instance must satisfy; and substitution into what quantifiers bind."""

from typing import Any

import pytest

from onceproof.model.language import Model, ModelError, Sort, action, always, axiom, build, exists, field
from onceproof.model.language.errors import AxiomError
from onceproof.model.language.sorts import Flag
from onceproof.model.language.terms import (
    Eq,
    Quantified,
    Read,
    Var,
)
from onceproof.model.language.traversal import free_variables, substitute


class Node(Sort, default=3):
    """Who votes."""


class Quorum(Sort, default=3):
    """A set of nodes that can decide."""


member = field(Quorum, Node, bool, init=lambda quorum, node: quorum != node, constant=True)
voted = field(Node, bool)


@axiom
def quorums_meet(st: Any, one: Quorum, other: Quorum) -> Any:
    """Any two quorums share a node."""
    return exists(Node, lambda node: st.member[one, node] and st.member[other, node])


@action
def vote(st: Any, node: Node) -> None:
    """A node votes."""
    st.voted[node] = True


@always
def in_some_quorum(st: Any, node: Node) -> Any:
    """A node that voted is in a quorum."""
    return not st.voted[node] or exists(Quorum, lambda quorum: st.member[quorum, node])


def voting(**changes: Any) -> Model:
    """The voting model with some declarations changed."""
    parts = {"member": member, "voted": voted, "quorums_meet": quorums_meet, "vote": vote, "claim": in_some_quorum}
    return Model("voting", {"__name__": "voting", **parts, **changes})


def test_an_axiom_is_no_property() -> None:
    model = voting()
    assert list(model.axioms) == ["quorums_meet"]
    assert [claim.name for claim in build(model).properties()] == ["claim", "deadlock"]


def test_an_instance_must_satisfy_the_axioms() -> None:
    model = voting()
    build(model)
    with pytest.raises(AxiomError) as caught:
        build(model, model.configure({"nodes": 2, "quorums": 2}))
    assert "axiom `quorums_meet`, test_axioms.py:" in str(caught.value)
    assert "nodes: 2" in str(caught.value) and "for one = quorum1, other = quorum2" in str(caught.value)
    assert "another `init` of `member`" in str(caught.value)


def test_an_axiom_speaks_of_constants_alone() -> None:
    @axiom
    def nobody_votes(st: Any, node: Node) -> Any:
        """Not a law."""
        return not st.voted[node]

    with pytest.raises(ModelError, match=r"axiom `nobody_votes`, test_axioms.py:\d+: .*`voted` may change"):
        build(voting(nobody_votes=nobody_votes))


def test_an_axiom_and_a_field_of_one_name_are_refused() -> None:
    with pytest.raises(ModelError, match="declared twice"):
        Model("twice", {"__name__": "one", "member": member, "vote": vote}, {"__name__": "two", "vote": quorums_meet})


def test_substitution_captures_no_variable() -> None:
    outer, inner = Var("x", Node), Var("y", Node)
    edge = Quantified(False, (inner,), Read("edge", (outer, inner), Flag()))
    put = substitute(edge, {outer: inner})
    assert isinstance(put, Quantified) and list(free_variables(put)) == [inner]
    (bound,) = put.variables
    assert put.body == Read("edge", (inner, bound), Flag()) and bound != inner


def test_renamed_variables_meet_no_other() -> None:
    x, y, other = Var("x", Node), Var("y", Node), Var("y_1", Node)
    term = Quantified(True, (y, other), Eq(Read("edge", (x, y), Flag()), Read("edge", (other, y), Flag())))
    put = substitute(term, {x: y})
    assert isinstance(put, Quantified) and len({variable.name for variable in put.variables} | {"y"}) == 3
    assert list(free_variables(put)) == [y]
