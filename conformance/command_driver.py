"""Drives any system through a program that speaks newline-delimited JSON (see PROTOCOL.md): every way in which such a
program can go wrong becomes a DriverError that says what was received and what was expected, within a bounded time."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shlex
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import IO, Any

from onceproof.conformance.answers import NO_INTERRUPTIONS, interruptions, misplaced
from onceproof.conformance.driver import (
    Abilities,
    Driver,
    DriverError,
    DriverSilent,
    Interruption,
    Observation,
    StepRefused,
    StepUncertain,
    WrongData,
)
from onceproof.driver.processes import signal_tree
from onceproof.model.checker.deadline import OutOfTime, time_left

VERSION = 1
ANSWER_SECONDS = 10.0
QUIT_SECONDS = 2.0  # from `quit` to the end of the driver
LINE_BYTES = 4_000_000  # the longest answer that is read
MOST_SETTLING = 60.0  # seconds for which a driver may ask to look again
STDERR_LINES = 5  # of the driver, that an error message quotes
END = b""  # in place of a line: the driver's output has ended


class ProcessDriver(Driver):
    """A driver in a process of its own.

    command: as a shell would split it. answer_seconds: how long an answer may take. DriverError where it can't start.
    """

    def __init__(self, command: str, answer_seconds: float = ANSWER_SECONDS) -> None:
        self.command, self.answer_seconds = command, answer_seconds
        self.interruptions = NO_INTERRUPTIONS
        self._launch()

    def restart(self) -> None:
        """End the process with all that it has started, and start the command again. DriverError where it can't."""
        self.kill()
        self._launch()

    def _launch(self) -> None:
        self._number = 0
        self._closed = False
        self._received: queue.Queue[bytes] = queue.Queue(maxsize=1000)
        self._stderr_lines: deque[str] = deque(maxlen=STDERR_LINES)
        try:
            arguments = shlex.split(self.command)
            if not arguments:
                raise ValueError("the command is empty")
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(arguments, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise DriverError(f"the driver `{self.command}` cannot be started: {str(reason).lower()}") from None
        out, err = self._process.stdout, self._process.stderr
        threading.Thread(target=self._read, args=(out, self._received), daemon=True).start()
        threading.Thread(target=self._drain, args=(err, self._stderr_lines), daemon=True).start()

    def reset(self, setting: Mapping[str, Any]) -> Abilities:
        answer = self._ask({"do": "reset", "protocol": VERSION, "setting": setting})
        if not answer["ok"]:
            raise DriverError(f"the driver could not reset: {answer['error']}")
        self.interruptions = interruptions(answer.get("interruptions", {}))
        version = answer.get("protocol")
        if version != VERSION:
            raise DriverError(f"the driver speaks protocol {version!r}, expected {VERSION}")
        return self._abilities(answer)

    def step(self, action: str, arguments: Mapping[str, str]) -> None:
        answer = self._ask({"do": "step", "action": action, "arguments": arguments})
        if answer["ok"]:
            return
        if answer["definite"]:
            raise StepRefused(answer["error"])
        raise StepUncertain(answer["error"])

    def interrupt(self, action: str, arguments: Mapping[str, str], how: Interruption, point: int) -> bool:
        """Perform an action with an interruption at a point, if it has so many; whether it has."""
        request = {"do": "interrupt", "action": action, "arguments": arguments, "how": how.value, "point": point}
        answer = self._ask(request)
        if not answer["ok"]:
            raise (StepRefused if answer["definite"] else StepUncertain)(answer["error"])
        if type(answer.get("interrupted")) is not bool:
            said = json.dumps(answer.get("interrupted"))
            raise DriverError(f'the driver answered an interruption with {said}, expected "interrupted": true or false')
        return bool(answer["interrupted"])

    def observe(self) -> Observation:
        answer = self._ask({"do": "observe"})
        if not answer["ok"]:
            raise DriverError(f"the driver could not observe: {answer['error']}")
        state = answer.get("state")
        if not isinstance(state, dict):
            raise DriverError(f'the driver observed {json.dumps(state)}, expected "state": {{field: {{key: value}}}}')
        if wrong := misplaced(answer.get("data", {})):
            raise WrongData(wrong, state)
        return state

    def close(self) -> None:
        if self._closed:
            return
        until = time.monotonic() + QUIT_SECONDS
        with contextlib.suppress(DriverError, OutOfTime, subprocess.TimeoutExpired):
            self._ask({"do": "quit"}, seconds=QUIT_SECONDS)
            self._process.wait(max(0.0, until - time.monotonic()))
        self.kill()

    def quit(self) -> int:
        """Ask the driver to end; its exit status. DriverError where it writes more than one answer, or does not end."""
        self._ask({"do": "quit"})
        with contextlib.suppress(OSError, ValueError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        line = self._next(time.monotonic() + self.answer_seconds, "its end")
        if line is not END:
            raise DriverError(f"after its answer to quit the driver wrote {shown(line)}, expected its end")
        try:
            return self._process.wait(self.answer_seconds)
        except subprocess.TimeoutExpired:
            raise DriverError(
                f"the driver has not ended {self.answer_seconds:g} s after it was asked to quit"
            ) from None

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Send any request, and return its answer as it is. DriverError where the answer breaks the protocol."""
        return self._ask(request)

    def kill(self) -> None:
        """End the process and all that it has started, at once."""
        self._closed = True
        signal_tree(self._process.pid, signal.SIGKILL, alive=self._process.poll() is None)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        with contextlib.suppress(OSError, ValueError):
            assert self._process.stdin is not None
            self._process.stdin.close()

    def _ask(self, request: Mapping[str, Any], seconds: float | None = None) -> dict[str, Any]:
        if self._closed:
            raise DriverError("the driver was closed")
        what = request["do"] if request["do"] != "step" else f"step {request['action']}"
        if not self._received.empty():
            early = self._received.get()
            if early is not END:
                raise DriverError(f"before {what} was asked the driver wrote {shown(early)}, expected nothing")
            raise DriverError(self._gone(what))
        self._number += 1
        line = json.dumps({"id": self._number, **request}, separators=(",", ":")).encode() + b"\n"
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except (OSError, ValueError):
            raise DriverError(self._gone(what)) from None
        received = self._next(time.monotonic() + (seconds or self.answer_seconds), f"an answer to {what}")
        if received is END:
            raise DriverError(self._gone(what))
        return self._checked(received, what)

    def _next(self, until: float, expected: str) -> bytes:
        left = time_left()
        end = until if left is None else min(until, time.monotonic() + left)
        try:
            return self._received.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            if end < until:
                self.kill()  # it would answer too late, and out of turn
                raise OutOfTime from None
            text = f"the driver wrote nothing for {self.answer_seconds:g} s, expected {expected}"
            raise DriverSilent(text + self._said()) from None

    def _checked(self, line: bytes, what: str) -> dict[str, Any]:
        """The answer in a line; DriverError where it does not answer the request that was sent last."""
        expected = f'expected {{"id": {self._number}, "ok": true or false, ...}} as the answer to {what}'
        if not line.endswith(b"\n"):
            raise DriverError(f"the driver wrote {shown(line)} without an end of line, {expected}")
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            raise DriverError(f"the driver wrote {shown(line)}, which is not JSON; {expected}") from None
        if not isinstance(answer, dict) or type(answer.get("ok")) is not bool:
            raise DriverError(f"the driver wrote {shown(line)}, {expected}")
        number = answer.get("id")
        if number != self._number or type(number) is not int:
            late = type(number) is int and 0 < number < self._number
            why = " (the answer was given twice, or too late)" if late else ""
            raise DriverError(f"the driver answered request {json.dumps(number)}{why}, {expected}")
        if not answer["ok"]:
            if not isinstance(answer.get("error"), str):
                raise DriverError(f'the driver refused without a reason: {shown(line)}, expected "error": text')
            if type(answer.setdefault("definite", what == "reset" or what == "observe")) is not bool:
                raise DriverError(f'the driver wrote {shown(line)}, expected "definite": true or false')
        return answer

    def _abilities(self, answer: Mapping[str, Any]) -> Abilities:
        sets = {key: frozenset(self._names(answer, key)) for key in ("performs", "observes")}
        internal = frozenset(self._names(answer, "internal")) if "internal" in answer else frozenset()
        texts = {key: self._texts(answer, key) for key in ("lenient", "sources", "unseen", "replaced")}
        name = answer.get("name", self.command)
        claims = frozenset(self._names(answer, "claims")) if "claims" in answer else None
        settle = answer.get("settle", 0)
        if type(settle) not in (int, float) or not 0 <= settle <= MOST_SETTLING:
            expected = f"expected a number of seconds from 0 to {MOST_SETTLING:g}"
            raise DriverError(f'the driver said "settle": {json.dumps(settle)} at reset, {expected}')
        return Abilities(
            str(name),
            sets["performs"],
            sets["observes"],
            internal,
            lenient=texts["lenient"],
            sources=texts["sources"],
            unseen=texts["unseen"],
            replaced=texts["replaced"],
            claims=claims,
            settle=float(settle),
        )

    def _names(self, answer: Mapping[str, Any], key: str) -> list[str]:
        names = answer.get(key)
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise DriverError(f'the driver said "{key}": {json.dumps(names)} at reset, expected a list of names')
        return names

    def _texts(self, answer: Mapping[str, Any], key: str) -> dict[str, str]:
        texts = answer.get(key, {})
        if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
            raise DriverError(f'the driver said "{key}": {json.dumps(texts)} at reset, expected names and texts')
        return texts

    def _gone(self, what: str) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        status = self._process.returncode
        how = "closed its output" if status is None else _ending(status)
        return f"the driver {how}, expected an answer to {what}{self._said()}"

    def _said(self) -> str:
        return f"; it said last: {' | '.join(self._stderr_lines)}" if self._stderr_lines else ""

    def _read(self, stream: IO[bytes], received: queue.Queue[bytes]) -> None:
        def wanted() -> bool:
            return not self._closed and received is self._received

        while wanted():
            try:
                line = stream.readline(LINE_BYTES)
            except (OSError, ValueError):
                line = END
            while wanted():
                with contextlib.suppress(queue.Full):
                    received.put(line, timeout=1)
                    break
            if line == END:
                return

    def _drain(self, stream: IO[bytes], lines: deque[str]) -> None:
        """Read stderr to its end, however much it is: a full pipe would stop the driver."""
        with contextlib.suppress(OSError, ValueError):
            while line := stream.readline(10_000):
                lines.append(line.decode(errors="replace").strip()[:200])


def _ending(status: int) -> str:
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"exited with status {status}"


def shown(line: bytes) -> str:
    """What a driver wrote, cut to what fits a line."""
    text = line.decode(errors="replace").rstrip("\n")
    return f"`{text[:117]}...`" if len(text) > 120 else f"`{text}`"
