"""The words of the protocol: what there is any number of, and the states that things go through."""

from enum import Enum

from onceproof.model.language import Sort


class Task(Sort, symmetric=True):
    """A TaskID: what a client wants done once."""


class Submission(Sort):
    """One POST of a task by its client; one more each time that the client gives up waiting."""


class Message(Sort, symmetric=True):
    """The identity of a message in the queue; blank until one is enqueued under it."""


class Scheduler(Sort, default=2, symmetric=True):
    """A process that pulls messages and sees their tasks through."""


class Agent(Sort, default=2, symmetric=True):
    """An agent in one VM, by incarnation: one that died never comes back under its old identity."""


class User(Sort, symmetric=True):
    """A user of the platform, with a queue of their own."""


class Attempt(Sort):
    """A try of the user's function: the first, and one more for each retry after it raised."""


class Call(Enum):
    """What a client knows of one submission."""

    UNSENT, WAITING, TIMED_OUT, ACCEPTED, REFUSED = range(5)


class Post(Enum):
    """What is on the wire between a client and the API server."""

    NONE, REQUEST, SAYS_202, SAYS_400 = range(4)


class Outbox(Enum):
    """A row of the outbox: written with the record, published to the queue, marked as relayed."""

    EMPTY, PENDING, PUBLISHED, RELAYED = range(4)


class Outcome(Enum):
    """How the task of a message ended, in the task store; all but COMPLETED are the sanctioned other ends."""

    OPEN, COMPLETED, FAILED, STOPPED, EXPIRED = range(5)


class Stage(Enum):
    """The life of a message in the queue."""

    ABSENT, VISIBLE, INVISIBLE, DELETED = range(4)


class Mode(Enum):
    """How a scheduler is; one that was paused and resumed is UP and does not know what it missed."""

    UP, PAUSED, DRAINING, DOWN = range(4)


class Work(Enum):
    """How far a scheduler is with a message, in its memory alone."""

    IDLE, HELD, DISPATCHED, SUCCEEDED, RAISED, RECORDED = range(6)


class Reply(Enum):
    """An agent's reply on the wire."""

    NONE, SUCCESS, FAILURE = range(3)


class Memory(Enum):
    """What an agent remembers of an attempt."""

    BLANK, RUNNING, DONE, RAISED = range(4)
