"""One state for all that differ only by which element is which: exchanges of neighbours on packed words.

Cells are packed so that those of one element stand as far apart from those of its neighbour as all others of their
kind; then an exchange moves a handful of bit masks. The least of a state and its exchanges, again and again until no
exchange makes it less, stands for all of them: not always the same one for all, but always one of them, which is what
soundness needs.
"""

from __future__ import annotations

from collections.abc import Sequence

from model.checker.compiled.packing import Packing, signed
from model.checker.compiled.text import indented
from model.checker.generated_symmetry import Exchange
from model.language.system import System

LAST = 62


def packing_order(system: System, exchanges: Sequence[Exchange]) -> list[int]:
    """The cells in the order in which they get bits: by which elements they belong to, then by field."""
    sorts = sorted({one.sort for one in exchanges})

    def key(slot: int) -> tuple[tuple[str, ...], tuple[int, ...], int]:
        place, indices = system.layout.labels[slot]
        mine = [(one.__name__, index) for one, index in zip(place.sorts, indices, strict=True) if one.__name__ in sorts]
        mine.sort(key=lambda pair: pair[0])
        return tuple(name for name, _ in mine), tuple(index for _, index in mine), slot

    return sorted(range(len(system.layout.labels)), key=key)


def canonical(packing: Packing, exchanges: Sequence[Exchange]) -> str:
    """``canonical(state, unused)``: puts the state that stands for this one in its place.

    Returns a bit for each exchange that led there, in their order (``LAST`` and all after it have one together).
    """
    words = range(packing.words)
    body = [*(f"w{word} = state[{word}]" for word in words), "applied = 0"]
    for number, exchange in enumerate(exchanges):
        lines = _exchanged(packing, exchange)
        if lines:
            body += [
                f"# {exchange.sort} {exchange.first + 1} and {exchange.first + 2}",
                *lines,
                f"less = {_less(words)}",
            ]
            body += [f"w{word} = a{word} if less else w{word}" for word in words]
            body += [f"applied = applied | {1 << min(number, LAST)} if less else applied"]
    body += [f"state[{word}] = w{word}" for word in words]
    return "\n".join(["def canonical(state, unused):", *indented([*body, "return applied"])]) + "\n"


def _less(words: range) -> str:
    parts = []
    for word in words:
        equal = [f"a{before} == w{before}" for before in range(word)]
        parts.append("(" + " and ".join([*equal, f"a{word} < w{word}"]) + ")")
    return " or ".join(parts)


def _exchanged(packing: Packing, exchange: Exchange) -> list[str]:
    """The lines that put the exchanged words into ``a0``, ``a1``, ...; none where nothing changes."""
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
