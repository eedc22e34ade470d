"""The alternating bit protocol: one bit is enough to send values in order over two channels that lose messages."""

from onceproof import Int, Seq, State, action, ending, eventually, fault, field, parameter, require, step, switch

LAST = 3  # the values 0 to 3 are sent


class Link(State):
    """Sender, receiver, and the channels between them: first in, first out."""

    alternates = switch(on="each value goes under another bit than the one before", off="all go under one bit")
    capacity = parameter(default=2, least=1)
    packets = field(Seq(Int(0, LAST), capacity), doc="values on their way; of the number only the bit is looked at")
    answers = field(Seq(bool, capacity), doc="bits on their way back")
    sent = field(Int(0, LAST + 1), doc="how many values the sender knows to have arrived")
    taken = field(Int(0, LAST + 1), doc="how many the receiver took")


def bit(st: Link, number: int) -> bool:
    """The bit under which a value goes."""
    return st.alternates and number % 2 == 1


@action
def send(st: Link) -> None:
    """The sender sends its value, again and again."""
    require(st.sent <= LAST and len(st.packets) < st.capacity)
    st.packets.append(st.sent)


@action
def receive(st: Link) -> None:
    """A packet arrives: its value is taken if its bit is the one waited for; its bit goes back in any case."""
    require(len(st.packets) > 0 and len(st.answers) < st.capacity)
    value = st.packets.pop(0)
    if st.taken <= LAST and bit(st, value) == bit(st, st.taken):
        st.taken += 1
    st.answers.append(bit(st, value))


@action
def hear(st: Link) -> None:
    """An answer arrives: if it has the bit of the value that is being sent, the next one is sent."""
    require(len(st.answers) > 0)
    if st.answers.pop(0) == bit(st, st.sent) and st.sent <= LAST:
        st.sent += 1


@fault
def packet_loss(st: Link) -> None:
    """The first packet is lost; to lose a later one is to lose it when it is the first."""
    require(len(st.packets) > 0)
    st.packets.pop(0)


@fault
def answer_loss(st: Link) -> None:
    """The first answer is lost."""
    require(len(st.answers) > 0)
    st.answers.pop(0)


@step
def in_order(before: Link, after: Link) -> bool:
    """The receiver takes every value once and in order: each the one after those that it has."""
    return after.taken == before.taken or before.packets[0] == before.taken


@eventually
def all_arrive(st: Link) -> bool:
    """In the end all values have arrived."""
    return st.taken == LAST + 1


@ending
def done(st: Link) -> bool:
    """The sender knows of all."""
    return st.sent == LAST + 1
