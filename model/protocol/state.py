"""The state of the platform: what each component keeps, and the mechanisms that can be switched off in it."""

from onceproof.model.language import Count, Optional, State, field, in_turn, switch
from onceproof.model.protocol.vocabulary import (
    Agent,
    Attempt,
    Call,
    Memory,
    Message,
    Mode,
    Outbox,
    Outcome,
    Post,
    Reply,
    Scheduler,
    Stage,
    Submission,
    Task,
    User,
    Work,
)


class ClientState(State, component="client"):
    """What clients know of their submissions."""

    call = field(Task, Submission, Call)


class ApiServerState(State, component="api_server"):
    """What is on the wire to the API server, and what it has at hand."""

    task_id_dedup = switch(on="the store refuses a known TaskID", off="every submission is a new task")
    atomic_admission = switch(
        on="record and message are one transaction (an outbox, relayed later)",
        off="record, then enqueue: the API server can die between",
    )

    post = field(Task, Submission, Post)
    admitting = field(Task, Submission, bool, doc="recorded, not yet enqueued; in the memory of the API server only")


class TaskStoreState(State, component="task_store"):
    """What the task store has recorded."""

    recorded = field(Task, bool, doc="the store knows the TaskID")
    outbox = field(Task, Submission, Outbox)
    outcome = field(Message, Outcome)
    attempt = field(Message, Attempt, doc="the attempt that counts now")
    begun = field(Message, Attempt, bool, doc="an agent noted that it starts this attempt, before it did")
    attempt_failed = field(Message, Attempt, bool, doc="this attempt raised, and another one was begun")


class RelayState(State, component="relay"):
    """The relay has no state of its own: the outbox is all that it knows."""

    idempotent_relay = switch(on="relaying the outbox twice makes one message", off="it makes two")


class QueueState(State, component="queue"):
    """What the queue knows of its messages, and what it gave to whom."""

    invisibility = switch(on="a received message is hidden", off="others can receive it too")
    renewal = switch(on="a live, unpaused holder renews in time", off="invisibility may lapse under a live holder")
    receipt_fencing = switch(on="renew and delete need the current receipt", off="any receipt ever given will do")
    delete_after_result = switch(on="deleted when the result is recorded", off="deleted when received")

    task_of = field(Message, Optional[Task], doc="none: the id is blank")
    stage = field(Message, Stage)
    current = field(Message, Optional[Scheduler], doc="who was given the receipt that counts")
    enqueued = field(Task, Submission, bool, doc="the ids of relayed rows that the queue remembers")
    misused = field(Message, bool, ghost=True, doc="renewed or deleted with an old receipt")
    needless = field(Message, bool, ghost=True, doc="given away although its holder lived")


class LoadBalancerState(State, component="load_balancer"):
    """Whose queue belongs to which scheduler."""

    owner_epoch = switch(
        on="a queue's owner acts under an epoch that a new owner ends", off="an old owner may go on receiving"
    )

    user_of = field(Task, User, init=in_turn, constant=True, doc="whose task it is: tasks are dealt out in turn")
    owner = field(User, Optional[Scheduler])
    believes = field(Scheduler, User, bool, doc="what a scheduler takes itself for; counts only without epochs")


class SchedulerState(State, component="scheduler"):
    """How schedulers are, and what they have in memory."""

    graceful_drain = switch(
        on="an upgraded scheduler stops receiving and finishes what it holds", off="it is stopped at once"
    )

    mode = field(Scheduler, Mode)
    work = field(Scheduler, Message, Work)
    trying = field(Scheduler, Message, Optional[Attempt], doc="the attempt whose result it waits for, or has")
    overslept = field(Scheduler, Message, bool, ghost=True, doc="its lease lapsed while it was paused")


class ResourceManagerState(State, component="resource_manager"):
    """Where tasks were placed, and which agents are lost."""

    sticky_placement = switch(
        on="the agent chosen for a task is recorded before the first dispatch, and used again",
        off="every dispatch chooses afresh",
    )
    fail_on_agent_loss = switch(on="the task of a dead agent is failed, visibly", off="it is placed on another agent")

    placed = field(Message, Optional[Agent])
    superseded = field(Message, bool, doc="the VM that it was placed on is no more, and a fresh one has its place")
    gone = field(Agent, bool, doc="the VM is no more, and its memory with it")


class NetworkState(State, component="network"):
    """What is on its way between schedulers and agents."""

    request = field(Scheduler, Agent, Message, Attempt, bool, network=True)
    duplicate = field(Scheduler, Agent, Message, Attempt, bool, network=True, doc="a second copy of the request")
    reply = field(Scheduler, Agent, Message, Attempt, Reply, network=True)


class AgentState(State, component="agent"):
    """What agents remember, and what functions did."""

    agent_dedup = switch(
        on="the agent looks in its memory before it starts a function", off="it starts one for each request"
    )
    join_running = switch(on="an agent reports to every asker", off="only to the first")
    note_before_start = switch(
        on="the agent notes in the store that it begins an attempt, before it starts the function",
        off="it starts without a note: what a dead agent had begun cannot be told from what it had not",
    )
    retain_until_delete = switch(
        on="the agent forgets a task after its message is deleted", off="it may forget when the function ends"
    )

    memory = field(Agent, Message, Attempt, Memory)
    asked = field(Scheduler, Agent, Message, Attempt, bool, doc="whom the agent is to tell the result")
    starts = field(Task, Attempt, Count(2, saturate=True), ghost=True)
    succeeded = field(Task, Attempt, bool, ghost=True)
    raised = field(Task, Attempt, bool, ghost=True)


class Platform(
    ClientState,
    ApiServerState,
    TaskStoreState,
    RelayState,
    QueueState,
    LoadBalancerState,
    SchedulerState,
    ResourceManagerState,
    NetworkState,
    AgentState,
):
    """All of it: the functions of a component look into other components, too."""
