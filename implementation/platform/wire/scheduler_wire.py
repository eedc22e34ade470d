"""The scheduler's side of the wire to the agents: requests go out after the commit, replies wait to be heard."""

from collections.abc import Callable
from typing import Any

from onceproof.implementation.components.messages import Exchange, Order, Result
from onceproof.implementation.errors import NotEnabled
from onceproof.implementation.platform.wire.frames import Frame
from onceproof.implementation.platform.wire.link import Link


def reply_header(result: Result) -> dict[str, Any]:
    """A result as the header of a frame whose body is its value."""
    return {
        "succeeded": result.succeeded,
        "error": result.error,
        "started_ns": result.started_ns,
        "ended_ns": result.ended_ns,
    }


def result_of(frame: Frame) -> Result:
    """The result of such a frame."""
    header, body = frame
    return Result(header["succeeded"], body, header["error"], header["started_ns"], header["ended_ns"])


class SchedulerWire:
    """A link to each agent's present incarnation.

    on_broken(agent) is called when a link breaks or is missing; turned_away(message, attempt) when an agent has not
    taken a request; on_reply() after each arrival.
    """

    def __init__(
        self,
        scheduler: str,
        on_reply: Callable[[], None],
        on_broken: Callable[[str], None],
        turned_away: Callable[[str, int], None],
    ) -> None:
        self.turned_away = turned_away
        self.scheduler = scheduler
        self.on_reply = on_reply
        self.on_broken = on_broken
        self.links: dict[str, Link] = {}
        self.outgoing: list[tuple[str, dict[str, Any], bytes]] = []
        self.replies: dict[Exchange, Result] = {}

    def send_request(self, exchange: Exchange, order: Order) -> None:
        """Send an order when the transaction is committed."""
        _, agent, message, attempt = exchange
        header = {
            "message": message,
            "attempt": attempt,
            "task": order.task,
            "function": order.function,
            "task_id": order.task_id,
            "request_id": order.request_id,
        }
        self.outgoing.append((agent, header, order.payload))

    def take_reply(self, exchange: Exchange) -> Result:
        """Take a reply that has arrived; NotEnabled if there is none."""
        if exchange not in self.replies:
            raise NotEnabled(f"no reply {exchange} has arrived")
        return self.replies.pop(exchange)

    def has_request(self, exchange: Exchange) -> bool:
        """Requests do not arrive at schedulers."""
        return False

    def turn_away(self, exchange: Exchange) -> None:
        """There is nothing to turn away."""
        raise NotEnabled("a scheduler takes no requests")

    def take_request(self, exchange: Exchange) -> Order:
        """Requests do not arrive at schedulers."""
        raise NotEnabled("a scheduler takes no requests")

    def send_reply(self, exchange: Exchange, result: Result) -> None:
        """Schedulers do not reply."""
        raise NotEnabled("a scheduler sends no replies")

    def flush(self) -> None:
        """The transaction is committed: send what waits for it."""
        outgoing, self.outgoing = self.outgoing, []
        for agent, header, body in outgoing:
            link = self.links.get(agent)
            if link is None or not link.send(header, body):
                self.on_broken(agent)

    def discard(self) -> None:
        """The transaction was rolled back: nothing of it is sent."""
        self.outgoing.clear()

    def follow(self, addresses: dict[str, str]) -> None:
        """Keep a link to each of these agents, at these addresses."""
        for agent, address in addresses.items():
            link = self.links.get(agent)
            if link is not None and link.address == address:
                continue
            if link is not None:
                link.close()
                self.on_broken(agent)
            self.links[agent] = self._link(agent, address)

    def _link(self, agent: str, address: str) -> Link:
        def arrived(frame: Frame) -> None:
            header = frame[0]
            if header.get("turned_away"):
                self.turned_away(header["message"], header["attempt"])
                self.on_reply()
                return
            exchange = (self.scheduler, agent, header["message"], header["attempt"])
            self.replies[exchange] = result_of(frame)
            self.on_reply()

        def changed(connected: bool) -> None:
            if not connected:
                self.on_broken(agent)
            self.on_reply()

        return Link(address, {"scheduler": self.scheduler}, arrived, changed)
