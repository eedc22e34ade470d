"""What a try fixes of its task: the moment at which faults may come to its worker, and how long the function takes."""

from typing import Any

from onceproof.model.language import exists, field, in_turn, switch
from onceproof.model.protocol.state import Platform
from onceproof.model.protocol.vocabulary import Agent, Attempt, Memory, Message, Scheduler, Stage, Task, Work

# The switches below, by the moments that they confine faults to; all are off by default.
MOMENTS = ("before_start", "after_start", "before_ack", "after_ack")
# What is true of a try, and no mechanism of a system.
OF_A_TRY = (*MOMENTS, "short_tasks")


class Moments(Platform, component="worker"):
    """Workers, and the moment of a task at which one of its faults may come: at any, if none is switched on."""

    before_start = switch(on="faults come before the function is started", off="also later", default=False)
    after_start = switch(on="faults come while the function runs", off="also before and after", default=False)
    before_ack = switch(on="faults come between the end of the function and the delete", off="also else", default=False)
    after_ack = switch(on="faults come after the message is deleted", off="also before", default=False)

    short_tasks = switch(on="a function ends before a lease can", off="it may take longer", default=False)

    agent_of = field(Scheduler, Agent, init=in_turn, constant=True, doc="the part of the worker that runs functions")


def is_at_moment(st: Moments, scheduler: Scheduler) -> Any:
    """The worker has a task that is at the moment at which faults are to come."""
    if not (st.before_start or st.after_start or st.before_ack or st.after_ack):
        return True
    return exists(Task, Message, Attempt, lambda task, message, attempt: stands(st, scheduler, task, message, attempt))


def stands(st: Moments, scheduler: Scheduler, task: Task, message: Message, attempt: Attempt) -> Any:
    """The task of this message, in the hands of this worker, is at the moment."""
    if st.task_of[message] != task:
        return False
    if st.before_start:
        return st.work[scheduler, message] != Work.IDLE and st.starts[task, attempt] == 0
    if st.after_start:
        return st.memory[st.agent_of[scheduler], message, attempt] == Memory.RUNNING
    if st.before_ack:
        return st.work[scheduler, message] != Work.IDLE and st.succeeded[task, attempt]
    return (
        st.succeeded[task, attempt] and st.stage[message] == Stage.DELETED and st.work[scheduler, message] == Work.IDLE
    )
