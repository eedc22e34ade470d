"""The client: submits a task under a TaskID of its own, and again when no answer comes."""

from onceproof.model.language import Fairness, Fresh, action, exists, fault, forall, require, sometimes
from onceproof.model.protocol.state import Platform
from onceproof.model.protocol.vocabulary import Call, Message, Outcome, Post, Submission, Task


@action(fairness=Fairness.NONE)
def submit(st: Platform, task: Task, submission: Fresh[Submission]) -> None:
    """The client posts its task: for the first time, or again after every earlier try timed out."""
    require(st.call[task, submission] == Call.UNSENT)
    require(forall(Submission, lambda earlier: st.call[task, earlier] in (Call.UNSENT, Call.TIMED_OUT)))
    st.call[task, submission] = Call.WAITING
    st.post[task, submission] = Post.REQUEST


@action
def hear_answer(st: Platform, task: Task, submission: Submission) -> None:
    """The answer arrives: 202 says accepted, 400 says that the TaskID is known already."""
    require(st.post[task, submission] in (Post.SAYS_202, Post.SAYS_400))
    accepted = st.post[task, submission] == Post.SAYS_202
    st.call[task, submission] = Call.ACCEPTED if accepted else Call.REFUSED
    st.post[task, submission] = Post.NONE


@fault(needs={"submissions": 2})
def response_loss(st: Platform, task: Task, submission: Submission) -> None:
    """The client's time-out: an answer on its way is lost, a request on its way may still be handled later."""
    require(st.call[task, submission] == Call.WAITING)
    st.call[task, submission] = Call.TIMED_OUT
    if st.post[task, submission] != Post.REQUEST:
        st.post[task, submission] = Post.NONE


@fault(needs={"submissions": 2})
def request_loss_at_api(st: Platform, task: Task, submission: Submission) -> None:
    """The request never arrives; the client, if it still waits, times out."""
    require(st.post[task, submission] == Post.REQUEST)
    st.post[task, submission] = Post.NONE
    st.call[task, submission] = Call.TIMED_OUT


@action(budget="stops", fairness=Fairness.NONE)
def stop(st: Platform, task: Task, message: Message) -> None:
    """The user stops a task that has not ended; a function that runs already ends unheard, by itself or by force."""
    require(st.task_of[message] == task and st.outcome[message] == Outcome.OPEN)
    st.outcome[message] = Outcome.STOPPED


@sometimes(when=lambda c: c.task_id_dedup and c.submissions > 1 and (c.response_loss or c.api_crash))
def rejection_seen(st: Platform) -> bool:
    """A client submitted again and was told 400."""
    return exists(Task, Submission, lambda task, submission: st.call[task, submission] == Call.REFUSED)
