"""A search on disk finds what one in memory finds, however little memory it has, and goes on after any kill."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onceproof.model.checker import compiled
from onceproof.model.checker.compiled.checkpoint import CheckpointError
from onceproof.model.checker.compiled.disk import folder as folders
from onceproof.model.checker.compiled.disk import runs
from onceproof.model.checker.compiled.disk import search as searches
from onceproof.model.checker.results import CheckResult, Limits, StopReason, Verdict
from onceproof.model.language import System, build
from onceproof.model.protocol.system import PROTOCOL
from tests.helpers.broken_protocols import BROKEN
from tests.helpers.comparison import comparable
from tests.helpers.random_models import random_system


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few states are expanded, gathered, merged and compared together, and each array goes to a file."""
    monkeypatch.setattr(searches, "most_states", lambda *_: 60)
    monkeypatch.setattr(searches, "COPIES", 1 << 40)
    monkeypatch.setattr(searches, "FEWEST", 7)
    monkeypatch.setattr(folders, "IN_MEMORY", 0)
    monkeypatch.setattr(runs, "MERGED", 16)


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[], Path]:
    numbers = iter(range(10**6))
    return lambda: tmp_path / f"search{next(numbers)}"


def safe(system: System) -> list[Any]:
    return [claim for claim in system.properties() if not claim.is_liveness and claim.kind != "refines"]


def failover() -> System:
    return build(PROTOCOL, PROTOCOL.configure({"submissions": 2}, {"agent_dedup": False}, {"scheduler_crash": 1}))


@pytest.mark.parametrize("symmetry", [False, True])
@pytest.mark.usefixtures("little_memory")
def test_search_on_disk_finds_the_same_on_random_models(symmetry: bool, folder: Callable[[], Path]) -> None:
    compared = shown = 0
    for seed in range(40):
        system = random_system(seed)
        whole = compiled.check(system, safe(system), Limits(max_states=3_000), workers=1, symmetry=symmetry)
        if not whole.complete and (whole.stopped is None or whole.stopped.reason is not StopReason.RANGE_LEFT):
            continue
        for workers in (1, 2):
            found = compiled.check(system, safe(system), workers=workers, symmetry=symmetry, disk=folder())
            assert comparable(found) == comparable(whole), seed
            compared += 1
        shown += any(each.counterexample for each in whole.properties)
    assert compared >= 70 and shown >= 10


@pytest.mark.parametrize("number", range(len(BROKEN)))
@pytest.mark.parametrize("symmetry", [False, True])
def test_search_on_disk_finds_the_same_on_the_protocol(number: int, symmetry: bool, folder: Callable[[], Path]) -> None:
    sizes, switches, budgets = BROKEN[number]
    system = build(PROTOCOL, PROTOCOL.configure(sizes, switches, budgets))
    whole = compiled.check(system, safe(system), symmetry=symmetry)
    assert whole.complete and any(each.counterexample for each in whole.properties)
    assert comparable(compiled.check(system, safe(system), symmetry=symmetry, disk=folder())) == comparable(whole)


@pytest.mark.usefixtures("little_memory")
def test_steps_that_are_settled_are_settled_on_disk_too(folder: Callable[[], Path]) -> None:
    """As many successors are looked up as in memory, or a few more: what is known of a level comes late."""
    system, inside, on_disk = failover(), dict[str, Any](), dict[str, Any]()
    compiled.check(system, [], workers=1, report=inside)
    result = compiled.check(system, [], workers=1, disk=folder(), report=on_disk)
    assert inside["looked_up"] == on_disk["looked_up"] < result.transitions / 2


