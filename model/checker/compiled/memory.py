"""Memory for a search: reserved at once, used only as states come, and bounded."""

from __future__ import annotations

import mmap
import os
import resource
from typing import Any

import numpy as np

NORESERVE = 0x4000  # Linux; elsewhere memory is given page by page anyway
WORD_BYTES, ENTRY_BYTES = 8, 4
FULL = 0.7  # how full a table may get before it is doubled
HEADROOM = 0.8  # of the free memory, what a search takes by default


def reserve(numbers: int) -> Any:
    """An array of so many 64-bit numbers whose memory is taken only as it is written."""
    size = max(numbers * WORD_BYTES, mmap.PAGESIZE)
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | (NORESERVE if os.uname().sysname == "Linux" else 0)
    try:
        room = mmap.mmap(-1, size, flags=flags)
    except OSError as error:
        raise MemoryError(f"{size:,} bytes cannot be reserved: {error.strerror}") from error
    if hasattr(mmap, "MADV_HUGEPAGE"):
        room.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(room, np.int64)


def release(reserved: Any, first: int, stop: int) -> None:
    """Gives back the memory of the numbers from ``first`` up to ``stop`` of a reserved array; they are 0 afterwards."""
    page = mmap.PAGESIZE // WORD_BYTES
    start, end = -(-first // page) * page, stop // page * page
    if start < end and hasattr(mmap, "MADV_DONTNEED"):
        reserved.base.obj.madvise(mmap.MADV_DONTNEED, start * WORD_BYTES, (end - start) * WORD_BYTES)


A_LITTLE = 64 << 20  # bytes


def free_memory() -> int:
    """How many bytes of memory this process may take now: what the machine could give, or half of its own limit.

    A little can always be had: what others take at this moment decides no verdict on a small model.
    """
    return min(max(_free_in_machine(), A_LITTLE), _free_in_limit() // 2)


def _free_in_limit() -> int:
    """What is left of the limit on the address space (``ulimit -v``), of which threads and compilers need a part."""
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return 1 << 62
    try:
        with open("/proc/self/statm", encoding="ascii") as numbers:
            return max(0, limit - int(numbers.read().split()[0]) * mmap.PAGESIZE)
    except (OSError, ValueError, IndexError):
        return limit


def _free_in_machine() -> int:
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            known = dict(line.split(":") for line in lines)
        return int(known["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def most_states(max_memory: int, words: int) -> int:
    """How many states of so many words fit, with the largest table that may be needed for them."""
    most = 1 << 12
    while bytes_for(most * 2, words) <= max_memory and most < 1 << 31:
        most *= 2
    step = most // 2
    while step > 1 << 12:
        if bytes_for(most + step, words) <= max_memory and most + step < 1 << 31:
            most += step
        step //= 2
    return most


def bytes_for(states: int, words: int) -> int:
    """What so many states take, with their table."""
    return states * words * WORD_BYTES + (ENTRY_BYTES << table_bits(states))


def table_bits(states: int) -> int:
    """The size of the table (as a power of two) that holds so many states."""
    return max(18, int(states / FULL).bit_length())
