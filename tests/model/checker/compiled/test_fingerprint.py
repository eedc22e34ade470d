"""The table of fingerprints: it grows where it stands, loses nothing, and takes at most 12 bytes a state."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onceproof.model.checker.compiled.fingerprint import FEW_SLOTS, FULLEST, FingerprintSet
from onceproof.model.checker.compiled.kernels.fingerprint import spread
from onceproof.model.checker.compiled.kernels.visited import home_of


def test_a_table_keeps_what_it_has_while_it_grows() -> None:
    numbers = np.random.default_rng(7).integers(0, 2**63, 200_000, np.int64)
    table = FingerprintSet(numbers, 1, 1 << 24)
    entered = 0
    while entered < len(numbers):
        table.make_room(entered + 5_000)
        table.enter([(entered, entered + 5_000)])
        entered += 5_000
        kept = table.entries[table.entries != 0]
        assert len(kept) == len(np.unique(kept)) == entered
        for slot in np.flatnonzero(table.entries)[::997].tolist():  # no gap between its home and its place
            home = home_of.python(table.entries[slot], table.extent)
            assert (table.entries[home : slot + 1] != 0).all()
    assert table.bytes / entered < 8 / FULLEST * 1.13


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 60), min_size=1, max_size=40), st.integers(1, 3))
def test_runs_of_any_length_are_spread_with_any_room_for_them(seed: int, runs: list[int], room: int) -> None:
    """Long runs need several calls, each with more room; what was there is there afterwards, each once."""
    random = np.random.default_rng(seed)
    table = np.zeros(2_048, np.uint64)
    size, larger = 512, 768
    values: set[int] = set()
    for length in runs:
        home = int(random.integers(0, size - 1))
        for value in (home << 55) + random.integers(1, 2**54, length, np.uint64):
            slot = int(home_of.python(np.uint64(value), size))
            while table[slot] != 0 and len(values) < 1_200:
                slot += 1
            if table[slot] == 0:
                table[slot] = value
                values.add(int(value))
    last = int(np.flatnonzero(table)[-1]) + 1
    end, run = last, np.zeros(room, np.uint64)
    while end := spread(table, end, larger, run):
        run = np.zeros(2 * len(run), np.uint64)
    assert sorted(values) == sorted(table[table != 0].tolist())
    for slot in np.flatnonzero(table).tolist():
        home = int(home_of.python(table[slot], larger))
        assert home <= slot and (table[home : slot + 1] != 0).all()


@pytest.mark.parametrize(("expected", "factor"), [(0, 9 / 8), (10**9, 2), (200_000, 1.35)])
def test_a_table_grows_as_far_as_is_expected(expected: int, factor: float) -> None:
    table = FingerprintSet(np.zeros(1, np.int64), 1, 1 << 24)
    while table.extent < 1 << 17:
        assert table.larger(expected) == 2 * table.extent
        table.grow(table.larger())
    assert table.extent == FEW_SLOTS * 8
    assert table.larger(expected) == pytest.approx(factor * table.extent, rel=0.01)
