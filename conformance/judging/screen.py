"""The screen: tasks that are in order are recognised on whole columns at once, so that only the others are judged.

A task passes if its events are at most one submission, one acceptance, one receipt, one start, one successful end and
one acknowledgement, in this order, and it did not wait for long. Tests hold this against judging every task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onceproof.conformance.judging.events import What
from onceproof.conformance.judging.table import EventTable
from onceproof.conformance.judging.timeline import Context

if TYPE_CHECKING:
    from onceproof.conformance.judging.table import Rows

# The place of each kind in the life of a task that is in order; kinds that have none send a task to the rules.
ORDER = {
    What.SUBMITTED: 0,
    What.ACCEPTED: 1,
    What.RECEIVED: 2,
    What.STARTED: 3,
    What.FINISHED: 4,
    What.DELETED: 5,
}
ELSEWHERE = 15


def suspicious(table: EventTable, rows: Rows, context: Context) -> Rows:
    """The rows of the tasks that the rules must see. rows: all, by task and time."""
    task = np.array(table.task, np.int32)[rows]
    mine = rows[task >= 0]
    task = task[task >= 0]
    if not len(task):
        return mine
    count = int(task.max()) + 1
    place = np.full(len(What), ELSEWHERE, np.int64)
    for kind, position in ORDER.items():
        place[kind] = position
    places = place[np.array(table.what, np.uint8)[mine]]
    time = np.array(table.time, np.int64)[mine]
    odd = np.zeros(count, bool)
    odd[task[places == ELSEWHERE]] = True
    # Two events of one task next to each other: the place in the life must rise, or time is out of order.
    same = task[1:] == task[:-1]
    odd[task[1:][same & (places[1:] <= places[:-1])]] = True
    if context.quiet is not None:
        odd[task[1:][same & (time[1:] - time[:-1] > context.quiet)]] = True
    if context.clock_error:
        odd[task[1:][same & (time[1:] - time[:-1] <= context.clock_error)]] = True
    present = np.bincount(task, minlength=count) > 0
    complete = np.zeros(count, bool)
    complete[task[places == ORDER[What.FINISHED]]] = True
    started = np.zeros(count, bool)
    started[task[places == ORDER[What.STARTED]]] = True
    odd |= present & ~(complete & started)
    return mine[odd[task]]
