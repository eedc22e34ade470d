"""Components that live in other processes, with the faces of their own: every call is leave for one action there."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Protocol

from conformance.driver import DriverError, StepRefused, StepUncalled
from conformance.leash import Leash
from conformance.processes.host import RESET, Done, Leave
from implementation.errors import NotEnabled, require
from implementation.scheduler import Work
from implementation.settings import Settings

ANSWER_SECONDS = 10.0


class ProcessFailed(Exception):
    """A component ended an action with an exception that is no refusal."""


class Nursery:
    """The process that forks the others."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "conformance.processes.nursery", str(theirs.fileno())]
        self._leash = Leash()
        inherited = [theirs.fileno(), self._leash.held]
        self._process = subprocess.Popen(command, pass_fds=inherited, start_new_session=True)
        self._leash.hand_over()
        theirs.close()
        self._socket.settimeout(60)

    def fork(self, kind: str, name: str, path: str, settings: Settings) -> tuple[int, Connection]:
        """A new process with a component: its id, and the connection to it."""
        ours, theirs = socket.socketpair()
        try:
            socket.send_fds(self._socket, [pickle.dumps((kind, name, path, settings))], [theirs.fileno()])
            child: int = pickle.loads(self._socket.recv(65536))
        except OSError as error:
            raise DriverError(f"no process for {name}: {error}") from None
        finally:
            theirs.close()
        return child, Connection(ours.detach())

    def close(self) -> None:
        """End it, and with it all that it has forked."""
        self._socket.close()
        self._process.kill()
        self._process.wait()
        self._leash.await_end()


class World(Protocol):
    """What a remote component needs of the whole: the time, and somewhere for its effects to go."""

    def now_ns(self) -> int:
        """The time now."""
        ...

    def apply(self, effect: str, values: tuple[Any, ...]) -> None:
        """Do to the network or the ledger what a component did."""
        ...


