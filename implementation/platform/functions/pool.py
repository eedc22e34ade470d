"""The processes in which an agent runs users' functions: kept for the next event, killed when they misbehave."""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

from onceproof.implementation.components.messages import Order, Result
from onceproof.implementation.platform.config import PlatformConfig
from onceproof.implementation.platform.functions import cgroups
from onceproof.implementation.platform.functions.descendants import become_subreaper, end_strangers
from onceproof.implementation.platform.functions.logs import AttemptLog, TaskLogs
from onceproof.implementation.platform.functions.runner import Runner, started
from onceproof.implementation.platform.wire.frames import Frame, pack
from onceproof.implementation.platform.wire.link import read_frame

EXIT_SECONDS = 2.0  # between a function's process closing its socket and its exit
WATCH_SECONDS = 0.5
Ended = Callable[[str, int, Result], None]


@dataclass(slots=True)
class FunctionPool:
    """At most config.slots functions at a time. ended(message, attempt, result) is called when one has ended.

    ready: called when a process is there for an attempt that it was started for. reserved: attempts, by the task, for
    which a process is there or is being started.
    lock: a descriptor that children inherit, so that a lock on it ends only when they are gone too. logs: where to put
    what attempts wrote. Whatever an attempt has started ends with it.
    """

    config: PlatformConfig
    ended: Ended
    lock: int
    logs: TaskLogs
    ready: Callable[[], None] = lambda: None
    reserved: dict[tuple[str, int], str] = field(default_factory=dict)
    running: dict[tuple[str, int], str] = field(default_factory=dict)
    idle: list[Runner] = field(default_factory=list)
    pids: set[int] = field(default_factory=set)
    _waiting: dict[tuple[str, int], Runner | OSError] = field(default_factory=dict)
    _attempts: dict[tuple[str, int], Runner] = field(default_factory=dict)
    _busy: dict[int, tuple[Runner, list[str]]] = field(default_factory=dict)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    _watch: "asyncio.Task[None] | None" = None

    def start(self, agent: str, message: str, attempt: int, order: Order) -> None:
        """Start a function; returns at once."""
        self._begin()
        self.reserved.pop((message, attempt), None)
        self.running[message, attempt] = order.task
        self._keep_task(self._execute(message, attempt, order))

    def end(self, message: str, attempt: int) -> None:
        """The attempt is to end: its process is asked to, and killed when its grace is over."""
        runner = self._attempts.pop((message, attempt), None)
        if runner is not None:
            self._keep_task(self._end_in_time(runner))

    async def _end_in_time(self, runner: Runner) -> None:
        with contextlib.suppress(ProcessLookupError):
            runner.process.terminate()
        await asyncio.sleep(self.config.stop_grace_seconds)
        if runner.process.pid in self._busy:
            runner.kill()

    def close(self) -> None:
        """Kill every process that waits for an event."""
        for runner in [*self.idle, *self._waiting.values()]:
            if isinstance(runner, Runner):
                runner.kill()
        self.idle.clear()
        self._waiting.clear()
        self.logs.close()

    def _begin(self) -> None:
        if self._watch is None:
            become_subreaper()
            cgroups.remove_leftovers()
            self._watch = asyncio.ensure_future(self._watch_limits())

    def is_ready(self, message: str, attempt: int, order: Order) -> bool:
        """Whether a process waits for this attempt. If not, one is being started, and then ready() is called."""
        key = (message, attempt)
        if key not in self.reserved:
            self._begin()
            self.reserved[key] = order.task
            runner = self._idle_runner(order.function)
            if runner is not None:
                self._waiting[key] = runner
            else:
                self._keep_task(self._reserve(key, order.function))
        return key in self._waiting

    def let_go(self, message: str, attempt: int) -> None:
        """The attempt will not be started here; its process is kept for another."""
        key = (message, attempt)
        runner = self._waiting.pop(key, None)
        if self.reserved.pop(key, None) is not None and isinstance(runner, Runner):
            self.idle.append(runner)

    async def _reserve(self, key: tuple[str, int], function: str) -> None:
        runner: Runner | OSError
        try:
            runner = await started(self.config, function, self.lock, self.pids)
        except OSError as error:
            runner = error
        if key in self.reserved:
            self._waiting[key] = runner
        elif isinstance(runner, Runner):
            self.idle.append(runner)
        self.ready()

    async def _execute(self, message: str, attempt: int, order: Order) -> None:
        try:
            result = await self._run(message, attempt, order)
        except OSError as error:
            result = Result(False, error=f"the function's process could not be started: {error.strerror}")
        self.running.pop((message, attempt), None)  # with agent_dedup off it may have been started twice
        self.ended(message, attempt, result)

    async def _run(self, message: str, attempt: int, order: Order) -> Result:
        runner = self._waiting.pop((message, attempt), None) or self._idle_runner(order.function)
        if isinstance(runner, OSError):
            raise runner
        if runner is None:
            runner = await started(self.config, order.function, self.lock, self.pids)
        over_limit: list[str] = []
        self._busy[runner.process.pid] = runner, over_limit
        runner.output.begin()
        self._attempts[message, attempt] = runner
        begin = time.time_ns()
        try:
            result = await self._result(runner, attempt, order)
        finally:
            del self._busy[runner.process.pid]
            self._attempts.pop((message, attempt), None)
        if over_limit and not result.succeeded:
            result = Result(False, error=over_limit[0])
        return replace(result, started_ns=begin, ended_ns=time.time_ns())

    async def _result(self, runner: Runner, attempt: int, order: Order) -> Result:
        """The result of one attempt; its log is kept before anybody hears of it."""
        header = {"request_id": order.request_id, "task_id": order.task_id, "attempt": attempt}
        seconds = self.config.limit(order.function, "timeout_seconds")
        runner.writer.write(pack(header, order.payload))
        try:
            frame = await asyncio.wait_for(read_frame(runner.reader), seconds)
        except TimeoutError:
            self._keep_log(runner, attempt, order)
            await self._end(runner)
            return Result(False, error=f"the function did not end within {seconds:g} s")
        if frame is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(runner.reaped(), EXIT_SECONDS)
            self._keep_log(runner, attempt, order)
            return Result(False, error=f"the function's process {await self._end(runner)}")
        if frame[0]["children"]:
            runner.end_descendants()
        self._keep_log(runner, attempt, order)
        self._keep(runner, frame)
        return Result(bool(frame[0]["succeeded"]), frame[1], str(frame[0]["error"]))

    def _keep_log(self, runner: Runner, attempt: int, order: Order) -> None:
        output = runner.output.end()
        if output:
            self.logs.put(order.task, AttemptLog(attempt, output, runner.output.written - len(output)))

    def _idle_runner(self, function: str) -> Runner | None:
        """A process that has the function, as its files are now."""
        for runner in [runner for runner in self.idle if runner.function == function]:
            self.idle.remove(runner)
            if runner.is_fresh:
                return runner
            self._keep_task(self._forget(runner))
        return None

    def _keep(self, runner: Runner, frame: Frame) -> None:
        """Keep the process for the next event, unless it left others behind; the oldest idle one makes room."""
        header = frame[0]
        runner.stamps.update({path: tuple(stamp) for path, stamp in header["files"].items()})
        if header["children"] or not header["loaded"]:
            self._keep_task(self._forget(runner))
            return
        self.idle.append(runner)
        if len(self.idle) + len(self.running) + len(self.reserved) > self.config.slots + 1:
            self._keep_task(self._forget(self.idle.pop(0)))

    async def _forget(self, runner: Runner) -> None:
        await self._end(runner)

    async def _end(self, runner: Runner) -> str:
        """Kill a process with all that it has started, wherever that is now; how it ended, as text."""
        runner.kill()
        said = await runner.reaped()
        self.pids.discard(runner.process.pid)
        self._end_orphans()
        if runner.cgroup is not None:
            runner.cgroup.kill()
            runner.cgroup.remove()
        return said

    def _end_orphans(self) -> None:
        """End what functions have started whose own process is gone: it became a child of this process."""
        for pid in end_strangers(self.pids):
            self._keep_task(self._reap_orphan(pid))

    async def _reap_orphan(self, pid: int) -> None:
        with contextlib.suppress(ChildProcessError):
            await asyncio.get_running_loop().run_in_executor(None, os.waitpid, pid, 0)

    async def _watch_limits(self) -> None:
        """Where no control group limits it: every so often, end what has started too many processes."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            for runner, over_limit in list(self._busy.values()):
                limit = int(self.config.limit(runner.function, "processes"))
                if runner.cgroup is None and not over_limit and runner.processes() > limit:
                    over_limit.append(f"the function had more than {limit} processes at once")
                    runner.kill()

    def _keep_task(self, doing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
