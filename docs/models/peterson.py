"""Peterson's lock: two processes exclude each other with two flags and whose turn it is."""

from enum import Enum

from onceproof import Fairness, Sort, State, action, always, eventually, field, given, require, sometimes, switch


class Process(Sort, default=2):
    """One of the two."""


class Line(Enum):
    """Where a process is in its program."""

    OUTSIDE, FLAGGED, WAITING, INSIDE = range(4)


class Memory(State):
    """What is shared, and how far each process is."""

    polite = switch(on="a process lets the other one go first", off="it goes first itself")
    line = field(Process, Line)
    flag = field(Process, bool)
    turn = field(Process)
    other = field(Process, Process, init=lambda process: process + 1, constant=True)


@action(fairness=Fairness.NONE)
def wants(st: Memory, process: Process) -> None:
    """A process raises its flag: it wants to enter. It may never want to."""
    require(st.line[process] == Line.OUTSIDE)
    st.flag[process] = True
    st.line[process] = Line.FLAGGED


@action
def gives_way(st: Memory, process: Process) -> None:
    """It says whose turn it is: the other one's."""
    require(st.line[process] == Line.FLAGGED)
    st.turn = st.other[process] if st.polite else process
    st.line[process] = Line.WAITING


@action
def enters(st: Memory, process: Process) -> None:
    """It enters when the other one does not want to, or when it is its own turn."""
    require(st.line[process] == Line.WAITING)
    require(not st.flag[st.other[process]] or st.turn == process)
    st.line[process] = Line.INSIDE


@action
def leaves(st: Memory, process: Process) -> None:
    """It lowers its flag."""
    require(st.line[process] == Line.INSIDE)
    st.flag[process] = False
    st.line[process] = Line.OUTSIDE


@always
def one_inside(st: Memory, process: Process) -> bool:
    """The two are never inside at the same time."""
    given(st.line[process] == Line.INSIDE)
    return st.line[st.other[process]] != Line.INSIDE


@eventually
def gets_in(st: Memory, process: Process) -> bool:
    """Whoever raised the flag gets in."""
    given(st.line[process] == Line.FLAGGED)
    return st.line[process] == Line.INSIDE


@sometimes
def waits(st: Memory, process: Process) -> bool:
    """One waits while the other is inside."""
    return st.line[process] == Line.WAITING and st.line[st.other[process]] == Line.INSIDE
