"""The API server: takes submissions, deduplicates them by TaskID, answers 202 or 400; stateless but for open calls."""

from onceproof.model.language import Fresh, action, always, exists, fault, given, require
from onceproof.model.protocol.queue import put
from onceproof.model.protocol.state import Platform
from onceproof.model.protocol.vocabulary import Call, Message, Outbox, Post, Submission, Task


@action
def admit(st: Platform, task: Task, submission: Submission) -> None:
    """A submission is taken: its TaskID goes into the store, and with an outbox its message too."""
    require(st.post[task, submission] == Post.REQUEST)
    require(not (st.task_id_dedup and st.recorded[task]))
    st.recorded[task] = True
    if st.atomic_admission:
        st.outbox[task, submission] = Outbox.PENDING
        answer(st, task, submission, Post.SAYS_202)
    else:
        st.admitting[task, submission] = True
        st.post[task, submission] = Post.NONE


@action
def refuse(st: Platform, task: Task, submission: Submission) -> None:
    """A submission whose TaskID the store has already is answered 400."""
    require(st.task_id_dedup)
    require(st.post[task, submission] == Post.REQUEST and st.recorded[task])
    answer(st, task, submission, Post.SAYS_400)


@action
def enqueue(st: Platform, task: Task, submission: Submission, message: Fresh[Message]) -> None:
    """Without an outbox: the API server puts the message on the queue itself, then answers 202."""
    require(st.admitting[task, submission])
    require(st.task_of[message] is None)
    st.admitting[task, submission] = False
    put(st, task, submission, message)
    answer(st, task, submission, Post.SAYS_202)


@fault(needs={"submissions": 2})
def api_crash(st: Platform) -> None:
    """The API server dies and comes back: what it had at hand is forgotten, every connection breaks."""
    require(
        exists(
            Task,
            Submission,
            lambda task, submission: st.admitting[task, submission] or st.post[task, submission] != Post.NONE,
        )
    )
    for task in Task:
        for submission in Submission:
            st.admitting[task, submission] = False
            st.post[task, submission] = Post.NONE
            if st.call[task, submission] == Call.WAITING:
                st.call[task, submission] = Call.TIMED_OUT


def answer(st: Platform, task: Task, submission: Submission, says: Post) -> None:
    """An answer goes out, if the client still waits for it."""
    waits = st.call[task, submission] == Call.WAITING
    st.post[task, submission] = says if waits else Post.NONE


@always(when=lambda c: c.submissions > 1 and c.task_id_dedup and (c.response_loss or c.api_crash))
def truthful_rejection(st: Platform, task: Task, submission: Submission) -> bool:
    """A refused TaskID is one that was enqueued, or will be."""
    given(st.call[task, submission] == Call.REFUSED or st.post[task, submission] == Post.SAYS_400)
    return will_be_enqueued(st, task)


@always
def truthful_acceptance(st: Platform, task: Task, submission: Submission) -> bool:
    """202 is said only of a task that was enqueued, or will be."""
    given(st.call[task, submission] == Call.ACCEPTED or st.post[task, submission] == Post.SAYS_202)
    return will_be_enqueued(st, task)


def will_be_enqueued(st: Platform, task: Task) -> bool:
    """Some submission of the task is on the queue, in the outbox, or in the hands of a live API server."""
    return exists(
        Submission,
        lambda submission: (
            st.enqueued[task, submission]
            or st.outbox[task, submission] == Outbox.PENDING
            or st.admitting[task, submission]
        ),
    )
