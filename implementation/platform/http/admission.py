"""Group commits of submissions: what arrives while one commit runs shares the next one."""

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor

from onceproof.implementation.clock import Clock, RealClock
from onceproof.implementation.components.api_server import ApiServer
from onceproof.implementation.components.census import Census, Key
from onceproof.implementation.components.task_store import Submission, TaskStore
from onceproof.implementation.errors import AlreadyRecorded, NotEnabled
from onceproof.implementation.platform.config import PlatformConfig
from onceproof.implementation.platform.gate.gate import Gate
from onceproof.implementation.platform.stores import open_database, open_queue
from onceproof.implementation.platform.wire.bell import Bell
from onceproof.implementation.probe import Probe

BATCH_MAX = 200
PROBE = """INSERT INTO metrics (name, labels, value) VALUES ('probed_at', '', ?)
    ON CONFLICT (name, labels) DO UPDATE SET value = excluded.value"""


class OpenConnections:
    """The API server's side of its clients' connections: submissions at hand, and the answers that they got."""

    def __init__(self) -> None:
        self.submissions: dict[tuple[str, str], Submission] = {}
        self.answers: dict[tuple[str, str], str] = {}

    def request(self, task: str, submission: str) -> Submission:
        """A submission that has arrived; NotEnabled if there is none."""
        if (task, submission) not in self.submissions:
            raise NotEnabled(f"no request {submission} of {task}")
        return self.submissions[task, submission]

    def take(self, task: str, submission: str) -> None:
        """The request is off the wire."""
        self.submissions.pop((task, submission), None)

    def answer(self, task: str, submission: str, answer: str) -> None:
        """Note the answer; it is sent when the transaction is committed."""
        self.take(task, submission)
        self.answers[task, submission] = answer

    def break_all(self) -> None:
        """Forget everything."""
        self.submissions.clear()
        self.answers.clear()


class Admission:
    """Admits or refuses submissions in a thread of its own, which alone uses this connection to the store.

    busy: a commit runs. least: how many submissions a commit waits for; more than one only in a replay. With
    atomic_admission off, which only a replay has, nobody enqueues but who calls ``enqueue``.
    """

    def __init__(self, config: PlatformConfig, bell: Bell, probe: Probe | None) -> None:
        self.bell = bell
        self.probe = probe
        self.thread = ThreadPoolExecutor(1, "admission")
        self.database = open_database(config)
        clock: Clock = probe.clock if isinstance(probe, Gate) else RealClock()
        settings = config.core_settings()
        self.store = TaskStore(self.database, settings.mechanisms.task_id_dedup)
        self.queue = open_queue(config, self.database, clock, settings)
        self.connections = OpenConnections()
        self.api_server = ApiServer(self.store, self.queue, self.connections, clock, settings.mechanisms, probe)
        self.busy = False
        self.least = 1
        self._waiting: list[tuple[Submission, asyncio.Future[str]]] = []
        self._unanswered: dict[tuple[str, str], asyncio.Future[str]] = {}
        self._users: set[str] = set()
        self._wake = asyncio.Event()
        self._task = asyncio.ensure_future(self._commit_batches())

    async def submit(self, submission: Submission) -> str:
        """SAYS_202 when the task is on disk, SAYS_400 when it was there before; StoreUnavailable if neither."""
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append((submission, future))
        self._wake.set()
        return await future

    async def stop(self, task: str) -> bool:
        """Stop a task, now or as soon as it has a message; False if there is no such task."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self.thread, self._stop, task)
        self.bell.ring("relay")
        return found

    async def probe_store(self) -> None:
        """Write something, as a submission would; StoreUnavailable if it cannot be."""

        def probe() -> None:
            self.database.check_place()
            with self.database.transaction():
                self.database.run(PROBE, time.time())

        await asyncio.get_running_loop().run_in_executor(self.thread, probe)

    async def add_numbers(self, numbers: dict[Key, float]) -> None:
        """Add to the store's numbers; StoreUnavailable if it does not take them."""
        await asyncio.get_running_loop().run_in_executor(self.thread, Census(self.database).add, numbers)

    def close(self) -> None:
        """End the thread."""
        self._task.cancel()
        self.thread.shutdown()

    async def _commit_batches(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            if len(self._waiting) < self.least:
                self._wake.clear()
                continue
            batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
            if not self._waiting:
                self._wake.clear()
            self.busy = True
            try:
                answers = await loop.run_in_executor(self.thread, self._commit, [item[0] for item in batch])
            except Exception as error:
                self.busy = False
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            self.bell.ring("relay")
            for (submission, future), answer in zip(batch, answers, strict=True):
                if answer is None:
                    self._unanswered[submission.task, submission.submission] = future
                elif not future.done():
                    future.set_result(answer)
            self.busy = False

    async def enqueue(self, task: str, submission: str) -> None:
        """atomic_admission off: put a recorded task on the queue, then answer; NotEnabled if it was not recorded."""
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self.thread, self._enqueue, task, submission)
        future = self._unanswered.pop((task, submission), None)
        if future is not None and not future.done():
            future.set_result(answer)

    def _enqueue(self, task: str, submission: str) -> str:
        with self.queue.publishing(), self.database.transaction():
            self.api_server.enqueue(task, submission, f"{time.time_ns():016x}{os.urandom(6).hex()}")
        return self.connections.answers[task, submission]

    def _commit(self, submissions: list[Submission]) -> list[str | None]:
        """One transaction for all of them; the answers in the same order, None for what is to be enqueued first."""
        self.connections.break_all()
        if self.probe is not None:
            self.probe.hold()
        committed = False
        users = {submission.owner for submission in submissions} - self._users
        try:
            with self.database.transaction():
                for user in sorted(users):
                    self.store.put_user(user)
                for submission in submissions:
                    self._admit(submission)
            committed = True
        finally:
            if self.probe is not None:
                self.probe.release(committed)
        self._users |= users
        return [self.connections.answers.get((item.task, item.submission)) for item in submissions]

    def _admit(self, submission: Submission) -> None:
        key = (submission.task, submission.submission)
        self.connections.submissions[key] = submission
        try:
            self.api_server.admit(*key)
        except AlreadyRecorded:
            self.api_server.refuse(*key)

    def _stop(self, task: str) -> bool:
        """Note the wish first, then look for the message: the relay does it in the other order, so one sees it."""
        with self.database.transaction():
            if not self.store.ask_stop(task):
                return False
            message = self.queue.message_of(task)
            if message is not None:
                try:
                    self.api_server.stop(task, message)
                except NotEnabled:
                    return True
        return True
