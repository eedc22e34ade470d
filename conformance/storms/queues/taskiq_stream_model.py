"""Workers whose queue gives an unfinished message to another worker only when a new message wakes one.

A storm keeps other traffic away, or not (``other_traffic``); it sends an unrelated message itself where nothing moves.
"""

from typing import Any

from onceproof.model.language import State, action, always, exists, fault, field, given, require, switch
from onceproof.model.protocol import queue
from onceproof.model.protocol.connections import Workers
from onceproof.model.protocol.vocabulary import Agent, Attempt, Memory, Message, Scheduler, Stage, Task, Work
from onceproof.model.protocol.workers import worker_model


class Traffic(State):
    """What moves the queue."""

    other_traffic = switch(on="unrelated messages arrive all the time", off="none arrives before nothing else moves")

    needed = field(Message, bool, ghost=True, doc="it was given away, and would not have been without an unrelated one")


class WaitingWorkers(Workers, Traffic):
    """All of it."""


_lapse = queue.lapse.function
_lease_lapse = queue.lease_lapse.function


@action
def lapse(st: WaitingWorkers, message: Message) -> None:
    """An unrelated message wakes a worker, which claims what nobody has acknowledged for too long."""
    require(st.other_traffic or is_left(st, message))
    wake(st, message)
    _lapse(st, message)


@fault
def lease_lapse(st: WaitingWorkers, message: Message) -> None:
    """The same, although the holder lives: its acknowledgement is late, and what it ran has ended for all to see."""
    require(st.other_traffic or has_ended(st, message))
    wake(st, message)
    _lease_lapse(st, message)


def wake(st: WaitingWorkers, message: Message) -> None:
    """An unrelated message arrives: of itself, or since nothing else moves."""
    if not st.other_traffic and not has_ended(st, message):
        st.needed[message] = True


def is_left(st: WaitingWorkers, message: Message) -> Any:
    """No worker has the message in hand or runs its task."""
    held = exists(Scheduler, lambda scheduler: st.work[scheduler, message] != Work.IDLE)
    runs = exists(Agent, Attempt, lambda agent, attempt: st.memory[agent, message, attempt] == Memory.RUNNING)
    return not held and not runs


def has_ended(st: WaitingWorkers, message: Message) -> Any:
    """The task of the message has come to an end."""
    return exists(Task, Attempt, lambda task, attempt: st.task_of[message] == task and st.succeeded[task, attempt])


@always
def not_stuck(st: WaitingWorkers, message: Message) -> bool:
    """A task comes to its end without unrelated messages."""
    given(st.stage[message] != Stage.ABSENT)
    return not st.needed[message]


MODEL = worker_model(
    "workers-that-wait-for-traffic",
    {"__name__": __name__, "Traffic": Traffic, "not_stuck": not_stuck},
    lapse=lapse,
    lease_lapse=lease_lapse,
)
