"""Whether the platform makes progress: what /healthz says, and why it says no."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from onceproof.implementation.errors import StoreUnavailable
from onceproof.implementation.platform.beat import sign_of
from onceproof.implementation.platform.config import PlatformConfig

SILENT_SECONDS = 10.0  # a loop goes round several times a second
OUTBOX_SECONDS = 10.0
STORE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Health:
    """reasons: why the platform is not well, one line each; empty: it is. alive: processes that make progress."""

    reasons: list[str] = field(default_factory=list)
    alive: frozenset[str] = frozenset()

    def up(self, role: str) -> int:
        """How many processes of a role make progress."""
        return sum(name.rstrip("0123456789") == role for name in self.alive)


def processes_health(config: PlatformConfig, folder: str) -> Health:
    """What the processes' own signs of life say."""
    now = time.monotonic()
    groups = {
        "agent": [f"agent{number}" for number in range(1, config.agents + 1)],
        "scheduler": [f"scheduler{number}" for number in range(1, config.schedulers + 1)],
        **{name: [name] for name in ("relay", "balancer", "resources")},
    }
    alive, reasons = set(), []
    for role, names in groups.items():
        signs = {name: sign_of(folder, name) for name in names}
        for name, sign in signs.items():
            if sign is None:
                continue
            if sign.trouble:
                reasons.append(f"{name} cannot use the store: {sign.trouble}")
            elif sign.waits_since and now - sign.waits_since > SILENT_SECONDS:
                reasons.append(f"{name} has waited {now - sign.waits_since:.0f} s for the store")
            elif sign.silent_seconds(now) <= SILENT_SECONDS:
                alive.add(name)
        if not alive & set(names):
            reasons.append(f"no {role} makes progress" if len(names) > 1 else f"{names[0]} makes no progress")
    return Health(reasons, frozenset(alive))


def outbox_reason(oldest_ns: int | None, now_ns: int) -> Iterable[str]:
    """Accepted submissions that nobody carries to the queue."""
    waited = 0.0 if oldest_ns is None else (now_ns - oldest_ns) / 1e9
    if waited > OUTBOX_SECONDS:
        yield f"accepted submissions have waited {waited:.0f} s for the relay"


class StoreProbe:
    """Asks the store for a real write, one at a time: of a store that hangs nothing more is asked meanwhile."""

    def __init__(self) -> None:
        self._asked: asyncio.Future[None] | None = None
        self._since = 0.0

    async def reason(self, write: Callable[[], Awaitable[None]]) -> str:
        """Why the store takes no write now; empty: it does. write: may raise StoreUnavailable."""
        if self._asked is None:
            self._asked = asyncio.ensure_future(write())
            self._since = time.monotonic()
        done, _ = await asyncio.wait({self._asked}, timeout=STORE_SECONDS)
        if not done:
            return f"the store has taken no write for {time.monotonic() - self._since:.0f} s"
        asked, self._asked = self._asked, None
        error = asked.exception()
        if isinstance(error, StoreUnavailable):
            return f"the store takes no write: {error}"
        if error is not None:
            raise error
        return ""
