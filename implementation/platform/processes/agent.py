"""An agent's process: takes requests from schedulers, runs users' functions in child processes, sends the results.

Each agent slot has a lock file. A new incarnation registers only when it has the lock, so the one before is dead by
then, children and all: they inherit the lock. That is what makes it safe to say of an incarnation that it is gone.
"""

import asyncio
import fcntl
import os
import time
from contextlib import suppress

from onceproof.implementation.components.agent import RUNNING, Agent
from onceproof.implementation.components.messages import Exchange, Order, Result
from onceproof.implementation.components.resource_manager import ResourceManager
from onceproof.implementation.errors import NotEnabled, NotNow, StoreUnavailable
from onceproof.implementation.platform.config import PlatformConfig
from onceproof.implementation.platform.functions.logs import TaskLogs
from onceproof.implementation.platform.functions.pool import FunctionPool
from onceproof.implementation.platform.processes.base import Process
from onceproof.implementation.platform.wire.frames import pack
from onceproof.implementation.platform.wire.link import read_frame
from onceproof.implementation.platform.wire.scheduler_wire import reply_header

STOP_SECONDS = 0.2
FORGET_SECONDS = 1.0
FORGET_LOOKS = 100  # memory is in the order of starting: after so many that stay, younger ones will stay too
AWAITED = """SELECT 1 FROM runs JOIN placements ON placements.message = runs.message WHERE runs.outcome = 'OPEN'
    AND runs.begun = runs.attempt AND placements.agent = ? AND placements.incarnation = ?"""
UNSETTLED = "SELECT 1 FROM messages WHERE message = ? AND (deleted_at_ns IS NULL OR deleted_at_ns >= ?)"


class AgentWire:
    """The agent's side of the wire: requests that have arrived, and a connection to each scheduler that is there."""

    def __init__(self) -> None:
        self.requests: dict[Exchange, Order] = {}
        self.connections: dict[str, asyncio.StreamWriter] = {}

    def take_request(self, exchange: Exchange) -> Order:
        """Take a request that has arrived; NotEnabled if there is none."""
        if exchange not in self.requests:
            raise NotEnabled(f"no request {exchange} has arrived")
        return self.requests.pop(exchange)

    def send_reply(self, exchange: Exchange, result: Result) -> None:
        """Send a result, if the scheduler is connected; it asks again otherwise."""
        self.send(exchange, reply_header(result), result.value)

    def has_request(self, exchange: Exchange) -> bool:
        """Whether a request has arrived."""
        return exchange in self.requests

    def turn_away(self, exchange: Exchange) -> None:
        """Take a request, and say that nothing comes of it."""
        self.take_request(exchange)
        self.send(exchange, {"turned_away": True})

    def send(self, exchange: Exchange, header: dict[str, object], body: bytes = b"") -> None:
        """Send a frame about an exchange to its scheduler."""
        scheduler, _, message, attempt = exchange
        connection = self.connections.get(scheduler)
        if connection is not None:
            connection.write(pack({"message": message, "attempt": attempt, **header}, body))

    def send_request(self, exchange: Exchange, order: Order) -> None:
        """Agents send no requests."""
        raise NotEnabled("an agent sends no requests")

    def take_reply(self, exchange: Exchange) -> Result:
        """Agents hear no replies."""
        raise NotEnabled("an agent hears no replies")


class Starts:
    """Functions that start when the note that they were begun is on disk.

    noted: in the transaction that runs; waiting: committed, while the disk works.
    """

    def __init__(self, pool: FunctionPool) -> None:
        self.pool = pool
        self.noted: list[tuple[str, str, int, Order]] = []
        self.waiting: list[tuple[str, str, int, Order]] = []

    def start(self, agent: str, message: str, attempt: int, order: Order) -> None:
        """Start the function when its note is on disk."""
        self.noted.append((agent, message, attempt, order))

    def take_noted(self) -> None:
        """The transaction is committed."""
        self.waiting, self.noted = self.noted, []

    def start_waiting(self) -> None:
        """The notes are on disk."""
        waiting, self.waiting = self.waiting, []
        for start in waiting:
            self.pool.start(*start)

    def tasks(self) -> list[str]:
        """The tasks that run, or are about to."""
        pool, notes = self.pool, [*self.noted, *self.waiting]
        about = {(message, attempt): order.task for _, message, attempt, order in notes}
        return [*pool.running.values(), *{**pool.reserved, **about}.values()]


