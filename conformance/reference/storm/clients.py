"""Clients of a storm: each user submits task after task, each until it is known to be in, and stops some of them."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from onceproof.conformance.reference.storm.orders import FUNCTIONS, Kind, Order, ordered
from onceproof.implementation.platform.http.client import Caller, CallFailed

AGAIN_SECONDS = 0.05
GAP_SECONDS = (0.02, 0.15)
STOP_SECONDS = (0.0, 0.0, 0.1, 0.5)
LAST_SECONDS = 30.0  # how long a submission is repeated after the end of a storm
UNDECIDED = (0, 503)  # no answer, or "not now": it may be in or not


@dataclass
class Submitted:
    """What became of a submission. accepted_ns: when a client knew that the task is in; None: it never did.

    refused_new: it was said to be known, though nobody had submitted it before. odd: an answer that must not be.
    """

    order: Order
    begin_ns: int
    accepted_ns: int | None = None
    refused_new: bool = False
    stop_asked: bool = False
    odd: str = ""


@dataclass
class Client:
    """One user. accepted(name) is called right after an acceptance, in this client's thread."""

    caller: Caller
    chance: random.Random
    accepted: Callable[[str], None]
    ending: threading.Event
    submitted: list[Submitted] = field(default_factory=list)

    def start(self) -> threading.Thread:
        """Work in a thread of its own, until the storm ends."""
        thread = threading.Thread(target=self._work, daemon=True)
        thread.start()
        return thread

    def _work(self) -> None:
        number = 0
        while not self.ending.is_set():
            number += 1
            for function in FUNCTIONS:
                one = Submitted(ordered(self.chance, self.caller.user, function, f"t{number}"), time.monotonic_ns())
                self.submitted.append(one)
                self._submit(one)
                if one.order.kind is Kind.STOPPED and one.accepted_ns is not None:
                    self._stop(one)
                self.ending.wait(self.chance.uniform(*GAP_SECONDS))

    def _submit(self, one: Submitted) -> None:
        order, sent = one.order, False
        patience = _Patience(self.ending)
        while patience.lasts():
            try:
                _, brought = self.caller.submit(order.function, order.payload, order.task, tries=1)
            except CallFailed as error:
                if error.status not in UNDECIDED:
                    one.odd = f"the submission was answered with {error}"
                    return
                sent = True
                time.sleep(AGAIN_SECONDS)
                continue
            one.accepted_ns = time.monotonic_ns()
            one.refused_new = not brought and not sent
            self.accepted(order.name)
            return

    def _stop(self, one: Submitted) -> None:
        self.ending.wait(self.chance.choice(STOP_SECONDS))
        one.stop_asked = True  # whatever the answer is: the wish may have arrived
        patience = _Patience(self.ending)
        while patience.lasts():
            try:
                self.caller.stop(one.order.function, one.order.task)
                return
            except CallFailed as error:
                if error.status not in UNDECIDED:
                    one.odd = f"the wish to stop it was answered with {error}"
                    return
                time.sleep(AGAIN_SECONDS)


class _Patience:
    """Until the storm ends, and for some seconds more."""

    def __init__(self, ending: threading.Event) -> None:
        self._ending = ending
        self._until: float | None = None

    def lasts(self) -> bool:
        """Whether to go on."""
        if self._ending.is_set() and self._until is None:
            self._until = time.monotonic() + LAST_SECONDS
        return self._until is None or time.monotonic() < self._until
