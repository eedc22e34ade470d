"""Two-phase commit: nodes vote, any may fail, a coordinator decides, and no node contradicts another."""

from enum import Enum

from onceproof.model.language import (
    Fairness,
    Sort,
    State,
    action,
    always,
    ending,
    exists,
    fault,
    field,
    forall,
    given,
    require,
    sometimes,
)


class Node(Sort, default=3, symmetric=True):
    """A participant."""


class Vote(Enum):
    """What a node told the coordinator."""

    NONE, YES, NO = range(3)


class Decision(Enum):
    """What the coordinator decided, or what a node carried out."""

    NONE, COMMIT, ABORT = range(3)


class TwoPhaseCommitState(State):
    """The state of the model."""

    dead = field(Node, bool)
    some_failed = field(bool, doc="a node has failed; the coordinator may notice")
    vote = field(Node, Vote)
    decision = field(Decision)
    carried_out = field(Node, Decision)


@action(fairness=Fairness.NONE)
def vote_yes(st: TwoPhaseCommitState, node: Node) -> None:
    """A node is ready to commit."""
    require(not st.dead[node] and st.vote[node] == Vote.NONE and st.carried_out[node] == Decision.NONE)
    st.vote[node] = Vote.YES


@action(fairness=Fairness.NONE)
def vote_no(st: TwoPhaseCommitState, node: Node) -> None:
    """A node refuses, and aborts at once."""
    require(not st.dead[node] and st.vote[node] == Vote.NONE and st.carried_out[node] == Decision.NONE)
    st.vote[node] = Vote.NO
    st.carried_out[node] = Decision.ABORT


@fault
def fail(st: TwoPhaseCommitState, node: Node) -> None:
    """A node dies for good."""
    require(not st.dead[node])
    st.dead[node] = True
    st.some_failed = True


@action
def decide_commit(st: TwoPhaseCommitState) -> None:
    """Every node voted yes."""
    require(st.decision == Decision.NONE)
    require(forall(Node, lambda node: st.vote[node] == Vote.YES))
    st.decision = Decision.COMMIT


@action
def decide_abort(st: TwoPhaseCommitState) -> None:
    """A node voted no, or failed."""
    require(st.decision == Decision.NONE)
    require(st.some_failed or exists(Node, lambda node: st.vote[node] == Vote.NO))
    st.decision = Decision.ABORT


@action
def carry_out(st: TwoPhaseCommitState, node: Node) -> None:
    """The decision reaches a node."""
    require(not st.dead[node] and st.decision != Decision.NONE and st.carried_out[node] == Decision.NONE)
    st.carried_out[node] = st.decision


@ending
def all_know_the_decision(st: TwoPhaseCommitState) -> bool:
    """Every node carried the decision out, or is dead."""
    return forall(Node, lambda node: st.dead[node] or st.carried_out[node] != Decision.NONE)


@always
def agreement(st: TwoPhaseCommitState, one: Node, other: Node) -> bool:
    """No node commits while another aborts."""
    given(st.carried_out[one] == Decision.COMMIT)
    return st.carried_out[other] != Decision.ABORT


@always
def commit_is_unanimous(st: TwoPhaseCommitState, one: Node, other: Node) -> bool:
    """Nobody commits unless all voted yes."""
    given(st.carried_out[one] == Decision.COMMIT)
    return st.vote[other] == Vote.YES


@always
def abort_has_a_reason(st: TwoPhaseCommitState, node: Node) -> bool:
    """Nobody aborts unless a node voted no or failed."""
    given(st.carried_out[node] == Decision.ABORT)
    return st.some_failed or exists(Node, lambda other: st.vote[other] == Vote.NO)


@sometimes
def committed_seen(st: TwoPhaseCommitState) -> bool:
    """All commit."""
    return forall(Node, lambda node: st.carried_out[node] == Decision.COMMIT)


@always(invariant="the decision binds")
def commit_was_decided(st: TwoPhaseCommitState, node: Node) -> bool:
    """A node commits only when it is told to."""
    given(st.carried_out[node] == Decision.COMMIT)
    return st.decision == Decision.COMMIT


@always(invariant="the decision binds")
def commit_needs_every_vote(st: TwoPhaseCommitState, node: Node) -> bool:
    """The coordinator counts the votes, and no vote is changed."""
    given(st.decision == Decision.COMMIT)
    return st.vote[node] == Vote.YES


@always(invariant="the decision binds")
def abort_was_decided_or_voted(st: TwoPhaseCommitState, node: Node) -> bool:
    """A node aborts when it is told to, or on its own when it votes no."""
    given(st.carried_out[node] == Decision.ABORT)
    return st.decision == Decision.ABORT or st.vote[node] == Vote.NO


@always(invariant="the decision binds")
def abort_was_decided_for_a_reason(st: TwoPhaseCommitState) -> bool:
    """The coordinator aborts only when it saw a no or a failure, and neither goes away."""
    given(st.decision == Decision.ABORT)
    return st.some_failed or exists(Node, lambda node: st.vote[node] == Vote.NO)
