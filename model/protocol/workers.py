"""Task libraries: workers that pull messages and run the functions themselves, a scheduler and its agent in one.

The same protocol in another topology: whatever a component does here it does by its own action; some get one more
guard. Workers compete for the messages of one queue, each runs functions with an agent of its own, and one crash takes
both (``worker_crash``) unless the agent is a child that lives on (``scheduler_crash``).
"""

from collections.abc import Mapping
from enum import Enum
from types import ModuleType
from typing import Any

from onceproof.model.language import Model, State, action, exists, fault, field, forall, in_turn, require
from onceproof.model.protocol import (
    agent as agents,
)
from onceproof.model.protocol import (
    api_server,
    client,
    load_balancer,
    network,
    queue,
    relay,
    resource_manager,
    task_store,
)
from onceproof.model.protocol import scheduler as schedulers
from onceproof.model.protocol.system import all_settled, message_pool
from onceproof.model.protocol.vocabulary import (
    Agent,
    Attempt,
    Memory,
    Message,
    Mode,
    Scheduler,
    Stage,
    Task,
    User,
    Work,
)


class Moment(Enum):
    """When, in the life of the task that a worker has, a fault may come."""

    ANY, BEFORE_START, AFTER_START, BEFORE_ACK, AFTER_ACK = range(5)


agent_of = field(Scheduler, Agent, init=in_turn, constant=True, doc="the part of the worker that runs functions")

_dispatch = schedulers.dispatch.function
_restart = schedulers.scheduler_restart.function
_pause = schedulers.scheduler_pause.function
_crash = schedulers.scheduler_crash.function
_start = agents.start.function
_finish = agents.finish.function
_agent_crash = agents.agent_crash.function


def is_at_moment(st: State, scheduler: Scheduler) -> Any:
    """The worker has a task, and that task is at the moment at which the fault is to come."""
    return st.moment == Moment.ANY or exists(
        Task, Message, Attempt, lambda task, message, attempt: _stands(st, scheduler, task, message, attempt)
    )


def _stands(st: State, scheduler: Scheduler, task: Task, message: Message, attempt: Attempt) -> Any:
    """Whether the task of this message is at the moment."""
    has = st.task_of[message] == task and st.work[scheduler, message] != Work.IDLE
    runs = st.memory[st.agent_of[scheduler], message, attempt] == Memory.RUNNING
    return (
        (st.moment == Moment.BEFORE_START and has and st.starts[task, attempt] == 0)
        or (st.moment == Moment.AFTER_START and st.task_of[message] == task and runs)
        or (st.moment == Moment.BEFORE_ACK and has and st.succeeded[task, attempt])
        or (
            st.moment == Moment.AFTER_ACK
            and st.task_of[message] == task
            and st.succeeded[task, attempt]
            and st.stage[message] == Stage.DELETED
            and st.work[scheduler, message] == Work.IDLE
        )
    )


@action
def dispatch(st: State, scheduler: Scheduler, message: Message, agent: Agent) -> None:
    """A worker runs the function itself: no other agent is ever asked."""
    require(st.agent_of[scheduler] == agent)
    _dispatch(st, scheduler, message, agent)


@action
def start(st: State, agent: Agent, scheduler: Scheduler, message: Message, attempt: Attempt) -> None:
    """The function is started, by a worker that is not stopped."""
    require(is_awake(st, agent))
    _start(st, agent, scheduler, message, attempt)


@action
def finish(st: State, agent: Agent, message: Message, attempt: Attempt) -> None:
    """The function returns, in a worker that is not stopped."""
    require(is_awake(st, agent))
    _finish(st, agent, message, attempt)


def is_awake(st: State, agent: Agent) -> Any:
    """The worker of this agent is not stopped: a stop takes its scheduler and its agent alike."""
    return forall(Scheduler, lambda s: st.agent_of[s] != agent or st.mode[s] != Mode.PAUSED)


@action
def scheduler_restart(st: State, scheduler: Scheduler) -> None:
    """A worker comes back, and competes for messages again."""
    _restart(st, scheduler)
    if not st.owner_epoch:
        for user in User:
            st.believes[scheduler, user] = True


@fault
def scheduler_pause(st: State, scheduler: Scheduler) -> None:
    """A worker is stopped at the moment, with all of its processes."""
    require(is_at_moment(st, scheduler))
    _pause(st, scheduler)


@fault
def scheduler_crash(st: State, scheduler: Scheduler) -> None:
    """The process that pulls messages dies at the moment, and its child, which runs the function, lives on."""
    require(is_at_moment(st, scheduler))
    _crash(st, scheduler)


@fault
def worker_crash(st: State, scheduler: Scheduler) -> None:
    """A worker dies at the moment, whole: what pulls messages, and what runs functions."""
    require(is_at_moment(st, scheduler))
    agent = st.agent_of[scheduler]
    require(not st.gone[agent])
    _agent_crash(st, agent)
    _crash(st, scheduler)


def _with(module: ModuleType, **changed: Any) -> Mapping[str, Any]:
    """A component in which some declarations are others, and all the rest is as it was."""
    return {**vars(module), **changed}


def worker_model(moment: Moment = Moment.ANY, **changed: Any) -> Model:
    """The protocol in the topology of task libraries. moment: when its faults may come.

    changed: declarations of the queue that are to be others, by name, for a system whose queue differs.
    """
    own = {"__name__": "worker", "all_settled": all_settled, "agent_of": agent_of, "worker_crash": worker_crash}
    return Model(
        "task-workers",
        client,
        api_server,
        task_store,
        relay,
        _with(queue, **changed),
        # Competing consumers: every worker takes itself for an owner, and there are no epochs.
        _with(load_balancer, believes=field(Scheduler, User, bool, init=True)),
        _with(
            schedulers,
            dispatch=dispatch,
            scheduler_restart=scheduler_restart,
            scheduler_pause=scheduler_pause,
            scheduler_crash=scheduler_crash,
        ),
        resource_manager,
        network,
        _with(agents, start=start, finish=finish),
        {**own, "moment": field(Moment, init=moment, constant=True)},
        derive=message_pool,
        together={"exactly_once": ("at_most_once", "no_lost_task")},
    )
