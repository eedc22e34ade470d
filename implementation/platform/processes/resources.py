"""The resource manager's process: schedulers ask it where a message is to run; many answers to a commit."""

import asyncio
import fcntl
import os
import time
from typing import Any

from onceproof.implementation.components.resource_manager import ResourceManager
from onceproof.implementation.errors import NotEnabled
from onceproof.implementation.platform.config import PlatformConfig
from onceproof.implementation.platform.processes.base import Process
from onceproof.implementation.platform.wire.frames import PlacementAnswer, pack
from onceproof.implementation.platform.wire.link import Link, read_frame

PRESENT = "SELECT agent, incarnation FROM agents WHERE gone = 0"
ADDRESSES = "SELECT agent, address FROM agents WHERE gone = 0"
OPEN_BY_AGENT = """SELECT placements.agent, COUNT(*) FROM runs JOIN placements ON placements.message = runs.message
    WHERE runs.outcome = 'OPEN' GROUP BY placements.agent"""


def is_dead(folder: str, agent: str) -> bool:
    """Whether nothing of an agent is left, its functions' processes included: they would hold the lock of its slot."""
    descriptor = os.open(os.path.join(folder, f"{agent}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


class ResourceProcess(Process):
    """Keeps a connection to each agent, so that nothing new is placed on one that is not there."""

    def __init__(self, name: str, config: PlatformConfig, folder: str) -> None:
        super().__init__(name, config, folder)
        self.manager = ResourceManager(self.store, self.clock, self.settings.mechanisms, self.probe)
        self.asked: list[tuple[str, str, asyncio.StreamWriter]] = []
        self.links: dict[str, Link] = {}
        self.load: dict[str, int] = {}
        self.started = {f"agent{number}" for number in range(1, config.agents + 1)}
        self.look_at = 0.0

    def _find_left(self) -> None:
        """Agents that an earlier platform had and this one does not start: nobody replaces them, but they are gone."""
        now = time.monotonic()
        if now < self.look_at:
            return
        self.look_at = now + self.config.beat_seconds
        for agent, incarnation in self.database.rows(PRESENT):
            if agent not in self.started and is_dead(self.config.data, agent):
                self.store.agent_gone(agent, incarnation)
                self.say("an agent of before is gone", agent=agent, incarnation=incarnation)
        self.store.stopped_lost(self.clock.now_ns())

    async def begin(self) -> None:
        """Listen for schedulers."""
        path = os.path.join(self.folder, "resources.sock")
        if os.path.exists(path):
            os.unlink(path)
        await asyncio.start_unix_server(self._serve, path)

    def turn(self) -> bool:
        """Answer everything that was asked since the last turn."""
        self._find_left()
        self._follow_agents()
        asked, self.asked = self.asked, []
        if not asked:
            return False
        self.load = dict(self.database.rows(OPEN_BY_AGENT))
        answers: list[tuple[asyncio.StreamWriter, dict[str, Any]]] = []
        try:
            with self.batch(durable=False):  # it is on disk before the function starts
                for scheduler, message, writer in asked:
                    answers.append((writer, {"message": message, "answer": self._decide(scheduler, message)}))
        except BaseException:
            self.asked = asked + self.asked
            raise
        for writer, answer in answers:
            writer.write(pack(answer))
        return bool(self.asked)

    def _decide(self, scheduler: str, message: str) -> PlacementAnswer:
        """What becomes of a held message."""
        placement = self.store.placement(message)
        try:
            if placement is not None and placement.gone and not self.store.run(message).is_begun:
                self.manager.unplace(scheduler, message)
                placement = None
            if placement is None:
                self.manager.place(scheduler, message, self._choose())
            elif placement.gone and self.settings.mechanisms.fail_on_agent_loss:
                self.manager.fail_lost(scheduler, message)
                return PlacementAnswer.FAILED
            elif placement.gone:
                self.manager.replace(scheduler, message, self._choose())
        except NotEnabled:
            return PlacementAnswer.LATER
        return PlacementAnswer.PLACED

    def _choose(self) -> str:
        """The agent with the fewest open messages, of those that are there."""
        there = [name for name, link in self.links.items() if link.connected]
        if not there:
            raise NotEnabled("no agent is there")
        least = min(there, key=lambda name: (self.load.get(name, 0), name))
        chosen = self.choice("agent", there, least)
        self.load[chosen] = self.load.get(chosen, 0) + 1
        return chosen

    def _follow_agents(self) -> None:
        """Connect to every agent's present incarnation."""
        for agent, address in self.database.rows(ADDRESSES):
            link = self.links.get(agent)
            if link is not None and link.address == address:
                continue
            if link is not None:
                link.close()
            self.links[agent] = Link(address, {"watcher": self.name}, lambda _: None, lambda _: self.bell.ring_self())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One scheduler's connection: a hello, then a frame for each message that it asks about."""
        hello = await read_frame(reader)
        while hello is not None and (frame := await read_frame(reader)) is not None:
            self.asked.append((hello[0]["scheduler"], frame[0]["message"], writer))
            self.bell.ring_self()
        writer.close()
