"""Dijkstra's detection of termination on a ring (EWD 840): a token goes round and asks whether all are idle."""

import sys

from onceproof.model.language import (
    Fairness,
    Model,
    Ordered,
    State,
    action,
    always,
    ending,
    eventually,
    field,
    first,
    forall,
    given,
    last,
    require,
    switch,
)


class Node(Ordered, default=3):
    """A process that works, and may have others work; the first one leads."""


class TerminationState(State):
    """The state of the model."""

    blame = switch(on="a node that sends work to a higher one turns black", off="it stays white")

    active = field(Node, bool, init=True)
    black = field(Node, bool)
    token = field(Node, doc="who has it")
    token_black = field(bool, init=True)


@action
def start_round(st: TerminationState) -> None:
    """The leader sends a white token round, as the last one told it nothing."""
    leader = first(Node)
    require(st.token == leader and (st.token_black or st.black[leader]))
    st.token = last(Node)
    st.token_black = st.black[leader] = False


@action
def pass_on(st: TerminationState) -> None:
    """An idle node gives the token on, and its blackness with it; a black one need not wait."""
    node = st.token
    require(node != first(Node))
    require(not st.active[node] or st.black[node] or st.token_black)
    st.token = node - 1
    st.token_black = st.token_black or st.black[node]
    st.black[node] = False


@action(fairness=Fairness.NONE)
def send(st: TerminationState, node: Node, other: Node) -> None:
    """A node that works has another work."""
    require(st.active[node] and node != other)
    st.active[other] = True
    if st.blame and node < other:
        st.black[node] = True


@action
def stop(st: TerminationState, node: Node) -> None:
    """A node has nothing more to do."""
    require(st.active[node])
    st.active[node] = False


def detected(st: TerminationState) -> bool:
    """The leader has the white token back, and is white and idle itself."""
    leader = first(Node)
    return st.token == leader and not (st.black[leader] or st.active[leader] or st.token_black)


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
