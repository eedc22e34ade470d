"""Nodes that gossip: sets and bags of the state are given from cell to cell, and compared."""

from onceproof.model.language import Bag, Model, Set, Sort, State, action, always, field, record, require, step


class Node(Sort, default=2):
    """A node that gossips."""


@record
class Rumour:
    about: Node
    sure: bool


class Gossip(State):
    """What each has heard, what it said last, and what is on the wire."""

    heard = field(Node, Set(Rumour))
    said = field(Set(Rumour))
    wire = field(Bag(Node, 2))
    copy = field(Node, Bag(Node, 2))


@action
def hear(st: Gossip, node: Node, rumour: Rumour) -> None:
    """Something new."""
    require(rumour not in st.heard[node] and rumour.about != node)
    st.heard[node].add(rumour)
    if st.wire.count(node) < 2:
        st.wire.add(node)


@action
def tell(st: Gossip, node: Node, other: Node) -> None:
    """One tells the other all, who knows no more than that afterwards."""
    require(node != other and st.heard[other] <= st.heard[node] and st.heard[other] != st.heard[node])
    st.said = st.heard[node]
    st.heard[other] = st.heard[node]


@action
def look(st: Gossip, node: Node) -> None:
    """A copy of the wire, which is no wire."""
    require(st.copy[node] != st.wire)
    st.copy[node] = st.wire


@action
def take(st: Gossip, node: Node) -> None:
    """What was on the wire arrives."""
    st.wire.receive(node)


@always
def nobody_is_ahead(st: Gossip, one: Node, other: Node) -> bool:
    return st.heard[one] >= st.heard[other] or st.heard[one] <= st.heard[other] or st.copy[one] != st.copy[other]


@step
def nothing_is_forgotten(before: Gossip, after: Gossip, node: Node) -> bool:
    return before.heard[node] <= after.heard[node]


NAMES = {
    "Gossip": Gossip,
    **{each.function.__name__: each for each in (hear, tell, look, take, nobody_is_ahead, nothing_is_forgotten)},
}
GOSSIP = Model("gossip", {"__name__": "gossip", **NAMES})
