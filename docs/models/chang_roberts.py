"""Chang and Roberts: a leader in a ring. Nodes pass on higher identities; its own, come back, makes a node lead."""

from onceproof import Ordered, Seq, State, action, always, ending, eventually, field, given, require, sometimes


class Node(Ordered, default=3):
    """A node, and its identity: the later in the order, the higher."""


class Ring(State):
    """What is on the wire to each node, and who leads."""

    right = field(Node, Node, init=lambda node: node + 1, constant=True)
    inbox = field(Node, Seq(Node, 3), doc="identities on their way to it, first in, first out")
    started = field(Node, bool)
    leads = field(Node, bool)


@action
def start(st: Ring, node: Node) -> None:
    """A node sends its own identity to the right."""
    require(not st.started[node])
    st.started[node] = True
    st.inbox[st.right[node]].append(node)


@action
def receive(st: Ring, node: Node) -> None:
    """A higher identity is passed on, a lower one dropped; its own makes the node the leader."""
    require(st.started[node] and len(st.inbox[node]) > 0)
    found = st.inbox[node].pop(0)
    if found > node:
        st.inbox[st.right[node]].append(found)
    elif found == node:
        st.leads[node] = True


@always
def one_leader(st: Ring, one: Node, other: Node) -> bool:
    """No two nodes lead."""
    return one == other or not (st.leads[one] and st.leads[other])


@always
def highest_leads(st: Ring, one: Node, other: Node) -> bool:
    """Whoever leads has the highest identity."""
    given(st.leads[one])
    return other <= one


@eventually
def somebody_leads(st: Ring, node: Node) -> bool:
    """Once a node has started, one leads in the end."""
    given(st.started[node])
    return any(st.leads[other] for other in Node)


@sometimes
def full_inbox(st: Ring, node: Node) -> bool:
    """Two identities wait for one node."""
    return len(st.inbox[node]) > 1


@ending
def elected(st: Ring) -> bool:
    """One leads and nothing is on the wire."""
    return any(st.leads[node] for node in Node) and all(len(st.inbox[node]) == 0 for node in Node)
