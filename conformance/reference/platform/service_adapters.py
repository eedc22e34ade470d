"""Adapters to the processes that serve all users: API server, relay, load balancer and resource manager."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence

from onceproof.conformance.driver import DriverError, ProcessLost, StepUncertain
from onceproof.conformance.reference.platform.adapters import Adapter
from onceproof.conformance.reference.platform.harness import Harness
from onceproof.conformance.reference.platform.proxies import Post
from onceproof.conformance.reference.platform.remote import Remote
from onceproof.implementation.components.messages import SAYS_202, SAYS_400
from onceproof.implementation.errors import NotEnabled, require
from onceproof.implementation.platform.gate.gate import ANY

ANSWERS = {202: SAYS_202, 400: SAYS_400}
BEAT = "SELECT beat_until_ns FROM members WHERE scheduler = ?"
BEAT_AT = "UPDATE members SET beat_until_ns = ? WHERE scheduler = ?"


class ApiServerAdapter(Adapter):
    """The API server's process; a POST goes out when what becomes of it is permitted."""

    def __init__(self, remote: Remote, harness: Harness) -> None:
        super().__init__(remote, harness)
        self.open: dict[tuple[str, str], Post] = {}
        self.sent: dict[tuple[str, str], Post] = {}  # what was posted at once, and is taken up one by one

    @property
    def admitting(self) -> set[tuple[str, str]]:
        """What it has recorded and not enqueued (only with atomic_admission off)."""
        names = self.harness.names
        return {(names.task(task), names.submission(request)) for task, request in self.remote.view or ()}

    def admit(self, task: str, submission: str) -> None:
        """The POST arrives, is recorded and answered."""
        self._post("admit", task, submission)

    def refuse(self, task: str, submission: str) -> None:
        """The POST arrives, and the task is known."""
        self._post("refuse", task, submission)

    def api_crash(self) -> None:
        """SIGKILL; a new process takes its place at once."""
        self.forget()
        self.harness.network.break_all()

    def forget(self) -> None:
        """A new process, and nobody waits for an answer of the old one."""
        self.remote.kill()
        self.remote.restart()
        for post in self.open.values():
            post.hang_up()
        self.open.clear()

    def enqueue(self, task: str, submission: str, message: str) -> None:
        """What was recorded is put on the queue, as a message of an id of its own; then its POST is answered."""
        if self.harness.names.knows(message):
            raise NotEnabled(f"there is a {message} already")
        passed = self.remote.step(
            "enqueue", {**self.harness.real({"task": task, "submission": submission}), "message": ANY}
        )
        self.harness.names.bind(message, passed["message"])
        self._answered(self.open.pop((task, submission)), task, submission)

    def stop(self, task: str, message: str) -> None:
        """The user's request to stop a task arrives."""
        row = self.harness.observer.messages().get(message)
        require(row is not None and row.task == task, f"there is no {message} of {task}")
        arguments = self.harness.real({"task": task, "message": message})
        self.remote.begin("stop", arguments)
        post = self.harness.put_stop(task)
        try:
            self.remote.end("stop", arguments)
        finally:
            post.answer()

    def _post(self, action: str, task: str, submission: str) -> None:
        network = self.harness.network
        network.request(task, submission)
        arguments = {**self.harness.real({"task": task}), "submission": ANY}
        self.remote.begin(action, arguments)
        post = self.sent.pop((task, submission), None) or self.harness.post(task)
        try:
            passed = self.remote.end(action, arguments)
        except ProcessLost:
            with contextlib.suppress(DriverError, StepUncertain):  # it has answered before it died, or it never will
                self._answered(post, task, submission)
            raise
        except BaseException:
            post.answer()
            raise
        self.harness.names.bind((task, submission), passed["submission"])
        if self.harness.settings.mechanisms.atomic_admission or action == "refuse":
            self._answered(post, task, submission)
        else:
            network.take(task, submission)
            self.open[task, submission] = post

    def post_all(self, steps: Sequence[tuple[str, Mapping[str, str]]], remote: Remote) -> dict[tuple[str, str], Post]:
        """Permit what a process has gathered; if it is this one, all requests arrive at once."""
        remote.permit_group()
        self.sent = {}
        if remote is self.remote:
            keys = [(arguments["task"], arguments["submission"]) for _, arguments in steps]
            self.sent = {key: self.harness.post(key[0]) for key in keys}
        return dict(self.sent)

    def hear_all(self, posts: Mapping[tuple[str, str], Post]) -> None:
        """The process has died: take up what it has answered before."""
        self.sent = {}
        for (task, submission), post in posts.items():
            with contextlib.suppress(DriverError, StepUncertain):
                self._answered(post, task, submission)
            with contextlib.suppress(NotEnabled):
                self.harness.client.hear_answer(task, submission)

    def _answered(self, post: Post, task: str, submission: str) -> None:
        """The answer is on the wire; StepUncertain for one that the protocol does not have (a store that refuses)."""
        status, _ = post.answer()
        if status not in ANSWERS:
            raise StepUncertain(f"the API server answers with status {status}")
        self.harness.network.answer(task, submission, ANSWERS[status])


