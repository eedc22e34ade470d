"""A driver of the reference core that is closed with the test."""

from collections.abc import Iterator

import pytest

from onceproof.conformance.reference.core_driver import CoreDriver, MakeCore, make_core
from tests.helpers.fixture_types import OpenCore


@pytest.fixture
def open_core() -> Iterator[OpenCore]:
    """Opens drivers of the core, or of a variant of it."""
    opened: list[CoreDriver] = []

    def open_it(make: MakeCore = make_core) -> CoreDriver:
        opened.append(CoreDriver(make))
        return opened[-1]

    yield open_it
    for driver in opened:
        driver.close()


@pytest.fixture
def core(open_core: OpenCore) -> CoreDriver:
    return open_core()
