"""The scheduler: pulls a message, has its task run by an agent, records the result, deletes the message."""

from onceproof.model.language import (
    Fairness,
    Fresh,
    action,
    exists,
    fault,
    forall,
    require,
    require_not_none,
    sometimes,
)
from onceproof.model.protocol.load_balancer import may_receive
from onceproof.model.protocol.network import awaits
from onceproof.model.protocol.queue import hand_out
from onceproof.model.protocol.state import Platform
from onceproof.model.protocol.vocabulary import (
    Agent,
    Attempt,
    Message,
    Mode,
    Outcome,
    Reply,
    Scheduler,
    Stage,
    Task,
    User,
    Work,
)


def runs(st: Platform, scheduler: Scheduler) -> bool:
    """The scheduler runs: it acts on what it has in hand."""
    return st.mode[scheduler] in (Mode.UP, Mode.DRAINING)


def receipt_counts(st: Platform, scheduler: Scheduler, message: Message) -> bool:
    """The queue would take the scheduler's receipt for the current one."""
    return st.stage[message] == Stage.INVISIBLE and st.current[message] == scheduler


def drop(st: Platform, scheduler: Scheduler, message: Message) -> None:
    """The scheduler forgets the message."""
    st.work[scheduler, message] = Work.IDLE
    st.trying[scheduler, message] = None
    st.overslept[scheduler, message] = False


@action
def receive(st: Platform, scheduler: Scheduler, message: Message) -> None:
    """A scheduler pulls a visible message from a queue of its own."""
    require(st.mode[scheduler] == Mode.UP)
    require(st.stage[message] == Stage.VISIBLE or (not st.invisibility and st.stage[message] == Stage.INVISIBLE))
    require(st.stage[message] == Stage.VISIBLE or st.work[scheduler, message] == Work.IDLE)
    task = require_not_none(st.task_of[message])
    require(may_receive(st, scheduler, st.user_of[task]))
    hand_out(st, scheduler, message)


@action
def release(st: Platform, scheduler: Scheduler, message: Message) -> None:
    """A scheduler that takes no more of a queue gives back what it has not sent to an agent: visible at once."""
    require(st.delete_after_result)
    require(runs(st, scheduler) and st.work[scheduler, message] == Work.HELD)
    require(st.outcome[message] == Outcome.OPEN and receipt_counts(st, scheduler, message))
    task = require_not_none(st.task_of[message])
    require(st.mode[scheduler] == Mode.DRAINING or not may_receive(st, scheduler, st.user_of[task]))
    st.stage[message] = Stage.VISIBLE
    st.current[message] = None
    drop(st, scheduler, message)


@action
def renew(st: Platform, scheduler: Scheduler, message: Message) -> None:
    """A scheduler renews the invisibility of a message that it has in hand."""
    require(st.renewal and st.delete_after_result)
    require(runs(st, scheduler) and st.work[scheduler, message] != Work.IDLE)
    require(st.stage[message] in (Stage.VISIBLE, Stage.INVISIBLE))
    if not receipt_counts(st, scheduler, message):
        require(not st.receipt_fencing)
        st.misused[message] = True


@action
def receipt_refused(st: Platform, scheduler: Scheduler, message: Message) -> None:
    """The queue refuses an old receipt (fenced), or no longer has the message: the scheduler drops it."""
    require(st.delete_after_result)
    require(runs(st, scheduler) and st.work[scheduler, message] != Work.IDLE)
    if st.receipt_fencing:
        require(not receipt_counts(st, scheduler, message))
    else:
        require(st.stage[message] == Stage.DELETED)
    drop(st, scheduler, message)


@action
def dispatch(st: Platform, scheduler: Scheduler, message: Message, agent: Agent) -> None:
    """The scheduler sends the task to the agent that it was placed on (or to any, without sticky placement)."""
    require(runs(st, scheduler) and st.work[scheduler, message] == Work.HELD)
    require(st.outcome[message] == Outcome.OPEN and not st.gone[agent])
    require(not st.sticky_placement or (st.placed[message] == agent and not st.superseded[message]))
    attempt = st.attempt[message]
    st.request[scheduler, agent, message, attempt] = True
    st.work[scheduler, message] = Work.DISPATCHED
    st.trying[scheduler, message] = attempt


