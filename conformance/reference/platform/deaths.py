"""Interrupts the platform in the middle of an action: SIGKILL, or a store that refuses, before a statement or a commit.

`install` makes points in a process that is to run under a gate, and `bury` does what follows a death outside of it:
connections break, names that nobody could report are learnt from the store, and who starts processes starts the next.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from typing import Any

from onceproof.conformance.driver import Interruption, Interruptions
from onceproof.conformance.reference.interruptions import INTERRUPTIONS
from onceproof.conformance.reference.platform.remote import Remote
from onceproof.conformance.reference.platform.system import PlatformSystem
from onceproof.implementation.errors import NotEnabled, StoreUnavailable
from onceproof.implementation.in_process.parts import Asker
from onceproof.implementation.platform.functions.pool import FunctionPool
from onceproof.implementation.platform.gate.gate import Gate, Gated, Permit
from onceproof.implementation.platform.processes.agent import AgentWire
from onceproof.implementation.platform.processes.base import Process
from onceproof.implementation.platform.wire.scheduler_wire import SchedulerWire
from onceproof.implementation.stores.database import Database

REFUSAL = "interrupted: the store refuses"
REQUEST = "SELECT request_id FROM tasks WHERE task = ?"
MESSAGES = "SELECT message FROM messages WHERE task = ?"
# Balancer and resource manager remember nothing: their deaths would be those of any process between two transactions.
PLATFORM_INTERRUPTIONS = Interruptions(
    deaths={action: fault for action, fault in INTERRUPTIONS.deaths.items() if fault},
    halves=INTERRUPTIONS.halves,
    # A scheduler that its store refused forgets everything, as after a death, and goes on: that is no refusal to it.
    refusals=frozenset(
        action for action, fault in INTERRUPTIONS.deaths.items() if fault in ("api_crash", "relay_crash", "agent_crash")
    ),
    forgets={action: "relay_crash" for action, fault in INTERRUPTIONS.deaths.items() if fault == "relay_crash"},
)


class Points:
    """The points of one process; a permit may arm one of them: ``interrupt`` is how and at which."""

    def __init__(self) -> None:
        self.gate: Gate | None = None
        self.left = 0
        self.kills = False

    def arm(self, gate: Gate, permit: Permit) -> None:
        """Interrupt what this permit is for, if it says so."""
        how, self.left = permit.get("interrupt", ("", 0))
        self.gate, self.kills = gate, how == Interruption.DEATH.value

    def pass_one(self, statement: bool) -> None:
        """One of them: a statement or commit, or else a send or a start, at which a store has nothing to refuse."""
        if not self.left or not (statement or self.kills):
            return
        self.left -= 1
        if self.left:
            return
        if self.kills:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.gate is not None:
            self.gate.refused = REFUSAL  # whoever waits for the action need not wait longer
        raise StoreUnavailable(REFUSAL)


def install() -> None:
    """From now on a permit may say at which of its points this process dies, or its store refuses."""
    points, perform = Points(), Gate._perform

    async def perform_to_a_point(self: Gate, process: Gated, permit: Permit) -> dict[str, Any]:
        points.arm(self, permit)
        armed = points.left > 0
        done = await perform(self, process, permit)
        interrupted = armed and points.left == 0
        points.left = 0
        if interrupted and isinstance(process, Process):
            process.failed()  # as after any turn in which the store refused
            done["view"] = process.view()
        return {**done, "interrupted": interrupted}

    def pointed(method: Callable[..., Any], statement: bool) -> Callable[..., Any]:
        def at_a_point(*values: Any, **named: Any) -> Any:
            points.pass_one(statement)
            return method(*values, **named)

        return at_a_point

    setattr(Gate, "_perform", perform_to_a_point)  # noqa: B010
    for database in Database.__subclasses__():
        setattr(database, "run", pointed(database.run, True))  # noqa: B010
    for part, method in ((SchedulerWire, "flush"), (AgentWire, "send"), (FunctionPool, "start")):
        setattr(part, method, pointed(getattr(part, method), False))


def acting(system: PlatformSystem, action: str, arguments: Mapping[str, str]) -> Remote:
    """The process that performs an action."""
    match PLATFORM_INTERRUPTIONS.deaths[action]:
        case "scheduler_crash":
            return system.schedulers[arguments["scheduler"]].remote
        case "agent_crash":
            return system.agents[arguments["agent"]].remote
        case "api_crash":
            return system.api_server.remote
        case _:
            return system.relay.remote


def waiting(system: PlatformSystem, action: str, arguments: Mapping[str, str]) -> set[Asker]:
    """Who waits at a connection that breaks when the process dies that performs an action."""
    if PLATFORM_INTERRUPTIONS.deaths[action] != "agent_crash":
        return set()
    agent = system.agents[arguments["agent"]]
    return agent.askers() | system.network.open_exchanges(agent.name)


def bury(system: PlatformSystem, action: str, arguments: Mapping[str, str], waited: set[Asker]) -> None:
    """The process is dead that performed an action, which nobody had asked it for."""
    harness = system.harness
    harness.drain()
    learn_names(system, arguments)
    match PLATFORM_INTERRUPTIONS.deaths[action]:
        case "scheduler_crash":
            system.schedulers[arguments["scheduler"]].be_down()
            harness.network.drop_scheduler(arguments["scheduler"])
            system.load_balancer.withdraw(arguments["scheduler"])
        case "agent_crash":
            system.agents[arguments["agent"]].be_replaced()
            harness.network.drop_agent(arguments["agent"])
            for exchange in waited:
                scheduler, message, attempt = exchange
                system.schedulers[scheduler].timed_out(message, attempt)
        case "api_crash":
            if "submission" in arguments:
                with contextlib.suppress(NotEnabled):  # what was answered has arrived
                    system.step("hear_answer", task=arguments["task"], submission=arguments["submission"])
            system.step("api_crash")
        case fault:
            system.step(fault)


def learn_names(system: PlatformSystem, arguments: Mapping[str, str]) -> None:
    """What the action has made has names that it did not live to tell."""
    harness, task = system.harness, arguments.get("task")
    if task is None:
        return
    key = f"{harness.client.owner(task)}/f/{task}"
    for modelled, query in (((task, arguments.get("submission")), REQUEST), (arguments.get("message"), MESSAGES)):
        for (real,) in harness.database.rows(query, key):
            if modelled is not None and not harness.names.knows(modelled) and harness.names.modelled(real) == real:
                harness.names.bind(modelled, real)
