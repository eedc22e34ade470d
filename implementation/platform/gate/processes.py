"""The platform's processes as they run under a gate: their own turns, one action at a time, and nothing by themselves.

What each does beside its turn stands in `act` and `control`: what time would do (a reply that does not come, the end of
a lease) it does when the dispatcher says so.
"""

import asyncio
import contextlib
import math
import os
from collections.abc import Iterator
from typing import Any, assert_never

from onceproof.implementation.clock import ManualClock
from onceproof.implementation.components.messages import Exchange, Result
from onceproof.implementation.components.queue import END_OF_TIME_NS, Offer
from onceproof.implementation.components.resource_manager import ResourceManager
from onceproof.implementation.components.scheduler import DISPATCHED, RECORDED
from onceproof.implementation.components.task_store import OPEN
from onceproof.implementation.errors import require
from onceproof.implementation.platform.config import PlatformConfig
from onceproof.implementation.platform.gate.gate import Control, Gate, Permit
from onceproof.implementation.platform.processes.agent import AgentProcess
from onceproof.implementation.platform.processes.balancer import BalancerProcess
from onceproof.implementation.platform.processes.base import Process
from onceproof.implementation.platform.processes.relay import RelayProcess
from onceproof.implementation.platform.processes.resources import ADDRESSES, ResourceProcess
from onceproof.implementation.platform.processes.scheduler import SchedulerProcess

IS_VISIBLE = "SELECT 1 FROM messages WHERE message = ? AND visible_at_ns <= ? AND deleted_at_ns IS NULL"
REDELIVERY_SECONDS = 0.1
REQUESTS = ("start", "turn_away", "join", "answer")
IS_DELETED = "SELECT 1 FROM messages WHERE message = ? AND deleted_at_ns IS NOT NULL"


def _told(result: Result | None) -> list[Any] | None:
    """A result in a report."""
    return None if result is None else [result.succeeded, result.value.decode(errors="replace"), result.error]


class GatedProcess(Process):
    """A process whose probe is a gate and whose clock is moved by it; group commits only of what is permitted so."""

    probe: Gate
    clock: ManualClock

    def attach(self) -> None:
        """Take the gate's clock and probe; called before anything is built on them."""
        self.clock = ManualClock()
        self.probe = Gate(self.name, self.config.gate, self.clock)

    @contextlib.contextmanager
    def batch(self, durable: bool = True) -> Iterator[None]:
        """Each action is a transaction of its own; those that are permitted together are in one."""
        with super().batch(durable) if self.probe.together else contextlib.nullcontext():
            yield

    async def run(self) -> None:
        """Begin, then act on permits until the dispatcher is gone."""
        await self.begin()
        await self.probe.serve(self)

    def ready(self, permit: Permit) -> bool:
        """Whether what must have arrived is there."""
        return True

    async def act(self, permit: Permit) -> None:
        """One turn."""
        self.turn()

    async def control(self, control: Control, arguments: dict[str, Any]) -> None:
        """No action; all processes can be reset."""
        if control is not Control.RESET:
            raise ValueError(f"{self.name} has no control `{control}`")
        self.forget_all()

    def forget_all(self) -> None:
        """Forget everything, as a new process would have."""
        self.clock.rewind()

    def choice(self, parameter: str, options: Any, best: str) -> str:
        """Where several would do: the permitted one, if it is among them."""
        wish = self.probe.wish(parameter)
        return wish if wish is not None and wish in options else best

    def view(self) -> Any:
        """No memory worth a look."""
        return None


