"""The driver of the platform under its gate, and the table of what each action and observation is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from onceproof.conformance.driver import (
    Abilities,
    Driver,
    DriverError,
    Interruption,
    Observation,
    ProcessLost,
    StepRefused,
    StepUncalled,
    StepUncertain,
)
from onceproof.conformance.reference.mapping import Snapshot
from onceproof.conformance.reference.platform import api_results, deaths, together
from onceproof.conformance.reference.platform.remote import ForkServer, ProcessFailed
from onceproof.conformance.reference.platform.system import PlatformSystem
from onceproof.conformance.reference.system_driver import ABILITIES, SystemDriver
from onceproof.implementation.backends import QUEUES, STORES
from onceproof.implementation.errors import NotEnabled, StoreUnavailable
from onceproof.implementation.settings import Settings

SOURCES = {
    "call": "the caller's memory (the replay is the caller)",
    "post": "the caller's connections: a POST goes out when it arrives, its answer is kept until it is heard",
    "mode": "each scheduler's report at the gate; PAUSED and DOWN by the signals that were sent",
    "work": "each scheduler's report at the gate: stage of a message in hand",
    "trying": "each scheduler's report at the gate: attempt that was dispatched",
    "memory": "each agent's report at the gate: stage of an attempt",
    "asked": "each agent's report at the gate: who asked",
    "request": "the proxies: requests that were sent and not delivered",
    "duplicate": "the proxies: second copies of requests",
    "reply": "the proxies: replies that were sent and not delivered",
    "outbox": "table outbox, and the relay's report of what it has published",
    "starts": "users' functions themselves: each says that it has started",
    "succeeded": "users' functions themselves: the replay has them return",
    "raised": "users' functions themselves: the replay has them raise",
}
HOW = {
    "assign": "of schedulers that are up the balancer takes the one with the fewest queues; the gate may choose",
    "place": "of several agents the resource manager takes the one with the fewest tasks; the gate may choose",
    "forget": "an agent waits for a lease after the deletion; it is taken as over when nobody can ask any more",
    "lapse": "the clock that is passed in moves to the end of this lease; the others were renewed just before",
    "hand_over": "the balancer does so when a scheduler has two queues fewer than another; here when the gate says so",
    "dispatch": "with sticky_placement off the gate chooses the agent, and the resource manager is not asked",
    "receive": "with owner_epoch off a scheduler hears of its queue when it gets it, and does not ask the store again",
    "stop": "an HTTP request to the API server",
    "expire": "the task's row says for this step that it is too old, as if time had passed",
    "enqueue": "the API server goes on with a request that it has recorded (only with atomic_admission off)",
    "stale_owner": "the owner's row says that its heartbeat has lapsed; when its queue is given away, it beats again",
    "broker_duplicate": "no broker here does this: the gate hands the scheduler a second delivery with its own receipt",
    "agent_recycle": "the platform keeps its agents: the gate asks one whether it is idle, then SIGKILL ends it",
    "agent_crash": "SIGKILL, for its functions' processes too; the next incarnation finds it gone, and waits to boot",
    "api_crash": "SIGKILL; the replay starts the new process in the supervisor's place",
    "relay_crash": "SIGKILL; the replay starts the new process in the supervisor's place",
    "scheduler_upgrade": "what SIGTERM does: the process ends when it has drained, and the replay starts the next",
    "finish": "the user's function, which waits, returns when the replay says so",
    "function_failure": "the user's function, which waits, raises when the replay says so",
    "scheduler_pause": "SIGSTOP; its row says that the heartbeat has lapsed, as if time had passed",
    "scheduler_resume": "SIGCONT; the process does not notice, and beats in its next turn",
    "scheduler_crash": "SIGKILL; the replay starts the new process in the supervisor's place",
    "request_loss": "the proxy drops it; the scheduler's wait ends at once",
    "reply_loss": "the proxy drops it; the scheduler's wait ends at once",
}
REPLACED = {
    "time": "the replay moves the clock: whether heartbeats, renewals and redeliveries come in time is not seen; "
    "`onceproof storm platform` runs on real time, and no message may go to another while its holder lives",
    "broken connections": "proxies hold what is sent until a step delivers it, and nothing breaks by itself; "
    "`onceproof storm platform`, with `--on` and a server, cuts and swallows connections",
    "waiting for settlement": "the replay says when nobody can ask for a task any more, or has heard of its end; under "
    "`onceproof storm platform` agents and schedulers wait by themselves",
    "group commits": "each action of a walk is a transaction of its own; `replay --cover SPEC --group-commits` has "
    "two of them in one, and kills their process at each point of it",
}
MAKE_SEVERAL = ("task_id_dedup", "idempotent_relay")
STOPS_ONE = f"with {' or '.join(MAKE_SEVERAL)} off a task may have several messages, and the API stops the first"


def platform_driver(backends: str, mutant: str = "") -> PlatformDriver:
    """The driver of the platform on some backends: ``""``, ``STORE``, ``STORE+QUEUE`` or ``+QUEUE``, as URLs."""
    store, _, queue = backends.partition("+")
    for what, registry, setting in (("store", STORES, store), ("queue", QUEUES, queue)):
        if setting and not registry.knows(setting):
            raise DriverError(
                f"the driver `platform:{backends}` names no {what}: found {setting!r}, expected {registry.expected()}"
            )
    return PlatformDriver(store or STORES.default, queue or QUEUES.default, mutant)


class PlatformDriver(Driver):
    """The reference platform: store and queue as for `onceproof serve`; mutant: a broken variant of it, or "".

    Its fork server outlives the platforms that it is asked for, one for each configuration.
    """

    interruptions = together.with_groups(deaths.PLATFORM_INTERRUPTIONS)

    def __init__(self, store: str = STORES.default, queue: str = QUEUES.default, mutant: str = "") -> None:
        self.store, self.queue, self.mutant = store, queue, mutant
        self._fork_server: ForkServer | None = None
        try:
            notes = QUEUES.find(queue).load().REPLAY_NOTES
            titles = [registry.find(setting).title for registry, setting in ((STORES, store), (QUEUES, queue))]
        except (ValueError, StoreUnavailable) as error:
            raise DriverError(f"the platform cannot be driven: {error}") from None
        where = titles[0] if queue == QUEUES.default else " and ".join(titles)
        abilities = replace(
            ABILITIES,
            name=f"reference platform under its gate, {where}",
            how={**HOW, **notes},
            sources={**ABILITIES.sources, **SOURCES},
            replaced=REPLACED,
        )
        self._driver = SystemDriver(self._make_platform, abilities, self._told)

    def reset(self, setting: Mapping[str, Any]) -> Abilities:
        lacking = {"stop": STOPS_ONE} if any(setting["mechanisms"].get(name) is False for name in MAKE_SEVERAL) else {}
        if self._fork_server is not None and not self._fork_server.sound:
            self._driver.drop()  # its processes have died with it
        try:
            abilities = self._driver.reset(setting)
            return replace(abilities, performs=abilities.performs - set(lacking), unperformed=lacking)
        except OSError as error:
            raise DriverError(f"the platform could not be started: {error}") from None
        except (NotEnabled, ProcessFailed, StepUncalled) as error:
            raise DriverError(f"the platform could not be reset: {error}") from None

    def step(self, action: str, arguments: Mapping[str, str]) -> None:
        self._driver.step(action, arguments)

    def interrupt(self, action: str, arguments: Mapping[str, str], how: Interruption, point: int) -> bool:
        """Perform an action with an interruption at a point, if it has so many; whether it has."""
        remote = deaths.acting(self.system, action, arguments)
        waited = deaths.waiting(self.system, action, arguments)
        remote.interrupt = (how.value, point)
        try:
            self.step(action, arguments)
        except ProcessLost:
            if remote.alive:
                raise
            deaths.bury(self.system, action, arguments, waited)
            return True
        except (StepRefused, StepUncertain):
            if not remote.interrupted:
                raise
        finally:
            remote.interrupt = None
        return remote.interrupted

    def group(self, steps: Sequence[tuple[str, Mapping[str, str]]]) -> list[int]:
        """Have a process do these actions in one commit; the places of those that it did."""
        return self._together(steps, 0) or []

    def die_in_group(self, steps: Sequence[tuple[str, Mapping[str, str]]], point: int) -> bool:
        """The same, with a SIGKILL at a point of the commit, if it has so many; whether it has."""
        return self._together(steps, point) is None

    def _together(self, steps: together.Steps, point: int) -> list[int] | None:
        try:
            return together.perform(self.system, steps, point)
        except NotEnabled:
            return []

    def observe(self) -> Observation:
        asked = [remote for remote in self.system.remotes.values() if remote.begin_look()]
        lost = []
        for remote in asked:
            try:
                remote.end_look()
            except ProcessLost as error:
                lost.append(str(error))
        observation = self._driver.observe()
        if lost:
            raise ProcessLost(f"{'; '.join(lost)}, and nobody had stopped or killed it", observation)
        return observation

    @property
    def system(self) -> PlatformSystem:
        """The platform that is driven; DriverError before the first reset."""
        return self._driver.system

    @property
    def scratch(self) -> Path:
        """The folder of everything that it writes; it is gone after ``close``."""
        return self._driver.scratch.path

    def processes(self) -> list[int]:
        """The ids of the platform's processes, those of functions apart."""
        return [remote.child for remote in self.system.remotes.values()] if self._driver.running else []

    def break_as(self, mutant: str) -> None:
        """From the next reset on, drive this broken variant; "": the platform as it is."""
        self._driver.drop()
        self.mutant = mutant

    def close(self) -> None:
        self._driver.drop()
        if self._fork_server is not None:
            self._fork_server.close()
        self._driver.close()

    def _told(self, snapshot: Snapshot) -> dict[str, tuple[str, str]]:
        return api_results.misplaced(self.system.harness, snapshot)

    def _make_platform(self, path: str, settings: Settings) -> PlatformSystem:
        if self._fork_server is not None and not self._fork_server.sound:
            self._fork_server.close()
            self._fork_server = None
        if self._fork_server is None:
            self._fork_server = ForkServer(str(Path(path).parent))
        return PlatformSystem(path, settings, self._fork_server, self.store, self.queue, self.mutant)
