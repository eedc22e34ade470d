"""What the platform promises, without saying how: a task is accepted once, started once an attempt, and ended once."""

from onceproof.model.language import Count, State, action, field, require
from onceproof.model.protocol.vocabulary import Attempt, Task


class Promise(State):
    """What has become of each task."""

    accepted = field(Task, bool)
    started = field(Task, Attempt, Count(2, saturate=True))
    ended = field(Task, Count(2, saturate=True))


@action
def accept(st: Promise, task: Task) -> None:
    """The platform takes a task over."""
    require(not st.accepted[task])
    st.accepted[task] = True


@action
def start(st: Promise, task: Task, attempt: Attempt) -> None:
    """The function of a task is started: each attempt once, and none after the task has ended."""
    require(st.accepted[task] and st.started[task, attempt] == 0 and st.ended[task] == 0)
    st.started[task, attempt] = 1


@action
def end(st: Promise, task: Task) -> None:
    """A task comes to its end: completed, or visibly failed, stopped or expired."""
    require(st.accepted[task] and st.ended[task] == 0)
    st.ended[task] = 1
