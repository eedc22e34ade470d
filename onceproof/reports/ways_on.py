"""What helps where memory ended a search, as text: with the options that it takes."""

from __future__ import annotations

from collections.abc import Iterator

from onceproof.inputs.specs import Spec
from onceproof.model.checker.plan import FINGERPRINT_BYTES
from onceproof.model.checker.results import CheckResult, StopReason


def ways_on(spec: Spec, result: CheckResult) -> list[str]:
    """One sentence for each way to get further with this spec; none where neither memory nor a disk ended it."""
    memory = result.memory
    if result.stopped is None or memory is None:
        return []
    again = f"onceproof check {spec.asked}" + ("" if memory.symmetry else " --no-symmetry")
    if memory.disk is not None and result.stopped.reason not in (StopReason.STATES, StopReason.RANGE_LEFT):
        room = "with more room on the disk " if result.stopped.reason is StopReason.DISK else ""
        return [f"{memory.disk} has all that was found: {room}`{again} --disk {memory.disk}` goes on"]
    if memory.cluster and result.stopped.reason is StopReason.PROCESS_LOST:
        return [
            "with `--checkpoint FOLDER`, which all nodes see, a search goes on from its last level on the nodes that "
            "are left; where it was memory that a node ran out of, `--max-memory` below what it has says so in time"
        ]
    if result.stopped.reason is not StopReason.MEMORY:
        return []
    if memory.cluster:
        return [
            "a cluster of more nodes holds more states, or a larger --max-memory on each; with `--checkpoint FOLDER` "
            "what was found is kept, level by level",
            *_by_symmetry(spec, result),
        ]
    ways = []
    if memory.checkpoint:
        ways.append(
            f"{memory.checkpoint} has all that was found: `{again} --resume {memory.checkpoint}` goes on from there, "
            "with a larger --max-memory or on a larger machine"
        )
    elif not memory.fingerprints:
        ways.append("`--checkpoint FILE` keeps what was found, and `--resume FILE` goes on from it with more memory")
    if not memory.fingerprints:
        each = memory.bytes / max(result.states, 1)
        if each > FINGERPRINT_BYTES:
            ways.append(
                f"`--fingerprint` takes at most {FINGERPRINT_BYTES} bytes a state, here {each:.0f}: it keeps a hash of "
                "each, and says how likely it is that one was overlooked"
            )
    ways.append("`--disk FOLDER` keeps states in files: as many as the disk holds, up to five times slower")
    ways.append("`--ray ADDRESS` spreads the states over the nodes of a Ray cluster")
    ways.extend(_by_symmetry(spec, result))
    return ways


def _by_symmetry(spec: Spec, result: CheckResult) -> Iterator[str]:
    """What symmetry reduction could save that it did not."""
    system, memory = spec.system, result.memory
    several = {name: sort for name, sort in system.model.sorts.items() if system.sizes[name] > 1 and not sort.ordered}
    declared = [name for name, sort in several.items() if sort.symmetric]
    if declared and memory is not None and not memory.symmetry:
        yield f"without `--no-symmetry` states that differ only in which {' or '.join(declared)} is which count as one"
    others = [name for name in several if name not in declared]
    if others:
        yield (
            f"{' and '.join(others)} {'is' if len(others) == 1 else 'are'} not declared `symmetric=True`: where no "
            "step tells the elements of a sort apart, states that differ only in which is which then count as one"
        )


def in_bytes(size: int) -> str:
    """A size, as people write it: ``1.2 GB``."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size / 1e3:.1f} kB"
