"""The screen over whole columns leaves out only tasks in which the rules find nothing."""

import hypothesis.strategies as st
from hypothesis import given, settings

from onceproof.conformance.judging.events import What
from onceproof.conformance.judging.judge import Options, judge
from onceproof.conformance.judging.table import EventTable

SECOND = 1_000_000_000
EVENT = st.tuples(
    st.integers(0, 40),
    st.sampled_from([kind for kind in What if kind is not What.END]),
    st.sampled_from(["a", "b"]),
    st.sampled_from([None, "w1", "w2"]),
    st.sampled_from([None, None, 1, 2]),
    st.sampled_from([None, "x", "y"]),
)
# Mostly what a task in order does, so that the screen has something to leave out.
LIFE = (What.SUBMITTED, What.ACCEPTED, What.RECEIVED, What.STARTED, What.FINISHED, What.DELETED)


@st.composite
def tables(draw: st.DrawFn) -> EventTable:
    table = EventTable()
    table.open_file("drawn")
    orderly = [(time, kind, "a", "w1", None, None) for time, kind in enumerate(draw(st.permutations(LIFE))[:5])]
    if draw(st.booleans()):
        orderly = [(time, kind, "a", "w1", None, None) for time, kind in enumerate(LIFE)]
    for number, (time, kind, task, worker, attempt, value) in enumerate(
        sorted([*orderly, *draw(st.lists(EVENT, max_size=5))], key=lambda row: row[0])
    ):
        table.add(number, time * SECOND, kind, task, worker, attempt, value)
    return table


@settings(max_examples=400, deadline=None)
@given(tables(), st.sampled_from([None, 3, 20]), st.sampled_from([0, 2]))
def test_judging_with_and_without_the_screen_gives_the_same(
    table: EventTable, lease: int | None, clock_error: int
) -> None:
    options = Options(lease=None if lease is None else lease * SECOND, clock_error=clock_error * SECOND)
    screened, whole = judge(table, options), judge(table, options, screened=False)
    assert screened.findings == whole.findings
    assert (screened.tasks, screened.unknown, screened.missing) == (whole.tasks, whole.unknown, whole.missing)


def test_tasks_in_order_are_left_out() -> None:
    from onceproof.conformance.judging.judge import context_of
    from onceproof.conformance.judging.screen import suspicious

    table = EventTable()
    table.open_file("orderly")
    for task in ("a", "b"):
        for time, kind in enumerate(LIFE):
            table.add(time, time * SECOND, kind, task, "w1")
    table.add(9, 9 * SECOND, What.STARTED, "b", "w1")
    rows = table.ordered()
    left = suspicious(table, rows, context_of(table, rows, Options(lease=20 * SECOND)))
    assert {table.tasks.text(table.task[row]) for row in left.tolist()} == {"b"}
