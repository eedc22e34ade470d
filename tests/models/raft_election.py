"""A leader needs the votes of a majority: ballots are a set on the wire, which may lose some.

The election of Raft (Ongaro and Ousterhout, *In Search of an Understandable Consensus Algorithm*, 2014), without logs.
"""

from onceproof import (
    Count,
    Optional,
    Set,
    Sort,
    State,
    action,
    always,
    ending,
    fault,
    field,
    record,
    require,
)


class Node(Sort, default=3, symmetric=True):
    """A server."""


@record
class Ballot:
    """A vote: in this term, this server votes for that one."""

    term: Count(2)  # type: ignore[valid-type]
    voter: Node
    candidate: Node


class Servers(State):
    """What each server remembers, and what is on the wire."""

    term = field(Node, Count(2))
    voted = field(Node, Optional[Node], doc="for whom, in its term")
    ballots = field(Node, Node, bool, doc="who voted for a candidate in its term, as it knows")
    wire = field(Set(Ballot))


def leads(st: Servers, node: Node) -> bool:
    """A candidate leads once its ballots are a majority."""
    return st.voted[node] == node and 2 * sum(st.ballots[node, voter] for voter in Node) > len(Node)


@action
def stand(st: Servers, node: Node) -> None:
    """A server that hears of no leader begins a new term, and votes for itself."""
    require(st.term[node] < 2)
    st.term[node] += 1
    st.voted[node] = node
    for other in Node:
        st.ballots[node, other] = other == node


@action
def vote(st: Servers, node: Node, candidate: Node) -> None:
    """Asked in a term that is not behind its own, a server votes, once in each term."""
    require(st.voted[candidate] == candidate)
    require(st.term[candidate] > st.term[node] or (st.term[candidate] == st.term[node] and st.voted[node] is None))
    st.term[node], st.voted[node] = st.term[candidate], candidate
    st.wire.send(Ballot(st.term[candidate], node, candidate))


@action
def collect(st: Servers, node: Node, voter: Node) -> None:
    """A candidate takes a ballot of its term in."""
    st.wire.receive(Ballot(st.term[node], voter, node))
    st.ballots[node, voter] = True


@fault
def lose(st: Servers, node: Node, voter: Node) -> None:
    """The wire loses a ballot."""
    st.wire.receive(Ballot(st.term[node], voter, node))


@ending
def terms_used_up(st: Servers) -> bool:
    """There are only so many terms."""
    return any(st.term[node] == 2 for node in Node)


@always
def one_leader(st: Servers, one: Node, other: Node) -> bool:
    """There is one leader in a term at most."""
    return one == other or not (leads(st, one) and leads(st, other) and st.term[one] == st.term[other])
