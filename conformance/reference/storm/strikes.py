"""What a storm does to the platform's processes and connections, and when: most of it so long after an acceptance."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from onceproof.conformance.reference.storm.served import LEASE_SECONDS, Served

T = TypeVar("T")
SECOND_NS = 1_000_000_000
# Between an acceptance and what it promises lie the commits of API server, relay, scheduler and agent.
DELAYS_MS = range(0, 121, 5)
PAUSE_SECONDS = 1.4 * LEASE_SECONDS
BROKEN_SECONDS = 0.5
GAP_SECONDS = (0.5, 1.1)
STALL_NS = SECOND_NS // 5


class Blow(StrEnum):
    """A kind of strike."""

    KILL = "killed"
    PAUSE = "stopped for longer than a lease"
    CUT = "cut"
    SWALLOW = "swallowed"


KILLED = {
    "api": 4,
    "scheduler1": 2,
    "scheduler2": 2,
    "relay": 1,
    "agent1": 2,
    "agent2": 2,
    "balancer": 1,
    "resources": 1,
}
PAUSED = {"scheduler1": 1, "scheduler2": 1}


@dataclass(frozen=True)
class Strike:
    """One of them. target: a process, or what a connection is to (store, queue). after: the task that was accepted."""

    blow: Blow
    target: str
    pid: int
    begin_ns: int
    end_ns: int
    after: str = ""
    delay_ms: int = 0

    @property
    def text(self) -> str:
        """In words."""
        what = f"connections to the {self.target}" if self.blow in (Blow.CUT, Blow.SWALLOW) else self.target
        of = f" (pid {self.pid})" if self.pid else ""
        return f"{what}{of} {self.blow}" + (
            f", {self.delay_ms} ms after {self.after} was accepted" if self.after else ""
        )


class Striker:
    """Strikes one process or connection after the other. Called by clients at the moment of an acceptance."""

    def __init__(self, platform: Served, chance: random.Random, only: Collection[str] = ()) -> None:
        self.platform = platform
        self.strikes: list[Strike] = []
        self.ending = threading.Event()
        self._busy = threading.Lock()
        self._next = 0.0
        self._chance = chance
        deck = [(Blow.KILL, name) for name, count in KILLED.items() for _ in range(count)]
        deck += [(Blow.PAUSE, name) for name, count in PAUSED.items() for _ in range(count)]
        deck += [(blow, relay) for relay in platform.relays for blow in (Blow.CUT, Blow.CUT, Blow.SWALLOW)]
        deck = [(blow, target) for blow, target in deck if not only or target in only]
        self._blows, self._delays = _dealt(deck, chance), _dealt(list(DELAYS_MS), chance)
        self._lasting: list[threading.Thread] = []

    def accepted(self, task: str) -> None:
        """A task was accepted right now: strike, if it is time for that and nobody else does."""
        if self.ending.is_set() or time.monotonic() < self._next or not self._busy.acquire(blocking=False):
            return
        try:
            accepted = time.monotonic()
            blow, target = next(self._blows)
            delay = next(self._delays)
            pid = self.platform.processes().get(target, 0)
            time.sleep(max(0.0, accepted + delay / 1000 - time.monotonic()))
            if target in self.platform.relays:
                self._break(blow, target, task, delay)
            elif pid:
                self._strike(blow, target, pid, task, delay)
            self._next = time.monotonic() + self._chance.uniform(*GAP_SECONDS)
        finally:
            self._busy.release()

    def end(self) -> None:
        """No strike follows, and whatever was stopped goes on."""
        self.ending.set()
        with self._busy:
            for thread in self._lasting:
                thread.join()

    def _strike(self, blow: Blow, target: str, pid: int, task: str, delay: int) -> None:
        begin = time.monotonic_ns()
        with contextlib.suppress(ProcessLookupError):  # it is just being started anew
            if blow is Blow.KILL:
                os.kill(pid, signal.SIGKILL)
                self.strikes.append(Strike(blow, target, pid, begin, time.monotonic_ns(), task, delay))
            else:
                os.kill(pid, signal.SIGSTOP)
                end = begin + int(PAUSE_SECONDS * SECOND_NS)
                self.strikes.append(Strike(blow, target, pid, begin, end, task, delay))
                self._later(PAUSE_SECONDS, lambda: os.kill(pid, signal.SIGCONT))

    def _break(self, blow: Blow, target: str, task: str, delay: int) -> None:
        relay, begin = self.platform.relays[target], time.monotonic_ns()
        seconds = 0.0 if blow is Blow.CUT else BROKEN_SECONDS
        self.strikes.append(Strike(blow, target, 0, begin, begin + int(seconds * SECOND_NS), task, delay))
        if blow is Blow.CUT:
            relay.cut()
        else:
            relay.swallow(True)
            self._later(seconds, lambda: relay.swallow(False))

    def _later(self, seconds: float, do: Callable[[], None]) -> None:
        def wait() -> None:
            self.ending.wait(seconds)
            with contextlib.suppress(ProcessLookupError):
                do()

        self._lasting = [thread for thread in self._lasting if thread.is_alive()]
        self._lasting.append(threading.Thread(target=wait, daemon=True))
        self._lasting[-1].start()


class Stalls:
    """When this machine let nobody run for a while: what did not happen in time then says nothing of the platform."""

    def __init__(self) -> None:
        self.found: list[tuple[int, int]] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> list[tuple[int, int]]:
        """All of them: from when until when."""
        self._ending.set()
        self._thread.join()
        return self.found

    def _watch(self) -> None:
        last = time.monotonic_ns()
        while not self._ending.wait(0.02):
            now = time.monotonic_ns()
            if now - last > STALL_NS:
                self.found.append((last, now))
            last = now


def overlap(spans: Sequence[tuple[int, int]], begin: int, end: int) -> bool:
    """Whether one of the spans has something in common with a time."""
    return any(first <= end and begin <= last for first, last in spans)


def _dealt(deck: list[T], chance: random.Random) -> Iterator[T]:
    """Card after card of a deck that is shuffled again and again: each comes as often as any other."""
    while True:
        chance.shuffle(deck)
        yield from deck
