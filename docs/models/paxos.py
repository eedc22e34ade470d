"""Paxos: acceptors choose one value, whatever proposers do. What was sent stays, and may be read late or twice."""

from onceproof import (
    Optional,
    Ordered,
    Sort,
    State,
    action,
    always,
    ending,
    exists,
    field,
    record,
    require,
    require_not_none,
    sometimes,
)


class Acceptor(Sort, default=3, symmetric=True):
    """One of those whose majority chooses."""


class Ballot(Ordered, default=2):
    """A numbered attempt, the proposer's own."""


class Value(Sort, default=2, symmetric=True):
    """What can be chosen."""


@record
class Vote:
    """A vote for a value in a ballot."""

    ballot: Ballot
    value: Value


class Consensus(State):
    """What acceptors remember, and all that was sent."""

    promised = field(Acceptor, Optional[Ballot], doc="it takes part in no lower ballot")
    latest = field(Acceptor, Optional[Vote], doc="its latest vote")
    joined = field(Acceptor, Ballot, bool, doc="phase 1b: it promised, and reported its latest vote")
    report = field(Acceptor, Ballot, Optional[Vote])
    proposal = field(Ballot, Optional[Value], doc="phase 2a")
    voted = field(Acceptor, Ballot, bool, doc="phase 2b")


@action
def join(st: Consensus, acceptor: Acceptor, ballot: Ballot) -> None:
    """Phase 1: an acceptor promises to take part in no lower ballot, and reports its latest vote."""
    before = st.promised[acceptor]
    require(before is None or before < ballot)
    st.promised[acceptor] = ballot
    st.joined[acceptor, ballot] = True
    st.report[acceptor, ballot] = st.latest[acceptor]


def is_free(st: Consensus, ballot: Ballot, value: Value) -> bool:
    """Of the votes that were reported, none is in a higher ballot than one for this value."""
    for acceptor in Acceptor:
        vote = st.report[acceptor, ballot]
        if vote is not None and not backed(st, ballot, vote, value):
            return False
    return True


def backed(st: Consensus, ballot: Ballot, vote: Vote, value: Value) -> bool:
    """A vote for the value, as late as this one, was reported."""
    for acceptor in Acceptor:
        other = st.report[acceptor, ballot]
        if other is not None and other.value == value and other.ballot >= vote.ballot:
            return True
    return False


@action
def propose(st: Consensus, ballot: Ballot, value: Value) -> None:
    """Phase 2: with the promises of a majority, the value of the latest vote is proposed, or else any."""
    require(st.proposal[ballot] is None and is_free(st, ballot, value))
    require(2 * sum(st.joined[acceptor, ballot] for acceptor in Acceptor) > len(Acceptor))
    st.proposal[ballot] = value


@action
def vote_for(st: Consensus, acceptor: Acceptor, ballot: Ballot) -> None:
    """An acceptor votes for what is proposed, unless it promised otherwise."""
    value, before = require_not_none(st.proposal[ballot]), st.promised[acceptor]
    require((before is None or before <= ballot) and not st.voted[acceptor, ballot])
    st.promised[acceptor] = ballot
    st.latest[acceptor] = Vote(ballot, value)
    st.voted[acceptor, ballot] = True


def chosen(st: Consensus, value: Value) -> bool:
    """A majority voted for it in one ballot."""
    return exists(Ballot, lambda ballot: st.proposal[ballot] == value and majority(st, ballot))


def majority(st: Consensus, ballot: Ballot) -> bool:
    """A majority voted in the ballot."""
    return 2 * sum(st.voted[acceptor, ballot] for acceptor in Acceptor) > len(Acceptor)


@always
def one_value(st: Consensus, one: Value, other: Value) -> bool:
    """No two values are chosen."""
    return one == other or not (chosen(st, one) and chosen(st, other))


@sometimes
def some_value(st: Consensus, value: Value) -> bool:
    """A value is chosen."""
    return chosen(st, value)


@ending
def decided(st: Consensus) -> bool:
    """A value is chosen."""
    return exists(Value, lambda value: chosen(st, value))
