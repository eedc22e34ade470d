"""The platform's processes that serve all users, with the faces of the components that they hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.driver import ProcessLost
from conformance.platform.faces import Face
from implementation.errors import NotEnabled
from implementation.network import SAYS_202, SAYS_400
from implementation.platform.gate import ANY


class Api(Face):
    """The API server's process; a POST goes out when there is leave for what becomes of it."""

    admitting: Mapping[tuple[str, str], Any] = {}

    def admit(self, task: str, submission: str) -> None:
        """The POST arrives, is recorded and answered."""
        self._post("admit", task, submission, SAYS_202)

    def refuse(self, task: str, submission: str) -> None:
        """The POST arrives, and the task is known."""
        self._post("refuse", task, submission, SAYS_400)

    def api_crash(self) -> None:
        """SIGKILL; a new process takes its place at once."""
        self.remote.kill()
        self.remote.restart()
        self.core.network.break_all()

    def _post(self, action: str, task: str, submission: str, says: str) -> None:
        network = self.core.network
        network.request(task, submission)
        arguments = {**self.real({"task": task}), "submission": ANY}
        self.remote.begin(action, arguments)
        post = self.core.post(task)
        try:
            passed = self.remote.end(action, arguments)
        except ProcessLost:
            post.hang_up()  # nobody will answer
            raise
        except BaseException:
            post.answer()
            raise
        status, _ = post.answer()
        self.core.names.bind((task, submission), passed["submission"])
        answer = {202: SAYS_202, 400: SAYS_400}.get(status, f"status {status}")
        network.answer(task, submission, answer if status in (202, 400) else says)


class Relay(Face):
    """The relay's process."""

    @property
    def published(self) -> set[tuple[str, str]]:
        """The rows that it has published and not marked."""
        names = self.core.names
        return {(names.task(task), names.submission(request)) for task, request in self.remote.view or ()}

    def relay(self, task: str, submission: str, message: str) -> None:
        """A row is published, as a message of an id of its own."""
        if self.core.names.knows(message):
            raise NotEnabled(f"there is a {message} already")
        passed = self.remote.step("relay", {**self.real({"task": task, "submission": submission}), "message": ANY})
        self.core.names.bind(message, passed["message"])

    def relay_again(self, task: str, submission: str) -> None:
        """A row is found to be on the queue."""
        self.step("relay_again", {"task": task, "submission": submission})

    def mark_relayed(self, task: str, submission: str) -> None:
        """A row is marked."""
        self.step("mark_relayed", {"task": task, "submission": submission})

    def relay_crash(self) -> None:
        """SIGKILL; a new process takes its place at once."""
        self.remote.kill()
        self.remote.restart()


class Balancer(Face):
    """The load balancer's process; that a scheduler beats no more is told by its row, as if time had passed."""

    def assign(self, scheduler: str, user: str) -> None:
        """A queue gets an owner."""
        self.step("assign", {"scheduler": scheduler, "user": user})

    def withdraw(self, scheduler: str) -> None:
        """The last heartbeat does not hold any more."""
        row = "UPDATE members SET beat_until_ns = ? WHERE scheduler = ?"
        self.core.database.run(row, self.core.clock.now_ns(), scheduler)


class Resources(Face):
    """The resource manager's process."""

    def place(self, scheduler: str, message: str, agent: str) -> None:
        """An agent is chosen."""
        self.step("place", {"scheduler": scheduler, "message": message, "agent": agent})

    def replace(self, scheduler: str, message: str, agent: str) -> None:
        """Another agent is chosen."""
        self.step("replace", {"scheduler": scheduler, "message": message, "agent": agent})

    def fail_lost(self, scheduler: str, message: str) -> None:
        """The task is failed."""
        self.step("fail_lost", {"scheduler": scheduler, "message": message})
