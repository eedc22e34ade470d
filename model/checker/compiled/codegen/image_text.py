"""The mapping of a refinement as the text of a generated function: from the words of a state to those of its image."""

from __future__ import annotations

from collections.abc import Sequence

from onceproof.model.checker.compiled.codegen.packing import Packing, signed
from onceproof.model.checker.compiled.codegen.word_text import WordText
from onceproof.model.checker.ground.guard_tree import Unit, Work, arrange, units_of
from onceproof.model.checker.ground.mapping_code import mapping_ground
from onceproof.model.checker.ground.steps import Put
from onceproof.model.language.refinement import Refinement

FAILS, NO_IMAGE = -1, -2  # what the function returns where the mapping fails, and where it leaves the range of a field


class ImageText:
    """One refinement. packing: which bits of an image hold which cell of the abstract model."""

    def __init__(self, refinement: Refinement, text: WordText, known: Sequence[int]) -> None:
        self.refinement, self.text = refinement, text
        mapping = refinement.mapping
        self.units = units_of(mapping_ground(refinement, known).groups)
        written = {put.slot for unit in self.units for work in unit.chain for put in work.puts}
        places = [place for place, _ in mapping.layout.labels]
        self.packing = Packing(
            [
                (1 << places[slot].cardinality) - 1 if slot in written else 1 << code
                for slot, code in enumerate(mapping.blank, mapping.own)
            ]
        )
        obligations = mapping.all_readings[refinement.claim.name].obligations
        self._failing = {one.message for one in obligations if not one.leaves}

    def body(self) -> list[str]:
        """The lines of ``image(state, out)``, which returns 0, FAILS or NO_IMAGE, in this order of precedence."""
        errors = [unit for unit in self.units if unit.chain[0].error]
        failing = [unit for unit in errors if unit.chain[0].error in self._failing]
        leaving = [unit for unit in errors if unit.chain[0].error not in self._failing]
        ways = [unit for unit in self.units if not unit.chain[0].error]
        return [
            *self._returning(failing, FAILS),
            *self._returning(leaving, NO_IMAGE),
            *self.text.block(arrange(ways), self._write),
            f"return {FAILS}",
        ]

    def _returning(self, units: list[Unit], code: int) -> list[str]:
        return self.text.block(arrange(units), lambda text, work: [f"return {code}"])

    def _write(self, text: WordText, work: Work) -> list[str]:
        mapping = self.refinement.mapping
        puts = {put.slot - mapping.own: put for put in work.puts}
        constant, computed = [0] * self.packing.words, [list[str]() for _ in range(self.packing.words)]
        with text.shared.once(part for put in work.puts for part in (put.value, put.condition)) as first:
            for cell, code in enumerate(mapping.blank):
                bits, put = self.packing.of[cell], puts.get(cell)
                if bits is None:
                    continue
                if put is None or (put.condition is True and isinstance(put.value, int)):
                    constant[bits.word] |= (code if put is None else self._number(put)) << bits.shift
                else:
                    computed[bits.word].append(f"({self._value(text, put, code)} << {bits.shift})")
        return [
            *first,
            *(
                f"out[{word}] = {' | '.join([str(signed(constant[word])), *computed[word]])}"
                for word in range(self.packing.words)
            ),
            "return 0",
        ]

    @staticmethod
    def _number(put: Put) -> int:
        assert isinstance(put.value, int)
        return put.value

    @staticmethod
    def _value(text: WordText, put: Put, otherwise: int) -> str:
        value = text.value(put.value)
        return value if put.condition is True else f"({value} if {text.formula(put.condition)} else {otherwise})"