@action
def hear(st: Platform, scheduler: Scheduler, agent: Agent, message: Message, attempt: Attempt) -> None:
    """A reply arrives; a scheduler that does not wait for it ignores it."""
    require(runs(st, scheduler))
    require(st.reply[scheduler, agent, message, attempt] != Reply.NONE)
    if awaits(st, scheduler, message, attempt):
        success = st.reply[scheduler, agent, message, attempt] == Reply.SUCCESS
        st.work[scheduler, message] = Work.SUCCEEDED if success else Work.RAISED
    st.reply[scheduler, agent, message, attempt] = Reply.NONE


@action
def record(st: Platform, scheduler: Scheduler, message: Message) -> None:
    """The result goes into the task store: completed."""
    require(runs(st, scheduler) and st.work[scheduler, message] == Work.SUCCEEDED)
    require(result_counts(st, scheduler, message))
    st.outcome[message] = Outcome.COMPLETED
    settle(st, scheduler, message)


@action
def record_failure(st: Platform, scheduler: Scheduler, message: Message) -> None:
    """The function raised and no attempt is left: failed, for all to see."""
    require(runs(st, scheduler) and st.work[scheduler, message] == Work.RAISED)
    require(result_counts(st, scheduler, message))
    require(forall(Attempt, lambda k: k == st.attempt[message] or st.attempt_failed[message, k]))
    st.outcome[message] = Outcome.FAILED
    settle(st, scheduler, message)


@action
def retry(st: Platform, scheduler: Scheduler, message: Message, next_attempt: Fresh[Attempt]) -> None:
    """The function raised and an attempt is left: recorded before it is dispatched, so that it begins once."""
    require(runs(st, scheduler) and st.work[scheduler, message] == Work.RAISED)
    require(result_counts(st, scheduler, message))
    require(next_attempt != st.attempt[message] and not st.attempt_failed[message, next_attempt])
    st.attempt_failed[message, st.attempt[message]] = True
    st.attempt[message] = next_attempt
    st.work[scheduler, message] = Work.HELD
    st.trying[scheduler, message] = None


@action
def overtaken(st: Platform, scheduler: Scheduler, message: Message) -> None:
    """A result is in hand that no longer counts: the task has ended, or its next attempt was begun."""
    require(runs(st, scheduler) and st.work[scheduler, message] in (Work.SUCCEEDED, Work.RAISED))
    require(not result_counts(st, scheduler, message))
    st.trying[scheduler, message] = None
    if st.outcome[message] == Outcome.OPEN:
        st.work[scheduler, message] = Work.HELD
    else:
        st.work[scheduler, message] = Work.RECORDED


@action
def skip(st: Platform, scheduler: Scheduler, message: Message) -> None:
    """A message is in hand whose task has ended already: nothing to dispatch, only to delete."""
    require(runs(st, scheduler) and st.work[scheduler, message] == Work.HELD)
    require(st.outcome[message] != Outcome.OPEN)
    st.work[scheduler, message] = Work.RECORDED


@action(budget="expiries", fairness=Fairness.NONE)
def expire(st: Platform, scheduler: Scheduler, message: Message) -> None:
    """A message is too old, and no agent has begun its task: the task expires, and none will."""
    require(runs(st, scheduler) and st.work[scheduler, message] == Work.HELD)
    require(st.outcome[message] == Outcome.OPEN)
    require(forall(Attempt, lambda attempt: not st.begun[message, attempt]))
    st.outcome[message] = Outcome.EXPIRED
    settle(st, scheduler, message)


@action
def delete(st: Platform, scheduler: Scheduler, message: Message) -> None:
    """The scheduler, done with a message, deletes it from the queue."""
    require(runs(st, scheduler) and st.work[scheduler, message] == Work.RECORDED)
    if st.delete_after_result:
        require(st.stage[message] in (Stage.VISIBLE, Stage.INVISIBLE))
        if not receipt_counts(st, scheduler, message):
            require(not st.receipt_fencing)
            st.misused[message] = True
    st.stage[message] = Stage.DELETED
    st.current[message] = None
    drop(st, scheduler, message)


