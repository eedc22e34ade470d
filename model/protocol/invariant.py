"""Why the protocol is safe: what is true in every state, and stays true whatever happens, in any number of everything.

Each conjunct is an ordinary property. Together they are inductive: the start satisfies them, and every step keeps them.
They are grouped by what they carry.
"""

from onceproof.model.language import always, given
from onceproof.model.protocol.api_server import will_be_enqueued
from onceproof.model.protocol.state import Platform
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
    Work,
)

BLANK = "fresh ids are blank"
ONE_MESSAGE = "one message per task"
TRUTHFUL = "answers are true"
PLACED = "only the placed agent is ever asked"
NOT_STARTED = "not started"
REAL = "results are real"
RECEIPT = "whoever holds has the receipt"


def is_blank(st: Platform, message: Message) -> bool:
    """The id was never put on the queue."""
    return st.task_of[message] is None


@always(invariant=BLANK)
def blank_id_is_absent(st: Platform, message: Message) -> bool:
    """Only putting a task on the queue under an id makes the id visible, and it has its task from then on."""
    given(is_blank(st, message))
    return st.stage[message] == Stage.ABSENT


@always(invariant=BLANK)
def blank_id_is_in_no_hands(st: Platform, scheduler: Scheduler, message: Message) -> bool:
    """A scheduler gets a message only from the queue."""
    given(is_blank(st, message))
    return st.work[scheduler, message] == Work.IDLE


@always(invariant=BLANK)
def blank_id_is_open(st: Platform, message: Message) -> bool:
    """A task ends only after its message is on the queue."""
    given(is_blank(st, message))
    return st.outcome[message] == Outcome.OPEN


@always(invariant=BLANK)
def blank_id_is_not_placed(st: Platform, message: Message) -> bool:
    """An agent is chosen only for a message that a scheduler has in hand."""
    given(is_blank(st, message))
    return st.placed[message] is None


@always(invariant=BLANK)
def blank_id_is_not_asked_for(
    st: Platform, scheduler: Scheduler, agent: Agent, message: Message, attempt: Attempt
) -> bool:
    """A request is sent only for a message that a scheduler has in hand."""
    given(is_blank(st, message))
    return not st.request[scheduler, agent, message, attempt]


@always(invariant=BLANK)
def blank_id_is_not_remembered(st: Platform, agent: Agent, message: Message, attempt: Attempt) -> bool:
    """An agent remembers only what it was asked."""
    given(is_blank(st, message))
    return st.memory[agent, message, attempt] == Memory.BLANK


@always(invariant=BLANK)
def blank_id_has_no_reply(st: Platform, scheduler: Scheduler, agent: Agent, message: Message, attempt: Attempt) -> bool:
    """An agent answers only what it was asked."""
    given(is_blank(st, message))
    return st.reply[scheduler, agent, message, attempt] == Reply.NONE


def was_admitted(st: Platform, task: Task, submission: Submission) -> bool:
    """The submission was not refused: its row is in the outbox, or it is at hand, or on the queue."""
    return (
        st.outbox[task, submission] != Outbox.EMPTY or st.admitting[task, submission] or st.enqueued[task, submission]
    )


def is_to_be_enqueued(st: Platform, task: Task, submission: Submission) -> bool:
    """The submission was admitted and its message is still to be made."""
    return (st.outbox[task, submission] == Outbox.PENDING or st.admitting[task, submission]) and not st.enqueued[
        task, submission
    ]


@always(invariant=ONE_MESSAGE)
def admitted_task_is_recorded(st: Platform, task: Task, submission: Submission) -> bool:
    """A submission is admitted by writing its TaskID into the store."""
    given(was_admitted(st, task, submission))
    return st.recorded[task]


@always(invariant=ONE_MESSAGE)
def one_submission_is_admitted(st: Platform, task: Task, one: Submission, other: Submission) -> bool:
    """The store refuses a TaskID that it has, so no second submission of a task is admitted."""
    given(was_admitted(st, task, one) and was_admitted(st, task, other))
    return one == other


@always(invariant=ONE_MESSAGE)
def published_row_is_enqueued(st: Platform, task: Task, submission: Submission) -> bool:
    """A row is marked as published after the queue has it, never before."""
    given(st.outbox[task, submission] in (Outbox.PUBLISHED, Outbox.RELAYED))
    return st.enqueued[task, submission]


@always(invariant=ONE_MESSAGE)
def enqueued_is_no_longer_at_hand(st: Platform, task: Task, submission: Submission) -> bool:
    """What the API server has at hand has no row in the outbox, and goes on the queue once."""
    given(st.admitting[task, submission])
    return st.outbox[task, submission] == Outbox.EMPTY and not st.enqueued[task, submission]


