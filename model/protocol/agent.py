"""The agent: the client inside a VM. Starts the user's function, and remembers in memory what it was asked to do."""

from onceproof.model.language import (
    action,
    always,
    exists,
    fault,
    forall,
    given,
    require,
    require_not_none,
    sometimes,
)
from onceproof.model.protocol.network import awaits, take_request, time_out, wait_no_more
from onceproof.model.protocol.state import Platform
from onceproof.model.protocol.vocabulary import (
    Agent,
    Attempt,
    Memory,
    Message,
    Outcome,
    Reply,
    Scheduler,
    Stage,
    Task,
    Work,
)


@action
def start(st: Platform, agent: Agent, scheduler: Scheduler, message: Message, attempt: Attempt) -> None:
    """A request arrives that the agent does not remember and that counts: it notes so in the store, and starts it.

    The note and the look at the store are one transaction. Whoever finds no note takes it that nothing was started.
    """
    require_request(st, agent, scheduler, message, attempt)
    require(is_wanted(st, message, attempt))
    require(not st.agent_dedup or st.memory[agent, message, attempt] == Memory.BLANK)
    task = require_not_none(st.task_of[message])
    take_request(st, scheduler, agent, message, attempt)
    if st.note_before_start:
        st.begun[message, attempt] = True
    st.memory[agent, message, attempt] = Memory.RUNNING
    st.asked[scheduler, agent, message, attempt] = True
    st.starts[task, attempt] += 1


@action
def turn_away(st: Platform, agent: Agent, scheduler: Scheduler, message: Message, attempt: Attempt) -> None:
    """A request arrives that does not count any more, as the store says: nothing is started, the asker is told."""
    require_request(st, agent, scheduler, message, attempt)
    require(not is_wanted(st, message, attempt))
    require(not st.agent_dedup or st.memory[agent, message, attempt] == Memory.BLANK)
    take_request(st, scheduler, agent, message, attempt)
    time_out(st, scheduler, message, attempt)


def is_wanted(st: Platform, message: Message, attempt: Attempt) -> bool:
    """The task has not ended, and this is the attempt that counts."""
    return st.outcome[message] == Outcome.OPEN and st.attempt[message] == attempt


@action
def join(st: Platform, agent: Agent, scheduler: Scheduler, message: Message, attempt: Attempt) -> None:
    """A request arrives for a function that runs: it is not started again; the asker will be told, too."""
    require(st.agent_dedup)
    require_request(st, agent, scheduler, message, attempt)
    require(st.memory[agent, message, attempt] == Memory.RUNNING)
    take_request(st, scheduler, agent, message, attempt)
    if st.join_running:
        st.asked[scheduler, agent, message, attempt] = True


@action
def answer(st: Platform, agent: Agent, scheduler: Scheduler, message: Message, attempt: Attempt) -> None:
    """A request arrives for a function that has ended: the remembered result goes out."""
    require(st.agent_dedup)
    require_request(st, agent, scheduler, message, attempt)
    require(st.memory[agent, message, attempt] in (Memory.DONE, Memory.RAISED))
    take_request(st, scheduler, agent, message, attempt)
    if st.join_running or st.asked[scheduler, agent, message, attempt]:
        success = st.memory[agent, message, attempt] == Memory.DONE
        st.reply[scheduler, agent, message, attempt] = Reply.SUCCESS if success else Reply.FAILURE


@action
def finish(st: Platform, agent: Agent, message: Message, attempt: Attempt) -> None:
    """The function returns; every asker is told."""
    require(st.memory[agent, message, attempt] == Memory.RUNNING)
    task = require_not_none(st.task_of[message])
    st.memory[agent, message, attempt] = Memory.DONE
    st.succeeded[task, attempt] = True
    tell(st, agent, message, attempt, Reply.SUCCESS)


@fault(needs={"attempts": 2})
def function_failure(st: Platform, agent: Agent, message: Message, attempt: Attempt) -> None:
    """The user's function raises; every asker is told."""
    require(st.memory[agent, message, attempt] == Memory.RUNNING)
    task = require_not_none(st.task_of[message])
    st.memory[agent, message, attempt] = Memory.RAISED
    st.raised[task, attempt] = True
    tell(st, agent, message, attempt, Reply.FAILURE)


