"""The task store: what was recorded, and how each task ended. A database: it survives every fault modelled here."""

from onceproof.model.language import always, eventually, exists, given
from onceproof.model.protocol.resource_manager import is_lost
from onceproof.model.protocol.state import Platform
from onceproof.model.protocol.vocabulary import Attempt, Call, Message, Outcome, Stage, Submission, Task


@always
def delete_after_completion(st: Platform, message: Message, task: Task) -> bool:
    """A message is deleted only when its task has completed for real, or has ended visibly otherwise."""
    given(st.stage[message] == Stage.DELETED and st.task_of[message] == task)
    return st.outcome[message] in (Outcome.FAILED, Outcome.STOPPED, Outcome.EXPIRED) or (
        st.outcome[message] == Outcome.COMPLETED and exists(Attempt, lambda tried: st.succeeded[task, tried])
    )


@always(optional=True)
def failed_for_cause(st: Platform, message: Message, task: Task) -> bool:
    """A task is failed only because its own function raised, or was begun by an agent that is lost."""
    given(st.outcome[message] == Outcome.FAILED and st.stage[message] != Stage.DELETED)
    given(st.task_of[message] == task)
    agent = st.placed[message]
    return exists(Attempt, lambda tried: st.raised[task, tried]) or (
        agent is not None and is_lost(st, message, agent) and st.begun[message, st.attempt[message]]
    )


@eventually
def no_lost_task(st: Platform, task: Task) -> bool:
    """An accepted task comes to an end: completed, or visibly failed, stopped or expired."""
    given(exists(Submission, lambda submission: st.call[task, submission] == Call.ACCEPTED))
    return exists(Message, lambda message: st.task_of[message] == task and st.outcome[message] != Outcome.OPEN)


@eventually(optional=True)
def completes_for_real(st: Platform, task: Task) -> bool:
    """An accepted task completes, no other end will do: the half of exactly-once that a visible failure gives up."""
    given(exists(Submission, lambda submission: st.call[task, submission] == Call.ACCEPTED))
    return exists(Attempt, lambda tried: st.succeeded[task, tried])