@always(invariant=ONE_MESSAGE)
def message_is_recorded(st: Platform, message: Message, task: Task) -> bool:
    """A message is made of a submission that was admitted."""
    given(st.task_of[message] == task)
    return st.recorded[task]


@always(invariant=ONE_MESSAGE)
def task_with_message_gets_no_other(st: Platform, message: Message, task: Task, submission: Submission) -> bool:
    """The queue knows the id of the row that the message came from, even when a crash made the row pending again."""
    given(st.task_of[message] == task)
    return not is_to_be_enqueued(st, task, submission)


@always(invariant=ONE_MESSAGE)
def one_message_per_task(st: Platform, task: Task, one: Message, other: Message) -> bool:
    """One submission a task, and the queue makes one message of it however often it is relayed."""
    given(st.task_of[one] == task and st.task_of[other] == task)
    return one == other


@always(invariant=TRUTHFUL, when=lambda c: c.atomic_admission)
def nothing_is_half_admitted(st: Platform, task: Task, submission: Submission) -> bool:
    """The record and the row are one transaction: the API server never has a recorded task at hand."""
    return not st.admitting[task, submission]


@always(invariant=TRUTHFUL)
def recorded_task_is_on_its_way(st: Platform, task: Task) -> bool:
    """The record and the row are one transaction, and the row stays until the queue has it."""
    given(st.recorded[task])
    return will_be_enqueued(st, task)


@always(invariant=TRUTHFUL)
def refused_task_is_recorded(st: Platform, task: Task, submission: Submission) -> bool:
    """400 is the store's answer to a TaskID that it has, and it forgets none."""
    given(st.call[task, submission] == Call.REFUSED or st.post[task, submission] == Post.SAYS_400)
    return st.recorded[task]


@always(invariant=TRUTHFUL)
def accepted_submission_is_on_its_way(st: Platform, task: Task, submission: Submission) -> bool:
    """202 is said when the row is in the outbox, or the message on the queue; the row stays until the queue has it."""
    given(st.call[task, submission] == Call.ACCEPTED or st.post[task, submission] == Post.SAYS_202)
    return st.outbox[task, submission] == Outbox.PENDING or st.enqueued[task, submission]


def is_placed_there(st: Platform, message: Message, agent: Agent) -> bool:
    """The message is placed on the VM that has this agent's place now, or had it last."""
    return st.placed[message] == agent and not st.superseded[message]


@always(invariant=PLACED)
def request_goes_to_placed_agent(
    st: Platform, scheduler: Scheduler, agent: Agent, message: Message, attempt: Attempt
) -> bool:
    """The agent is recorded before the first request, the same for every scheduler, and never replaced."""
    given(st.request[scheduler, agent, message, attempt])
    return is_placed_there(st, message, agent)


@always(invariant=PLACED)
def lost_agent_is_not_asked(
    st: Platform, scheduler: Scheduler, agent: Agent, message: Message, attempt: Attempt
) -> bool:
    """With an agent's VM all its connections go, and a fresh VM under its identity gets none of the old requests."""
    given(st.gone[agent])
    return not st.request[scheduler, agent, message, attempt]


@always(invariant=PLACED)
def lost_agent_remembers_nothing(st: Platform, agent: Agent, message: Message, attempt: Attempt) -> bool:
    """An agent's memory dies with its VM, and a fresh VM begins with an empty one."""
    given(st.gone[agent])
    return st.memory[agent, message, attempt] == Memory.BLANK


@always(invariant=PLACED)
def placed_agent_alone_remembers(st: Platform, agent: Agent, message: Message, attempt: Attempt) -> bool:
    """An agent remembers only what it was asked."""
    given(st.memory[agent, message, attempt] != Memory.BLANK)
    return is_placed_there(st, message, agent)


def unstarted_there(st: Platform, agent: Agent, message: Message, attempt: Attempt) -> bool:
    """A live agent that the task is placed on has nothing of this attempt in its memory."""
    return (
        is_placed_there(st, message, agent)
        and not st.gone[agent]
        and st.memory[agent, message, attempt] == Memory.BLANK
    )


@always(invariant=NOT_STARTED)
def unrecorded_task_is_not_started(st: Platform, task: Task, attempt: Attempt) -> bool:
    """A function is started for a message, and no message comes before the record."""
    given(not st.recorded[task])
    return st.starts[task, attempt] == 0


