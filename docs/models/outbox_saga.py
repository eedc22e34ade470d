"""A saga over an outbox: an order is paid, or cancelled, and its customer is charged once."""

from enum import Enum

from onceproof import (
    Count,
    Sort,
    State,
    action,
    always,
    ending,
    eventually,
    fault,
    field,
    forall,
    given,
    require,
    switch,
)


class Order(Sort, default=1, symmetric=True):
    """What a customer orders."""


class Status(Enum):
    """The life of an order."""

    NEW, PENDING, CONFIRMED, CANCELLED = range(4)


class Answer(Enum):
    """What the payment service says."""

    NONE, PAID, DECLINED = range(3)


class Shop(State):
    """The order service with its outbox, the topic between, and the payment service with its inbox."""

    outbox = switch(on="the order and its event are one transaction", off="the event is sent afterwards, from memory")
    inbox = switch(on="the payment service remembers what it has handled", off="it handles each delivery")
    status = field(Order, Status)
    unsent = field(Order, bool, doc="its event is still to be published")
    topic = field(Order, Count(2), doc="deliveries of its event")
    handled = field(Order, bool, doc="in the inbox of the payment service")
    answer = field(Order, Answer)
    charges = field(Order, Count(2, saturate=True), ghost=True)


@action
def place(st: Shop, order: Order) -> None:
    """An order is recorded."""
    require(st.status[order] == Status.NEW)
    st.status[order] = Status.PENDING
    st.unsent[order] = True


@action
def publish(st: Shop, order: Order) -> None:
    """Its event goes to the payment service."""
    require(st.unsent[order] and st.topic[order] < 2)
    st.unsent[order] = False
    st.topic[order] += 1


@fault
def crash(st: Shop, order: Order) -> None:
    """The order service dies: between publishing and noting it, with an outbox; before publishing, without one."""
    require(st.status[order] == Status.PENDING)
    st.unsent[order] = st.outbox


@action
def charge(st: Shop, order: Order) -> None:
    """A delivery is handled: the customer is charged; one that the inbox knows is skipped."""
    require(st.topic[order] > 0)
    st.topic[order] -= 1
    if not (st.inbox and st.handled[order]):
        st.charges[order] += 1
        st.answer[order] = Answer.PAID
    st.handled[order] = True


@action
def decline(st: Shop, order: Order) -> None:
    """A delivery is handled: the customer has no money."""
    require(st.topic[order] > 0 and not st.handled[order])
    st.topic[order] -= 1
    st.handled[order] = True
    st.answer[order] = Answer.DECLINED


@action
def settle(st: Shop, order: Order) -> None:
    """The order service hears the answer: the order is confirmed, or, in compensation, cancelled."""
    require(st.status[order] == Status.PENDING and st.answer[order] != Answer.NONE)
    st.status[order] = Status.CONFIRMED if st.answer[order] == Answer.PAID else Status.CANCELLED


@always
def charged_once(st: Shop, order: Order) -> bool:
    """A customer is charged once at most, and not for what is cancelled."""
    return st.charges[order] <= (0 if st.status[order] == Status.CANCELLED else 1)


@eventually
def comes_to_an_end(st: Shop, order: Order) -> bool:
    """A recorded order is confirmed or cancelled in the end."""
    given(st.status[order] == Status.PENDING)
    return st.status[order] in (Status.CONFIRMED, Status.CANCELLED)


@ending
def settled(st: Shop) -> bool:
    """Every order has come to an end."""
    return forall(Order, lambda order: st.status[order] in (Status.CONFIRMED, Status.CANCELLED))
