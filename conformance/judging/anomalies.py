"""The classes of anomalies: what each means, which property of the model it breaks, and which guarantee with it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from onceproof.conformance.judging.events import Certainty, Event


class Guarantee(Enum):
    """What a history still allows one to claim, the strongest first."""

    EXACTLY_ONCE = "exactly once"
    AT_LEAST_ONCE = "at least once"
    AT_MOST_ONCE = "at most once"
    NONE = "none"

    def implies(self, other: Guarantee) -> bool:
        """Whether a system with this guarantee has the other one too."""
        return other in (self, Guarantee.NONE) or self is Guarantee.EXACTLY_ONCE


@dataclass(frozen=True)
class AnomalyClass:
    """One class. breaks_most, breaks_least: whether it contradicts "at most once", "at least once".

    property: the property of the model that it violates, by its name there. fault: which fault of the model explains it
    best where several could; "" for any.
    """

    name: str
    title: str
    meaning: str
    property: str
    breaks_most: bool = False
    breaks_least: bool = False
    fault: str = ""


# The worst first: this is the order of reports.
CLASSES = (
    AnomalyClass(
        "lost",
        "lost",
        "The task was accepted, and never started during the quiet time.",
        "no_lost_task",
        breaks_least=True,
    ),
    AnomalyClass(
        "lost_with_worker",
        "lost with its worker",
        "The worker died during the only run, and the task was never started again during the quiet time.",
        "no_lost_task",
        breaks_least=True,
        fault="agent_crash",
    ),
    AnomalyClass(
        "concurrent_starts",
        "started twice at once",
        "A second start came while the first run had not ended.",
        "at_most_once",
        breaks_most=True,
        fault="request_duplication",
    ),
    AnomalyClass(
        "sequential_starts",
        "started twice in turn",
        "The task was started again after its first run had ended.",
        "at_most_once",
        breaks_most=True,
        fault="scheduler_crash",
    ),
    AnomalyClass(
        "restarted_after_death",
        "started again after a worker's death",
        "The worker died during the first run, and the task was started again.",
        "at_most_once",
        breaks_most=True,
        fault="agent_crash",
    ),
    AnomalyClass(
        "started_again",
        "started again, first run without an end",
        "The task was started again; the log does not say how the first run ended.",
        "at_most_once",
        breaks_most=True,
    ),
    AnomalyClass(
        "started_on_two_workers",
        "started on two workers",
        "Two workers started the same attempt.",
        "at_most_once",
        breaks_most=True,
    ),
    AnomalyClass(
        "finished_twice",
        "finished twice",
        "The task came to a successful end twice.",
        "at_most_once",
        breaks_most=True,
    ),
    AnomalyClass(
        "started_though_refused",
        "started though refused",
        "Every submission was refused, and the task was started all the same.",
        "truthful_rejection",
    ),
    AnomalyClass(
        "unfinished",
        "unfinished",
        "The task was started and never came to an end during the quiet time.",
        "no_lost_task",
        breaks_least=True,
    ),
    AnomalyClass(
        "never_redelivered",
        "never redelivered",
        "The holder of the message died, and nobody received the message again.",
        "no_lost_task",
        breaks_least=True,
    ),
    AnomalyClass(
        "stuck",
        "stuck until other traffic came",
        "The task waited longer than the quiet time, and moved only when another task was submitted.",
        "message_settled",
    ),
    AnomalyClass(
        "refused_never_accepted",
        "refused though never accepted",
        "A submission was refused as known, and no submission of the task can have been accepted.",
        "truthful_rejection",
    ),
    AnomalyClass(
        "accepted_twice",
        "accepted twice",
        "Two submissions of the same TaskID were accepted.",
        "at_most_once",
        fault="response_loss",
    ),
    AnomalyClass(
        "acknowledged_unfinished",
        "acknowledged though unfinished",
        "The message was deleted before the task had ended.",
        "delete_after_completion",
    ),
    AnomalyClass(
        "stale_receipt_accepted",
        "stale receipt accepted",
        "A holder whose message had been given to another renewed or deleted it, and the queue took that.",
        "settled_by_holder",
        fault="scheduler_pause",
    ),
    AnomalyClass(
        "two_holders",
        "two holders at once",
        "A second consumer received the message while the first still acted as its holder.",
        "single_holder",
    ),
    AnomalyClass(
        "redelivered_early",
        "redelivered too early",
        "The message was given to another before the holder's lease had ended.",
        "no_needless_redelivery",
    ),
    AnomalyClass(
        "result_lost",
        "result lost",
        "The task had succeeded, and the caller saw something else.",
        "result_agreement",
    ),
    AnomalyClass(
        "result_different",
        "results differ",
        "Two different results were reported for one attempt.",
        "result_agreement",
    ),
    AnomalyClass(
        "result_before_end",
        "result before the end",
        "A caller got a result before any run had ended.",
        "result_agreement",
    ),
    AnomalyClass(
        "status_backwards",
        "status went backwards",
        "The reported state returned to an earlier one, or left a final one.",
        "result_agreement",
    ),
)
BY_NAME = {each.name: each for each in CLASSES}


@dataclass(frozen=True)
class Finding:
    """One anomaly of one task. text: what the log shows, in one sentence; events: those that show it, in order."""

    anomaly: AnomalyClass
    certainty: Certainty
    task: str
    text: str
    events: tuple[Event, ...]

    @property
    def proven(self) -> bool:
        """Whether the log shows it for certain."""
        return self.certainty is Certainty.PROVEN


def finding(
    name: str, task: str, text: str, events: list[Event | None] | list[Event], *, certain: bool = True
) -> Finding:
    """A finding of the class of this name; events that are None are left out."""
    certainty = Certainty.PROVEN if certain else Certainty.POSSIBLE
    return Finding(BY_NAME[name], certainty, task, text, tuple(event for event in events if event is not None))
