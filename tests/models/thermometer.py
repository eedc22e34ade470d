"""Numbers below zero, fields that numbers and colours index, an ordered sort, and a bound that is a parameter."""

from enum import Enum

from onceproof import Int, Model, Ordered, State, action, always, field, last, parameter, require, sometimes


class Floor(Ordered, default=3):
    """A floor of the building, from the lowest to the highest."""


class Lamp(Enum):
    """A lamp that shows how warm it is."""

    GREEN, RED = range(2)


class Weather(State):
    """What is measured, shown and painted."""

    coats = parameter(default=2, least=1)
    degrees = field(Int(-2, 3))
    felt = field(Int(-6, 9))
    noted = field(Int(-1, 1), bool)
    painted = field(Lamp, Int(0, coats))
    lit = field(Lamp)
    lift = field(Floor)


@action
def warm(st: Weather) -> None:
    """It gets warmer."""
    require(st.degrees < 3)
    st.degrees += 1


@action
def cool(st: Weather) -> None:
    """It gets colder."""
    require(st.degrees > -2)
    st.degrees -= 1


@action
def note(st: Weather) -> None:
    """A temperature around zero is noted, or struck out again."""
    require(-1 <= st.degrees <= 1)
    st.noted[st.degrees] = not st.noted[st.degrees]


@action
def feel(st: Weather) -> None:
    """How warm it feels, by a formula that takes every operator."""
    require(st.degrees != 0)
    st.felt = st.degrees * st.degrees // st.degrees * 2 % 5 - abs(st.degrees) + min(st.degrees, 1)


@action
def switch_lamp(st: Weather) -> None:
    """The other lamp is lit."""
    st.lit = Lamp.RED if st.lit == Lamp.GREEN else Lamp.GREEN


@action
def paint(st: Weather) -> None:
    """The lamp that is lit gets another coat."""
    require(st.painted[st.lit] < st.coats)
    st.painted[st.lit] += 1


@action
def up(st: Weather) -> None:
    """The lift goes up by one floor."""
    require(st.lift != last(Floor))
    st.lift = st.lift + 1


@action
def down(st: Weather, floor: Floor) -> None:
    """The lift goes down to the floor below it."""
    require(floor < st.lift and floor + 1 == st.lift)
    st.lift = floor


@always
def sensible(st: Weather) -> bool:
    """What it feels like is never far from what it may feel like."""
    return -3 <= st.felt * 2 // 3 <= 3 or st.felt == -6


@sometimes
def all_noted(st: Weather) -> bool:
    """All temperatures around zero are noted, and the red lamp has its last coat."""
    return all(st.noted[degrees] for degrees in range(-1, 2)) and st.painted[Lamp.RED] == st.coats


THERMOMETER = Model("thermometer", globals())
