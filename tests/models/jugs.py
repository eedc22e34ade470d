"""The jugs of Die Hard 3: with a jug of five and a jug of three gallons, is it possible to measure four?"""

import sys

from onceproof.model.language import Count, Model, State, action, always, field, sometimes


class JugsState(State):
    """The state of the model."""

    big = field(Count(5))
    small = field(Count(3))


@action
def fill_big(st: JugsState) -> None:
    """The big jug is filled at the tap."""
    st.big = 5


@action
def fill_small(st: JugsState) -> None:
    """The small jug is filled at the tap."""
    st.small = 3


@action
def empty_big(st: JugsState) -> None:
    """The big jug is poured away."""
    st.big = 0


@action
def empty_small(st: JugsState) -> None:
    """The small jug is poured away."""
    st.small = 0


@action
def small_to_big(st: JugsState) -> None:
    """The small jug is poured into the big one until that is full."""
    poured = st.small if st.big + st.small <= 5 else 5 - st.big
    st.big = st.big + poured
    st.small = st.small - poured


@action
def big_to_small(st: JugsState) -> None:
    """The big jug is poured into the small one until that is full."""
    poured = st.big if st.big + st.small <= 3 else 3 - st.small
    st.small = st.small + poured
    st.big = st.big - poured


@always
def never_four(st: JugsState) -> bool:
    """Four gallons are never in the big jug (the heroes hope that this is false)."""
    return st.big != 4


@sometimes
def both_full(st: JugsState) -> bool:
    """Both jugs are full."""
    return st.big == 5 and st.small == 3


JUGS = Model("jugs", sys.modules[__name__])
