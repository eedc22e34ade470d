"""Waiting for real processes: until a condition holds, with a deadline, and never for a fixed time."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Seen = TypeVar("Seen")

PATIENCE_SECONDS = 60


def wait_until(condition: Callable[[], Seen | None], seconds: float = PATIENCE_SECONDS) -> Seen:
    """Return the first true value of ``condition()``; the test fails when there is none within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (seen := condition()):
        assert time.monotonic() < deadline, f"nothing within {seconds} s"
        time.sleep(0.02)
    return seen


def is_alive(pid: int) -> bool:
    """Whether a process is there and is not a zombie."""
    try:
        os.kill(pid, 0)
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
