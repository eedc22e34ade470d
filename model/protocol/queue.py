"""The queue: never loses a message; hides a received one until its invisibility lapses; deletes only when told."""

from onceproof.model.language import (
    action,
    always,
    eventually,
    exists,
    fault,
    given,
    require,
    require_not_none,
)
from onceproof.model.protocol.state import Platform
from onceproof.model.protocol.vocabulary import Message, Mode, Scheduler, Stage, Submission, Task, Work


def put(st: Platform, task: Task, submission: Submission, message: Message) -> None:
    """A message is on the queue, visible."""
    st.task_of[message] = task
    st.stage[message] = Stage.VISIBLE
    st.enqueued[task, submission] = True


def hand_out(st: Platform, scheduler: Scheduler, message: Message) -> None:
    """A scheduler is given the message with a new receipt; one that has it in hand takes just the receipt."""
    if exists(Scheduler, lambda other: other != scheduler and holds(st, other, message)):
        st.needless[message] = True
    st.current[message] = scheduler
    st.overslept[scheduler, message] = False
    if st.work[scheduler, message] == Work.IDLE:
        st.work[scheduler, message] = Work.HELD
    if st.delete_after_result:
        st.stage[message] = Stage.INVISIBLE
    else:
        st.stage[message] = Stage.DELETED


def holds(st: Platform, scheduler: Scheduler, message: Message) -> bool:
    """A live scheduler has the message in hand and did not oversleep its lease."""
    return (
        st.work[scheduler, message] != Work.IDLE
        and st.mode[scheduler] in (Mode.UP, Mode.DRAINING)
        and not st.overslept[scheduler, message]
    )


@action
def lapse(st: Platform, message: Message) -> None:
    """Nobody renews the invisibility: the message is visible again, and its receipt void."""
    require(st.stage[message] == Stage.INVISIBLE)
    holder = require_not_none(st.current[message])
    renews = st.work[holder, message] != Work.IDLE and st.mode[holder] in (Mode.UP, Mode.DRAINING)
    require(not (st.renewal and renews))
    st.stage[message] = Stage.VISIBLE
    st.current[message] = None
    if st.work[holder, message] != Work.IDLE and st.mode[holder] == Mode.PAUSED:
        st.overslept[holder, message] = True


@fault
def lease_lapse(st: Platform, message: Message) -> None:
    """A renewal comes too late although the holder lives: the message is visible again."""
    require(st.renewal)
    require(st.stage[message] == Stage.INVISIBLE)
    holder = require_not_none(st.current[message])
    require(st.work[holder, message] != Work.IDLE and st.mode[holder] in (Mode.UP, Mode.DRAINING))
    st.stage[message] = Stage.VISIBLE
    st.current[message] = None


@fault
def broker_duplicate(st: Platform, scheduler: Scheduler, message: Message) -> None:
    """The queue delivers a visible message twice: a second scheduler gets it, with a receipt of its own."""
    require(st.stage[message] == Stage.INVISIBLE)
    require(st.mode[scheduler] == Mode.UP and st.work[scheduler, message] == Work.IDLE)
    require(st.current[message] is not None and st.current[message] != scheduler)
    hand_out(st, scheduler, message)


@always(when=lambda c: c.schedulers > 1, broken_by=("lease_lapse", "broker_duplicate"))
def single_holder(st: Platform, message: Message, one: Scheduler, other: Scheduler) -> bool:
    """No two live schedulers hold one message; one that slept through the end of its lease does not hold it."""
    given(one != other and holds(st, one, message))
    return not holds(st, other, message)


@always
def settled_by_holder(st: Platform, message: Message) -> bool:
    """Only the current receipt renews or deletes."""
    given(st.stage[message] != Stage.ABSENT)
    return not st.misused[message]


@always(when=lambda c: c.schedulers > 1, broken_by=("lease_lapse", "broker_duplicate"))
def no_needless_redelivery(st: Platform, message: Message) -> bool:
    """A message whose holder lives is not given to another."""
    given(st.stage[message] != Stage.ABSENT)
    return not st.needless[message]


@eventually
def message_settled(st: Platform, message: Message) -> bool:
    """Every message ends deleted."""
    given(st.stage[message] != Stage.ABSENT)
    return st.stage[message] == Stage.DELETED