class RelayAdapter(Adapter):
    """The relay's process."""

    @property
    def published(self) -> set[tuple[str, str]]:
        """The rows that it has published and not marked."""
        names = self.harness.names
        return {(names.task(task), names.submission(request)) for task, request in self.remote.view or ()}

    def relay(self, task: str, submission: str, message: str) -> None:
        """A row is published, as a message of an id of its own."""
        if self.harness.names.knows(message):
            raise NotEnabled(f"there is a {message} already")
        passed = self.remote.step(
            "relay", {**self.harness.real({"task": task, "submission": submission}), "message": ANY}
        )
        self.harness.names.bind(message, passed["message"])

    def relay_again(self, task: str, submission: str) -> None:
        """A row is found to be on the queue."""
        self.permit("relay_again", {"task": task, "submission": submission})

    def mark_relayed(self, task: str, submission: str) -> None:
        """A row is marked."""
        self.permit("mark_relayed", {"task": task, "submission": submission})

    def relay_crash(self) -> None:
        """SIGKILL; a new process takes its place at once."""
        self.remote.kill()
        self.remote.restart()


class LoadBalancerAdapter(Adapter):
    """The load balancer's process; a scheduler's row says that it beats no more, as if time had passed.

    is_up: whether a scheduler is up.
    """

    def __init__(self, remote: Remote, harness: Harness, is_up: Callable[[str], bool]) -> None:
        super().__init__(remote, harness)
        self._is_up = is_up

    def assign(self, scheduler: str, user: str) -> None:
        """A queue gets an owner."""
        self.permit("assign", {"scheduler": scheduler, "user": user})

    def stale_owner(self, scheduler: str, user: str) -> None:
        """The owner's heartbeat comes too late, so its queue is given away; then it beats again, and knows nothing."""
        owner = self.harness.observer.owners().get(user)
        up = owner is not None and self._is_up(owner)
        beat = self.harness.database.row(BEAT, owner)
        if owner is None or not up or owner == scheduler or beat is None:
            raise NotEnabled(f"{user}'s queue has no other owner that is up")
        self.withdraw(owner)
        try:
            self.permit("assign", {"scheduler": scheduler, "user": user})
        finally:
            self.harness.database.run(BEAT_AT, beat[0], owner)

    def hand_over(self, scheduler: str, user: str) -> None:
        """A queue is given to another scheduler, which the gate chooses."""
        self.permit("hand_over", {"scheduler": scheduler, "user": user})

    def withdraw(self, scheduler: str) -> None:
        """The last heartbeat does not hold any more."""
        self.harness.database.run(BEAT_AT, self.harness.clock.now_ns(), scheduler)


class ResourceManagerAdapter(Adapter):
    """The resource manager's process."""

    def place(self, scheduler: str, message: str, agent: str) -> None:
        """An agent is chosen."""
        self.permit("place", {"scheduler": scheduler, "message": message, "agent": agent})

    def replace(self, scheduler: str, message: str, agent: str) -> None:
        """Another agent is chosen."""
        self.permit("replace", {"scheduler": scheduler, "message": message, "agent": agent})

    def unplace(self, scheduler: str, message: str) -> None:
        """The message loses its place."""
        self.permit("unplace", {"scheduler": scheduler, "message": message})

    def fail_lost(self, scheduler: str, message: str) -> None:
        """The task is failed."""
        self.permit("fail_lost", {"scheduler": scheduler, "message": message})
