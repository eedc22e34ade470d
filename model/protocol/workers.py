"""Task libraries: workers that pull messages and run the functions themselves, a scheduler and its agent in one.

The same protocol in another topology: whatever a component does here it does by its own action; some get one more
guard. Workers compete for the messages of one queue, each runs functions with an agent of its own, and one crash takes
both (``worker_crash``) unless the agent is a child that lives on (``scheduler_crash``).
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from onceproof.model.language import Model, action, fault, forall, require
from onceproof.model.protocol import agent as agents
from onceproof.model.protocol import (
    api_server,
    client,
    connections,
    load_balancer,
    moments,
    network,
    queue,
    relay,
    resource_manager,
    task_store,
)
from onceproof.model.protocol import scheduler as schedulers
from onceproof.model.protocol.connections import Workers
from onceproof.model.protocol.moments import is_at_moment
from onceproof.model.protocol.system import all_settled, message_pool
from onceproof.model.protocol.vocabulary import Agent, Attempt, Message, Mode, Scheduler, User

_dispatch = schedulers.dispatch.function
_pause = schedulers.scheduler_pause.function
_crash = schedulers.scheduler_crash.function
_start = agents.start.function
_finish = agents.finish.function
_agent_crash = agents.agent_crash.function


@action
def subscribe(st: Workers, scheduler: Scheduler, user: User) -> None:
    """A worker takes messages from a queue, whoever else does: workers compete."""
    require(not st.owner_epoch and not st.believes[scheduler, user])
    require(st.mode[scheduler] == Mode.UP)
    st.believes[scheduler, user] = True


@action
def dispatch(st: Workers, scheduler: Scheduler, message: Message, agent: Agent) -> None:
    """A worker runs the function itself: no other agent is ever asked."""
    require(st.agent_of[scheduler] == agent)
    _dispatch(st, scheduler, message, agent)


@action
def start(st: Workers, agent: Agent, scheduler: Scheduler, message: Message, attempt: Attempt) -> None:
    """The function is started, by a worker that is not stopped."""
    require(is_awake(st, agent))
    _start(st, agent, scheduler, message, attempt)


@action
def finish(st: Workers, agent: Agent, message: Message, attempt: Attempt) -> None:
    """The function returns, in a worker that is not stopped."""
    require(is_awake(st, agent))
    _finish(st, agent, message, attempt)


def is_awake(st: Workers, agent: Agent) -> Any:
    """The worker of this agent is not stopped: a stop takes its scheduler and its agent alike."""
    return forall(Scheduler, lambda s: st.agent_of[s] != agent or st.mode[s] != Mode.PAUSED)


@fault
def scheduler_pause(st: Workers, scheduler: Scheduler) -> None:
    """A worker is stopped at the moment, with all of its processes."""
    require(is_at_moment(st, scheduler))
    _pause(st, scheduler)


@fault
def scheduler_crash(st: Workers, scheduler: Scheduler) -> None:
    """The process that pulls messages dies at the moment, and its child, which runs the function, lives on."""
    require(is_at_moment(st, scheduler))
    _crash(st, scheduler)


@fault
def worker_crash(st: Workers, scheduler: Scheduler) -> None:
    """A worker dies at the moment, whole: what pulls messages, and what runs functions."""
    require(is_at_moment(st, scheduler))
    agent = st.agent_of[scheduler]
    require(not st.gone[agent])
    _agent_crash(st, agent)
    _crash(st, scheduler)


def _with(module: ModuleType, **changed: Any) -> Mapping[str, Any]:
    """A component in which some declarations are others, and all the rest is as it was."""
    return {**vars(module), **changed}


def worker_model(name: str = "task-workers", *more: Mapping[str, Any], **changed: Any) -> Model:
    """The protocol in the topology of task libraries.

    more: components beside those of the protocol; changed: actions of the queue that are to be others, by name, for a
    system whose queue differs.
    """
    return Model(
        name,
        client,
        api_server,
        task_store,
        relay,
        _with(queue, **changed),
        load_balancer,
        _with(schedulers, dispatch=dispatch, scheduler_pause=scheduler_pause, scheduler_crash=scheduler_crash),
        resource_manager,
        network,
        _with(agents, start=start, finish=finish),
        moments,
        connections,
        {
            "__name__": "worker",
            "all_settled": all_settled,
            "subscribe": subscribe,
            "worker_crash": worker_crash,
        },
        *more,
        derive=message_pool,
        together={"exactly_once": ("at_most_once", "no_lost_task")},
    )


WORKERS = worker_model()
