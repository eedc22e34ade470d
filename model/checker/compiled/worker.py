"""What one worker of a search has of its own, and where it put the states that it found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from onceproof.model.checker.compiled.codegen.functions import Functions
from onceproof.model.checker.compiled.codegen.packing import WORD
from onceproof.model.checker.compiled.frontier import Ranges
from onceproof.model.checker.compiled.kernels import batch


@dataclass
class Worker:
    """What one worker has of its own."""

    mine: Any
    log: Any
    fired: Any
    best: Any
    out: Any
    hashes: Any
    moves: Any
    blocks: list[tuple[int, int]] = field(default_factory=list)  # where it may put states: (first, one past the last)


def new_worker(functions: Functions) -> Worker:
    """A worker that has found nothing yet."""
    words, records = functions.packing.words, batch.BATCH + functions.most_records + 1
    worker = Worker(
        mine=np.zeros(16, np.int64),
        log=np.zeros(1 << 12, np.int64),
        fired=np.zeros(functions.move_words * WORD, np.int64),
        best=np.full(functions.bits + 1, batch.FAR, np.int64),
        out=np.zeros(records * (words + 1), np.int64),
        hashes=np.zeros(records, np.uint64),
        moves=np.zeros((batch.BATCH + 1) * len(functions.row_of_moves(idle=False)), np.int64),
    )
    worker.mine[batch.PENDING] = (1 << len(functions.claims)) - 1
    return worker


def since(worker: Worker, blocks: int, cursor: int) -> Ranges:
    """The numbers of the states that a worker found since it had so many blocks and stood at ``cursor``."""
    parts = [(cursor, worker.blocks[blocks - 1][1])] if blocks else []
    parts += worker.blocks[blocks:]
    if parts:
        parts[-1] = (parts[-1][0], int(worker.mine[batch.CURSOR]))
    return [part for part in parts if part[0] < part[1]]
