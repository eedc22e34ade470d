"""What the environment of the platform does: time passes, the network loses and copies."""

from collections.abc import Callable

from onceproof.implementation.clock import ManualClock
from onceproof.implementation.errors import NotEnabled
from onceproof.implementation.in_process.network import Network
from onceproof.implementation.probe import Probe, action
from onceproof.implementation.stores.database import Database


class Environment:
    """Actions that no component performs.

    timed_out(scheduler, message, attempt) is a scheduler's wait that ends. row_of: the id of a message in its table,
    by the name that actions have for it.
    """

    LEASE_END = "SELECT leased_until_ns FROM messages WHERE message = ? AND visible_at_ns > ? AND deleted_at_ns IS NULL"
    RENEW_OTHERS = """UPDATE messages SET visible_at_ns = ?, leased_until_ns = ?
        WHERE message != ? AND visible_at_ns > ? AND deleted_at_ns IS NULL"""
    BEAT_ALL = "UPDATE members SET beat_until_ns = ? WHERE beat_until_ns > ?"

    def __init__(
        self,
        database: Database,
        network: Network,
        clock: ManualClock,
        lease_ns: int,
        beat_ns: int,
        timed_out: Callable[[str, str, int], None],
        probe: Probe | None = None,
        row_of: Callable[[str], str] = str,
    ) -> None:
        self.database = database
        self.network = network
        self.clock = clock
        self.lease_ns = lease_ns
        self.beat_ns = beat_ns
        self.timed_out = timed_out
        self.probe = probe
        self.row_of = row_of
        self.identity: dict[str, str] = {}

    @action
    def lapse(self, message: str) -> None:
        """Nobody renews this message: the clock passes the end of its lease, and of no other."""
        self._pass_lease_end(message)

    @action
    def lease_lapse(self, message: str) -> None:
        """The holder's renewal comes too late: the clock passes the end of its lease, and of no other."""
        self._pass_lease_end(message)

    @action
    def request_loss(self, scheduler: str, agent: str, message: str, attempt: int) -> None:
        """A request to an agent is lost; the scheduler's wait for its reply times out."""
        self.network.lose_request((scheduler, agent, message, attempt))
        self.timed_out(scheduler, message, attempt)

    @action
    def request_duplication(self, scheduler: str, agent: str, message: str, attempt: int) -> None:
        """A request to an agent will arrive twice."""
        self.network.duplicate_request((scheduler, agent, message, attempt))

    @action
    def reply_loss(self, scheduler: str, agent: str, message: str, attempt: int) -> None:
        """A reply is lost; the scheduler's wait for it times out."""
        self.network.lose_reply((scheduler, agent, message, attempt))
        self.timed_out(scheduler, message, attempt)

    def _pass_lease_end(self, message: str) -> None:
        """Everybody else renews and beats just before, then the clock moves to the end of this one lease."""
        now, message_id = self.clock.now_ns(), self.row_of(message)
        row = self.database.row(self.LEASE_END, message_id, now)
        if row is None:
            raise NotEnabled(f"message {message} is not invisible")
        end = int(row[0])
        with self.database.transaction():
            self.database.run(self.RENEW_OTHERS, end + self.lease_ns, end + self.lease_ns, message_id, now)
            self.database.run(self.BEAT_ALL, end + self.beat_ns, now)
        self.clock.move_to(end)