class GatedScheduler(GatedProcess, SchedulerProcess):
    """A scheduler: each turn looks at everything in hand. broke: agents to which a connection broke unnoticed yet."""

    def __init__(self, name: str, config: PlatformConfig, folder: str) -> None:
        self.broke: set[str] = set()
        super().__init__(name, config, folder)
        self.queue.redeliver_within(REDELIVERY_SECONDS)

    def ready(self, permit: Permit) -> bool:
        action, arguments = permit["action"], permit["arguments"]
        if action == "hear":
            attempt = int(arguments["attempt"].removeprefix("attempt"))
            return (self.name, arguments["agent"], arguments["message"], attempt) in self.wire.replies
        if action == "receive":
            return self._is_there(arguments["message"])
        if action in ("dispatch", "reach"):
            addresses: dict[str, str] = dict(self.database.rows(ADDRESSES))
            self.wire.follow(addresses)
            return arguments["agent"] not in addresses or self._can_reach(arguments["agent"])
        if action == "settled":
            work = self.scheduler.works.get(arguments["message"])
            return work is not None and work.stage == RECORDED
        if action == "broken":
            return arguments["agent"] in self.broke
        return action != "ask" or (self.resources is not None and self.resources.connected)

    async def act(self, permit: Permit) -> None:
        action = permit["action"]
        if action == "scheduler_upgrade":
            self.ending.set()
            self.drain_until = None
            self.finished()
        elif action == "upgrade_finish":
            if self.ending.is_set() and self.finished():
                await self.finish()
        elif action == "broker_duplicate":
            self.scheduler.broker_duplicate(permit["arguments"]["message"])
        else:
            self._turn_for(action)

    async def control(self, control: Control, arguments: dict[str, Any]) -> None:
        match control:
            case Control.RESET:
                self.forget_all()
            case Control.ASK:
                self._turn_for(control)
            case Control.LEARN:
                self.scheduler.learn(arguments["user"])
            case Control.UNLEARN:
                self.scheduler.unlearn(arguments["user"])
            case Control.TIMED_OUT:
                self._time_out(arguments["message"])
            case Control.BROKEN:
                self.broke.discard(arguments["agent"])
            case Control.REACH | Control.SETTLED:
                pass  # it is ready, and that is all
            case _:
                assert_never(control)

    def learn(self, offers: list[Offer]) -> None:
        """With owner_epoch off it hears of a queue when it gets it, and goes on believing that it owns it."""
        if self.settings.mechanisms.owner_epoch:
            super().learn(offers)

    def _turn_for(self, action: str) -> None:
        if action != "hear":
            self.wire.replies.clear()  # one that may not be heard yet is on the wire still
        self.later.clear()
        self.asking.clear()
        self.dirty = dict.fromkeys(self.scheduler.works)
        self.beat_at = 0.0
        self.renew_at = 0.0 if action in ("renew", "receipt_refused") else math.inf
        self.turn()
        self._after_commit()

    def _advance_held(self, message: str) -> None:
        """With sticky_placement off nobody is asked where a message is to run: any agent will do, each time."""
        if self.settings.mechanisms.sticky_placement or self.store.run(message).outcome != OPEN:
            super()._advance_held(message)
            return
        agents = [agent for agent in sorted(self.wire.links) if self._can_reach(agent)]
        if agents:
            self.scheduler.dispatch(message, self.choice("agent", agents, agents[0]))

    def _is_there(self, message: str) -> bool:
        """Whether a message that can be received has arrived; a queue elsewhere is asked for it until it has."""
        until = self.clock.now_ns() if self.settings.mechanisms.invisibility else END_OF_TIME_NS
        if self.queue.shares_store or self.database.row(IS_VISIBLE, message, until) is None:
            return True
        if self.settings.mechanisms.owner_epoch:
            self.scheduler.learn_owned()
        return not self.scheduler.epochs or any(message in arrived for arrived in self._arrived())

    def _arrived(self) -> list[list[str]]:
        return [self.queue.waiting(user, 100) for user in self.scheduler.epochs]

    def _waiting(self) -> list[str]:
        """Messages are asked for when one may be received, and not before: another scheduler may want them."""
        return super()._waiting() if self.probe.wish("message") and self.probe.permit["action"] == "receive" else []

    def forget_all(self) -> None:
        self.failed_memory()
        self.ending.clear()
        self.drain_until = None
        self.scheduler.works.clear()
        self.scheduler.epochs.clear()
        self.scheduler.mode = "DOWN"
        super().forget_all()

    def failed_memory(self) -> None:
        """Drop what the process remembers beside the scheduler's own memory."""
        self.wire.discard()
        self.queue.rolled_back()
        for memory in (self.dirty, self.later, self.asking, self.to_ask, self.wire.replies):
            memory.clear()

    def view(self) -> Any:
        works = {
            message: [work.stage, work.attempt, _told(work.result)] for message, work in self.scheduler.works.items()
        }
        return [self.scheduler.mode, works, dict(self.scheduler.epochs), sorted(self.asking)]

    def _broken(self, agent: str) -> None:
        """A connection broke: what waits for it is held again; nothing is looked at before the next permit."""
        self.broke.add(agent)
        for message, work in self.scheduler.works.items():
            if work.agent == agent and work.stage == DISPATCHED:
                self.scheduler.timed_out(message, work.attempt)


