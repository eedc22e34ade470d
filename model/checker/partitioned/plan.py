"""What a partition must know of a model: the text of its functions and a few tables. It can travel to other machines.

The model itself stays where the search was asked for, so that no other machine needs its file.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from onceproof.model.checker.compiled.codegen.functions import Functions
from onceproof.model.checker.compiled.codegen.packing import WORD
from onceproof.model.checker.compiled.sleep_sets import SleepTables, sleep_tables
from onceproof.model.checker.partitioned.records import Records, records_of


@dataclass(frozen=True)
class Plan:
    """A model as partitions explore it.

    text: its functions; words: of a state; move_words, kinds, row: what ``expand`` takes; most_records: the most that
    one state leads to; claims, bits: how many are judged, and how many bits that takes; moves: how many there are.
    records: how states and the moves that led there travel. sleep: what is sleeping after which move.
    """

    text: str
    words: int
    move_words: int
    most_records: int
    claims: int
    bits: int
    moves: int
    row: int
    kinds: tuple[int, ...]
    records: Records
    sleep: SleepTables


def plan_of(functions: Functions, *, settling: bool = True) -> Plan:
    """The plan for the functions of a model. settling: whether sleep sets are used."""
    text = functions.source()
    tables = sleep_tables(functions)
    if not (settling and _renamed_alike(functions, tables)):
        tables = SleepTables(0, np.zeros(0, np.int64), tables.renamed)
    return Plan(
        text=text,
        words=functions.packing.words,
        move_words=functions.move_words,
        most_records=functions.most_records,
        claims=len(functions.claims),
        bits=functions.bits,
        moves=len(functions.steps),
        row=len(functions.row_of_moves(idle=False)),
        kinds=tuple(functions.kinds_of_moves(None)),
        records=records_of(functions.packing.used, len(functions.steps)),
        sleep=tables,
    )


def _renamed_alike(functions: Functions, tables: SleepTables) -> bool:
    """Whether what sleeps after a renamed move is what sleeps after the move, renamed: then its number says it all."""
    moves = len(functions.steps)
    if not tables.words or len(tables.renamed) == functions.move_words * WORD:
        return True
    if tables.words * WORD < moves:
        return False
    bits = np.unpackbits(tables.sleep_after.view(np.uint8), bitorder="little").reshape(moves + 1, -1)[:moves, :moves]
    names = tables.renamed.reshape(-1, functions.move_words * WORD)[:, :moves]
    return all((bits[np.ix_(there, there)] == bits).all() for there in _different(names))


def _different(names: Any) -> Any:
    """Enough of the renamings to answer for all: each comes from the one before it by an exchange."""
    return np.unique(np.stack([_between(one, other) for one, other in itertools.pairwise(names)]), axis=0)


def _between(one: Any, other: Any) -> Any:
    """The renaming that leads from one to the other."""
    found = np.empty_like(one)
    found[one] = other
    return found
