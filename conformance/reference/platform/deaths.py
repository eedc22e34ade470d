"""Deaths in the middle of an action of the platform: SIGKILL before a statement, a commit, a send or a start.

`install` makes points in a process that is to run under a gate, and `bury` does what follows a death outside of it:
connections break, names that nobody could report are learnt from the store, and who starts processes starts the next.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from typing import Any

from onceproof.conformance.driver import Interruptions
from onceproof.conformance.reference.interruptions import INTERRUPTIONS
from onceproof.conformance.reference.platform.remote import Remote
from onceproof.conformance.reference.platform.system import PlatformSystem
from onceproof.implementation.errors import NotEnabled
from onceproof.implementation.in_process.parts import Asker
from onceproof.implementation.platform.functions.pool import FunctionPool
from onceproof.implementation.platform.gate.gate import Gate, Gated, Permit
from onceproof.implementation.platform.processes.agent import AgentWire
from onceproof.implementation.platform.wire.scheduler_wire import SchedulerWire
from onceproof.implementation.stores.database import Database

REQUEST = "SELECT request_id FROM tasks WHERE task = ?"
MESSAGES = "SELECT message FROM messages WHERE task = ?"
# Balancer and resource manager remember nothing: their deaths would be those of any process between two transactions.
PLATFORM_INTERRUPTIONS = Interruptions(
    deaths={action: fault for action, fault in INTERRUPTIONS.deaths.items() if fault},
    halves=INTERRUPTIONS.halves,
    refusals=frozenset(),
)


def install() -> None:
    """From now on a permit may say at which of its points this process dies."""
    left = 0
    perform = Gate._perform

    async def perform_to_a_point(self: Gate, process: Gated, permit: Permit) -> dict[str, Any]:
        nonlocal left
        left = permit.get("die_at", 0)
        try:
            return await perform(self, process, permit)
        finally:
            left = 0

    def pointed(method: Callable[..., Any]) -> Callable[..., Any]:
        def at_a_point(*values: Any, **named: Any) -> Any:
            nonlocal left
            if left:
                left -= 1
                if not left:
                    os.kill(os.getpid(), signal.SIGKILL)
            return method(*values, **named)

        return at_a_point

    setattr(Gate, "_perform", perform_to_a_point)  # noqa: B010
    points: list[tuple[type, str]] = [(database, "run") for database in Database.__subclasses__()]
    points += [(SchedulerWire, "flush"), (AgentWire, "send"), (FunctionPool, "start")]
    for part, method in points:
        setattr(part, method, pointed(getattr(part, method)))


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
    _learn_names(system, arguments)
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


def _learn_names(system: PlatformSystem, arguments: Mapping[str, str]) -> None:
    """What the action has made has names that it did not live to tell."""
    harness, task = system.harness, arguments.get("task")
    if task is None:
        return
    key = f"{harness.client.owner(task)}/f/{task}"
    for modelled, query in (((task, arguments.get("submission")), REQUEST), (arguments.get("message"), MESSAGES)):
        for (real,) in harness.database.rows(query, key):
            if modelled is not None and not harness.names.knows(modelled) and harness.names.modelled(real) == real:
                harness.names.bind(modelled, real)
