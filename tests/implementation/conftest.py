"""A core on a real file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from onceproof.implementation.clock import ManualClock
from onceproof.implementation.in_process.core import Core
from onceproof.implementation.settings import Mechanisms, Settings
from tests.helpers.fixture_types import MakeCore


@pytest.fixture
def make_core(tmp_path: Path) -> Iterator[MakeCore]:
    """Builds cores; mechanisms are given as name=False, sizes by their names."""
    cores: list[Core] = []

    def make(probe: Any = None, **given: Any) -> Core:
        sizes = {name: given.pop(name) for name in ("schedulers", "agents", "users", "attempts") if name in given}
        settings = Settings(synchronous="OFF", mechanisms=Mechanisms.switched(given), **sizes)
        core = Core(str(tmp_path / f"core{len(cores)}.db"), settings, ManualClock(), probe)
        cores.append(core)
        return core

    yield make
    for core in cores:
        core.close()
