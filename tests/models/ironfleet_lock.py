"""IronFleet's lock: the lock is handed on by messages, each under a higher epoch, and nobody forgets its epoch."""

from onceproof.model.language import (
    Sort,
    State,
    action,
    always,
    axiom,
    ending,
    exists,
    field,
    forall,
    given,
    require,
    sometimes,
)


class Node(Sort, default=2):
    """Who may hold the lock."""


class Epoch(Sort, default=3):
    """A tenure of the lock."""


class IronfleetLockState(State):
    """The state of the model."""

    at_most = field(Epoch, Epoch, bool, init=lambda one, other: one <= other, constant=True)
    epoch = field(Node, Epoch, doc="the last one under which the node held the lock; the first if none")
    begun = field(bool)
    holds = field(Node, bool)
    transfer = field(Epoch, Node, bool, network=True, doc="the lock on its way")
    locked = field(Epoch, Node, bool, ghost=True, doc="the node held the lock under the epoch")


@axiom
def order_is_reflexive(st: IronfleetLockState, one: Epoch) -> bool:
    """An epoch is at most itself."""
    return st.at_most[one, one]


@axiom
def order_is_transitive(st: IronfleetLockState, one: Epoch, two: Epoch, three: Epoch) -> bool:
    """What is at most something is at most all that is beyond it."""
    given(st.at_most[one, two] and st.at_most[two, three])
    return st.at_most[one, three]


@axiom
def order_is_antisymmetric(st: IronfleetLockState, one: Epoch, other: Epoch) -> bool:
    """Two epochs each at most the other are the same."""
    given(st.at_most[one, other] and st.at_most[other, one])
    return one == other


@axiom
def order_is_total(st: IronfleetLockState, one: Epoch, other: Epoch) -> bool:
    """Of two epochs one is at most the other."""
    return st.at_most[one, other] or st.at_most[other, one]


@action
def begin(st: IronfleetLockState, node: Node, later: Epoch) -> None:
    """The first holder gets the lock."""
    require(not st.begun)
    require(forall(Node, lambda other: not st.at_most[later, st.epoch[other]]))
    st.begun = True
    st.holds[node] = True
    st.epoch[node] = later


@action
def grant(st: IronfleetLockState, node: Node, other: Node, later: Epoch) -> None:
    """The holder sends the lock to another node, under a later epoch."""
    require(st.holds[node] and not st.at_most[later, st.epoch[node]])
    st.holds[node] = False
    st.transfer[later, other] = True


@action
def accept(st: IronfleetLockState, node: Node, later: Epoch) -> None:
    """The lock arrives; a message that is not of a later epoch is an old one."""
    require(st.transfer[later, node] and not st.at_most[later, st.epoch[node]])
    st.transfer[later, node] = False
    st.holds[node] = True
    st.epoch[node] = later
    st.locked[later, node] = True


@ending
def epochs_are_used_up(st: IronfleetLockState) -> bool:
    """A node holds the lock under the last epoch, so that it cannot hand it on."""
    return exists(Node, lambda node: st.holds[node] and forall(Epoch, lambda late: st.at_most[late, st.epoch[node]]))


@always
def one_holder(st: IronfleetLockState, one: Node, other: Node) -> bool:
    """No two nodes hold the lock."""
    given(st.holds[one] and st.holds[other])
    return one == other


@always
def one_node_for_an_epoch(st: IronfleetLockState, later: Epoch, one: Node, other: Node) -> bool:
    """Under an epoch one node at most ever held the lock."""
    given(st.locked[later, one] and st.locked[later, other])
    return one == other


@sometimes
def lock_is_handed_on(st: IronfleetLockState) -> bool:
    """A node accepted the lock."""
    return exists(Epoch, Node, lambda epoch, node: st.locked[epoch, node])


@always(invariant="the lock is in one place")
def nothing_before_the_beginning(st: IronfleetLockState, node: Node, later: Epoch) -> bool:
    """Before the first holder there is neither holder nor message."""
    given(not st.begun)
    return not st.holds[node] and not st.transfer[later, node] and not st.locked[later, node]


@always(invariant="the lock is in one place")
def holder_has_the_last_epoch(st: IronfleetLockState, node: Node, other: Node) -> bool:
    """Nobody has an epoch as late as the holder's."""
    given(st.holds[node] and node != other)
    return not st.at_most[st.epoch[node], st.epoch[other]]


@always(invariant="the lock is in one place")
def no_message_is_ahead_of_the_holder(st: IronfleetLockState, node: Node, later: Epoch, other: Node) -> bool:
    """While somebody holds the lock all messages are old."""
    given(st.holds[node] and st.transfer[later, other])
    return st.at_most[later, st.epoch[node]]


@always(invariant="the lock is in one place")
def one_message_for_an_epoch(st: IronfleetLockState, later: Epoch, one: Node, other: Node) -> bool:
    """Under an epoch the lock is sent to one node."""
    given(st.transfer[later, one] and st.transfer[later, other])
    return one == other


@always(invariant="the lock is in one place")
def message_on_its_way_is_ahead_of_all(st: IronfleetLockState, later: Epoch, node: Node, other: Node) -> bool:
    """While the lock is on its way nobody has an epoch as late."""
    given(st.transfer[later, node] and not st.at_most[later, st.epoch[node]])
    return not st.at_most[later, st.epoch[other]]


@always(invariant="the lock is in one place")
def message_on_its_way_is_the_last(st: IronfleetLockState, later: Epoch, node: Node, old: Epoch, other: Node) -> bool:
    """While the lock is on its way all other messages are older."""
    given(st.transfer[later, node] and not st.at_most[later, st.epoch[node]] and st.transfer[old, other])
    return st.at_most[old, later]


@always(invariant="the lock is in one place")
def held_after_it_was_sent(st: IronfleetLockState, later: Epoch, node: Node, other: Node) -> bool:
    """Under an epoch in which a node held the lock it was sent to no other node, and is old."""
    given(st.locked[later, node])
    return st.at_most[later, st.epoch[node]] and (node == other or not st.transfer[later, other])
