"""What replays, covers and tests ask of a system: a driver that resets it, performs steps and observes its state.

An observation has the shape of a model state with names: ``{"stage": {"message1": "VISIBLE"}, "gone": {}}``. A cell
that is left out has the value that the model declares it to start with, so a driver names only what has happened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol, runtime_checkable

from onceproof.model.checker.results import Trace
from onceproof.model.language import System
from onceproof.model.language.layout import LEFT, State

Observation = Mapping[str, Any]


class StepRefused(Exception):
    """The system says that it cannot do this step now, and that nothing has changed."""


class ProcessLost(StepRefused):
    """A process of the system is dead, or hangs and was ended, and nobody had asked for that.

    observation: what can be seen of the system now, where whoever found that out has looked.
    """

    def __init__(self, text: str, observation: Observation | None = None) -> None:
        super().__init__(text)
        self.observation = observation


class WrongData(Exception):
    """A system is in a state in which something holds what belongs elsewhere, or has lost it.

    places: for each such place what belongs there, and what is there. observation: the state.
    """

    def __init__(self, places: Mapping[str, tuple[str, str]], observation: Observation) -> None:
        super().__init__("data is not where it belongs")
        self.places, self.observation = places, observation


class StepUncertain(Exception):
    """The system cannot say whether the step has happened (a broken connection, a time-out)."""


class StepUncalled(Exception):
    """The system did something that nobody had asked for."""


class DriverError(Exception):
    """The driver itself is wrong: no answer, garbage, an exit. The text says what was received and what expected.

    trace: the steps that it was taken along until then, the last one included; None where nobody kept them.
    """

    trace: Trace | None = None


class DriverSilent(DriverError):
    """No answer in time: the driver hangs, or the machine was too busy."""


class Interruption(Enum):
    """What may happen in the middle of an action."""

    DEATH = "death"  # the process that performs it dies
    REFUSAL = "refusal"  # its store refuses: it is locked, full or gone
    GROUP = "group"  # it does several actions in one commit, and dies in the middle of that


@dataclass(frozen=True)
class Interruptions:
    """Which actions a driver can interrupt.

    deaths: for each action in which its process may die, the fault of the model that this death is; "" where the
    process remembers nothing, so that its death changes nothing by itself. halves: for each action that is no single
    step to the world outside, the fields that may be as before it although the others are as after it.
    refusals: the actions in which the store may refuse. forgets: for those of them after which the process forgets
    what it has in memory, as it would after this fault.
    groups: the actions that a process can do together, in one commit.
    """

    deaths: Mapping[str, str]
    halves: Mapping[str, frozenset[str]]
    refusals: frozenset[str]
    forgets: Mapping[str, str] = field(default_factory=dict)
    groups: frozenset[str] = frozenset()


@runtime_checkable
class Interruptible(Protocol):
    """A driver that can interrupt an action at a point: before a statement, a commit or a send, counted from 1."""

    interruptions: Interruptions

    def interrupt(self, action: str, arguments: Mapping[str, str], how: Interruption, point: int) -> bool:
        """Perform an action and interrupt it there. False: it has fewer points, and was done.

        After a death the process is as its fault leaves it. StepRefused and the other errors of ``step``.
        """
        ...


@runtime_checkable
class Grouping(Protocol):
    """A driver that can have a process do several actions (``interruptions.groups``) in one commit."""

    interruptions: Interruptions

    def group(self, steps: Sequence[tuple[str, Mapping[str, str]]]) -> list[int]:
        """Permit these actions of one process together; the places of those that it did in one commit, in its order."""
        ...

    def die_in_group(self, steps: Sequence[tuple[str, Mapping[str, str]]], point: int) -> bool:
        """The same, with a death at a point. False: there are fewer points, and it lives."""
        ...


@runtime_checkable
class Restartable(Protocol):
    """A driver that can be begun anew after it was silent."""

    def restart(self) -> None:
        """End it with all that it has started, and start it again; a reset must follow. DriverError."""
        ...


@dataclass(frozen=True)
class Abilities:
    """What a driver can perform and see of a model; all the rest is named with a reason.

    performs: actions. observes: fields. internal: actions that the system has no step for: they are not sent, and the
    state after them is compared all the same. lenient: actions that the system may do where the model would not,
    each with the reason. sources: for each observed field, where the driver reads it. unseen: for each field that is
    not observed, why. unperformed: for each action that is not performed, why.
    how: for actions that the system does not do all by itself, what stands for them.
    claims: the mechanisms that the system is said to have; None: all that the configuration has on.
    replaced: what the driver does in the system's place, so that it is not compared, each with how and what covers it.
    settle: for so many seconds an observation that differs may still change; it is made again until it agrees.
    """

    name: str
    performs: frozenset[str]
    observes: frozenset[str]
    internal: frozenset[str] = frozenset()
    lenient: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    unseen: Mapping[str, str] = field(default_factory=dict)
    unperformed: Mapping[str, str] = field(default_factory=dict)
    how: Mapping[str, str] = field(default_factory=dict)
    claims: frozenset[str] | None = None
    replaced: Mapping[str, str] = field(default_factory=dict)
    settle: float = 0.0


class Driver(Protocol):
    """A system under test, from outside. One at a time; nothing happens between two calls but what they cause."""

    def reset(self, setting: Mapping[str, Any]) -> Abilities:
        """Bring the system to its initial state under a configuration (see ``setting_of``).

        Of a model with several, it is the one that the configuration says. DriverError when that fails, or when the
        system cannot have this configuration, or cannot begin so.
        """
        ...

    def step(self, action: str, arguments: Mapping[str, str]) -> None:
        """Perform one action; arguments by name, elements as ``scheduler1``.

        StepRefused: not now, nothing changed. ProcessLost: a process died of it, or hung. StepUncertain: nobody
        knows. StepUncalled: it did something else.
        DriverError: no proper answer.
        """
        ...

    def observe(self) -> Observation:
        """The state as far as the driver sees it. ProcessLost, with the state: a process has died meanwhile.

        WrongData: something holds what belongs elsewhere. DriverError: no proper answer.
        """
        ...

    def close(self) -> None:
        """End the system. Never fails, never waits without bound."""
        ...


def setting_of(system: System, initial: State | None = None) -> dict[str, Any]:
    """The configuration of a system as a driver gets it: JSON of model, sizes, mechanisms, faults and,
    where the model has any, parameters; where it has @initial functions, the initial state to begin in.

    A fault's budget is a whole number, or ``"any"``. initial: None for the first one.
    """
    config = system.config
    first = system.initials[0] if initial is None else initial
    cells = {name: value for name, value in system.layout.show(first).items() if not name.startswith(LEFT)}
    begins = {"chosen": system.named_arguments(system.starts[first]), "state": cells}
    return {
        "model": system.model.name,
        "sizes": dict(config.sizes),
        "mechanisms": dict(config.switches),
        **({"parameters": dict(config.parameters)} if config.parameters else {}),
        "faults": {name: "any" if left is None else left for name, left in config.budgets.items()},
        **({"initial": begins} if system.beginning is not None else {}),
    }