@action
def forget(st: Platform, agent: Agent, message: Message, attempt: Attempt) -> None:
    """The agent forgets an ended attempt: when nobody can ask for it again, or too early."""
    require(st.memory[agent, message, attempt] in (Memory.DONE, Memory.RAISED))
    if st.retain_until_delete:
        require(st.stage[message] == Stage.DELETED)
        require(forall(Scheduler, lambda s: st.work[s, message] == Work.IDLE))
        require(forall(Scheduler, lambda s: not st.request[s, agent, message, attempt]))
    forget_all(st, agent, message, attempt)


@fault
def agent_crash(st: Platform, agent: Agent) -> None:
    """An agent's VM dies, and its memory with it; whoever waited for it finds the connection broken."""
    require(not st.gone[agent])
    lose(st, agent)


@fault
def agent_recycle(st: Platform, agent: Agent) -> None:
    """The platform takes an idle VM away: one that runs nothing and, if it must remember, remembers nothing."""
    require(not st.gone[agent])
    require(forall(Message, Attempt, lambda m, k: st.memory[agent, m, k] != Memory.RUNNING))
    if st.retain_until_delete:
        require(forall(Message, Attempt, lambda m, k: st.memory[agent, m, k] == Memory.BLANK))
        require(forall(Message, lambda m: st.placed[m] != agent or st.superseded[m] or st.stage[m] == Stage.DELETED))
    lose(st, agent)


def require_request(st: Platform, agent: Agent, scheduler: Scheduler, message: Message, attempt: Attempt) -> None:
    """A request is on its way to an agent that is there."""
    require(st.request[scheduler, agent, message, attempt] and not st.gone[agent])


def tell(st: Platform, agent: Agent, message: Message, attempt: Attempt, result: Reply) -> None:
    """A reply goes out to every asker that the agent remembers."""
    for scheduler in Scheduler:
        if st.asked[scheduler, agent, message, attempt]:
            st.reply[scheduler, agent, message, attempt] = result
            if st.join_running:
                st.asked[scheduler, agent, message, attempt] = False


def forget_all(st: Platform, agent: Agent, message: Message, attempt: Attempt) -> None:
    """Nothing of the attempt remains in the agent's memory."""
    st.memory[agent, message, attempt] = Memory.BLANK
    for scheduler in Scheduler:
        st.asked[scheduler, agent, message, attempt] = False


def lose(st: Platform, agent: Agent) -> None:
    """The VM is gone: its memory, and all that was on the wire to it or from it."""
    st.gone[agent] = True
    for message in Message:
        for scheduler in Scheduler:
            tried = st.trying[scheduler, message]
            if tried is not None and connected(st, scheduler, agent, message, tried):
                wait_no_more(st, scheduler, message)
        for attempt in Attempt:
            st.memory[agent, message, attempt] = Memory.BLANK
            for scheduler in Scheduler:
                st.request[scheduler, agent, message, attempt] = False
                st.duplicate[scheduler, agent, message, attempt] = False
                st.asked[scheduler, agent, message, attempt] = False
                st.reply[scheduler, agent, message, attempt] = Reply.NONE


def connected(st: Platform, scheduler: Scheduler, agent: Agent, message: Message, attempt: Attempt) -> bool:
    """The scheduler waits for this agent: its request, its place among the askers or a reply is there."""
    return awaits(st, scheduler, message, attempt) and (
        st.request[scheduler, agent, message, attempt]
        or st.asked[scheduler, agent, message, attempt]
        or st.reply[scheduler, agent, message, attempt] != Reply.NONE
    )


@always
def at_most_once(st: Platform, task: Task, attempt: Attempt) -> bool:
    """An attempt of a task is started once at most."""
    given(st.starts[task, attempt] > 0)
    return st.starts[task, attempt] <= 1


@always
def result_agreement(st: Platform, task: Task, attempt: Attempt) -> bool:
    """No attempt of a task has two different results."""
    given(st.succeeded[task, attempt] or st.raised[task, attempt])
    return not (st.succeeded[task, attempt] and st.raised[task, attempt])


@sometimes(when=lambda c: c.agent_dedup and c.join_running and c.scheduler_crash and c.schedulers > 1)
def join_seen(st: Platform) -> bool:
    """Two schedulers wait for the result of one function that runs."""
    return exists(
        Agent,
        Message,
        Attempt,
        lambda agent, message, attempt: exists(
            Scheduler,
            Scheduler,
            lambda one, other: (
                one != other and st.asked[one, agent, message, attempt] and st.asked[other, agent, message, attempt]
            ),
        ),
    )
