"""Users' functions in process: nothing runs, but every start and end is noted, as a function's own ledger would."""

from collections import Counter

from onceproof.implementation.components.messages import Order


class Ledger:
    """Counts starts and ends by (task, attempt); the witness of how often a function was started.

    received: the payload that the function was given, by (task, attempt).
    """

    def __init__(self) -> None:
        self.starts: Counter[tuple[str, int]] = Counter()
        self.received: dict[tuple[str, int], str] = {}
        self.succeeded: Counter[tuple[str, int]] = Counter()
        self.raised: Counter[tuple[str, int]] = Counter()

    def start(self, agent: str, message: str, attempt: int, order: Order) -> None:
        """A function is started."""
        self.starts[order.task, attempt] += 1
        self.received[order.task, attempt] = order.payload.decode()

    def end(self, task: str, attempt: int, succeeded: bool) -> None:
        """A function returned or raised."""
        (self.succeeded if succeeded else self.raised)[task, attempt] += 1

    def reset(self) -> None:
        """No function was ever started."""
        self.starts.clear()
        self.received.clear()
        self.succeeded.clear()
        self.raised.clear()
