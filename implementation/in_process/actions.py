"""One call for each action of the model, on the parts of a system, and what an action of one means for the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from onceproof.implementation.in_process.parts import Parts

CLIENT = ("submit", "hear_answer", "response_loss", "request_loss_at_api")
API_SERVER = ("admit", "refuse", "enqueue", "stop", "api_crash")
RELAY = ("relay", "relay_again", "mark_relayed", "relay_crash")
ENVIRONMENT = ("lapse", "lease_lapse", "request_loss", "request_duplication", "reply_loss")
LOAD_BALANCER = ("assign", "stale_owner", "hand_over")
SCHEDULER = (
    "receive",
    "broker_duplicate",
    "release",
    "renew",
    "receipt_refused",
    "dispatch",
    "hear",
    "record",
    "record_failure",
    "retry",
    "overtaken",
    "skip",
    "delete",
    "expire",
    "scheduler_restart",
    "scheduler_resume",
    "scheduler_crash",
    "scheduler_pause",
    "scheduler_upgrade",
    "upgrade_finish",
)
RESOURCE_MANAGER = ("place", "replace", "fail_lost", "unplace")
AGENT = ("start", "turn_away", "join", "answer", "finish", "function_failure", "forget", "agent_boot")
AGENT_ENDS = ("agent_crash", "agent_recycle")
ACTIONS = (
    *CLIENT,
    *API_SERVER,
    *RELAY,
    *ENVIRONMENT,
    *LOAD_BALANCER,
    *SCHEDULER,
    *RESOURCE_MANAGER,
    *AGENT,
    *AGENT_ENDS,
)
SCHEDULER_ENDS = ("scheduler_crash", "scheduler_upgrade", "upgrade_finish")

Arguments = dict[str, Any]
Call = Callable[[Arguments], None]


class Actions:
    """Performs any action by name; parts are looked up at each call, since a reset may make new ones."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._calls = self._all_calls()

    def perform(self, action: str, arguments: Arguments) -> None:
        """Perform an action; arguments are element names (attempts: `attempt1` or 1), and are used up.

        NotEnabled: the system cannot do that now, and nothing has changed. KeyError: no such action or element.
        """
        for name in ("attempt", "next_attempt"):
            value = arguments.get(name)
            if isinstance(value, str):
                arguments[name] = int(value.removeprefix("attempt"))
        self._calls[action](arguments)

    def time_out(self, scheduler: str, message: str, attempt: int) -> None:
        """A scheduler's wait for a reply is over."""
        self._parts.schedulers[scheduler].timed_out(message, attempt)

    def _all_calls(self) -> dict[str, Call]:
        parts = self._parts
        calls: dict[str, Call] = {}
        for names, part in (
            (CLIENT, parts.client),
            (API_SERVER, parts.api_server),
            (RELAY, parts.relay),
            (ENVIRONMENT, parts.environment),
        ):
            calls.update((name, _call(part, name)) for name in names)
        calls.update((name, self._on_scheduler(name)) for name in SCHEDULER)
        calls.update((name, self._on_agent(name)) for name in AGENT)
        calls.update((name, self._agent_end(name)) for name in AGENT_ENDS)
        calls["turn_away"] = self._turn_away
        calls["api_crash"] = self._api_crash
        calls.update((name, self._assignment(name)) for name in LOAD_BALANCER)
        calls.update((name, self._placement(name)) for name in ("place", "replace", "unplace"))
        calls["fail_lost"] = self._fail_lost
        return calls

    def _on_scheduler(self, name: str) -> Call:
        ends, pauses = name in SCHEDULER_ENDS, name == "scheduler_pause"

        def call(arguments: Arguments) -> None:
            parts = self._parts
            scheduler = parts.schedulers[arguments.pop("scheduler")]
            getattr(scheduler, name)(**arguments)
            if ends and scheduler.mode == "DOWN":
                parts.network.drop_scheduler(scheduler.name)
                parts.load_balancer.withdraw(scheduler.name)
            elif pauses:
                parts.load_balancer.withdraw(scheduler.name)

        return call

    def _on_agent(self, name: str) -> Call:
        def call(arguments: Arguments) -> None:
            getattr(self._parts.agents[arguments.pop("agent")], name)(**arguments)

        return call

    def _turn_away(self, arguments: Arguments) -> None:
        """The scheduler that asked hears that nothing comes of it."""
        self._parts.agents[arguments.pop("agent")].turn_away(**arguments)
        self.time_out(**arguments)

    def _agent_end(self, name: str) -> Call:
        """The agent's connections break, and a scheduler that waits at one of them holds its message again."""

        def call(arguments: Arguments) -> None:
            agent, network = self._parts.agents[arguments.pop("agent")], self._parts.network
            broken = agent.askers() | network.open_exchanges(agent.name)
            getattr(agent, name)(**arguments)
            network.drop_agent(agent.name)
            for exchange in broken:
                self.time_out(*exchange)

        return call

    def _api_crash(self, arguments: Arguments) -> None:
        self._parts.api_server.api_crash()
        self._parts.client.all_connections_lost()

    def _assignment(self, name: str) -> Call:
        def call(arguments: Arguments) -> None:
            user = arguments["user"]
            before = self._parts.observer.owners().get(user)
            getattr(self._parts.load_balancer, name)(**arguments)
            if name == "hand_over" and before is not None:
                self._parts.schedulers[before].unlearn(user)
            self._parts.schedulers[arguments["scheduler"]].learn(user)

        return call

    def _placement(self, name: str) -> Call:
        def call(arguments: Arguments) -> None:
            self._parts.schedulers[arguments["scheduler"]].ask_placement(arguments["message"])
            getattr(self._parts.resource_manager, name)(**arguments)

        return call

    def _fail_lost(self, arguments: Arguments) -> None:
        scheduler, message = self._parts.schedulers[arguments["scheduler"]], arguments["message"]
        scheduler.ask_placement(message)
        self._parts.resource_manager.fail_lost(**arguments)
        scheduler.settled(message)


def _call(part: object, name: str) -> Call:
    return lambda arguments: getattr(part, name)(**arguments)
