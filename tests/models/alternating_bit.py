"""The alternating bit protocol: each value arrives once and in order, over channels that lose what is sent.

Bartlett, Scantlebury and Wilkinson, *A note on reliable full-duplex transmission over half-duplex links*, 1969. Both
channels are first in, first out; a message that finds one full is lost like any other.
"""

from onceproof import Seq, Sort, State, action, always, eventually, fault, field, given, record, require


class Value(Sort, default=2):
    """What is sent."""


@record
class Packet:
    """A value, with the bit that tells it from the one before it."""

    value: Value
    bit: bool


class Link(State):
    """A sender, a receiver, and a channel each way."""

    value = field(Value, doc="what the sender is sending")
    bit = field(bool, doc="with this bit")
    expected = field(bool, doc="the bit that the receiver waits for")
    received = field(Seq(Value, 1, drop="old"), doc="the last value that arrived")
    data = field(Seq(Packet, 2, drop="new"))
    acks = field(Seq(bool, 2, drop="new"))


@action
def send(st: Link) -> None:
    """The sender sends, as often as it likes, until the value is acknowledged."""
    st.data.append(Packet(st.value, st.bit))


@action
def receive(st: Link) -> None:
    """The receiver takes a packet out, delivers it if it is new, and acknowledges it in any case."""
    require(len(st.data) > 0)
    packet = st.data.pop(0)
    if packet.bit == st.expected:
        st.received.append(packet.value)
        st.expected = not st.expected
    st.acks.append(packet.bit)


@action
def acknowledged(st: Link, following: Value) -> None:
    """The sender takes an acknowledgement out; if it is for this value, another one follows."""
    require(len(st.acks) > 0)
    if st.acks.pop(0) == st.bit:
        st.bit, st.value = not st.bit, following


@fault
def lose(st: Link) -> None:
    """The channel loses a packet."""
    require(len(st.data) > 0)
    st.data.pop(0)


@fault
def lose_ack(st: Link) -> None:
    """The channel loses an acknowledgement."""
    require(len(st.acks) > 0)
    st.acks.pop(0)


@always
def in_order(st: Link) -> bool:
    """What the receiver waits for no more has arrived: the value that the sender is sending."""
    given(st.expected != st.bit)
    return st.received == [st.value]


@eventually
def arrives(st: Link) -> bool:
    """Whatever is sent arrives."""
    given(st.expected == st.bit)
    return st.expected != st.bit
