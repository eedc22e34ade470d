"""Single-decree Paxos as Lamport has it: messages are sets that only grow; ballots have an order."""

import sys

from onceproof.model.language import (
    Model,
    Optional,
    Sort,
    State,
    action,
    always,
    exists,
    field,
    given,
    require,
    require_not_none,
    sometimes,
    switch,
)


class Acceptor(Sort, default=3, symmetric=True):
    """One that votes."""


class Ballot(Sort, default=2):
    """A round of voting."""


class Value(Sort, default=2, symmetric=True):
    """What may be chosen."""


class PaxosState(State):
    """The state of the model."""

    highest_vote = switch(on="the value of the highest vote in a quorum is proposed again", off="any value is proposed")

    less = field(Ballot, Ballot, bool, init=lambda one, other: one < other, constant=True)
    promised = field(Acceptor, Optional[Ballot])
    voted_ballot = field(Acceptor, Optional[Ballot])
    voted_value = field(Acceptor, Optional[Value])
    prepare = field(Ballot, bool, doc="1a")
    promise = field(Acceptor, Ballot, bool, doc="1b")
    promise_ballot = field(Acceptor, Ballot, Optional[Ballot])
    promise_value = field(Acceptor, Ballot, Optional[Value])
    proposal = field(Ballot, Optional[Value], doc="2a")
    vote = field(Acceptor, Ballot, Value, bool, doc="2b")


@action
def phase_1a(st: PaxosState, ballot: Ballot) -> None:
    """A ballot begins."""
    st.prepare[ballot] = True


@action
def phase_1b(st: PaxosState, acceptor: Acceptor, ballot: Ballot) -> None:
    """An acceptor promises to vote in no lower ballot, and says how it voted last."""
    before = st.promised[acceptor]
    require(st.prepare[ballot] and (before is None or st.less[before, ballot]))
    st.promised[acceptor] = ballot
    st.promise[acceptor, ballot] = True
    st.promise_ballot[acceptor, ballot] = st.voted_ballot[acceptor]
    st.promise_value[acceptor, ballot] = st.voted_value[acceptor]


@action
def phase_2a(st: PaxosState, ballot: Ballot, value: Value) -> None:
    """With a quorum of promises a value is proposed, once."""
    require(st.proposal[ballot] is None)
    require(2 * sum(st.promise[acceptor, ballot] for acceptor in Acceptor) > len(Acceptor))
    if st.highest_vote:
        require(exists(Acceptor, Acceptor, lambda one, other: one != other and allowed(st, ballot, value, one, other)))
    st.proposal[ballot] = value


def allowed(st: PaxosState, ballot: Ballot, value: Value, one: Acceptor, other: Acceptor) -> bool:
    """Of two that promised, the higher vote is for the value, or neither has voted."""
    if not (st.promise[one, ballot] and st.promise[other, ballot]):
        return False
    mine, theirs = st.promise_ballot[one, ballot], st.promise_ballot[other, ballot]
    if mine is None:
        return theirs is None or st.promise_value[other, ballot] == value
    if theirs is None or not st.less[mine, theirs]:
        return st.promise_value[one, ballot] == value
    return st.promise_value[other, ballot] == value


@action
def phase_2b(st: PaxosState, acceptor: Acceptor, ballot: Ballot) -> None:
    """An acceptor votes, unless it promised otherwise."""
    value, before = require_not_none(st.proposal[ballot]), st.promised[acceptor]
    require(before is None or not st.less[ballot, before])
    st.promised[acceptor] = ballot
    st.voted_ballot[acceptor] = ballot
    st.voted_value[acceptor] = value
    st.vote[acceptor, ballot, value] = True


def chosen(st: PaxosState, value: Value) -> bool:
    """A quorum voted for it in one ballot."""
    return exists(
        Ballot, lambda ballot: 2 * sum(st.vote[acceptor, ballot, value] for acceptor in Acceptor) > len(Acceptor)
    )


@always
def agreement(st: PaxosState, one: Value, other: Value) -> bool:
    """No two values are chosen."""
    given(one != other and chosen(st, one))
    return not chosen(st, other)


@sometimes
def chosen_seen(st: PaxosState) -> bool:
    """Something is chosen."""
    return exists(Value, lambda value: chosen(st, value))


PAXOS = Model("paxos", sys.modules[__name__])
