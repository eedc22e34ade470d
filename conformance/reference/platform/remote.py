"""A process of the platform as the dispatcher sees it: it gets a permit, and reports what it did with it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from onceproof.conformance.driver import DriverError, ProcessLost, StepUncalled
from onceproof.conformance.reference.liveness_pipe import LivenessPipe
from onceproof.implementation.errors import NotEnabled
from onceproof.implementation.platform.config import PlatformConfig
from onceproof.implementation.platform.gate.gate import ANY, LOOK, Control
from onceproof.implementation.platform.isolation import isolated
from onceproof.implementation.platform.wire.frames import pack, receive_frame

ANSWER_SECONDS = 10.0
Passed = Mapping[str, Any]
LOOKING = pack({"action": LOOK})


class ProcessFailed(Exception):
    """A component ended an action with an exception that is not a refusal."""


class Gathered(Exception):
    """A permit was noted that is to go out with others."""


class Group:
    """Actions that one process is permitted together. wanted: what was gathered; passed: what it then did."""

    def __init__(self) -> None:
        self.wanted: list[tuple[str, dict[str, str]]] = []
        self.passed: list[tuple[str, dict[str, Any]]] = []
        self.performed = False

    def gather(self, action: str, arguments: Mapping[str, str]) -> None:
        """Note a permit; raises Gathered."""
        self.wanted.append((action, dict(arguments)))
        raise Gathered

    def take(self, action: str, arguments: Mapping[str, str]) -> Passed:
        """What an action had for arguments when it was done; NotEnabled: it was not."""
        for one in self.passed:
            if one[0] == action and _matches(arguments, one[1]):
                self.passed.remove(one)
                return one[1]
        raise NotEnabled(f"`{action}` was not done together with the others")

    def is_of(self, place: int, action: str, arguments: Mapping[str, Any]) -> bool:
        """Whether what was done is what was gathered in this place."""
        return self.wanted[place][0] == action and _matches(self.wanted[place][1], arguments)


class ForkServer:
    """Forks the processes of platforms, and takes each one's connection to the gate.

    folder: for its log and its gate.
    """

    def __init__(self, folder: str) -> None:
        self.log, self.gate = f"{folder}/log.ndjson", f"{folder}/gate"
        self._failed = False
        for path in (self.log, self.gate):
            Path(path).unlink(missing_ok=True)
        self._gate = socket.socket(socket.AF_UNIX)
        self._gate.bind(self.gate)
        self._gate.listen(64)
        self._gate.settimeout(30)
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        module = "onceproof.conformance.reference.platform.fork_server"
        command = isolated(module, str(theirs.fileno()), self.log)
        self._liveness_pipe = LivenessPipe()
        inherited = [theirs.fileno(), self._liveness_pipe.held]
        self._process = subprocess.Popen(command, pass_fds=inherited, start_new_session=True)
        self._liveness_pipe.hand_over()
        theirs.close()
        self._control.settimeout(60)

    @property
    def sound(self) -> bool:
        """Whether it runs, and no fork has failed: after a failed one a process may still be on its way to the gate."""
        return not self._failed and self._process.poll() is None

    def fork(
        self, role: str, name: str, config: PlatformConfig, mutant: str, listener: socket.socket | None
    ) -> tuple[int, socket.socket]:
        """A new process of a platform: its id, and its connection to the gate. mutant: how it is broken, or ""."""
        request = {"role": role, "name": name, "folder": config.data, "mutant": mutant, "config": config.to_json()}
        data = json.dumps(request).encode()
        self._failed = True
        try:
            socket.send_fds(self._control, [data], [listener.fileno()] if listener is not None else [])
            child = int(self._control.recv(64))
            connection, _ = self._gate.accept()
            connection.settimeout(ANSWER_SECONDS)
            hello = receive_frame(connection)
        except (OSError, ValueError) as error:  # a dead fork server answers with nothing, which is not a number
            raise DriverError(
                f"{name} could not be started: {error}; the last line of its log: {self.last_log_line()}"
            ) from None
        if hello is None or hello[0]["process"] != name:
            raise DriverError(f"{name} was started, but {hello[0]['process'] if hello else 'nobody'} came to the gate")
        self._failed = False
        return child, connection

    def last_log_line(self) -> str:
        """The last line of the processes' log."""
        with contextlib.suppress(OSError, IndexError):
            return Path(self.log).read_text(encoding="utf-8").splitlines()[-1]
        return "(nothing)"

    def close(self) -> None:
        """End it, and with it all that it has forked: nobody writes into their folders any more."""
        self._control.close()
        self._gate.close()
        self._process.kill()
        self._process.wait()
        self._liveness_pipe.await_end()


