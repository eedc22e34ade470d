"""The resource manager: chooses an agent for a task, and decides what becomes of the task of a dead agent."""

from onceproof.model.language import action, require, require_not_none
from onceproof.model.protocol.state import Platform
from onceproof.model.protocol.vocabulary import Agent, Message, Mode, Outcome, Scheduler, Work


@action
def place(st: Platform, scheduler: Scheduler, message: Message, agent: Agent) -> None:
    """An agent is chosen for a task, and that is recorded before anything is sent to it."""
    require(st.sticky_placement)
    require(st.work[scheduler, message] == Work.HELD and st.mode[scheduler] in (Mode.UP, Mode.DRAINING))
    require(st.outcome[message] == Outcome.OPEN)
    require(st.placed[message] is None and not st.gone[agent])
    st.placed[message] = agent


@action
def fail_lost(st: Platform, scheduler: Scheduler, message: Message) -> None:
    """The agent that began a task is gone: nobody can say how far it came, so the task is failed, for all to see."""
    require(st.fail_on_agent_loss)
    require_lost(st, scheduler, message)
    require(st.begun[message, st.attempt[message]])
    st.outcome[message] = Outcome.FAILED
    st.work[scheduler, message] = Work.RECORDED


@action
def replace(st: Platform, scheduler: Scheduler, message: Message, agent: Agent) -> None:
    """The agent that began a task is gone: the task is placed on another one, where it runs a second time."""
    require(not st.fail_on_agent_loss)
    require_lost(st, scheduler, message)
    require(st.begun[message, st.attempt[message]])
    require(not st.gone[agent])
    st.placed[message] = agent
    st.superseded[message] = False


@action
def unplace(st: Platform, scheduler: Scheduler, message: Message) -> None:
    """The agent of a task is gone and had not begun it: it is placed anew, for nothing of it was started there."""
    require_lost(st, scheduler, message)
    require(not st.begun[message, st.attempt[message]])
    st.placed[message] = None
    st.superseded[message] = False


def require_lost(st: Platform, scheduler: Scheduler, message: Message) -> None:
    """A live scheduler holds an open task whose agent is gone, whether or not a fresh VM has its place by now."""
    require(st.work[scheduler, message] == Work.HELD and st.mode[scheduler] in (Mode.UP, Mode.DRAINING))
    require(st.outcome[message] == Outcome.OPEN)
    agent = require_not_none(st.placed[message])
    require(is_lost(st, message, agent))


def is_lost(st: Platform, message: Message, agent: Agent) -> bool:
    """The VM that the message was placed on, as this agent, is no more."""
    return st.gone[agent] or st.superseded[message]


@action(reuse=True)
def agent_boot(st: Platform, agent: Agent) -> None:
    """A fresh VM takes a lost one's place, as another incarnation: what was placed on the lost one is not its."""
    require(st.gone[agent])
    st.gone[agent] = False
    for message in Message:
        if st.placed[message] == agent:
            st.superseded[message] = True
