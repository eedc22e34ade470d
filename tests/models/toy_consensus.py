"""Toy consensus: every node votes once, and what a quorum voted for is decided."""

from onceproof.model.language import (
    Sort,
    State,
    action,
    always,
    axiom,
    exists,
    field,
    forall,
    given,
    require,
    sometimes,
)


class Node(Sort, default=3):
    """Who votes."""


class Quorum(Sort, default=3):
    """A set of nodes that can decide."""


class Value(Sort, default=2):
    """What is voted on."""


class ToyConsensusState(State):
    """The state of the model."""

    member = field(Quorum, Node, bool, init=lambda quorum, node: quorum != node, constant=True)
    vote = field(Node, Value, bool)
    decided = field(Value, bool)


@axiom
def quorums_meet(st: ToyConsensusState, one: Quorum, other: Quorum) -> bool:
    """Any two quorums share a node."""
    return exists(Node, lambda node: st.member[one, node] and st.member[other, node])


@action
def cast(st: ToyConsensusState, node: Node, value: Value) -> None:
    """A node that has not voted votes."""
    require(forall(Value, lambda other: not st.vote[node, other]))
    st.vote[node, value] = True


@action
def decide(st: ToyConsensusState, quorum: Quorum, value: Value) -> None:
    """All of a quorum voted for a value."""
    require(forall(Node, lambda node: not st.member[quorum, node] or st.vote[node, value]))
    st.decided[value] = True


@always
def agreement(st: ToyConsensusState, one: Value, other: Value) -> bool:
    """No two values are decided."""
    given(st.decided[one] and st.decided[other])
    return one == other


@sometimes
def something_is_decided(st: ToyConsensusState) -> bool:
    """A value is decided."""
    return exists(Value, lambda value: st.decided[value])


@always(invariant="votes")
def one_vote(st: ToyConsensusState, node: Node, one: Value, other: Value) -> bool:
    """A node votes for one value."""
    given(st.vote[node, one] and st.vote[node, other])
    return one == other


@always(invariant="votes")
def decided_by_a_quorum(st: ToyConsensusState, value: Value) -> bool:
    """Behind what is decided stands a quorum."""
    given(st.decided[value])
    return exists(Quorum, lambda q: forall(Node, lambda node: not st.member[q, node] or st.vote[node, value]))
