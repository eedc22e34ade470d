"""Choices in the middle of actions: of elements, members, numbers, truths, in branches, loops and helpers."""

from enum import Enum

from onceproof import (
    Count,
    Int,
    Model,
    Optional,
    Sort,
    State,
    action,
    always,
    choose,
    choose_from,
    field,
    require,
)


class Member(Sort, default=3, symmetric=True):
    """A member of the house."""


class Mood(Enum):
    """The mood of the house."""

    CALM, LOUD, ABSENT = range(3)


class House(State):
    """What the house agreed on."""

    backed = field(Member, Optional[Member])
    mood = field(Mood)
    seats = field(Int(0, 5))
    open = field(bool)
    sittings = field(Count(2))


def another(st: House, member: Member) -> Member:
    """Another member whom nobody backs, with nobody backed."""
    other = choose(Member, lambda one: one != member and st.backed[one] is None)
    return other


@action
def back(st: House, member: Member) -> None:
    """A member backs another one; in an open house the mood may change."""
    require(st.backed[member] is None)
    whom = another(st, member)
    st.backed[member] = whom
    if st.open:
        mood = choose_from(Mood)
        st.mood = mood


@action
def sit(st: House) -> None:
    """The house sits, with one of several numbers of seats."""
    require(st.sittings < 2)
    st.sittings += 1
    seats = choose_from([1, 3, 3, st.seats])
    st.seats = seats
    if seats == 3:
        st.open = choose_from((True, False))
    else:
        turn = choose_from([mood for mood in Mood if mood != st.mood])
        st.mood = turn


@action
def leave(st: House, member: Member) -> None:
    """A member backs nobody any more."""
    now = choose_from([None, st.backed[member]])
    require(now is None)
    st.backed[member] = now


@action
def shift(st: House) -> None:
    """Seats are moved, once or twice."""
    for moved in range(2):
        if st.seats == moved + 1:
            kept = choose_from(range(moved, 3))
            st.seats = kept


@always
def never_four(st: House) -> bool:
    """There are never four seats."""
    return st.seats != 4


PARLIAMENT = Model("parliament", globals())
