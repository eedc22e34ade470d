"""Dining philosophers: each takes the fork on the left, then the one on the right. They can all wait for ever."""

import sys

from onceproof.model.language import (
    Fairness,
    Model,
    Optional,
    Sort,
    State,
    action,
    always,
    ending,
    eventually,
    field,
    forall,
    given,
    require,
    switch,
)


class Philosopher(Sort, default=2):
    """One who thinks, and eats with two forks."""


class Fork(Sort, default=2):
    """A fork between two plates."""


class PhilosophersState(State):
    """The state of the model."""

    polite = switch(
        on="a philosopher who cannot have the second fork puts the first one down", off="keeps it and waits"
    )

    left = field(Philosopher, Fork, init=lambda seat: seat, constant=True)
    right = field(Philosopher, Fork, init=lambda seat: seat + 1, constant=True)
    holder = field(Fork, Optional[Philosopher])
    hungry = field(Philosopher, bool)
    full = field(Philosopher, bool)


@action(fairness=Fairness.NONE)
def get_hungry(st: PhilosophersState, philosopher: Philosopher) -> None:
    """A philosopher wants to eat, once."""
    require(not st.hungry[philosopher] and not st.full[philosopher])
    st.hungry[philosopher] = True


@action
def take_left(st: PhilosophersState, philosopher: Philosopher) -> None:
    """The left fork first."""
    require(st.hungry[philosopher] and st.holder[st.left[philosopher]] is None)
    st.holder[st.left[philosopher]] = philosopher


@action(fairness=Fairness.STRONG)
def eat(st: PhilosophersState, philosopher: Philosopher) -> None:
    """With the left fork in hand and the right one free: eat, and put both down."""
    require(st.hungry[philosopher] and st.holder[st.left[philosopher]] == philosopher)
    require(st.holder[st.right[philosopher]] is None)
    st.hungry[philosopher] = False
    st.full[philosopher] = True
    st.holder[st.left[philosopher]] = None


@action
def put_down(st: PhilosophersState, philosopher: Philosopher) -> None:
    """The right fork is taken: be polite."""
    require(st.polite and st.holder[st.left[philosopher]] == philosopher)
    require(st.holder[st.right[philosopher]] is not None)
    st.holder[st.left[philosopher]] = None


@always
def own_fork(st: PhilosophersState, fork: Fork) -> bool:
    """Only a hungry philosopher holds a fork."""
    holder = st.holder[fork]
    return holder is None or st.hungry[holder]


@eventually
def fed(st: PhilosophersState, philosopher: Philosopher) -> bool:
    """Whoever is hungry eats."""
    given(st.hungry[philosopher])
    return st.full[philosopher]


@ending
def nobody_hungry(st: PhilosophersState) -> bool:
    """All have eaten or never wanted to."""
    return forall(Philosopher, lambda philosopher: not st.hungry[philosopher])


PHILOSOPHERS = Model("philosophers", sys.modules[__name__])
