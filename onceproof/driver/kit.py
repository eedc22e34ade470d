"""What the author of a driver writes: a class with ``do_ACTION`` methods and ``see_FIELD`` readers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from onceproof.driver.processes import Process

OTHERS = ("*",)  # as ``internal``: all actions that are not performed
DO, SEE = "do_", "see_"
DEATH, REFUSAL = "death", "refusal"  # how an action may be interrupted
WAIT_SECONDS = 5.0  # how long `until` waits
LOOK_SECONDS = 0.005  # between two looks at a condition

Cells = Mapping[Any, Any]  # what a reader returns: from an element, or a tuple of elements, to a value
F = TypeVar("F", bound=Callable[..., Any])


class Refused(Exception):
    """The system cannot do this step now, and it is certain that nothing has happened."""


class Uncertain(Exception):
    """Nobody can say whether the step has happened: the connection broke, or no answer came in time."""


class StoreRefuses(Exception):
    """The store takes no statement now: it is locked, full, or gone. ``point`` raises it where a replay says so."""


class Died(BaseException):
    """The process that performs an action is no more: nothing of the driver catches this."""


def todo(method: F) -> F:
    """Marks a ``do_`` or ``see_`` method that is not written yet: the driver does not claim it."""
    vars(method)["_todo"] = True
    return method


@dataclass(frozen=True)
class Setting:
    """The configuration that a run is made under.

    sizes: how many elements of each sort, by its key in a spec ({"tasks": 1}). mechanisms: which are on.
    faults: how often each may happen, a number or "any". initial: of a model with several initial states, the one to
    begin in: each field as readers give it, with keys of several elements as "a,b". chosen: what was chosen for it.
    """

    model: str
    sizes: Mapping[str, int]
    mechanisms: Mapping[str, bool]
    faults: Mapping[str, int | str]
    initial: Mapping[str, Any] | None = None
    chosen: Mapping[str, str] | None = None


class Driver:
    """A system under test, seen from outside. Derive from it, write methods, and end the file with ``run(MyDriver)``.

    ``do_receive(self, scheduler, message)`` performs the model's action ``receive`` and returns when it has taken
    effect; the parameters are those of the action, elements come as text ("scheduler1"). Raise ``Refused`` where the
    system does not take the step, ``Uncertain`` where nobody can know. A broken connection and a time-out of the
    standard library count as uncertain; any other exception is a fault of the driver, and ends it with its traceback.

    ``see_stage(self)`` reads the field ``stage``: a dictionary from keys to values, or the value itself for a field
    without an index. A key is the element, or a tuple of elements for a field of several indices; a value is the name
    of an enum's member (or a member), an element or None, a number, True or False. Cells that are left out have the
    value that the model declares them to start with. The first line of its docstring says where the field is read.
    """

    name: ClassVar[str] = ""  # how reports call the system; default: the name of the class
    mechanisms: ClassVar[Mapping[str, bool]] = {}  # which mechanisms the system has, and which it lacks
    internal: ClassVar[Sequence[str]] = ()  # actions that the system has no step for: they are not sent (or OTHERS)
    lenient: ClassVar[Mapping[str, str]] = {}  # {action or "*": reason}: it may do so where the model would not
    unseen: ClassVar[Mapping[str, str]] = {}  # {field: reason}: why a field has no reader
    replaced: ClassVar[Mapping[str, str]] = {}  # {what: why}: done by the driver in the system's place (time, say)
    begins_anywhere: ClassVar[bool] = False  # whether ``reset`` brings the system to ``setting.initial``
    settle: ClassVar[float] = 0.0  # seconds for which a state that differs from the model's may still change
    # For `--crash-points`: {action: the fault of the model that the death of its process is, or ""}, and the fields
    # that may be as before although the others are as after, where an action is no single step to the world outside.
    deaths: ClassVar[Mapping[str, str]] = {}
    halves: ClassVar[Mapping[str, Sequence[str]]] = {}
    # For `--store-failures`: the actions in which the store may refuse, and the fault that does the same to memory.
    refusals: ClassVar[Sequence[str]] = ()
    forgets: ClassVar[Mapping[str, str]] = {}
    _armed = ("", 0)  # how the present action is to be interrupted, and at how many points from now

    def __init__(self) -> None:
        self._processes: list[Process] = []

    def reset(self, setting: Setting) -> None:
        """Bring the system to its initial state. Called before each run; write this one.

        Of a model with several that is ``setting.initial``; say by ``begins_anywhere = True`` that this is done.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a method `reset(self, setting)`")

    def point(self, store: bool = True) -> None:
        """Say that a statement or a commit comes next (or, with ``store=False``, a send or a start): here an action
        that a replay interrupts ends, by the death of its process or by ``StoreRefuses``.
        """
        how, left = self._armed
        if not left or (how == REFUSAL and not store):
            return
        self._armed = (how, left - 1)
        if left > 1:
            return
        if how == REFUSAL:
            raise StoreRefuses("interrupted: the store refuses")
        raise Died

    def die(self, action: str, arguments: Mapping[str, str]) -> None:
        """The process that performs an action has died at a point: roll back what it has not committed, forget what
        it had in memory, and start the next one if somebody would. Write this one where ``deaths`` has actions.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a method `die(self, action, arguments)`")

    def data(self) -> Mapping[str, tuple[str, str]]:
        """Payloads and results that the system holds now: {where: (what belongs there, what is there)}.

        What belongs there must be a part of what is there. ``payload_of``, ``result_of`` and ``error_of`` make texts
        that can be told from each other.
        """
        return {}

    def close(self) -> None:
        """End what the driver itself has opened. Processes made by ``start`` are ended for it."""

    def start(
        self,
        command: str | Sequence[str],
        *,
        ready: str = "",
        seconds: float = 30.0,
        env: Mapping[str, str] | None = None,
        cwd: Path | str | None = None,
    ) -> Process:
        """Start a process of the system, which is ended with the driver at the latest.

        command: as a shell would split it, or a list of words. env: added to the environment.
        ready: wait until it has printed this text, for so many seconds at most. RuntimeError, with what it printed
        last, where it cannot be started, ends, or is not ready in time.
        """
        process = Process(command, env=env, cwd=cwd)
        self._processes.append(process)
        if ready:
            process.wait_for(ready, seconds)
        return process

    def until(self, condition: Callable[[], Any], seconds: float = WAIT_SECONDS, what: str = "the condition") -> Any:
        """Wait until a condition is true, and return its value. Uncertain where it is not true in time."""
        end = time.monotonic() + seconds
        while not (value := condition()):
            if time.monotonic() > end:
                raise Uncertain(f"{what} did not come true within {seconds:g} s")
            time.sleep(LOOK_SECONDS)
        return value

    def end_processes(self) -> None:
        """End every process that ``start`` made, the last one first, with all that it has started."""
        while self._processes:
            self._processes.pop().kill()
