"""The relay: takes the rows of the outbox to the queue; may die between publishing a row and marking it."""

from onceproof.model.language import Fresh, action, exists, fault, require
from onceproof.model.protocol.queue import put
from onceproof.model.protocol.state import Platform
from onceproof.model.protocol.vocabulary import Message, Outbox, Submission, Task


@action
def relay(st: Platform, task: Task, submission: Submission, message: Fresh[Message]) -> None:
    """A row of the outbox is published: its message is in the queue."""
    require(st.outbox[task, submission] == Outbox.PENDING)
    require(not (st.idempotent_relay and st.enqueued[task, submission]))
    require(st.task_of[message] is None)
    put(st, task, submission, message)
    st.outbox[task, submission] = Outbox.PUBLISHED


@action
def relay_again(st: Platform, task: Task, submission: Submission) -> None:
    """A row is published a second time; the queue knows its id and makes no second message."""
    require(st.idempotent_relay)
    require(st.outbox[task, submission] == Outbox.PENDING and st.enqueued[task, submission])
    st.outbox[task, submission] = Outbox.PUBLISHED


@action
def mark_relayed(st: Platform, task: Task, submission: Submission) -> None:
    """The relay notes in the store that the row is out."""
    require(st.outbox[task, submission] == Outbox.PUBLISHED)
    st.outbox[task, submission] = Outbox.RELAYED


@fault
def relay_crash(st: Platform) -> None:
    """The relay dies after publishing, before marking; restarted, it finds the rows pending."""
    require(exists(Task, Submission, lambda task, submission: st.outbox[task, submission] == Outbox.PUBLISHED))
    for task in Task:
        for submission in Submission:
            if st.outbox[task, submission] == Outbox.PUBLISHED:
                st.outbox[task, submission] = Outbox.PENDING