class Remote:
    """One process under the gate. SIGKILL ends it, SIGSTOP and SIGCONT pause and resume it; ``view`` is its memory."""

    def __init__(self, name: str, now: Callable[[], int], fork: Callable[[], tuple[int, socket.socket]]) -> None:
        self.name, self._now, self._fork = name, now, fork
        self.stopped = False
        self.interrupt: tuple[str, int] | None = None  # how the next action is to be interrupted, and at which point
        self.group: Group | None = None  # where actions are gathered, to be permitted together
        self.interrupted = False  # whether the last one was, and it lives
        self.view: Any = None
        self.child, self.connection = self._fork()
        self.alive = True

    def control(self, control: Control, **arguments: Any) -> None:
        """Have the process do what time or the network would do to it. A stopped process is woken for that time."""
        if self.stopped:
            os.kill(self.child, signal.SIGCONT)
        self._send({"action": control, "arguments": arguments, "probed": False, "now": self._now()})
        done = self._receive(control)
        if self.stopped:
            os.kill(self.child, signal.SIGSTOP)
        if done["passed"]:
            raise StepUncalled(f"{self.name} had no permit and did {', '.join(name for name, _ in done['passed'])}")
        self._check(control, done)

    def step(self, action: str, arguments: Mapping[str, str], **given: Any) -> Passed:
        """Permit an action; the arguments that it then had. NotEnabled: it was not taken.

        ProcessLost: the process died, or did not answer in time. StepUncalled: it did what was not permitted.
        """
        self.begin(action, arguments, **given)
        return self.end(action, arguments)

    def perform_group(self) -> None:
        """Wait for what was permitted by ``permit_group``."""
        assert self.group is not None
        done = self._receive(self.group.wanted[0][0])
        self.group.performed = True
        self.group.passed = [(name, arguments) for name, arguments in done["passed"]]
        self._check(self.group.wanted[0][0], done)
        if not self.group.passed:
            raise NotEnabled(done["refused"] or f"{self.name} did none of these actions")

    def permit_group(self) -> None:
        """Permit all that was gathered, together."""
        assert self.group is not None
        (action, arguments), *also = self.group.wanted
        given = {"interrupt": self.interrupt} if self.interrupt is not None else {}
        permit = {"action": action, "arguments": arguments, "also": also, "probed": True, "now": self._now()}
        self._send({**permit, **given})

    def begin(self, action: str, arguments: Mapping[str, str], **given: Any) -> None:
        """The first half of a step: the permit is on its way, and something else may have to happen."""
        if self.group is not None:
            if not self.group.performed:
                self.group.gather(action, arguments)
            return
        if self.interrupt is not None:
            given["interrupt"] = self.interrupt
        self._send({"action": action, "arguments": dict(arguments), "probed": True, "now": self._now(), **given})

    def end(self, action: str, arguments: Mapping[str, str]) -> Passed:
        """The second half: what became of it."""
        if self.group is not None:
            return self.group.take(action, arguments)
        done = self._receive(action)
        passed: list[tuple[str, dict[str, Any]]] = done["passed"]
        right = [names for name, names in passed if name == action and _matches(arguments, names)]
        if len(passed) > len(right) or len(right) > 1:
            raise StepUncalled(f"{self.name} was permitted `{action}` and did {', '.join(name for name, _ in passed)}")
        self._check(action, done)
        if not right:
            raise NotEnabled(done["refused"] or f"{self.name} did not do `{action}`")
        return right[0]

    def begin_look(self) -> bool:
        """Ask for its memory as it is now; whether there is something to hear of it.

        A stopped process remembers what it did; one that has no memory need only live.
        """
        if self.stopped or not self.alive:
            return False
        if self.view is None:
            return bool(select.select([self.connection], [], [], 0)[0])
        with contextlib.suppress(OSError):  # that it is dead, the second half finds
            self.connection.sendall(LOOKING)
        return True

    def end_look(self) -> None:
        """The second half: ``view`` is its memory. ProcessLost: it died, or does not answer, and nobody killed it."""
        self._receive(LOOK)

    def kill(self) -> None:
        """SIGKILL, and wait until the process is gone: its end of the connection closes."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.child, signal.SIGKILL)
        self.stopped = self.alive = False
        with contextlib.suppress(OSError):
            while receive_frame(self.connection) is not None:
                pass
        self.connection.close()

    def restart(self) -> None:
        """A new process in the place of a killed one."""
        self.child, self.connection = self._fork()
        self.view, self.alive = None, True

    def stop(self) -> None:
        """SIGSTOP."""
        os.kill(self.child, signal.SIGSTOP)
        self.stopped = True

    def resume(self) -> None:
        """SIGCONT."""
        os.kill(self.child, signal.SIGCONT)
        self.stopped = False

    def _check(self, call: str, done: Mapping[str, Any]) -> None:
        if done["failed"] is not None:
            raise ProcessFailed(f"{self.name} failed at `{call}`: {done['failed']}")

    def _send(self, permit: dict[str, Any]) -> None:
        try:
            self.connection.sendall(pack(permit))
        except OSError:
            self.kill()
            raise ProcessLost(f"{self.name} died before it was permitted `{permit['action']}`") from None

    def _receive(self, call: str) -> dict[str, Any]:
        self.connection.settimeout(ANSWER_SECONDS)
        task = f"do `{call}`" if call != LOOK else "show its memory"
        try:
            self.connection.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            self.kill()
            raise ProcessLost(f"{self.name} did not {task} in {ANSWER_SECONDS:g} s") from None
        except OSError:
            pass
        frame = receive_frame(self.connection)
        if frame is None:
            self.kill()
            raise ProcessLost(f"{self.name} died" + (f" when it was permitted `{call}`" if call != LOOK else ""))
        self.view = frame[0]["view"]
        self.interrupted = frame[0].get("interrupted", False)
        return frame[0]


def _matches(wanted: Mapping[str, str], found: Mapping[str, Any]) -> bool:
    return all(value in (ANY, found.get(key)) for key, value in wanted.items())
