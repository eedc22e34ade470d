"""Task libraries: workers that pull messages and run the functions themselves, a scheduler and its agent in one.

The same protocol in another topology: whatever a component does here it does by its own action; some get one more
guard. Workers compete for the messages of one queue, each runs functions with an agent of its own, and one crash takes
both (``worker_crash``) unless the agent is a child that lives on (``scheduler_crash``).
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from onceproof.model.language import Model, action, exists, fault, forall, require
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
from onceproof.model.protocol.vocabulary import (
    Agent,
    Attempt,
    Memory,
    Message,
    Mode,
    Outcome,
    Scheduler,
    Stage,
    User,
    Work,
)

_dispatch = schedulers.dispatch.function
_pause = schedulers.scheduler_pause.function
_crash = schedulers.scheduler_crash.function
_start = agents.start.function
_finish = agents.finish.function
_lapse = queue.lapse.function
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
    """The function returns, in a worker that is not stopped; a child may settle its message itself."""
    require(is_awake(st, agent))
    _finish(st, agent, message, attempt)
    if st.child_settles:
        settle(st, message)


def settle(st: Workers, message: Message) -> None:
    """The task has ended, and its message leaves the queue."""
    if st.outcome[message] == Outcome.OPEN:
        st.outcome[message] = Outcome.COMPLETED
    if st.stage[message] in (Stage.VISIBLE, Stage.INVISIBLE):
        st.stage[message] = Stage.DELETED
        st.current[message] = None


@action
def lapse(st: Workers, message: Message) -> None:
    """Nobody renews the invisibility; a child without a parent has settled a short task before that."""
    require(not (st.short_tasks and st.child_settles and is_left_to_child(st, message)))
    _lapse(st, message)


def is_left_to_child(st: Workers, message: Message) -> Any:
    """A child runs the message's task, or is about to, and its parent has died."""
    return exists(
        Agent,
        Attempt,
        lambda agent, attempt: is_run(st, agent, message, attempt) and is_alone(st, agent, message),
    )


def is_run(st: Workers, agent: Agent, message: Message, attempt: Attempt) -> Any:
    """The function runs, or the request to start it has been sent."""
    sent = exists(Scheduler, lambda scheduler: st.request[scheduler, agent, message, attempt])
    return sent or st.memory[agent, message, attempt] == Memory.RUNNING


def is_alone(st: Workers, agent: Agent, message: Message) -> Any:
    """The process that pulled the message for this child died, or knows nothing of it any more."""
    return forall(Scheduler, lambda s: st.agent_of[s] != agent or st.work[s, message] == Work.IDLE)


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
        _with(queue, **{"lapse": lapse, **changed}),
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
