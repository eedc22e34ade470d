"""Records travel in as few bytes as they fill, and arrive as they were sent."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onceproof.model.checker import compiled
from onceproof.model.checker.partitioned.plan import Plan
from onceproof.model.checker.partitioned.records import Records, records_of
from onceproof.model.checker.partitioned.transport import Here, Transport
from onceproof.model.language import build
from onceproof.model.protocol.system import PROTOCOL
from tests.helpers.comparison import comparable

WIDTHS = st.lists(st.integers(0, 64), min_size=1, max_size=4)


@given(WIDTHS, st.integers(1, 1 << 31), st.lists(st.integers(0, 5), max_size=3), st.integers(0, 1 << 32))
def test_a_message_brings_the_records_that_were_packed(
    used: list[int], most: int, counts: list[int], seed: int
) -> None:
    form = records_of(used, most)
    random = np.random.default_rng(seed)
    drawn = random.integers(0, 1 << 64, (sum(counts), form.words), np.uint64, endpoint=False)
    masks = np.array([(1 << bits) - 1 for bits in form.used], np.uint64)
    records = (drawn & masks).view(np.int64)
    cuts = np.cumsum([0, *counts])
    message = form.packed([records[a:b] for a, b in itertools.pairwise(cuts)])
    assert message.nbytes == len(records) * form.wire_bytes
    assert (form.unpacked(message) == records).all()


@pytest.mark.parametrize(
    ("used", "most", "wire_bytes", "words"),
    [
        ([64, 53], 162, 16, 2),  # the number fills what the last word leaves free
        ([64, 57], 162, 17, 3),  # 65 bits are one too many: a byte of its own
        ([40, 64], 255, 14, 2),  # in the first word, which has room
        ([64, 62, 10], 1000, 19, 3),
        ([0], 1, 1, 1),
        ([64], 1 << 20, 11, 2),
    ],
)
def test_a_record_has_the_fewest_bytes(used: list[int], most: int, wire_bytes: int, words: int) -> None:
    form = records_of(used, most)
    assert (form.wire_bytes, form.words) == (wire_bytes, words)


class NumberInAWordOfItsOwn(Here):
    """Partitions whose records have one word more than the states."""

    def start(self, plan: Plan) -> Transport:
        """As ``Here``, with another form of records."""
        form, bits = plan.records, plan.records.number_bits
        used = list(form.used)
        used[form.number_word] -= bits
        other = Records(form.state_words, (*used, bits), form.state_words, 0, bits)
        assert other.words == form.words + 1
        return super().start(replace(plan, records=other))


def test_a_number_in_a_word_of_its_own_and_one_among_the_bits_of_a_state_mean_the_same() -> None:
    system = build(PROTOCOL, PROTOCOL.configure({}, {"agent_dedup": False}, {"request_duplication": 1}))
    whole = compiled.check(system, workers=1)
    for where in (Here(3), NumberInAWordOfItsOwn(3)):
        assert comparable(compiled.check(system, workers=1, partitions=where)) == comparable(whole)
