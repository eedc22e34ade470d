"""Die Hard 3: with a jug of five gallons and a jug of three, measure four."""

from onceproof import Int, State, action, always, field


class Jugs(State):
    """How much water is in each jug."""

    big = field(Int(0, 5))
    small = field(Int(0, 3))


@action
def fill_big(st: Jugs) -> None:
    """The big jug is filled at the tap."""
    st.big = 5


@action
def fill_small(st: Jugs) -> None:
    """The small jug is filled at the tap."""
    st.small = 3


@action
def empty_big(st: Jugs) -> None:
    """The big jug is emptied."""
    st.big = 0


@action
def empty_small(st: Jugs) -> None:
    """The small jug is emptied."""
    st.small = 0


@action
def small_to_big(st: Jugs) -> None:
    """The small jug is poured into the big one, until that is full."""
    poured = min(st.small, 5 - st.big)
    st.big, st.small = st.big + poured, st.small - poured


@action
def big_to_small(st: Jugs) -> None:
    """The big jug is poured into the small one, until that is full."""
    poured = min(st.big, 3 - st.small)
    st.big, st.small = st.big - poured, st.small + poured


@always
def not_solved(st: Jugs) -> bool:
    """What the heroes hope is false: its counterexample is their solution."""
    return st.big != 4
