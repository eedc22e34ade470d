"""Dijkstra's detection of termination on a ring (EWD 840): a token goes round and asks whether all are idle."""

import sys

from onceproof.model.language import (
    Fairness,
    Model,
    Sort,
    State,
    action,
    always,
    ending,
    eventually,
    exists,
    field,
    forall,
    given,
    require,
    switch,
)


class Node(Sort, default=3):
    """A process that works, and may have others work."""


class TerminationState(State):
    """The state of the model."""

    blame = switch(on="a node that sends work to a higher one turns black", off="it stays white")

    active = field(Node, bool, init=True)
    black = field(Node, bool)
    token = field(Node, doc="who has it")
    token_black = field(bool, init=True)
    leader = field(Node, bool, init=lambda node: node == 0, constant=True)
    left = field(Node, Node, init=lambda node: node - 1, constant=True)
    lower = field(Node, Node, bool, init=lambda one, other: one < other, constant=True)


@action
def start_round(st: TerminationState, node: Node) -> None:
    """The leader sends a white token round, as the last one told it nothing."""
    require(st.leader[node] and st.token == node and (st.token_black or st.black[node]))
    st.token = st.left[node]
    st.token_black = st.black[node] = False


@action
def pass_on(st: TerminationState, node: Node) -> None:
    """An idle node gives the token on, and its blackness with it; a black one need not wait."""
    require(st.token == node and not st.leader[node])
    require(not st.active[node] or st.black[node] or st.token_black)
    st.token = st.left[node]
    st.token_black = st.token_black or st.black[node]
    st.black[node] = False


@action(fairness=Fairness.NONE)
def send(st: TerminationState, node: Node, other: Node) -> None:
    """A node that works has another work."""
    require(st.active[node] and node != other)
    st.active[other] = True
    if st.blame and st.lower[node, other]:
        st.black[node] = True


@action
def stop(st: TerminationState, node: Node) -> None:
    """A node has nothing more to do."""
    require(st.active[node])
    st.active[node] = False


def detected(st: TerminationState) -> bool:
    """The leader has the white token back, and is white and idle itself."""
    waiting = exists(
        Node, lambda node: st.leader[node] and st.token == node and not (st.black[node] or st.active[node])
    )
    return waiting and not st.token_black


@always
def sound(st: TerminationState) -> bool:
    """Where termination is detected all are idle."""
    given(detected(st))
    return forall(Node, lambda node: not st.active[node])


@eventually
def noticed(st: TerminationState) -> bool:
    """Termination is detected."""
    given(forall(Node, lambda node: not st.active[node]))
    return detected(st)


@ending
def over(st: TerminationState) -> bool:
    """Termination is detected."""
    return detected(st)


TERMINATION = Model("termination", sys.modules[__name__])
