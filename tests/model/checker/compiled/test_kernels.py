"""Kernels are Python: what the machine does with them is what Python does, for each construct and for all of them."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onceproof.model.checker import compiled
from onceproof.model.checker.compiled.llvm.kernel import Fixed, Kernel, kernel, part
from onceproof.model.checker.compiled.llvm.primitives import add_and_fetch, claim, trailing_zeros, unsigned
from onceproof.model.language import System, build
from tests.helpers.comparison import numbers_and_verdicts
from tests.helpers.random_models import random_system
from tests.helpers.systems import protocol
from tests.models.jugs import JUGS

FACTOR = 3
NUMBERS = st.integers(-(2**31), 2**31)


@part
def collatz(number, steps) -> int:  # type: ignore[no-untyped-def]
    while number != 1:
        if number % 2 == 0:
            number //= 2
        else:
            number = FACTOR * number + 1
        steps += 1
        if steps > 40:
            return -1
    return int(steps)


@kernel
def arithmetic(numbers, found) -> int:  # type: ignore[no-untyped-def]
    a, b = numbers[0], numbers[1]
    found[0], found[1], found[2], found[3] = a + b, a - b, a * FACTOR, -a
    if b != 0:
        found[4], found[5] = a // b, a % b
    found[6], found[7], found[8], found[9] = a & b, a | b, a ^ b, ~a
    found[10], found[11] = a >> 3, min(a, b) + 2 * max(b, 7)
    found[12] = a if a < b <= 5 or a == 4 else b
    found[13] = int(a < b) + int(not a > 3)
    found[14] = collatz(abs_of(a) % 1000 + 1, 0)
    return int(a > b)


@part
def abs_of(number) -> int:  # type: ignore[no-untyped-def]
    return number if number >= 0 else -number


@kernel
def sizes_of_numbers(small, large, bytes_, truths, table) -> int:  # type: ignore[no-untyped-def]
    for at in range(len(small)):
        value = large[at] * 0x9E3779B97F4A7C15 ^ (large[at] >> 5)
        large[at] = max(value, np.uint64(1 << 63))
        small[at] = ~small[at] & np.uint32(large[at] >> 32)
        bytes_[at] += 1
        truths[at] = not truths[at] or bytes_[at] < 0
        table[1][at] = table[0][at] + int(truths[at])
    low, high = table[0], table[1]
    return int(low[0] + high[len(high) - 1])


@kernel
def loops(numbers, found, words: Fixed) -> int:  # type: ignore[no-untyped-def]
    total = 0
    for at in range(1, len(numbers), words):
        if numbers[at] == 0:
            continue
        if numbers[at] < 0:
            total += 1000
            break
        for other in range(at):
            total += numbers[other] & 1
    else:
        total += 1
    at = 0
    while at < len(numbers) and numbers[at] != 3:  # the second part must not be read where the first is false
        at += 1
    found[0] = found[1] = at
    first = True
    while True:
        if at >= len(numbers) or numbers[at] > 9:
            break
        first = first and at > 0 and numbers[at - 1] > 0
        at += 1
    found[2] = first
    found[3] = numbers[at - 1] if at > 0 else -1
    return int(total)


@kernel
def instructions(numbers, small, found) -> int:  # type: ignore[no-untyped-def]
    found[0] = add_and_fetch(numbers, 1, 5)
    first = claim(small, 0, small[1])
    found[1] = int(first)
    if numbers[0] != 0:
        found[2] = trailing_zeros(numbers[0])
    found[3] = int(unsigned(numbers[0]) >> 60)
    return 0


@kernel
def either(small, large, wide: Fixed) -> int:  # type: ignore[no-untyped-def]
    if wide:
        large[0] = large[0] + large[1]
    else:
        large[0] = small[0] + small[1]
    return 0


def same(one: Kernel, *arguments: Any) -> None:
    """The kernel does to copies of the arguments, and returns, what Python does."""
    copies = [[np.copy(arg) if isinstance(arg, np.ndarray) else arg for arg in arguments] for _ in range(2)]
    with np.errstate(over="ignore"):
        by_python = int(one.python(*copies[1]))
    assert one(*copies[0]) == by_python
    for machine, python in zip(*copies, strict=True):
        assert np.array_equal(machine, python)


@given(NUMBERS, NUMBERS)
def test_kernel_arithmetic_is_that_of_python(a: int, b: int) -> None:
    same(arithmetic, np.array([a, b], np.int64), np.zeros(15, np.int64))


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=5), st.data())
def test_kernels_take_numbers_of_every_width(small: list[int], data: st.DataObject) -> None:
    def some(low: int, high: int) -> list[int]:
        return data.draw(st.lists(st.integers(low, high), min_size=len(small), max_size=len(small)))

    rows = np.array([some(-9, 9), some(-9, 9)], np.int32)
    truths = np.array(some(0, 1), np.bool_)
    arrays = np.array(small, np.uint32), np.array(some(0, 2**64 - 1), np.uint64), np.array(some(-128, 126), np.int8)
    same(sizes_of_numbers, *arrays, truths, rows)


def test_branch_excluded_by_a_constant_is_not_compiled() -> None:
    small, large = np.array([1, 2], np.uint32), np.array([3, 4], np.uint64)
    assert either(small, large, True) == 0 and large[0] == 7
    with pytest.raises(TypeError, match="uint32 where uint64 is wanted"):
        either(small, large, False)


@given(st.lists(st.integers(-1, 11), max_size=8), st.integers(1, 3))
def test_kernel_loops_end_where_python_loops_end(numbers: list[int], words: int) -> None:
    same(loops, np.array(numbers, np.int64), np.zeros(4, np.int64), words)


@given(st.integers(-(2**63), 2**63 - 1), st.lists(st.integers(0, 3), min_size=2, max_size=2))
def test_kernel_instructions_give_the_results_of_python(number: int, small: list[int]) -> None:
    same(instructions, np.array([number, 7], np.int64), np.array(small, np.uint32), np.zeros(4, np.int64))


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("def f(a) -> int:\n    return a[0] + a[0:1]", "a\\[0:1\\]|0:1"),
        ("def f(a) -> int:\n    b = np.uint64(a[0])\n    return b + a[0]", "no common kind"),
        ("def f(a) -> int:\n    a = 1\n    return a", "cannot become anything else"),
        ("def f(a) -> int:\n    return print(a)", "print"),
        ("def f(a) -> int:\n    for x in a:\n        pass", "for x in a"),
    ],
)
def test_construct_that_kernels_lack_is_refused(tmp_path: Any, written: str, why: str) -> None:
    path = tmp_path / "written.py"
    path.write_text(written)
    namespace: dict[str, Any] = {"np": np}
    exec(compile(written, str(path), "exec"), namespace)
    with pytest.raises((TypeError, NotImplementedError, KeyError), match=why):
        kernel(namespace["f"])(np.zeros(3, np.int64))


def test_array_that_is_not_contiguous_is_refused() -> None:
    with pytest.raises(ValueError, match="follow one another"):
        arithmetic(np.zeros(4, np.int64)[::2], np.zeros(15, np.int64))


@kernel
def counting_down(numbers) -> int:  # type: ignore[no-untyped-def]
    for number in range(3, 0, -1):
        numbers[number] = number
    return 0


def test_kernels_that_count_down_are_refused() -> None:
    """They were compiled to loops that do nothing."""
    with pytest.raises(NotImplementedError, match="number counts down"):
        counting_down(np.zeros(4, np.int64))


SYSTEMS = [build(JUGS), protocol({"reply_loss": 1}), *map(random_system, (2, 4, 8, 17, 24, 26))]


@pytest.mark.parametrize("system", SYSTEMS, ids=range(len(SYSTEMS)))
def test_search_with_kernels_run_by_python_finds_the_same(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    def searched() -> list[dict[str, Any]]:
        modes = ((True, False), (False, False), (False, True))
        found = [compiled.check(system, workers=1, symmetry=one, fingerprint=other) for one, other in modes]
        return [numbers_and_verdicts(result) for result in found]

    by_machine = searched()
    monkeypatch.setattr(Kernel, "__call__", lambda self, *arguments: self.python(*arguments))
    with np.errstate(over="ignore"):
        assert searched() == by_machine


def test_walks_with_kernels_run_by_python_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    system = random_system(8)

    def walked() -> tuple[Any, ...]:
        result = compiled.walk(system, [], walks=40, depth=12, seed=5, workers=1)
        return result.walks, result.steps, result.distinct, result.ended, result.deepest

    by_machine = walked()
    monkeypatch.setattr(Kernel, "__call__", lambda self, *arguments: self.python(*arguments))
    with np.errstate(over="ignore"):
        assert walked() == by_machine
