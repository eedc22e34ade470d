"""The network between schedulers and agents: requests and replies, lost, late or twice."""

from onceproof.model.language import fault, require
from onceproof.model.protocol.state import Platform
from onceproof.model.protocol.vocabulary import Agent, Attempt, Message, Reply, Scheduler, Work


def take_request(st: Platform, scheduler: Scheduler, agent: Agent, message: Message, attempt: Attempt) -> None:
    """One copy of the request arrives."""
    if st.duplicate[scheduler, agent, message, attempt]:
        st.duplicate[scheduler, agent, message, attempt] = False
    else:
        st.request[scheduler, agent, message, attempt] = False


def awaits(st: Platform, scheduler: Scheduler, message: Message, attempt: Attempt) -> bool:
    """The scheduler waits for the result of this attempt."""
    return st.work[scheduler, message] == Work.DISPATCHED and st.trying[scheduler, message] == attempt


def time_out(st: Platform, scheduler: Scheduler, message: Message, attempt: Attempt) -> None:
    """A scheduler that waits for this attempt waits no more: it will ask again."""
    if awaits(st, scheduler, message, attempt):
        wait_no_more(st, scheduler, message)


def wait_no_more(st: Platform, scheduler: Scheduler, message: Message) -> None:
    """The scheduler has the message in hand as before it dispatched it."""
    st.work[scheduler, message] = Work.HELD
    st.trying[scheduler, message] = None


@fault
def request_loss(st: Platform, scheduler: Scheduler, agent: Agent, message: Message, attempt: Attempt) -> None:
    """A request to an agent is lost; the scheduler's wait for it times out."""
    require(st.request[scheduler, agent, message, attempt])
    take_request(st, scheduler, agent, message, attempt)
    time_out(st, scheduler, message, attempt)


@fault
def request_duplication(st: Platform, scheduler: Scheduler, agent: Agent, message: Message, attempt: Attempt) -> None:
    """A request to an agent will arrive twice."""
    require(st.request[scheduler, agent, message, attempt])
    require(not st.duplicate[scheduler, agent, message, attempt])
    st.duplicate[scheduler, agent, message, attempt] = True


@fault
def reply_loss(st: Platform, scheduler: Scheduler, agent: Agent, message: Message, attempt: Attempt) -> None:
    """An agent's reply is lost; the scheduler's wait for it times out."""
    require(st.reply[scheduler, agent, message, attempt] != Reply.NONE)
    st.reply[scheduler, agent, message, attempt] = Reply.NONE
    time_out(st, scheduler, message, attempt)