class Remote:
    """One process. SIGKILL ends it, SIGSTOP and SIGCONT pause and resume it; ``view`` is its memory as last told."""

    def __init__(self, nursery: Nursery, kind: str, name: str, path: str, settings: Settings, world: World) -> None:
        self._fork: Callable[[], tuple[int, Connection]] = lambda: nursery.fork(kind, name, path, settings)
        self.kind, self.name, self.world = kind, name, world
        self.stopped = False
        self.child, self.connection = self._fork()
        self.view: Any = None
        self.call(RESET)

    def call(self, name: str, given: dict[str, Any] | None = None, **arguments: Any) -> None:
        """Give leave for one call, and apply its effects. NotEnabled as it says.

        StepRefused: the process died, or did not answer in time. StepUncalled: it did what it had no leave for.
        ProcessFailed: it ended with another exception.

        A process that is stopped is woken for as long as the call takes.
        """
        if self.stopped:
            os.kill(self.child, signal.SIGCONT)
        done = self._exchange(Leave(name, arguments, self.world.now_ns(), given or {}))
        if self.stopped:
            os.kill(self.child, signal.SIGSTOP)
        self.view = done.view
        if any(passed != name for passed in done.passed):
            raise StepUncalled(f"{self.name} had leave for `{name}` and did {', '.join(done.passed)}")
        if done.failed is not None:
            raise ProcessFailed(f"{self.name} failed at `{name}`: {done.failed}")
        if done.refused is not None:
            raise NotEnabled(done.refused)
        for effect, values in done.effects:
            self.world.apply(effect, values)

    def kill(self) -> None:
        """SIGKILL, and wait until the process is gone: its end of the connection closes."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.child, signal.SIGKILL)
        self.stopped = False
        with contextlib.suppress(EOFError, OSError):
            if not self.connection.poll(ANSWER_SECONDS):
                raise DriverError(f"{self.name} is still there {ANSWER_SECONDS:g} s after SIGKILL")
            while True:
                self.connection.recv()
        self.connection.close()

    def restart(self) -> None:
        """A new process in the place of a killed one."""
        self.child, self.connection = self._fork()
        self.call(RESET)

    def stop(self) -> None:
        """SIGSTOP."""
        os.kill(self.child, signal.SIGSTOP)
        self.stopped = True

    def resume(self) -> None:
        """SIGCONT."""
        os.kill(self.child, signal.SIGCONT)
        self.stopped = False

    def _exchange(self, leave: Leave) -> Done:
        try:
            self.connection.send(leave)
            if not self.connection.poll(ANSWER_SECONDS):
                raise StepRefused(f"{self.name} did not do `{leave.call}` in {ANSWER_SECONDS:g} s")
            done: Done = self.connection.recv()
        except (EOFError, OSError):
            raise StepRefused(f"{self.name} died when it had leave for `{leave.call}`") from None
        return done


class RemoteScheduler:
    """A scheduler's process; whether it is there, and whether it is stopped, is known here."""

    def __init__(self, remote: Remote) -> None:
        self.remote, self.name = remote, remote.name
        self._absent = ""

    @property
    def mode(self) -> str:
        """UP, PAUSED, DRAINING or DOWN."""
        return self._absent or str(self.remote.view[0])

    @property
    def works(self) -> dict[str, Work]:
        """What it has in hand."""
        return {} if self._absent == "DOWN" else dict(self.remote.view[1])

    @property
    def epochs(self) -> dict[str, int]:
        """The queues that it takes for its own."""
        return {} if self._absent == "DOWN" else dict(self.remote.view[2])

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Any other action: by the process, if it runs."""

        def act(**arguments: Any) -> None:
            require(not self._absent, f"{self.name} is {self._absent}")
            given = {}
            if name == "hear":
                exchange = (self.name, arguments["agent"], arguments["message"], arguments["attempt"])
                given["result"] = self.remote.world.network.replies.get(exchange)  # type: ignore[attr-defined]
            self.remote.call(name, given, **arguments)

        return act

    def learn(self, user: str) -> None:
        """Hear that it owns the user's queue now."""
        self.remote.call("learn", user=user)

    def timed_out(self, message: str, attempt: int) -> None:
        """Its wait is over, or its connection broke; a stopped process finds that when it wakes."""
        if self._absent != "DOWN":
            self.remote.call("timed_out", message=message, attempt=attempt)

    def settled(self, message: str) -> None:
        """The resource manager has ended the task."""
        self.remote.call("settled", message=message)

    def require_held(self, message: str) -> None:
        """NotEnabled unless it runs and holds the message."""
        work = self.works.get(message)
        require(not self._absent and work is not None and work.stage == "HELD", f"{self.name} does not hold {message}")

    def scheduler_crash(self) -> None:
        """SIGKILL."""
        require(self._absent != "DOWN", f"{self.name} is down")
        self.remote.kill()
        self._absent = "DOWN"

    def scheduler_restart(self) -> None:
        """A new process, which starts as the old one did."""
        require(self._absent == "DOWN", f"{self.name} is not down")
        self.remote.restart()
        self.remote.call("scheduler_crash")  # it is down until it has started
        self.remote.call("scheduler_restart")
        self._absent = ""

    def scheduler_pause(self) -> None:
        """SIGSTOP."""
        require(self.mode == "UP", f"{self.name} is {self.mode}")
        self.remote.stop()
        self._absent = "PAUSED"

    def scheduler_resume(self) -> None:
        """SIGCONT; the first thing that it does is to beat."""
        require(self._absent == "PAUSED", f"{self.name} is not paused")
        self.remote.resume()
        self.remote.call("scheduler_pause")  # what it was in, and did not notice
        self.remote.call("scheduler_resume")
        self._absent = ""

    def scheduler_upgrade(self) -> None:
        """SIGTERM's part: it drains, or it is killed at once."""
        require(not self._absent, f"{self.name} is {self._absent}")
        self.remote.call("scheduler_upgrade")
        self._end_if_down()

    def upgrade_finish(self) -> None:
        """It has drained, and ends."""
        require(not self._absent, f"{self.name} is {self._absent}")
        self.remote.call("upgrade_finish")
        self._end_if_down()

    def _end_if_down(self) -> None:
        if self.remote.view[0] == "DOWN":
            self.remote.kill()
            self._absent = "DOWN"