def result_counts(st: Platform, scheduler: Scheduler, message: Message) -> bool:
    """The result in hand is of the attempt that counts, of a task that has not ended."""
    return st.outcome[message] == Outcome.OPEN and st.trying[scheduler, message] == st.attempt[message]


def settle(st: Platform, scheduler: Scheduler, message: Message) -> None:
    """The end of the task is in the store; what remains is to delete the message."""
    st.work[scheduler, message] = Work.RECORDED
    st.trying[scheduler, message] = None


@fault
def scheduler_crash(st: Platform, scheduler: Scheduler) -> None:
    """A scheduler dies: its memory is lost, and so are the replies on their way to it."""
    require(st.mode[scheduler] != Mode.DOWN)
    go_down(st, scheduler)


@action
def scheduler_restart(st: Platform, scheduler: Scheduler) -> None:
    """A scheduler comes back with an empty memory."""
    require(st.mode[scheduler] == Mode.DOWN)
    st.mode[scheduler] = Mode.UP


@fault
def scheduler_pause(st: Platform, scheduler: Scheduler) -> None:
    """A scheduler is stopped in its tracks (a long collection, a frozen VM), with all that it has in hand."""
    require(st.mode[scheduler] == Mode.UP)
    st.mode[scheduler] = Mode.PAUSED


@action
def scheduler_resume(st: Platform, scheduler: Scheduler) -> None:
    """A stopped scheduler goes on where it was: a zombie, if its leases lapsed meanwhile."""
    require(st.mode[scheduler] == Mode.PAUSED)
    st.mode[scheduler] = Mode.UP


@fault
def scheduler_upgrade(st: Platform, scheduler: Scheduler) -> None:
    """A scheduler is to be upgraded: drained first, or stopped at once."""
    require(st.mode[scheduler] == Mode.UP)
    if st.graceful_drain:
        st.mode[scheduler] = Mode.DRAINING
    else:
        go_down(st, scheduler)


@action
def upgrade_finish(st: Platform, scheduler: Scheduler) -> None:
    """A drained scheduler has nothing left in hand and goes down, to come back upgraded."""
    require(st.mode[scheduler] == Mode.DRAINING)
    require(forall(Message, lambda message: st.work[scheduler, message] == Work.IDLE))
    go_down(st, scheduler)


def go_down(st: Platform, scheduler: Scheduler) -> None:
    """The process ends; whatever was in its memory or on its way to it is no more."""
    st.mode[scheduler] = Mode.DOWN
    for message in Message:
        drop(st, scheduler, message)
        for agent in Agent:
            for attempt in Attempt:
                st.reply[scheduler, agent, message, attempt] = Reply.NONE
    if not st.owner_epoch:
        for user in User:
            st.believes[scheduler, user] = False


@sometimes(when=lambda c: c.scheduler_crash and c.schedulers > 1)
def failover_redelivery_seen(st: Platform) -> bool:
    """A message that another scheduler had sent to an agent before is in the hands of a new holder."""
    return exists(
        Scheduler,
        Scheduler,
        Message,
        lambda new, old, message: (
            new != old
            and st.current[message] == new
            and exists(Agent, Attempt, lambda agent, attempt: st.asked[old, agent, message, attempt])
        ),
    )


@sometimes(when=lambda c: c.scheduler_pause and c.delete_after_result)
def zombie_delete_seen(st: Platform) -> bool:
    """A scheduler that overslept its lease is about to delete with its old receipt."""
    return exists(
        Scheduler,
        Message,
        lambda scheduler, message: (
            st.mode[scheduler] == Mode.UP
            and st.work[scheduler, message] == Work.RECORDED
            and st.overslept[scheduler, message]
        ),
    )


@sometimes(when=lambda c: c.scheduler_pause and c.schedulers > 1)
def second_result_seen(st: Platform, task: Task) -> bool:
    """A scheduler has a result in hand of a task that has ended already."""
    return exists(
        Scheduler,
        Message,
        lambda scheduler, message: (
            st.task_of[message] == task
            and st.outcome[message] != Outcome.OPEN
            and st.work[scheduler, message] in (Work.SUCCEEDED, Work.RAISED)
        ),
    )
