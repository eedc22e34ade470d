"""How slow this machine is now, for tests of time limits: a busy processor must not turn them red."""

import time
from collections.abc import Callable
from statistics import median

# Seconds that the work below takes on an idle processor of a few years ago.
USUAL = 0.02


def slowness(clock: Callable[[], float] = time.process_time) -> float:
    """How many times its usual time a fixed piece of work takes here and now; 1 at least.

    clock: of the processor's time, or of the wall's, which goes on while others have the processor.
    """
    return max(1.0, median(_spent(clock) for _ in range(5)) / USUAL)


def _spent(clock: Callable[[], float]) -> float:
    began = clock()
    sum(number % 7 for number in range(400_000))
    return clock() - began
