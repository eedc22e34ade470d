"""Guarded moves over packed words as the text of generated Python.

A word is a signed 64-bit number in a local ``w0``, ``w1``, ...; a test of several cells of one word is one comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import assert_never

from onceproof.model.checker.compiled.codegen.packing import Bits, Packing, signed
from onceproof.model.checker.ground.arithmetic_text import arith_text, sum_text
from onceproof.model.checker.ground.formula import (
    Arith,
    Below,
    Both,
    Cell,
    Clip,
    Either,
    Formula,
    In,
    Opposite,
    Pick,
    Same,
    Sum,
    Value,
    values_in,
)
from onceproof.model.checker.ground.guard_tree import Block, Unit, Work
from onceproof.model.checker.ground.shared_parts import NamedParts
from onceproof.model.checker.ground.steps import Put

Render = Callable[["WordText", Work], list[str]]


class WordText:
    """Formulas and writes over the words of a packing."""

    def __init__(self, packing: Packing, labels: list[str]) -> None:
        self.packing, self.labels = packing, labels
        self.words = [f"w{number}" for number in range(packing.words)]
        self.shared = NamedParts("s", lambda part: f"1 if {self.formula(part)} else 0", self.value)

    # -- conditions

    def tests(self, guard: Mapping[int, int], rest: Iterable[Formula]) -> str:
        """The conjunction of tests of cells and of formulas; "" where there is nothing to test."""
        wanted: dict[int, tuple[int, int]] = {}  # by word: bits to look at, what they must be
        others: list[str] = []
        for slot, mask in guard.items():
            bits = self._bits(slot)
            if mask & (mask - 1):
                others.append(self._member(slot, mask))
            else:
                look, value = wanted.get(bits.word, (0, 0))
                wanted[bits.word] = look | bits.mask, value | (mask.bit_length() - 1) << bits.shift
        single = [f"w{word} & {signed(look)} == {signed(value)}" for word, (look, value) in wanted.items()]
        return " and ".join(single + others + [self.formula(formula) for formula in rest])

    def _member(self, slot: int, mask: int) -> str:
        bits, outside = self._bits(slot), self.packing.known[slot] & ~mask
        if not outside & (outside - 1):
            return f"w{bits.word} & {signed(bits.mask)} != {signed((outside.bit_length() - 1) << bits.shift)}"
        if mask.bit_length() < 64:
            return f"({mask} >> {self.cell(slot)}) & 1 != 0"
        return "(" + " or ".join(f"{self.cell(slot)} == {value}" for value in values_in(mask)) + ")"

    def formula(self, formula: Formula) -> str:
        """A condition; in brackets where it is not a simple test."""
        if formula in self.shared.of:
            return f"{self.shared.of[formula]} != 0"
        match formula:
            case bool():
                return str(formula)
            case In(slot, mask):
                return self.tests({slot: mask}, ())
            case Both(parts):
                tests = {part.slot: part.mask for part in parts if isinstance(part, In)}
                return f"({self.tests(tests, [part for part in parts if not isinstance(part, In)])})"
            case Either(parts):
                return f"({' or '.join(map(self.formula, parts))})"
            case Same(left, right):
                return f"{self.value(left)} == {self.value(right)}"
            case Below(left, right):
                return f"{self.value(left)} < {self.value(right)}"
            case Opposite(part):
                return f"{self.value(part.left)} {'!=' if isinstance(part, Same) else '>='} {self.value(part.right)}"
            case _:
                assert_never(formula)

    # -- values

    def cell(self, slot: int) -> str:
        """The number in a cell."""
        bits = self._bits(slot)
        return f"((w{bits.word} >> {bits.shift}) & {(1 << bits.width) - 1})"

    def value(self, value: Value) -> str:
        """A value; in brackets where it is not a number."""
        if value in self.shared.of:
            return self.shared.of[value]
        match value:
            case int():
                return str(value)
            case Cell(slot, plus):
                return f"({self.cell(slot)} + {plus})" if plus else self.cell(slot)
            case Pick(condition, then, other):
                return f"({self.value(then)} if {self.formula(condition)} else {self.value(other)})"
            case Sum():
                return sum_text(value, self.value)
            case Arith():
                return arith_text(value, self.value)
            case Clip(inner, most):
                return f"min(max({self.value(inner)}, 0), {most})"
            case _:
                assert_never(value)

    # -- writes

    def after(self, puts: Sequence[Put]) -> tuple[list[str], list[str]]:
        """Lines to run first, and for each word what it is after the puts."""
        with self.shared.once(part for put in puts for part in (put.value, put.condition)) as first:
            lines, words = self._after(puts)
        return [*first, *lines], words

    def _after(self, puts: Sequence[Put]) -> tuple[list[str], list[str]]:
        cleared: dict[int, int] = {}
        constant: dict[int, int] = {}
        computed: dict[int, list[str]] = {}
        conditional: list[Put] = []
        for put in puts:
            if self.packing.of[put.slot] is None:
                continue  # a cell with one value only is not stored, and to write that value changes nothing
            if put.condition is not True:
                conditional.append(put)
                continue
            bits = self._bits(put.slot)
            cleared[bits.word] = cleared.get(bits.word, 0) | bits.mask
            if isinstance(put.value, int):
                constant[bits.word] = constant.get(bits.word, 0) | put.value << bits.shift
            else:
                computed.setdefault(bits.word, []).append(f"({self.value(put.value)} << {bits.shift})")
        words = list(self.words)
        for word, mask in cleared.items():
            parts = [f"w{word} & {signed(~mask)}" if signed(~mask) else "0"]
            if constant.get(word):
                parts.append(str(signed(constant[word])))
            words[word] = " | ".join(parts + computed.get(word, []))
        lines: list[str] = []
        for put in conditional:
            bits = self._bits(put.slot)
            if not words[bits.word].startswith("a"):
                lines.append(f"a{bits.word} = {words[bits.word]}")
                words[bits.word] = f"a{bits.word}"
            value = self._shifted(put.value, bits)
            lines.append(f"if {self.formula(put.condition)}:")
            lines.append(f"    a{bits.word} = a{bits.word} & {signed(~bits.mask)}" + (f" | {value}" if value else ""))
        return lines, words

    def _shifted(self, value: Value, bits: Bits) -> str:
        if isinstance(value, int):
            return str(signed(value << bits.shift)) if value else ""
        return f"({self.value(value)} << {bits.shift})"

    def _bits(self, slot: int) -> Bits:
        bits = self.packing.of[slot]
        if bits is None:
            raise AssertionError(f"{self.labels[slot]} has one value only: nothing can depend on it")
        return bits

    # -- blocks

    def block(self, block: Block, render: Render) -> list[str]:
        """The lines of arranged units."""
        lines: list[str] = []
        for part in block:
            if isinstance(part, Unit):
                lines += self._unit(part, render)
                continue
            word = "if"
            lines.append(f"# {self.labels[part.slot]}")
            for mask, inner in part.branches:
                lines += [f"{word} {self.tests({part.slot: mask}, ())}:", *indented(self.block(inner, render))]
                word = "elif"
        return lines

    def _unit(self, unit: Unit, render: Render) -> list[str]:
        with self.shared.once(formula for work in unit.chain for formula in work.rest) as first:
            alone = len(unit.chain) == 1 and not first
            chain: list[str] = list(first)
            for position, work in enumerate(unit.chain):
                test = self.tests({**(unit.guard if alone else {}), **work.guard}, work.rest)
                if not test:
                    chain += ["else:", *indented(render(self, work))] if position else render(self, work)
                    break
                chain += [f"{'elif' if position else 'if'} {test}:", *indented(render(self, work))]
        test = "" if alone else self.tests(unit.guard, ())
        return [f"if {test}:", *indented(chain)] if test else chain


def indented(lines: list[str]) -> list[str]:
    """The lines, four spaces further in."""
    return [f"    {line}" for line in lines]