@always(invariant=NOT_STARTED)
def task_to_be_enqueued_is_not_started(st: Platform, task: Task, submission: Submission, attempt: Attempt) -> bool:
    """A function is started for a message, and this one is still to be made."""
    given(is_to_be_enqueued(st, task, submission))
    return st.starts[task, attempt] == 0


@always(invariant=NOT_STARTED)
def start_is_noted(st: Platform, message: Message, task: Task, attempt: Attempt) -> bool:
    """An agent notes in the store that it begins an attempt before it starts the function."""
    given(st.task_of[message] == task and not st.begun[message, attempt])
    return st.starts[task, attempt] == 0


@always(invariant=NOT_STARTED)
def begun_attempt_was_current(st: Platform, message: Message, attempt: Attempt) -> bool:
    """Only the attempt that counts is begun; after it raised, another one counts."""
    given(st.begun[message, attempt])
    return st.attempt[message] == attempt or st.attempt_failed[message, attempt]


@always(invariant=NOT_STARTED)
def current_attempt_has_not_failed(st: Platform, message: Message) -> bool:
    """The next attempt is one that was not tried before."""
    return not st.attempt_failed[message, st.attempt[message]]


@always(invariant=NOT_STARTED)
def expired_task_is_not_begun(st: Platform, message: Message, attempt: Attempt) -> bool:
    """A task expires before any agent has begun it, and what has ended is not begun."""
    given(st.outcome[message] == Outcome.EXPIRED)
    return not st.begun[message, attempt]


@always(invariant=NOT_STARTED)
def unplaced_task_is_not_started(st: Platform, message: Message, task: Task, attempt: Attempt) -> bool:
    """A function is started by the agent that the task is placed on, and its place is lost only before that."""
    given(st.task_of[message] == task and st.placed[message] is None)
    given(not st.attempt_failed[message, attempt])
    return st.starts[task, attempt] == 0


@always(invariant=NOT_STARTED)
def asked_agent_knows_what_it_started(
    st: Platform, scheduler: Scheduler, agent: Agent, message: Message, task: Task, attempt: Attempt
) -> bool:
    """The heart of it: where a request can still arrive, an empty memory means that nothing was started."""
    given(st.task_of[message] == task and st.request[scheduler, agent, message, attempt])
    given(unstarted_there(st, agent, message, attempt))
    return st.starts[task, attempt] == 0


@always(invariant=NOT_STARTED)
def agent_remembers_until_delete(st: Platform, agent: Agent, message: Message, task: Task, attempt: Attempt) -> bool:
    """An agent forgets nothing of a message that some scheduler could still be given."""
    given(st.task_of[message] == task and st.stage[message] != Stage.DELETED)
    given(unstarted_there(st, agent, message, attempt))
    given(not st.attempt_failed[message, attempt])
    return st.starts[task, attempt] == 0


@always(invariant=NOT_STARTED)
def agent_remembers_while_held(
    st: Platform, scheduler: Scheduler, agent: Agent, message: Message, task: Task, attempt: Attempt
) -> bool:
    """An agent forgets nothing of a message that some scheduler has in hand and could still ask for."""
    given(st.task_of[message] == task and st.work[scheduler, message] != Work.IDLE)
    given(unstarted_there(st, agent, message, attempt))
    given(not st.attempt_failed[message, attempt])
    return st.starts[task, attempt] == 0


@always(invariant=REAL)
def ended_attempt_was_started(st: Platform, task: Task, attempt: Attempt) -> bool:
    """Only a started function returns or raises."""
    given(st.starts[task, attempt] == 0)
    return not st.succeeded[task, attempt] and not st.raised[task, attempt]


@always(invariant=REAL)
def running_attempt_was_started(st: Platform, agent: Agent, message: Message, task: Task, attempt: Attempt) -> bool:
    """What an agent remembers as running, it started."""
    given(st.task_of[message] == task and st.memory[agent, message, attempt] == Memory.RUNNING)
    return st.starts[task, attempt] > 0


@always(invariant=REAL)
def running_attempt_has_not_ended(st: Platform, agent: Agent, message: Message, task: Task, attempt: Attempt) -> bool:
    """The only start of the attempt is the one that still runs."""
    given(st.task_of[message] == task and st.memory[agent, message, attempt] == Memory.RUNNING)
    return not st.succeeded[task, attempt] and not st.raised[task, attempt]


@always(invariant=REAL)
def remembered_success_is_real(st: Platform, agent: Agent, message: Message, task: Task, attempt: Attempt) -> bool:
    """An agent remembers a success only after the function returned."""
    given(st.task_of[message] == task and st.memory[agent, message, attempt] == Memory.DONE)
    return st.succeeded[task, attempt]


