"""Three copies of what was accepted: the platform goes on, and loses nothing, when a node is lost for good."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.platforms import LEDGER, Platform
from tests.helpers.postgres_servers import PostgresCluster
from tests.helpers.storms import QUICK, Clients, judge
from tests.helpers.waiting import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.timeout(300)]
LOCKED = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted"


@pytest.fixture
def cluster() -> Iterator[PostgresCluster]:
    made = PostgresCluster()
    try:
        yield made.start()
    finally:
        made.stop()


def test_postgresql_loses_its_primary_for_good_under_load(cluster: PostgresCluster, tmp_path: Path) -> None:
    platform = Platform(tmp_path / "platform", {**QUICK, "store": cluster.url, "hang_seconds": 0})
    platform.function("ledger", LEDGER)
    platform.start()
    try:
        clients = Clients(platform)
        wait_until(lambda: len(clients.accepted) > 10)
        cluster.lose(0)
        before = len(clients.accepted)
        assert cluster.promote() in (1, 2)
        wait_until(lambda: len(clients.accepted) > before + 20)
        judge(platform, clients.end(), may_fail=False)
        wait_until(lambda: platform.rows(LOCKED), 30)
        other = Platform(tmp_path / "other", platform.settings)
        other.function("ledger", LEDGER)
        assert "another platform serves this database" in other.refusal(), "the lock went over to the new primary"
    finally:
        platform.end()
