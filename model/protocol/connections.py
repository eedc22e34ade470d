"""Workers and their broker: what the loss of a connection does to deliveries, and what a restart does to messages.

Part of the topology of task libraries (``workers.py``): each worker talks to the broker over a connection of its own.
"""

from onceproof.model.language import State, action, exists, fault, require, switch
from onceproof.model.protocol.agent import lose
from onceproof.model.protocol.moments import Moments, is_at_moment
from onceproof.model.protocol.scheduler import drop, go_down
from onceproof.model.protocol.vocabulary import Message, Mode, Scheduler, Stage, Work


class Connections(State, component="connections"):
    """What a broken connection, and a broker that was killed, leave as it was."""

    durable_queue = switch(
        on="what the broker has accepted survives its restart", off="a message may be gone after a restart"
    )
    durable_deliveries = switch(
        on="what the broker knows of deliveries survives its restart",
        off="after a restart an unfinished message is visible again, although its holder lives",
    )
    delivery_outlives_connection = switch(
        on="a received message stays hidden when its holder's connection breaks",
        off="it is visible again at once, although its holder lives",
    )
    settles_after_reconnect = switch(
        on="a worker that connects again still settles what it had received",
        off="it forgets what it had received; the function that runs goes on, and nobody hears of its end",
    )
    survives_disconnect = switch(
        on="a worker goes on when its connection breaks", off="it ends with all that it runs, and is started again"
    )
    connection_outlives_pause = switch(
        on="a worker that was stopped beyond its lease still has its connection when it goes on",
        off="a time-out of the broker or of its own may have broken it meanwhile",
    )


class Workers(Moments, Connections, component="worker"):
    """All that a worker is: what runs functions is a part of it, and it has a connection to the broker."""

    child_settles = switch(
        on="what runs a function settles its message itself, also when its parent has died",
        off="only the process that pulled a message settles it",
    )


@action
def resume_disconnected(st: Workers, scheduler: Scheduler) -> None:
    """A stopped worker goes on and finds its connection broken: it was silent for too long."""
    require(not st.connection_outlives_pause)
    require(st.mode[scheduler] == Mode.PAUSED)
    st.mode[scheduler] = Mode.UP
    disconnect(st, scheduler)


@fault
def connection_loss(st: Workers, scheduler: Scheduler) -> None:
    """The connection between a worker and its broker breaks at the moment; the worker connects again."""
    require(st.mode[scheduler] != Mode.DOWN)
    require(is_at_moment(st, scheduler))
    disconnect(st, scheduler)


@fault
def broker_restart(st: Workers) -> None:
    """The broker dies at the moment and comes back on its data: the connections of all workers break."""
    require(exists(Scheduler, lambda scheduler: is_at_moment(st, scheduler)))
    come_back(st)


@fault(budget="broker_restart")
def broker_restart_with_loss(st: Workers, message: Message) -> None:
    """The broker dies and comes back without a message that was not on disk."""
    require(not st.durable_queue)
    require(st.stage[message] in (Stage.VISIBLE, Stage.INVISIBLE))
    require(exists(Scheduler, lambda scheduler: is_at_moment(st, scheduler)))
    come_back(st)
    st.stage[message] = Stage.DELETED
    st.current[message] = None


def come_back(st: Workers) -> None:
    """The broker is there again: the connections of all workers have broken, and it may have forgotten deliveries."""
    for scheduler in Scheduler:
        disconnect(st, scheduler)
    if not st.durable_deliveries:
        for message in Message:
            if st.stage[message] == Stage.INVISIBLE:
                st.stage[message] = Stage.VISIBLE
                st.current[message] = None


def disconnect(st: Workers, scheduler: Scheduler) -> None:
    """The connection of one worker breaks."""
    for message in Message:
        give_back(st, scheduler, message)
        if not st.settles_after_reconnect:
            drop(st, scheduler, message)
    if not st.survives_disconnect and st.mode[scheduler] != Mode.DOWN:
        end(st, scheduler)


def give_back(st: Workers, scheduler: Scheduler, message: Message) -> None:
    """What belongs to a connection returns to the queue with its end."""
    if st.delivery_outlives_connection or st.work[scheduler, message] == Work.IDLE:
        return
    if st.stage[message] == Stage.INVISIBLE and st.current[message] == scheduler:
        st.stage[message] = Stage.VISIBLE
        st.current[message] = None


def end(st: Workers, scheduler: Scheduler) -> None:
    """A worker ends; in its place a new one is started, with an empty memory."""
    agent = st.agent_of[scheduler]
    lose(st, agent)
    st.gone[agent] = False
    go_down(st, scheduler)
