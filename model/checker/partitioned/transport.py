"""How partitions are reached, and how what they find for each other gets there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from onceproof.model.checker.partitioned.partition import Emitted, Partition
from onceproof.model.checker.partitioned.plan import Plan


class PartitionLost(Exception):
    """A partition can no longer be reached, with all that it had; the message says which and why."""


class Transport(Protocol):
    """Some partitions. Their own errors (PartitionFull, ModelFails) come through; PartitionLost where one is gone."""

    @property
    def size(self) -> int:
        """How many partitions there are."""
        ...

    def ask(self, method: str, *arguments: Any) -> list[Any]:
        """Calls a method of every partition; returns what each returned, when the last one has."""
        ...

    def ask_one(self, partition: int, method: str, *arguments: Any) -> Any:
        """Calls a method of one partition."""
        ...

    def exchange(self) -> list[Emitted]:
        """One round of a level: each partition emits, and what it emitted is on its way to the others."""
        ...

    def settle(self) -> None:
        """Waits until all that is on its way has been added."""
        ...

    def close(self) -> None:
        """Ends the partitions."""
        ...


class InProcess:
    """Partitions in this process, one after the other: the same in every run."""

    def __init__(self, plan: Plan, partitions: int, threads: int = 1, max_memory: int | None = None) -> None:
        share = max_memory and max_memory // partitions
        self.partitions = [Partition(plan, n, partitions, threads, share) for n in range(partitions)]

    @property
    def size(self) -> int:
        """How many partitions there are."""
        return len(self.partitions)

    def ask(self, method: str, *arguments: Any) -> list[Any]:
        """As the protocol says."""
        return [getattr(partition, method)(*arguments) for partition in self.partitions]

    def ask_one(self, partition: int, method: str, *arguments: Any) -> Any:
        """As the protocol says."""
        return getattr(self.partitions[partition], method)(*arguments)

    def exchange(self) -> list[Emitted]:
        """As the protocol says."""
        emitted: Sequence[tuple[Emitted, list[Any]]] = [partition.emit() for partition in self.partitions]
        for number, partition in enumerate(self.partitions):
            partition.absorb(*(messages[number] for _, messages in emitted))
        return [report for report, _ in emitted]

    def settle(self) -> None:
        """Nothing is ever on its way."""

    def close(self) -> None:
        """As the protocol says."""
        for partition in self.partitions:
            partition.close()


@dataclass
class Here:
    """Partitions in this process: as ``Partitions``, for tests and for benches."""

    partitions: int
    threads: int = 1
    max_memory: int | None = None
    checkpoint: Path | None = None
    settling: bool = True

    def start(self, plan: Plan) -> Transport:
        """Partitions that have no states yet."""
        return InProcess(plan, self.partitions, self.threads, self.max_memory)
