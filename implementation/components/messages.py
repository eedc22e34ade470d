"""What the components say to each other: orders and results, and the connections and wires that carry them."""

from dataclasses import dataclass
from typing import Protocol

from onceproof.implementation.components.task_store import Submission

REQUEST, SAYS_202, SAYS_400 = "REQUEST", "SAYS_202", "SAYS_400"


@dataclass(frozen=True, slots=True)
class Order:
    """What an agent needs to run one attempt of a task."""

    task: str
    function: str = ""
    payload: bytes = b""
    task_id: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """How an attempt ended: a value, or an error's text; and when the function started and ended (ns; 0: not known)."""

    succeeded: bool
    value: bytes = b""
    error: str = ""
    started_ns: int = 0
    ended_ns: int = 0


Exchange = tuple[str, str, str, int]
"""(scheduler, agent, message, attempt): which exchange a request or a reply belongs to."""


class Connections(Protocol):
    """The API server's side of its clients' connections."""

    def request(self, task: str, submission: str) -> Submission:
        """A submission that has arrived; NotEnabled if there is none."""
        ...

    def take(self, task: str, submission: str) -> None:
        """Take the request off the wire; its answer comes later."""
        ...

    def answer(self, task: str, submission: str, answer: str) -> None:
        """Send SAYS_202 or SAYS_400, if anybody still listens."""
        ...

    def break_all(self) -> None:
        """Every connection is lost."""
        ...


class Wire(Protocol):
    """What schedulers and agents need of the network between them."""

    def send_request(self, exchange: Exchange, order: Order) -> None:
        """Send an order to an agent."""
        ...

    def has_request(self, exchange: Exchange) -> bool:
        """Whether a request has arrived."""
        ...

    def turn_away(self, exchange: Exchange) -> None:
        """Take a request that has arrived, and let its sender know that nothing comes of it."""
        ...

    def take_request(self, exchange: Exchange) -> Order:
        """Take a request that has arrived; NotEnabled if there is none."""
        ...

    def send_reply(self, exchange: Exchange, result: Result) -> None:
        """Send a result to a scheduler."""
        ...

    def take_reply(self, exchange: Exchange) -> Result:
        """Take a reply that has arrived; NotEnabled if there is none."""
        ...