@pytest.mark.usefixtures("little_memory")
def test_states_of_one_fingerprint_are_told_apart(folder: Callable[[], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The fingerprint says where to look, and never what is equal."""
    real = runs.fingerprints_of
    monkeypatch.setattr(runs, "fingerprints_of", lambda rows: real(rows) >> np.uint64(60) << np.uint64(60))
    monkeypatch.setattr(searches, "fingerprints_of", runs.fingerprints_of)
    for seed in (1, 3, 7, 8):
        system = random_system(seed)
        whole = compiled.check(system, safe(system), Limits(max_states=500), workers=1)
        if whole.complete:
            assert comparable(compiled.check(system, safe(system), workers=1, disk=folder())) == comparable(whole)


class Killed(BaseException):
    """In place of SIGKILL."""


@pytest.fixture
def dies(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Has the search die at its n-th call to the system that writes, names or removes something."""
    left = [0]

    def counted(name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(*arguments: Any, **more: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            return real(*arguments, **more)

        return call

    with monkeypatch.context() as patch:
        for name in ("write", "fsync", "replace", "unlink"):
            patch.setattr(os, name, counted(name))
        yield lambda number: left.__setitem__(0, number)
        left[0] = 0


@pytest.mark.usefixtures("little_memory")
def test_search_goes_on_where_it_was_killed(
    folder: Callable[[], Path], dies: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searches, "KEEP_SECONDS", 0.0)
    system = random_system(3)
    whole = comparable(compiled.check(system, safe(system), workers=1))
    killed = 0
    for number in (*range(1, 60), *range(60, 4_000, 171)):
        path = folder()
        dies(number)
        try:
            found = compiled.check(system, safe(system), workers=1, disk=path)
        except Killed:
            killed += 1
            dies(0)
            found = compiled.check(system, safe(system), workers=1, disk=path)
        assert comparable(found) == whole, number
    assert killed >= 60


def test_finished_search_is_told_again_and_a_limited_one_goes_on(folder: Callable[[], Path]) -> None:
    system, path = failover(), folder()
    whole = compiled.check(system, safe(system))
    part = compiled.check(system, safe(system), Limits(max_depth=9), disk=path)
    assert part.stopped is not None and part.stopped.reason is StopReason.DEPTH and part.depth == 9
    for _ in range(2):
        assert comparable(compiled.check(system, safe(system), disk=path)) == comparable(whole)


@pytest.mark.parametrize("most", [1, 2, 17, 500, 1_234])
def test_number_of_states_is_kept_exactly(most: int, folder: Callable[[], Path]) -> None:
    system = failover()
    found = compiled.check(system, safe(system), Limits(max_states=most), disk=folder())
    plain = compiled.check(system, safe(system), Limits(max_states=most), workers=1)
    assert found.states == plain.states == most and not found.complete
    assert found.finished_depth == plain.finished_depth


def test_liveness_is_unknown_and_says_what_to_do(folder: Callable[[], Path]) -> None:
    system = failover()
    result = compiled.check(system, disk=folder())
    unknown = [each.name for each in result.properties if each.verdict is Verdict.UNKNOWN]
    assert unknown == [claim.name for claim in system.properties() if claim.is_liveness] != []
    assert "without --disk" in " ".join(result.notes)


def finished(path: Path) -> CheckResult:
    return compiled.check(failover(), [], disk=path)


def test_changed_byte_is_refused(folder: Callable[[], Path]) -> None:
    path = folder()
    finished(path)
    for file in sorted(path.glob("level-*"))[::5]:
        content = file.read_bytes()
        if content:
            file.write_bytes(bytes([content[0] ^ 1]) + content[1:])
            with pytest.raises(CheckpointError, match=f"{file.name}: the file is damaged"):
                finished(path)
            file.write_bytes(content[:-1])
            with pytest.raises(CheckpointError, match=f"{file.name}: the file is damaged"):
                finished(path)
            file.write_bytes(content)
    manifest = path / "search.json"
    manifest.write_text(manifest.read_text().replace('"states": 1', '"states": 2', 1))
    with pytest.raises(CheckpointError, match=r"search.json: the file is damaged"):
        finished(path)


def test_folder_of_something_else_is_refused(folder: Callable[[], Path]) -> None:
    path = folder()
    finished(path)
    other = build(PROTOCOL, PROTOCOL.configure({}, {}, {"scheduler_crash": 1}))
    with pytest.raises(CheckpointError, match="this is the search of another model, configuration"):
        compiled.check(other, [], disk=path)
    foreign = folder()
    foreign.mkdir()
    (foreign / "notes.txt").write_text("mine")
    with pytest.raises(CheckpointError, match=r"this folder has other files in it, such as notes\.txt"):
        finished(foreign)
    assert (foreign / "notes.txt").read_text() == "mine"
    with pytest.raises(CheckpointError, match="no such file or directory"):
        finished(folder() / "deeper")


def test_one_search_at_a_time(folder: Callable[[], Path]) -> None:
    path = folder()
    finished(path)
    with open(path / "lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(CheckpointError, match="another search is at work in this folder"):
            finished(path)


def test_full_disk_ends_the_search_and_loses_nothing(
    folder: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found stays found: with more room the same command goes on."""
    path, real, written = folder(), os.write, [0]

    def write(file: int, content: Any) -> int:
        written[0] += len(content)
        if written[0] > 30_000:
            raise OSError(28, "No space left on device")
        return real(file, content)

    system = failover()
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        found = compiled.check(system, safe(system), disk=path)
    assert found.stopped is not None and found.stopped.reason is StopReason.DISK and not found.complete
    assert found.finished_depth is not None and found.finished_depth > 3
    kept = json.loads((path / "search.json").read_text().splitlines()[1])
    assert len(kept["levels"]) >= 1
    whole = compiled.check(system, safe(system))
    assert comparable(compiled.check(system, safe(system), disk=path)) == comparable(whole)
