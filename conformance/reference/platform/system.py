"""The reference platform under a gate, put together from adapters: one call for each action of the model.

API server, relay, balancer, resource manager, schedulers, agents and users' functions are processes that run their own
loops, one permitted action at a time.
"""

from __future__ import annotations

import json
from typing import Any

from onceproof.conformance.reference.platform.adapters import AgentAdapter, SchedulerAdapter
from onceproof.conformance.reference.platform.harness import Harness
from onceproof.conformance.reference.platform.remote import ForkServer
from onceproof.conformance.reference.platform.service_adapters import (
    ApiServerAdapter,
    LoadBalancerAdapter,
    RelayAdapter,
    ResourceManagerAdapter,
)
from onceproof.implementation.components.task_store import TaskStore
from onceproof.implementation.in_process.actions import Actions
from onceproof.implementation.in_process.environment import Environment
from onceproof.implementation.in_process.parts import is_wanted, names
from onceproof.implementation.platform.gate.gate import Control
from onceproof.implementation.platform.http.service import PUT_CONFIG
from onceproof.implementation.settings import Settings


class PlatformSystem:
    """A system whose parts are the platform's processes; ``close`` ends them all. Arguments: as for `Harness`."""

    def __init__(
        self, folder: str, settings: Settings, fork_server: ForkServer, store: str, queue: str, mutant: str = ""
    ) -> None:
        self.settings = settings
        self.harness = harness = Harness(folder, settings, fork_server, store, queue, mutant)
        self.client, self.network, self.ledger = harness.client, harness.network, harness.ledger
        self.observer, self.remotes = harness.observer, harness.remotes
        self.environment = Environment(
            harness.database,
            harness.network,
            harness.clock,
            settings.lease_ns,
            settings.beat_ns,
            self._time_out,
            row_of=harness.names.real,
        )
        self.schedulers: dict[str, SchedulerAdapter] = {}
        self.agents: dict[str, AgentAdapter] = {}
        try:
            self.api_server = ApiServerAdapter(harness.process("api", "api"), harness)
            self.relay = RelayAdapter(harness.process("relay", "relay"), harness)
            self.load_balancer = LoadBalancerAdapter(harness.process("balancer", "balancer"), harness, self._is_up)
            self.resource_manager = ResourceManagerAdapter(harness.process("resources", "resources"), harness)
            self._actions = Actions(self)
            self.reset()
        except BaseException:
            self.close()
            raise

    def step(self, action: str, **arguments: Any) -> None:
        """Perform one action of the model; NotEnabled: the platform cannot do that now."""
        self._actions.perform(action, arguments)

    def reset(self) -> None:
        """Back to the initial state: empty tables and memories; processes that live on forget everything."""
        harness = self.harness
        harness.reset()
        if self.api_server.admitting:
            self.api_server.forget()
        for name in ("api", "resources", "balancer", "relay"):
            harness.process(name, name).control(Control.RESET)
        self.agents = {name: self._new_agent(name) for name in names(self.settings, "agent")}
        for agent in self.agents.values():
            agent.begin()
        self._put_users()
        self.schedulers = {name: self._new_scheduler(name) for name in names(self.settings, "scheduler")}
        for scheduler in self.schedulers.values():
            scheduler.begin()
        harness.drain()
        harness.network.reset()
        harness.queue.purge()

    def close(self) -> None:
        """End all processes."""
        self.harness.close()

    def _put_users(self) -> None:
        """Users who have configured how often their function is tried."""
        database = self.harness.database
        retries = json.dumps({"maxAsyncRetryAttempts": self.settings.attempts - 1})
        with database.transaction():
            for number in range(1, self.settings.users + 1):
                TaskStore(database).put_user(f"user{number}")
                database.run(PUT_CONFIG, f"user{number}", "f", "LATEST", retries, 0, 0)

    def _new_scheduler(self, name: str) -> SchedulerAdapter:
        return SchedulerAdapter(self.harness.process("scheduler", name), self.harness)

    def _new_agent(self, name: str) -> AgentAdapter:
        return AgentAdapter(self.harness.process("agent", name), self.harness, self._is_settled, self._noticed)

    def _is_up(self, scheduler: str) -> bool:
        return self.schedulers[scheduler].mode == "UP"

    def _is_settled(self, agent: str, message: str, attempt: int) -> bool:
        """The message is deleted, nobody has it in hand, and no request for it is on its way to the agent."""
        deleted = self.harness.queue.is_deleted(self.harness.names.real(message))
        return deleted and not is_wanted(self, agent, message, attempt)

    def _noticed(self, agent: str, schedulers: set[str]) -> None:
        for name in sorted(schedulers & set(self.schedulers)):
            self.schedulers[name].notice(agent)

    def _time_out(self, scheduler: str, message: str, attempt: int) -> None:
        self.schedulers[scheduler].timed_out(message, attempt)