class AgentProcess(Process):
    """One incarnation of an agent."""

    def __init__(self, name: str, config: PlatformConfig, folder: str) -> None:
        super().__init__(name, config, folder)
        self.lock = os.open(os.path.join(config.data, f"{name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        self.wire = AgentWire()
        self.pool = FunctionPool(config, self._ended, self.lock, TaskLogs(config.data), self.bell.ring_self)
        self.starts = Starts(self.pool)
        self.agent = Agent(
            name,
            0,
            self.store,
            self.clock,
            self.wire,
            self.starts,
            self._is_settled,
            self.settings.mechanisms,
            self.probe,
        )
        self.forget_at = self.stop_at = 0.0
        self.syncing: asyncio.Task[None] | None = None
        self.drain_until: float | None = None

    async def begin(self) -> None:
        """Wait for the incarnation before to be dead, listen, and register."""
        await self.take_slot()
        manager = ResourceManager(self.store, self.clock, self.settings.mechanisms, self.probe)
        incarnation = self.agent.incarnation = self.next_incarnation()
        address = os.path.join(self.folder, f"{self.name}.{incarnation}.sock")
        await asyncio.start_unix_server(self._serve, address)
        if incarnation == 1:
            self.store.agent_boots(self.name, address)
        else:
            self.store.agent_gone(self.name, incarnation - 1)
            manager.agent_boot(self.name, address=address)
        for number in range(1, self.config.schedulers + 1):
            self.bell.ring(f"scheduler{number}")
        self.bell.ring("resources")

    async def take_slot(self) -> None:
        """Wait for the incarnation before to be dead: from then on the lock is held here."""
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.say("waiting for what is left of the incarnation before: its process, or one that a function started")
            await asyncio.get_running_loop().run_in_executor(None, fcntl.flock, self.lock, fcntl.LOCK_EX)

    def next_incarnation(self) -> int:
        """The number of this incarnation: one more than the one before had."""
        row = self.database.row("SELECT incarnation FROM agents WHERE agent = ?", self.name)
        return 1 if row is None else int(row[0]) + 1

    def turn(self) -> bool:
        """Take the requests that can be taken now; forget what nobody will ask for again."""
        self._take_requests()
        now = time.monotonic()
        if now >= self.stop_at:
            self.stop_at = now + STOP_SECONDS
            self._end_stopped()
        if now >= self.forget_at:
            self.forget_at = now + FORGET_SECONDS
            self._forget_settled()
        return False

    def finished(self) -> bool:
        """Asked to end, an agent starts nothing more, and lets what runs end and be recorded, for a while."""
        if not self.ending.is_set():
            return False
        self.drain_until = self.drain_until or time.monotonic() + self.config.drain_seconds
        return time.monotonic() > self.drain_until or not (self.starts.tasks() or self._is_awaited())

    def failed(self) -> None:
        """What was not noted was not begun, and is asked for still."""
        noted, self.starts.noted = self.starts.noted, []
        for agent, message, attempt, order in noted:
            for scheduler in self.agent.memory.pop((message, attempt)).asked:
                self.wire.requests[scheduler, agent, message, attempt] = order

    async def finish(self) -> None:
        """End idle children."""
        self.pool.close()

    def _end_stopped(self) -> None:
        """What users have stopped is to end; what has ended is said."""
        for message, attempt in self.store.stopped_here(self.name, self.agent.incarnation):
            known = self.agent.memory.get((message, attempt))
            if known is not None and known.stage == RUNNING:
                self.pool.end(message, attempt)
            else:
                self.store.stopped_ends(message, self.clock.now_ns())

    def _is_awaited(self) -> bool:
        """Whether the store waits for the end of something that was begun here."""
        try:
            return self.database.row(AWAITED, self.name, self.agent.incarnation) is not None
        except StoreUnavailable:
            return True

    def _take_requests(self) -> None:
        """Take what can be taken now; what is to start is noted in one transaction, then started."""
        new = []
        for exchange in list(self.wire.requests):
            if exchange[2:] in self.agent.memory:
                self._take_known(exchange)
            else:
                new.append(exchange)
        if not new or not (self.ending.is_set() or self.pool.reserved or self._has_room()):
            return
        with self.batch(durable=False):
            for exchange in new:
                self._take_new(exchange)
        if self.starts.noted and self.syncing is None:
            self.syncing = asyncio.ensure_future(self._start_noted())

    async def _start_noted(self) -> None:
        """Start what is noted when it is on disk; what is noted meanwhile shares the next look at the disk."""
        loop = asyncio.get_running_loop()
        while self.starts.noted:
            self.starts.take_noted()
            try:
                await loop.run_in_executor(None, self.database.make_durable)
            except StoreUnavailable as error:
                waiting, self.starts.waiting = self.starts.waiting, []
                for _, message, attempt, _ in waiting:
                    self._ended(message, attempt, Result(False, error=f"not started: {error}"))
                continue
            self.starts.start_waiting()
        self.syncing = None

    def _take_known(self, exchange: Exchange) -> None:
        scheduler, _, message, attempt = exchange
        if self.agent.memory[message, attempt].stage == RUNNING:
            self.agent.join(scheduler, message, attempt)
        else:
            self.agent.answer(scheduler, message, attempt)

    def _take_new(self, exchange: Exchange) -> None:
        scheduler, _, message, attempt = exchange
        order = self.wire.requests[exchange]
        if (message, attempt) in self.agent.memory:
            self._take_known(exchange)  # another scheduler's request has just started it
        elif not (self.ending.is_set() or (message, attempt) in self.pool.reserved or self._has_room(order)):
            pass  # it waits here
        elif not self.agent.is_wanted(message, attempt):
            self.pool.let_go(message, attempt)
            self.agent.turn_away(scheduler, message, attempt)
        elif self.ending.is_set() or self._is_too_old(message):
            self._drop(exchange)
        elif self.pool.is_ready(message, attempt, order):
            try:
                self.agent.start(scheduler, message, attempt)
            except NotNow:
                raise
            except NotEnabled:
                self._drop(exchange)

    def _is_too_old(self, message: str) -> bool:
        """Whether the task must not be started any more; the scheduler ends it."""
        run = self.store.run(message)
        return run.begun == 0 and run.expires_ns is not None and run.expires_ns <= self.clock.now_ns()

    def _drop(self, exchange: Exchange) -> None:
        """Take a request of which nothing comes here and now; the scheduler looks at it again."""
        self.pool.let_go(*exchange[2:])
        if self.probe is None:
            self.wire.turn_away(exchange)
            return
        scheduler, agent, message, attempt = exchange
        arguments = {"scheduler": scheduler, "agent": agent, "message": message, "attempt": f"attempt{attempt}"}
        self.probe.around("request_loss", arguments, lambda: self.wire.turn_away(exchange))

    def _has_room(self, order: Order | None = None) -> bool:
        """A free slot (for an order); and while others could come, one user may not take the last one."""
        tasks = self.starts.tasks()
        if order is None or len(tasks) >= self.config.slots:
            return len(tasks) < self.config.slots
        user = order.task.split("/", 1)[0]
        return sum(task.split("/", 1)[0] == user for task in tasks) < max(1, self.config.slots - 1)

    def _ended(self, message: str, attempt: int, result: Result) -> None:
        if result.succeeded:
            self.agent.finish(message, attempt, value=result.value)
        else:
            self.agent.function_failure(message, attempt, error=result.error)
        self.bell.ring_self()

    def _is_settled(self, agent: str, message: str, attempt: int) -> bool:
        """Deleted for longer than a lease: whoever held it then knows by now that its receipt is no longer valid.

        So is what was removed since, past its retention.
        """
        return self.database.row(UNSETTLED, message, self.clock.now_ns() - self.settings.lease_ns) is None

    def _forget_settled(self) -> None:
        kept = 0
        for (message, attempt), known in list(self.agent.memory.items()):
            if kept >= FORGET_LOOKS:
                return
            if known.stage != RUNNING and self._is_settled(self.name, message, attempt):
                with suppress(NotNow):
                    self.agent.forget(message, attempt)
            else:
                kept += 1

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: a hello, then requests. The resource manager's has no requests; it just holds on."""
        hello = await read_frame(reader)
        if hello is None:
            writer.close()
            return
        scheduler = hello[0].get("scheduler", "")
        if scheduler:
            self.wire.connections[scheduler] = writer
        while (frame := await read_frame(reader)) is not None:
            header, body = frame
            order = Order(header["task"], header["function"], body, header["task_id"], header["request_id"])
            self.wire.requests[scheduler, self.name, header["message"], header["attempt"]] = order
            self.bell.ring_self()
        if self.wire.connections.get(scheduler) is writer:
            del self.wire.connections[scheduler]
        writer.close()
