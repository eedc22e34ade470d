"""Leader election in a ring after Chang and Roberts: a node passes on higher identities, and its own makes it lead."""

from onceproof.model.language import (
    Sort,
    State,
    action,
    always,
    axiom,
    exists,
    field,
    forall,
    given,
    require,
    sometimes,
)


class Node(Sort, default=3):
    """A node of the ring."""


class Ident(Sort, default=3):
    """What nodes are compared by."""


def in_a_ring(one: int, two: int, three: int) -> bool:
    """Going round from the first, the second comes before the third."""
    return one < two < three or two < three < one or three < one < two


class ChangRobertsState(State):
    """The state of the model."""

    between = field(
        Node, Node, Node, bool, init=in_a_ring, constant=True, doc="from the first the second before the third"
    )
    ident = field(Node, Ident, init=lambda node: node, constant=True)
    at_most = field(Ident, Ident, bool, init=lambda one, other: one <= other, constant=True)
    pending = field(Ident, Node, bool, network=True, doc="an identity on its way to a node")
    leads = field(Node, bool)


@axiom
def ring_turns(st: ChangRobertsState, one: Node, two: Node, three: Node) -> bool:
    """Where in the ring one begins does not matter."""
    given(st.between[one, two, three])
    return st.between[two, three, one]


@axiom
def ring_is_transitive(st: ChangRobertsState, start: Node, one: Node, two: Node, three: Node) -> bool:
    """From a start, what comes before something comes before all that is after it."""
    given(st.between[start, one, two] and st.between[start, two, three])
    return st.between[start, one, three]


@axiom
def ring_has_one_direction(st: ChangRobertsState, start: Node, one: Node, two: Node) -> bool:
    """Of two nodes not each comes before the other."""
    given(st.between[start, one, two])
    return not st.between[start, two, one]


@axiom
def ring_is_total(st: ChangRobertsState, start: Node, one: Node, two: Node) -> bool:
    """Of two nodes one comes first."""
    given(start != one and start != two and one != two)
    return st.between[start, one, two] or st.between[start, two, one]


@axiom
def identities_differ(st: ChangRobertsState, one: Node, other: Node) -> bool:
    """No two nodes have one identity."""
    given(st.ident[one] == st.ident[other])
    return one == other


@axiom
def order_is_transitive(st: ChangRobertsState, one: Ident, two: Ident, three: Ident) -> bool:
    """What is at most something is at most all that is beyond it."""
    given(st.at_most[one, two] and st.at_most[two, three])
    return st.at_most[one, three]


@axiom
def order_is_antisymmetric(st: ChangRobertsState, one: Ident, other: Ident) -> bool:
    """Two identities each at most the other are the same."""
    given(st.at_most[one, other] and st.at_most[other, one])
    return one == other


@axiom
def order_is_total(st: ChangRobertsState, one: Ident, other: Ident) -> bool:
    """Of two identities one is at most the other."""
    return st.at_most[one, other] or st.at_most[other, one]


def is_next(st: ChangRobertsState, node: Node, other: Node) -> bool:
    """No node lies between them."""
    return forall(Node, lambda third: third in (node, other) or st.between[node, other, third])


@action
def send(st: ChangRobertsState, node: Node, other: Node) -> None:
    """A node sends its identity to the next one."""
    require(is_next(st, node, other))
    st.pending[st.ident[node], other] = True


@action
def pass_on(st: ChangRobertsState, node: Node, ident: Ident, other: Node) -> None:
    """A higher identity than a node's own goes on to the next one."""
    require(st.pending[ident, node] and is_next(st, node, other))
    require(ident != st.ident[node] and st.at_most[st.ident[node], ident])
    st.pending[ident, node] = False
    st.pending[ident, other] = True


@action
def drop(st: ChangRobertsState, node: Node, ident: Ident) -> None:
    """A lower identity goes no further."""
    require(st.pending[ident, node])
    require(ident != st.ident[node] and st.at_most[ident, st.ident[node]])
    st.pending[ident, node] = False


@action
def win(st: ChangRobertsState, node: Node) -> None:
    """A node's own identity comes back: it went round, so none is higher."""
    require(st.pending[st.ident[node], node])
    st.pending[st.ident[node], node] = False
    st.leads[node] = True


@always
def one_leader(st: ChangRobertsState, one: Node, other: Node) -> bool:
    """No two nodes lead."""
    given(st.leads[one] and st.leads[other])
    return one == other


@sometimes
def somebody_leads(st: ChangRobertsState) -> bool:
    """A node is elected."""
    return exists(Node, lambda node: st.leads[node])


@always(invariant="the highest wins")
def leader_is_highest(st: ChangRobertsState, node: Node, other: Node) -> bool:
    """No node has a higher identity than a leader."""
    given(st.leads[node])
    return st.at_most[st.ident[other], st.ident[node]]


@always(invariant="the highest wins")
def own_identity_comes_back_to_the_highest(st: ChangRobertsState, node: Node, other: Node) -> bool:
    """Only the highest identity goes all the way round."""
    given(st.pending[st.ident[node], node])
    return st.at_most[st.ident[other], st.ident[node]]


@always(invariant="the highest wins")
def identity_passed_lower_ones_only(st: ChangRobertsState, sender: Node, passed: Node, node: Node) -> bool:
    """Nodes that an identity has passed have lower ones."""
    given(st.pending[st.ident[sender], node] and st.between[sender, passed, node])
    return st.at_most[st.ident[passed], st.ident[sender]]
