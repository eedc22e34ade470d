"""Representatives for symmetry reduction: one state for all that differ only in which element is which.

Cells are packed so that those of one element stand as far apart from those of its neighbour as all others of their
kind; then an exchange moves a handful of bit masks. Where elements can be arranged in few ways, all are gone through,
an exchange at a time, and the least state is the representative. Where there are many, a state is made less by each
exchange of neighbours in turn: then an orbit may have several representatives, but they are in it, as soundness needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import factorial, prod

from onceproof.model.checker.compiled.codegen.packing import Packing, signed
from onceproof.model.checker.compiled.codegen.word_text import indented
from onceproof.model.checker.ground.symmetry import Exchange
from onceproof.model.language.system import System

LAST = 62
MOST_ARRANGEMENTS = 150  # that are gone through for each state


def packing_order(system: System, exchanges: Sequence[Exchange]) -> list[int]:
    """The cells in the order in which they get bits: by which elements they belong to, then by field."""
    sorts = sorted({one.sort for one in exchanges})

    def key(slot: int) -> tuple[tuple[str, ...], tuple[int, ...], int]:
        place, indices = system.layout.labels[slot]
        mine = [(one.__name__, index) for one, index in zip(place.sorts, indices, strict=True) if one.__name__ in sorts]
        mine.sort(key=lambda pair: pair[0])
        return tuple(name for name, _ in mine), tuple(index for _, index in mine), slot

    return sorted(range(len(system.layout.labels)), key=key)


def arrangements(packing: Packing, exchanges: Sequence[Exchange]) -> list[int] | None:
    """Exchanges, by their positions, that one after the other go through all ways to arrange the elements.

    None where that are too many, or an exchange cannot be done on words.
    """
    sorts = list(dict.fromkeys(exchange.sort for exchange in exchanges))
    counts = [sum(exchange.sort == sort for exchange in exchanges) for sort in sorts]
    if prod(factorial(count + 1) for count in counts) > MOST_ARRANGEMENTS:
        return None
    if not all(_exchanged(packing, exchange) for exchange in exchanges):
        return None
    path: list[int] = []
    for sort, count in zip(sorts, counts, strict=True):
        first = next(at for at, exchange in enumerate(exchanges) if exchange.sort == sort)
        turns = [[first + turn] for turn in plain_changes(count + 1)]
        path = [*path, *(step for turn in turns for step in (*turn, *path))]
    return path


def plain_changes(size: int) -> list[int]:
    """The neighbours that change places, one pair after the other, to go through all orders of so many elements.

    Steinhaus, Johnson and Trotter: the last element goes through all others, to and fro, and each time that it has
    arrived these make one step of theirs.
    """
    if size < 2:
        return []
    last = size - 1
    inner = plain_changes(last)
    changes = list(range(last - 1, -1, -1))
    for number, change in enumerate(inner):
        there = number % 2 == 1  # the last element stands at the end
        changes += [change + (0 if there else 1), *(reversed(range(last)) if there else range(last))]
    return changes


def representative(packing: Packing, exchanges: Sequence[Exchange], path: Sequence[int] | None) -> str:
    """``representative(state, unused)``: puts the representative of this state in its place.

    path: what ``arrangements`` gives. Returns which arrangement it is, by its position on the path (0: as it was).
    Without a path: a bit for each exchange that led there (``LAST`` and all after it have one together).
    """
    words = range(packing.words)
    body = [f"w{word} = state[{word}]" for word in words]
    body += _one_by_one(packing, exchanges) if path is None else _least_of_all(packing, exchanges, path)
    return "\n".join(["def representative(state, unused):", *indented(body)]) + "\n"


def _least_of_all(packing: Packing, exchanges: Sequence[Exchange], path: Sequence[int]) -> list[str]:
    words = range(packing.words)
    body = [*(f"b{word} = w{word}" for word in words), "which = 0"]
    for number, at in enumerate(path):
        body += [f"# {_label(exchanges[at])}", *_exchanged(packing, exchanges[at])]
        body += [*(f"w{word} = a{word}" for word in words), f"less = {_less(words, 'w', 'b')}"]
        body += [f"b{word} = w{word} if less else b{word}" for word in words]
        body += [f"which = {number + 1} if less else which"]
    return [*body, *(f"state[{word}] = b{word}" for word in words), "return which"]


def _one_by_one(packing: Packing, exchanges: Sequence[Exchange]) -> list[str]:
    words = range(packing.words)
    body = ["applied = 0"]
    for number, exchange in enumerate(exchanges):
        lines = _exchanged(packing, exchange)
        if lines:
            body += [f"# {_label(exchange)}", *lines, f"less = {_less(words, 'a', 'w')}"]
            body += [f"w{word} = a{word} if less else w{word}" for word in words]
            body += [f"applied = applied | {1 << min(number, LAST)} if less else applied"]
    return [*body, *(f"state[{word}] = w{word}" for word in words), "return applied"]


def _label(exchange: Exchange) -> str:
    return f"{exchange.sort} {exchange.first + 1} and {exchange.first + 2}"


def _less(words: range, one: str, other: str) -> str:
    parts = []
    for word in words:
        equal = [f"{one}{before} == {other}{before}" for before in range(word)]
        parts.append("(" + " and ".join([*equal, f"{one}{word} < {other}{word}"]) + ")")
    return " or ".join(parts)


def _exchanged(packing: Packing, exchange: Exchange) -> list[str]:
    """The lines that put the exchanged words into ``a0``, ``a1``, ...; none where that cannot be done."""
    moves: dict[int, dict[tuple[int, int], int]] = {word: {} for word in range(packing.words)}
    tables: dict[int, list[str]] = {word: [] for word in range(packing.words)}
    for slot, bits in enumerate(packing.of):
        if bits is None:
            continue
        target = packing.of[exchange.to[slot]]
        if target is None or target.width != bits.width:
            raise AssertionError("cells that may take each other's place have the same values")
        values = exchange.values.get(exchange.to[slot])
        spots = _bit_moves(values, bits.width, packing.known[slot])
        if spots is None:
            assert values is not None
            table = sum(value << (code * bits.width) for code, value in enumerate(values))
            if table.bit_length() > 63:
                return []
            cell = f"((w{bits.word} >> {bits.shift}) & {(1 << bits.width) - 1})"
            low = (1 << bits.width) - 1
            tables[target.word].append(f"((({table} >> ({cell} * {bits.width})) & {low}) << {target.shift})")
            continue
        for here, there in spots:
            delta = (bits.word, target.shift + there - bits.shift - here)
            group = moves[target.word]
            group[delta] = group.get(delta, 0) | 1 << (target.shift + there)
    lines = []
    for word, groups in moves.items():
        parts = [_moved(source, delta, mask) for (source, delta), mask in sorted(groups.items())] + tables[word]
        lines.append(f"a{word} = {' | '.join(parts) if parts else '0'}")
    return lines


def _moved(source: int, delta: int, mask: int) -> str:
    if delta == 0:
        return f"(w{source} & {signed(mask)})"
    return f"((w{source} {'<<' if delta > 0 else '>>'} {abs(delta)}) & {signed(mask)})"


def _bit_moves(values: Sequence[int] | None, width: int, known: int) -> list[tuple[int, int]] | None:
    """Which bit of a cell goes to which, if the renaming of its values only moves bits; else None."""
    straight = [(bit, bit) for bit in range(width)]
    if values is None or all(values[code] == code for code in range(len(values)) if known >> code & 1):
        return straight
    for one in range(width):
        for other in range(one + 1, width):
            swap = {one: other, other: one}
            moved = [
                sum((code >> bit & 1) << swap.get(bit, bit) for bit in range(width)) for code in range(len(values))
            ]
            if all(moved[code] == values[code] for code in range(len(values)) if known >> code & 1):
                return [(bit, swap.get(bit, bit)) for bit in range(width)]
    return None
