"""The network in process: what was sent and not yet delivered, so that a driver decides what arrives, and how often.

Between client and API server a POST and its answer; between schedulers and agents a request and its reply. Sending
again what is still undelivered replaces it, as one connection would; a second copy comes from request_duplication.
"""

from onceproof.implementation.components.messages import (
    REQUEST,
    Exchange,
    Order,
    Result,
)
from onceproof.implementation.components.task_store import Submission
from onceproof.implementation.errors import require


class Network:
    """Both parts in one process; every message is explicit."""

    def __init__(self) -> None:
        self.submissions: dict[tuple[str, str], Submission] = {}
        self.posts: dict[tuple[str, str], str] = {}
        self.hung_up: set[tuple[str, str]] = set()
        self.requests: dict[Exchange, Order] = {}
        self.duplicates: dict[Exchange, Order] = {}
        self.replies: dict[Exchange, Result] = {}

    def post(self, submission: Submission) -> None:
        """A client sends a POST."""
        key = (submission.task, submission.submission)
        self.submissions[key] = submission
        self.posts[key] = REQUEST

    def request(self, task: str, submission: str) -> Submission:
        """The POST that was sent and has not been handled."""
        require(self.posts.get((task, submission)) == REQUEST, f"no request {submission} of {task} on the wire")
        return self.submissions[task, submission]

    def take(self, task: str, submission: str) -> None:
        """Take whatever is on the wire between this client and the API server off it."""
        self.posts.pop((task, submission), None)

    def hang_up(self, task: str, submission: str) -> None:
        """The client listens no more: an answer on the wire is lost, later ones find nobody."""
        self.hung_up.add((task, submission))
        if self.posts.get((task, submission)) != REQUEST:
            self.take(task, submission)

    def answer(self, task: str, submission: str, answer: str) -> None:
        """The API server's answer is on its way, unless the client has hung up."""
        self.take(task, submission)
        if (task, submission) not in self.hung_up:
            self.posts[task, submission] = answer

    def break_all(self) -> None:
        """Every connection between clients and the API server is lost, with what is on it."""
        self.hung_up.update(self.submissions)
        self.posts.clear()

    def send_request(self, exchange: Exchange, order: Order) -> None:
        """A scheduler sends an order to an agent."""
        self.requests[exchange] = order

    def has_request(self, exchange: Exchange) -> bool:
        """Whether a request is on the wire."""
        return exchange in self.requests

    def turn_away(self, exchange: Exchange) -> None:
        """Deliver a request of which nothing comes."""
        self.take_request(exchange)

    def take_request(self, exchange: Exchange) -> Order:
        """Deliver a request; of two copies one stays on the wire."""
        require(exchange in self.requests, f"no request {exchange} on the wire")
        return self.duplicates.pop(exchange) if exchange in self.duplicates else self.requests.pop(exchange)

    def send_reply(self, exchange: Exchange, result: Result) -> None:
        """An agent sends a result to a scheduler."""
        self.replies[exchange] = result

    def take_reply(self, exchange: Exchange) -> Result:
        """Deliver a reply."""
        require(exchange in self.replies, f"no reply {exchange} on the wire")
        return self.replies.pop(exchange)

    def duplicate_request(self, exchange: Exchange) -> None:
        """A second copy of a request that is on the wire."""
        require(exchange in self.requests, f"no request {exchange} on the wire")
        require(exchange not in self.duplicates, f"request {exchange} has a second copy already")
        self.duplicates[exchange] = self.requests[exchange]

    def lose_request(self, exchange: Exchange) -> None:
        """A request is lost; of two copies one stays on the wire."""
        self.take_request(exchange)

    def lose_reply(self, exchange: Exchange) -> None:
        """A reply is lost."""
        self.take_reply(exchange)

    def drop_scheduler(self, scheduler: str) -> None:
        """The scheduler is gone: replies on the wire to it are lost; requests it sent may still arrive."""
        for exchange in [key for key in self.replies if key[0] == scheduler]:
            del self.replies[exchange]

    def open_exchanges(self, agent: str) -> set[tuple[str, str, int]]:
        """(scheduler, message, attempt) of requests and replies on the wire to or from the agent."""
        exchanges = [key for undelivered in (self.requests, self.replies) for key in undelivered if key[1] == agent]
        return {(scheduler, message, attempt) for scheduler, _, message, attempt in exchanges}

    def drop_agent(self, agent: str) -> None:
        """The agent is gone: its connections break, and all that is on them is lost."""
        for undelivered in (self.requests, self.duplicates, self.replies):
            for exchange in [key for key in undelivered if key[1] == agent]:
                del undelivered[exchange]

    def reset(self) -> None:
        """Nothing on any wire."""
        for state in (self.submissions, self.posts, self.hung_up, self.requests, self.duplicates, self.replies):
            state.clear()
