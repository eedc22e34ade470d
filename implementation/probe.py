"""The one instrumentation point that every action of the model passes.

`@action` marks a method as an action of the model with the method's name. With no probe attached that costs one
attribute lookup. With a gate, the action waits for a permit before it does anything (so it holds no lock meanwhile).
With a log, it leaves one line after it has succeeded: `begin` and `time` (monotonic nanoseconds, the action took
effect between the two), `wall` (nanoseconds since 1970), `process`, `sequence`, `action`, `arguments`. An action that
was not enabled leaves no line. Positional parameters are the arguments of the model; keyword-only ones are payload.
"""

import inspect
import json
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

Gate = Callable[[str, dict[str, Any]], None]
Method = TypeVar("Method", bound=Callable[..., Any])


class Probed(Protocol):
    """What a component has so that its actions can be seen: a probe (None: off) and its own part of the arguments."""

    probe: "Probe | None"
    identity: dict[str, str]


class Probe:
    """Where the actions of one process (or of one core) are gated and logged.

    gate(action, arguments) is called before each action and returns when it may go on.
    log_path: an NDJSON file that lines are appended to; None writes none.
    """

    def __init__(self, process: str, log_path: Path | None = None, gate: Gate | None = None) -> None:
        self.process = process
        self.gate = gate
        self.sequence = 0
        self._log = open(log_path, "a", encoding="utf-8") if log_path is not None else None  # noqa: SIM115
        self._held: list[str] | None = None

    def around(self, name: str, arguments: dict[str, Any], call: Callable[[], Any]) -> Any:
        """Wait for the permit, perform the call, log it if it succeeded; returns what the call returned."""
        if self.gate is not None:
            self.gate(name, arguments)
        begin = time.monotonic_ns()
        result = call()
        if self._log is not None:
            self._write(name, arguments, begin)
        return result

    def hold(self) -> None:
        """Keep lines back from now on: the actions that follow are in a transaction that is not committed yet."""
        self._held = []

    def release(self, committed: bool) -> None:
        """Write the lines kept back since hold(), or drop them if the transaction was rolled back."""
        lines, self._held = self._held, None
        if self._log is not None and lines and committed:
            self._log.write("".join(lines))
            self._log.flush()

    def close(self) -> None:
        """Close the log file."""
        if self._log is not None:
            self._log.close()

    def _write(self, name: str, arguments: dict[str, Any], begin: int) -> None:
        self.sequence += 1
        line = (
            json.dumps(
                {
                    "begin": begin,
                    "time": time.monotonic_ns(),
                    "wall": time.time_ns(),
                    "process": self.process,
                    "sequence": self.sequence,
                    "action": name,
                    "arguments": arguments,
                }
            )
            + "\n"
        )
        if self._held is not None:
            self._held.append(line)
        elif self._log is not None:
            self._log.write(line)
            self._log.flush()


def named(parameter: str, value: Any) -> Any:
    """How an argument is written in logs and shown to gates: attempts are numbers inside, `attempt1` outside."""
    return f"attempt{value}" if isinstance(value, int) and parameter.endswith("attempt") else value


def action(method: Method) -> Method:
    """Make the method an action of the model: calling it passes the probe of its component, if one is attached."""
    parameters = inspect.signature(method).parameters.values()
    names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD][1:]

    @wraps(method)
    def probed(self: Probed, *values: Any, **payload: Any) -> Any:
        if self.probe is None:
            return method(self, *values, **payload)
        arguments: dict[str, Any] = dict(self.identity)
        for name, value in zip(names, values, strict=False):
            arguments[name] = named(name, value)
        arguments.update((name, named(name, payload[name])) for name in names if name in payload)
        return self.probe.around(method.__name__, arguments, lambda: method(self, *values, **payload))

    return cast(Method, probed)
