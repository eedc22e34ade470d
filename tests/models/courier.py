"""A parcel, a road on which it may be lost or doubled, and a sender who may send it again.

Of its three mechanisms none is simply the better for being on.
"""

import sys

from onceproof.model.language import (
    Count,
    Model,
    State,
    action,
    always,
    ending,
    eventually,
    fault,
    field,
    given,
    require,
    switch,
)


class CourierState(State):
    """The state of the model."""

    sent = field(Count(2, saturate=True))
    road = field(Count(2, saturate=True))
    arrived = field(Count(2, saturate=True))
    resend = switch(on="what is lost is sent again", off="each parcel is sent once")
    patience = switch(on="sent again only once the road is empty", off="sent again at any time")
    doorman = switch(on="a second parcel is refused at the door", off="whatever comes is taken in")


@action
def send(st: CourierState) -> None:
    """The parcel is sent."""
    require(st.sent == 0)
    st.sent = 1
    st.road = 1


@action
def send_again(st: CourierState) -> None:
    """The parcel is sent once more, since nobody has heard of it."""
    require(st.resend and st.sent == 1 and st.arrived == 0)
    require(st.road == 0 if st.patience else st.road < 2)
    st.sent = 2
    st.road = st.road + 1


@action
def arrive(st: CourierState) -> None:
    """A parcel reaches the door."""
    require(st.road > 0)
    st.road = st.road - 1
    if not st.doorman or st.arrived == 0:
        st.arrived = st.arrived + 1


@fault
def loss(st: CourierState) -> None:
    """A parcel is lost on the road."""
    require(st.road > 0)
    st.road = st.road - 1


@fault
def copy(st: CourierState) -> None:
    """A parcel turns into two."""
    require(st.road == 1)
    st.road = 2


@always
def taken_in_once(st: CourierState) -> bool:
    """One parcel at most is taken in."""
    return st.arrived < 2


@eventually
def arrives(st: CourierState) -> bool:
    """What was sent arrives."""
    given(st.sent > 0)
    return st.arrived > 0


@ending
def delivered(st: CourierState) -> bool:
    """Nothing is on the road."""
    return st.sent > 0 and st.road == 0


COURIER = Model("courier", sys.modules[__name__])
