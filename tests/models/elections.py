"""Nodes with terms that only grow, except where a mechanism is off or a disk is lost; and logs that are appended to."""

from enum import Enum

from onceproof.model.language import (
    Count,
    Model,
    Optional,
    Seq,
    Sort,
    State,
    action,
    ending,
    fault,
    field,
    given,
    require,
    sometimes,
    step,
    switch,
)


class Node(Sort, default=2, symmetric=True):
    """A node."""


class Role(Enum):
    """What a node is."""

    FOLLOWER, LEADER = range(2)


class Election(State):
    """What each node keeps on disk, and what it is."""

    on_disk = switch(on="a restarted node reads its term from disk", off="it starts again with term 0")
    term = field(Node, Count(2))
    role = field(Node, Role)
    vote = field(Node, Optional[Node])
    log = field(Node, Seq(Node, 2))


@action
def stand(st: Election, node: Node) -> None:
    """A node begins a term and leads it."""
    require(st.term[node] < 2)
    st.term[node] += 1
    st.role[node] = Role.LEADER
    st.vote[node] = node


@action
def follow(st: Election, node: Node, leader: Node) -> None:
    """A node learns of a later term."""
    require(st.role[leader] == Role.LEADER and st.term[leader] > st.term[node])
    st.term[node] = st.term[leader]
    st.role[node] = Role.FOLLOWER
    st.vote[node] = leader


@action
def append(st: Election, node: Node) -> None:
    """A leader appends to its log."""
    require(st.role[node] == Role.LEADER and len(st.log[node]) < 2)
    st.log[node].append(node)


@fault
def restart(st: Election, node: Node) -> None:
    """A node restarts."""
    st.role[node] = Role.FOLLOWER
    st.vote[node] = None
    if not st.on_disk:
        st.term[node] = 0


@step
def term_never_falls(before: Election, after: Election, node: Node) -> bool:
    """The term of a node never falls."""
    return after.term[node] >= before.term[node]


@step
def log_only_grows(before: Election, after: Election, node: Node) -> bool:
    """What stands in a log stays there."""
    given(len(before.log[node]) > 0)
    return len(after.log[node]) >= len(before.log[node]) and after.log[node][0] == before.log[node][0]


@step
def one_vote_a_term(before: Election, after: Election, node: Node) -> bool:
    """A node that has voted votes for another one in a later term only."""
    given(before.vote[node] is not None and after.vote[node] != before.vote[node])
    return after.term[node] > before.term[node]


@sometimes
def both_lead(st: Election) -> bool:
    """Both nodes lead, each its own term."""
    return all(st.role[node] == Role.LEADER for node in Node)


@ending
def over(st: Election) -> bool:
    """It may end anywhere."""
    return True


ELECTIONS = Model("elections", globals())