class GatedAgent(GatedProcess, AgentProcess):
    """An agent: it registers when permitted, and how its functions ended waits for a permit."""

    async def begin(self) -> None:
        """Wait for the incarnation before to be dead, listen, and note that it is gone; the boot waits for a permit."""
        await self.take_slot()
        self.incarnation = self.agent.incarnation = self.next_incarnation()
        self.address = os.path.join(self.folder, f"{self.name}.wire")
        await asyncio.start_unix_server(self._serve, os.path.join(self.folder, f"{self.name}.sock"))
        if self.incarnation > 1:
            self.store.agent_gone(self.name, self.incarnation - 1)
        self.ends: list[tuple[str, int, Result]] = []

    def ready(self, permit: Permit) -> bool:
        action, arguments = permit["action"], permit["arguments"]
        if action in REQUESTS and permit["arrived"]:
            return self._exchange(arguments) in self.wire.requests
        if action in ("finish", "function_failure"):
            attempt = int(arguments["attempt"].removeprefix("attempt"))
            ended = sum(end[:2] == (arguments["message"], attempt) for end in self.ends)
            return ended >= int(permit["functions"])
        return action != "reset" or not self.pool.running

    async def act(self, permit: Permit) -> None:
        action = permit["action"]
        if action == "agent_boot":
            manager = ResourceManager(self.store, self.clock, self.settings.mechanisms, self.probe)
            manager.agent_boot(self.name, address=self.address)
            self.agent.incarnation = self.store.incarnation(self.name)
        elif action == "agent_recycle":
            needed = self.settings.mechanisms.retain_until_delete and self.store.is_needed(self.name)
            require(not needed, f"{self.name} has messages that are not deleted")
            self.agent.agent_recycle()
        elif action in ("finish", "function_failure"):
            arguments = permit["arguments"]
            self._end_of(arguments["message"], int(arguments["attempt"].removeprefix("attempt")))
        elif action == "forget":
            self._forget_settled()
        elif action in REQUESTS:
            self.forget_at = self.stop_at = math.inf
            wanted = self._exchange(permit["arguments"])
            self.wire.requests = {key: order for key, order in self.wire.requests.items() if key == wanted}
            try:
                self.turn()
            finally:
                self.wire.requests.clear()  # one that may not be taken yet is on the wire still
        else:
            raise ValueError(f"{self.name} has no action `{action}`")

    def forget_all(self) -> None:
        super().forget_all()
        self.agent.memory.clear()
        self.agent.gone = False
        self.wire.requests.clear()
        self.ends.clear()
        self.agent.incarnation = self.store.agent_boots(self.name, self.address)

    def _exchange(self, arguments: dict[str, str]) -> tuple[str, str, str, int]:
        attempt = int(arguments["attempt"].removeprefix("attempt"))
        return arguments["scheduler"], self.name, arguments["message"], attempt

    def _end_of(self, message: str, attempt: int) -> None:
        """Functions of this attempt have ended; were there several (agent_dedup off), the first one's result counts."""
        ended = [end for end in self.ends if end[:2] == (message, attempt)]
        if ended:
            super()._ended(*ended[0])
            self.ends = [end for end in self.ends if end not in ended]

    def _take_requests(self) -> None:
        """With agent_dedup off it does not look in its memory."""
        for exchange in list(self.wire.requests):
            if self.settings.mechanisms.agent_dedup and exchange[2:] in self.agent.memory:
                self._take_known(exchange)
            else:
                self._take_new(exchange)
        self.starts.take_noted()
        self.starts.start_waiting()

    def _take_new(self, exchange: Exchange) -> None:
        scheduler, _, message, attempt = exchange
        if self.agent.is_wanted(message, attempt):
            self.agent.start(scheduler, message, attempt)
        else:
            self.agent.turn_away(scheduler, message, attempt)

    def _ended(self, message: str, attempt: int, result: Result) -> None:
        self.ends.append((message, attempt, result))

    def _is_settled(self, agent: str, message: str, attempt: int) -> bool:
        """Deleted, and in nobody's hand, as the dispatcher says: the lease that the agent waits for is over then."""
        if not self.settings.mechanisms.retain_until_delete:
            return True
        return bool(self.probe.permit.get("settled")) and self.database.row(IS_DELETED, message) is not None

    def view(self) -> Any:
        return [
            [message, attempt, known.stage, sorted(known.asked), known.order.task, _told(known.result)]
            for (message, attempt), known in self.agent.memory.items()
        ]


class GatedRelay(GatedProcess, RelayProcess):
    """The relay."""

    async def act(self, permit: Permit) -> None:
        self.look_at = math.inf
        self.turn()

    def forget_all(self) -> None:
        super().forget_all()
        self.relay.published.clear()

    def view(self) -> Any:
        return sorted(self.relay.published)


class GatedBalancer(GatedProcess, BalancerProcess):
    """The load balancer; it hands over whichever queue it may, however many each scheduler has."""

    async def act(self, permit: Permit) -> None:
        if permit["action"] == "hand_over":
            self.balancer.hand_over(permit["arguments"]["scheduler"], permit["arguments"]["user"])
        else:
            self.turn()

    def _even_out(self, load: dict[str, int]) -> None:
        """Not by itself."""


class GatedResources(GatedProcess, ResourceProcess):
    """The resource manager."""

    def ready(self, permit: Permit) -> bool:
        arguments = permit["arguments"]
        if permit["action"] == "reset":
            return True
        self._follow_agents()
        linked = all(link.connected for link in self.links.values())
        return linked and any(asked[:2] == (arguments["scheduler"], arguments["message"]) for asked in self.asked)

    def forget_all(self) -> None:
        super().forget_all()
        self.asked.clear()


def make_gated(role: str, name: str, config: PlatformConfig, folder: str) -> GatedProcess:
    """The process of a role, under the gate that the settings name."""
    made: dict[str, type[GatedProcess]] = {
        "relay": GatedRelay,
        "balancer": GatedBalancer,
        "resources": GatedResources,
        "scheduler": GatedScheduler,
        "agent": GatedAgent,
    }
    return made[role](name, config, folder)
