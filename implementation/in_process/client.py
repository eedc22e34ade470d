"""A client of the platform: it submits a task, waits, and after a time-out may submit the same task again."""

from onceproof.implementation.components.messages import SAYS_202, SAYS_400
from onceproof.implementation.components.task_store import Submission
from onceproof.implementation.errors import require
from onceproof.implementation.in_process.contents import FUNCTION, payload_of
from onceproof.implementation.in_process.network import Network
from onceproof.implementation.probe import Probe, action

UNSENT, WAITING, TIMED_OUT, ACCEPTED, REFUSED = "UNSENT", "WAITING", "TIMED_OUT", "ACCEPTED", "REFUSED"


class Client:
    """What all clients know: for each (task, submission) that was sent, what became of the call.

    users: how many users there are; task i belongs to user ((i - 1) mod users) + 1. attempts: tries of each task.
    """

    def __init__(self, network: Network, users: int, attempts: int, probe: Probe | None = None) -> None:
        self.network = network
        self.users = users
        self.attempts = attempts
        self.probe = probe
        self.identity: dict[str, str] = {}
        self.calls: dict[tuple[str, str], str] = {}

    def call(self, task: str, submission: str) -> str:
        """What the client knows of this call: UNSENT, WAITING, TIMED_OUT, ACCEPTED or REFUSED."""
        return self.calls.get((task, submission), UNSENT)

    def owner(self, task: str) -> str:
        """The user that a task named like task3 belongs to."""
        return f"user{(int(task.removeprefix('task')) - 1) % self.users + 1}"

    def submission(self, task: str, submission: str) -> Submission:
        """What a POST of the task says."""
        return Submission(task, submission, self.owner(task), FUNCTION, task, payload_of(task), self.attempts)

    @action
    def submit(self, task: str, submission: str) -> None:
        """Send a POST; only after every earlier one of this task has timed out."""
        require(self.call(task, submission) == UNSENT, f"{submission} of {task} was sent already")
        for earlier in range(1, int(submission.removeprefix("submission"))):
            require(self.call(task, f"submission{earlier}") == TIMED_OUT, f"submission{earlier} has not timed out")
        self.calls[task, submission] = WAITING
        self.network.post(self.submission(task, submission))

    @action
    def hear_answer(self, task: str, submission: str) -> None:
        """The answer arrives: 202 is accepted, 400 says that the platform has the task already."""
        answer = self.network.posts.get((task, submission))
        require(answer in (SAYS_202, SAYS_400), f"no answer to {submission} of {task} on the wire")
        self.calls[task, submission] = ACCEPTED if answer == SAYS_202 else REFUSED
        self.network.take(task, submission)

    @action
    def response_loss(self, task: str, submission: str) -> None:
        """The client's time-out: an answer on the wire finds nobody; a request on the wire may still be handled."""
        require(self.call(task, submission) == WAITING, f"{submission} of {task} does not wait")
        self.calls[task, submission] = TIMED_OUT
        self.network.hang_up(task, submission)

    @action
    def request_loss_at_api(self, task: str, submission: str) -> None:
        """The request never reaches the API server; a waiting client times out."""
        self.network.request(task, submission)
        self.network.take(task, submission)
        self.connection_lost(task, submission)

    def connection_lost(self, task: str, submission: str) -> None:
        """A waiting client can only conclude that it does not know."""
        if self.call(task, submission) == WAITING:
            self.calls[task, submission] = TIMED_OUT

    def all_connections_lost(self) -> None:
        """The API server died: every waiting client times out."""
        for task, submission in list(self.calls):
            self.connection_lost(task, submission)

    def reset(self) -> None:
        """Nothing was ever sent."""
        self.calls.clear()