@always(invariant=REAL)
def told_success_is_real(
    st: Platform, scheduler: Scheduler, agent: Agent, message: Message, task: Task, attempt: Attempt
) -> bool:
    """An agent tells a success only after the function returned."""
    given(st.task_of[message] == task and st.reply[scheduler, agent, message, attempt] == Reply.SUCCESS)
    return st.succeeded[task, attempt]


@always(invariant=REAL)
def success_in_hand_is_real(st: Platform, scheduler: Scheduler, message: Message, task: Task, attempt: Attempt) -> bool:
    """A scheduler believes in a success only after an agent told it so, of the attempt that it waited for."""
    given(st.task_of[message] == task and st.work[scheduler, message] == Work.SUCCEEDED)
    given(st.trying[scheduler, message] == attempt)
    return st.succeeded[task, attempt]


@always(invariant=REAL)
def remembered_failure_is_real(st: Platform, agent: Agent, message: Message, task: Task, attempt: Attempt) -> bool:
    """An agent remembers a failure only after the function raised."""
    given(st.task_of[message] == task and st.memory[agent, message, attempt] == Memory.RAISED)
    return st.raised[task, attempt]


@always(invariant=REAL)
def told_failure_is_real(
    st: Platform, scheduler: Scheduler, agent: Agent, message: Message, task: Task, attempt: Attempt
) -> bool:
    """An agent tells a failure only after the function raised."""
    given(st.task_of[message] == task and st.reply[scheduler, agent, message, attempt] == Reply.FAILURE)
    return st.raised[task, attempt]


@always(invariant=REAL)
def failure_in_hand_is_real(st: Platform, scheduler: Scheduler, message: Message, task: Task, attempt: Attempt) -> bool:
    """A scheduler believes in a failure only after an agent told it so, of the attempt that it waited for."""
    given(st.task_of[message] == task and st.work[scheduler, message] == Work.RAISED)
    given(st.trying[scheduler, message] == attempt)
    return st.raised[task, attempt]


@always(invariant=REAL)
def completed_task_succeeded(st: Platform, message: Message, task: Task) -> bool:
    """The store says completed only after a scheduler had the success of the attempt that counts in hand."""
    given(st.task_of[message] == task and st.outcome[message] == Outcome.COMPLETED)
    return st.succeeded[task, st.attempt[message]]


@always(invariant=REAL)
def recorded_work_has_ended(st: Platform, scheduler: Scheduler, message: Message) -> bool:
    """A scheduler is done with a message only when the store has the end of its task."""
    given(st.work[scheduler, message] == Work.RECORDED)
    return st.outcome[message] != Outcome.OPEN


@always(invariant=RECEIPT)
def no_old_receipt_was_used(st: Platform, message: Message) -> bool:
    """The queue takes no receipt but the current one."""
    return not st.misused[message]


@always(invariant=RECEIPT)
def dead_scheduler_holds_nothing(st: Platform, scheduler: Scheduler, message: Message) -> bool:
    """What a scheduler has in hand is in its memory alone, and dies with it."""
    given(st.mode[scheduler] == Mode.DOWN)
    return st.work[scheduler, message] == Work.IDLE


def is_awake_with(st: Platform, scheduler: Scheduler, message: Message) -> bool:
    """The scheduler has the message in hand and did not sleep through the end of its lease."""
    return st.work[scheduler, message] != Work.IDLE and not st.overslept[scheduler, message]


@always(invariant=RECEIPT, broken_by=("lease_lapse", "broker_duplicate"))
def holder_has_current_receipt(st: Platform, scheduler: Scheduler, message: Message) -> bool:
    """Whoever has a message in hand renews its receipt while it runs, and notes it when it slept too long."""
    given(is_awake_with(st, scheduler, message) and st.stage[message] != Stage.DELETED)
    return st.stage[message] == Stage.INVISIBLE and st.current[message] == scheduler


@always(invariant=RECEIPT, broken_by=("lease_lapse", "broker_duplicate"))
def one_holder_is_awake(st: Platform, message: Message, one: Scheduler, other: Scheduler) -> bool:
    """A message is handed out only when it is visible, and it is visible only when nobody awake has it in hand."""
    given(is_awake_with(st, one, message) and is_awake_with(st, other, message))
    return one == other


@always(invariant=RECEIPT, broken_by=("lease_lapse", "broker_duplicate"))
def nothing_was_given_away(st: Platform, message: Message) -> bool:
    """It is noted as needless only when it is handed out while another holds it, and then nobody does."""
    return not st.needless[message]
