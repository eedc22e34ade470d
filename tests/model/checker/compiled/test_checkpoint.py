"""Long searches: kept on disk, resumed, bounded in memory."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from onceproof.model.checker import compiled
from onceproof.model.checker.compiled.checkpoint import CheckpointError
from onceproof.model.checker.results import INTERRUPTED, Limits, Progress, Stop, StopReason, Verdict
from onceproof.model.language import System, build
from onceproof.model.protocol.system import PROTOCOL
from tests.helpers.comparison import comparable
from tests.helpers.waiting import wait_until
from tests.models.jugs import JUGS


def middling() -> System:
    return build(PROTOCOL, PROTOCOL.configure({"tasks": 2}, {}, {"reply_loss": 1, "request_loss": 1}))


@pytest.mark.parametrize(("before", "after"), [(1, 1), (1, 2), (2, 1)])
def test_resumed_search_ends_with_the_same_result(tmp_path: Path, before: int, after: int) -> None:
    system, claims, file = middling(), middling().properties(["at_most_once", "single_holder"]), tmp_path / "search"
    whole = compiled.check(system, claims, workers=2)
    part = compiled.check(system, claims, Limits(max_states=10_000), workers=before, checkpoint=file)
    assert not part.complete and part.verdict is Verdict.UNKNOWN and 10_000 <= part.states < whole.states
    rest = compiled.check(system, claims, workers=after, resume=file)
    assert comparable(rest) == comparable(whole)


KILLED = """
    import sys
    from pathlib import Path
    from onceproof.model.checker import compiled
    from onceproof.model.language import build
    from onceproof.model.protocol.system import PROTOCOL
    system = build(PROTOCOL, PROTOCOL.configure({"tasks": 2}, {}, {"scheduler_crash": 1}))
    compiled.check(system, [], workers=1, checkpoint=Path(sys.argv[1]), checkpoint_seconds=0.0)
"""


def test_killed_search_resumes_from_its_last_checkpoint(tmp_path: Path) -> None:
    file = tmp_path / "search"
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(KILLED), str(file)])
    wait_until(lambda: file.exists() or process.poll() is not None)
    process.send_signal(signal.SIGKILL)
    process.wait()
    system = build(PROTOCOL, PROTOCOL.configure({"tasks": 2}, {}, {"scheduler_crash": 1}))
    result = compiled.check(system, [], resume=file)
    assert (result.states, result.transitions, result.depth, result.complete) == (1_260_480, 7_855_312, 40, True)


def test_ctrl_c_ends_a_compiled_search_with_what_is_known(tmp_path: Path) -> None:
    system, file = middling(), tmp_path / "search"

    def interrupt(progress: Progress) -> None:
        if progress.states > 1000:
            os.kill(os.getpid(), signal.SIGINT)

    large = build(PROTOCOL, PROTOCOL.configure({"tasks": 3}, {}, {"scheduler_crash": 1}))
    part = compiled.check(large, [], Limits(report=interrupt), workers=2, max_memory=1 << 29, checkpoint=file)
    assert part.stopped == INTERRUPTED and not part.complete and part.states > 1000
    same = compiled.check(large, [], Limits(max_states=part.states), resume=file, max_memory=1 << 29)
    assert same.states == part.states and not same.complete
    shallow = compiled.check(system, [], Limits(max_depth=9), checkpoint=file)
    assert (shallow.depth, shallow.stopped) == (9, Stop(StopReason.DEPTH, 9))
    assert compiled.check(system, [], resume=file).states == 97_008


def test_unusable_checkpoints_are_refused_with_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "search"
    system = build(JUGS)
    with pytest.raises(CheckpointError, match="cannot be read"):
        compiled.check(system, resume=file)
    file.write_text("{")
    with pytest.raises(CheckpointError, match="not a checkpoint of this version"):
        compiled.check(system, resume=file)
    compiled.check(system, [], Limits(max_states=3), checkpoint=file)
    with pytest.raises(CheckpointError, match="another model"):
        compiled.check(middling(), [], resume=file)
    Path(f"{file}.states").write_bytes(b"")
    with pytest.raises(CheckpointError, match="states are missing"):
        compiled.check(system, [], resume=file)


def flipped(path: Path, at: int) -> None:
    """Changes one bit of one byte."""
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("where", [0.1, 0.5, 0.9])
def test_a_checkpoint_with_one_flipped_bit_is_refused(tmp_path: Path, where: float) -> None:
    file, system = tmp_path / "search", build(JUGS)
    compiled.check(system, [], Limits(max_states=9), checkpoint=file, workers=1)
    image = Path(f"{file}.states")
    written = [at for at, byte in enumerate(image.read_bytes()) if byte]
    flipped(image, written[int(where * len(written))])
    with pytest.raises(CheckpointError, match=r"states .* are damaged"):
        compiled.check(system, [], resume=file)
    flipped(image, written[int(where * len(written))])
    assert compiled.check(system, [], resume=file).states == 16
    flipped(file, int(where * file.stat().st_size))
    with pytest.raises(CheckpointError, match=r"damaged|not a checkpoint"):
        compiled.check(system, [], resume=file)


def test_a_resumed_search_saves_to_the_checkpoint_it_came_from(tmp_path: Path) -> None:
    file, system = tmp_path / "search", middling()
    compiled.check(system, [], Limits(max_states=5_000), checkpoint=file, workers=2)
    compiled.check(system, [], Limits(max_states=20_000), checkpoint=file, resume=file, workers=1)
    assert compiled.check(system, [], resume=file).states == 97_008


def test_memory_limit_makes_the_verdict_unknown() -> None:
    result = compiled.check(middling(), [], max_memory=1 << 21, workers=1)
    assert not result.complete and result.stopped is not None and result.stopped.reason is StopReason.MEMORY
    assert result.states < 97_008


def test_liveness_beyond_the_memory_limit_is_unknown() -> None:
    system = middling()
    result = compiled.check(system, system.properties(["no_lost_task"]), max_memory=20 << 20, workers=1)
    assert (result.states, result.complete, result.verdict) == (97_008, True, Verdict.UNKNOWN)
    assert "`eventually` needs" in result.notes[0]
    assert compiled.check(system, system.properties(["no_lost_task"])).verdict is Verdict.HOLDS
