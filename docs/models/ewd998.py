"""EWD 998: Safra's detection of termination. A token goes round and adds up what was sent and received."""

from onceproof import (
    Fairness,
    Int,
    Ordered,
    State,
    action,
    always,
    choose_from,
    ending,
    eventually,
    field,
    first,
    forall,
    given,
    initial,
    require,
)

MOST = 2  # messages that may be sent


class Node(Ordered, default=3):
    """A process; the first one begins each round of the token."""


class Ring(State):
    """The nodes, the messages on their way, and the token."""

    right = field(Node, Node, init=lambda node: node + 1, constant=True)
    active = field(Node, bool)
    pending = field(Node, Int(0, MOST), doc="messages on their way to it")
    counter = field(Node, Int(-MOST, MOST), init=0, doc="sent less received")
    black = field(Node, bool, doc="it received since the token was there")
    token = field(Node)
    total = field(Int(-MOST, MOST), init=0, doc="the sum that the token has so far")
    token_black = field(bool, init=True)
    left = field(Int(0, MOST), init=MOST, doc="how many messages may still be sent")


@initial
def anyhow(st: Ring) -> None:
    """Any nodes are active, and of any colour."""
    for node in Node:
        st.active[node] = choose_from([False, True])
        st.black[node] = choose_from([False, True])


@action(fairness=Fairness.NONE)
def send(st: Ring, node: Node, to: Node) -> None:
    """An active node sends a message."""
    require(st.active[node] and node != to and st.left > 0)
    st.left -= 1
    st.counter[node] += 1
    st.pending[to] += 1


@action
def receive(st: Ring, node: Node) -> None:
    """A message arrives: its receiver is active, and black."""
    require(st.pending[node] > 0)
    st.pending[node] -= 1
    st.counter[node] -= 1
    st.active[node] = st.black[node] = True


@action
def stop(st: Ring, node: Node) -> None:
    """A node has nothing more to do."""
    require(st.active[node])
    st.active[node] = False


@action
def pass_on(st: Ring, node: Node) -> None:
    """An idle node adds its count to the token, and its colour; the first node begins a new round."""
    require(st.token == node and not st.active[node] and not detected(st))
    begins = node == first(Node)
    st.total = 0 if begins else st.total + st.counter[node]
    st.token_black = not begins and (st.token_black or st.black[node])
    st.black[node] = False
    st.token = st.right[node]


def terminated(st: Ring) -> bool:
    """All nodes are idle and no message is on its way."""
    return forall(Node, lambda node: not st.active[node] and st.pending[node] == 0)


def detected(st: Ring) -> bool:
    """The first node concludes that all is over: white token, white node, and the counts add up to nothing."""
    start = first(Node)
    white = not st.token_black and not st.black[start]
    return st.token == start and white and not st.active[start] and st.total + st.counter[start] == 0


@always
def truthful(st: Ring) -> bool:
    """What is detected is true."""
    return not detected(st) or terminated(st)


@eventually
def noticed(st: Ring) -> bool:
    """Termination is detected in the end."""
    given(terminated(st))
    return detected(st)


@ending
def over(st: Ring) -> bool:
    """It is detected."""
    return detected(st)
