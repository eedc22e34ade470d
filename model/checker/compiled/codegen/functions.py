"""The functions of one model and its properties, as the text of generated Python, and what goes with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from onceproof.model.checker.compiled.codegen.image_text import ImageText
from onceproof.model.checker.compiled.codegen.packing import MOST_WORDS, WORD, Packing, signed
from onceproof.model.checker.compiled.codegen.representative import arrangements, packing_order, representative
from onceproof.model.checker.compiled.codegen.word_text import WordText, indented
from onceproof.model.checker.ground.formula import Formula, both, negate
from onceproof.model.checker.ground.guard_tree import Block, Unit, Work, arrange, units_of
from onceproof.model.checker.ground.python_code import GeneratedSystem
from onceproof.model.checker.ground.symmetry import Exchange
from onceproof.model.language.declare import Property
from onceproof.model.language.layout import LEFT
from onceproof.model.language.refinement import refinement_of
from onceproof.model.language.system import Step

FEW_WORDS = 6  # so many are copied one by one
MOST_PROPERTIES = 62  # one bit of a word each


class Functions:
    """The text of all functions that a search of a system calls. ``claims`` have a bit each, in their order.

    images: for each refinement its mapping. deadlock: the claim that is judged on the steps of a state instead; None
    where it is not asked for.
    """

    def __init__(
        self,
        generated: GeneratedSystem,
        claims: Sequence[Property],
        *,
        exchanges: Sequence[Exchange] = (),
    ) -> None:
        self.generated, self.system = generated, generated.system
        self.claims = [claim for claim in claims if claim.kind not in ("deadlock", "refines")]
        self.deadlock = next((claim for claim in claims if claim.kind == "deadlock"), None)
        self.steps: list[Step] = generated.steps
        # after the bits of the claims, one for each claim about steps: that a fault violates it
        self.of_steps = [claim for claim in self.claims if claim.kind == "step"]
        self.bits = len(self.claims) + len(self.of_steps)
        self.steps_fail = False  # whether the model itself fails in some step; known once `expand` is written
        self.unlike: list[Property] = []  # of the claims, those about fresh elements, see ``ground.fresh``
        self.exchanges = list(exchanges)
        self.packing = Packing(
            generated.ground.known, packing_order(self.system, exchanges), [exchange.to for exchange in exchanges]
        )
        # exchanges that go through all arrangements of elements; None where these do not have one representative
        self.path = arrangements(self.packing, self.exchanges)
        labels = [place.label(key) for place, key in self.system.layout.labels]
        self.text = WordText(self.packing, labels)
        self.properties = generated.properties(self.claims)
        refined = [refinement_of(self.system, claim) for claim in claims if claim.kind == "refines"]
        self.images = [ImageText(one, self.text, generated.ground.known) for one in refined]
        actions = self.system.actions
        self.is_fault = [actions[step.action].fault for step in self.steps]
        units = units_of(generated.ground.groups)
        # Behind the moves, one that stands for all that is not taken from a state beyond a bound of exploration.
        self.bounded = generated.bounds.inside is not True
        self.move_words = -(-(len(self.steps) + self.bounded) // WORD) or 1
        self.most_records = sum(len(unit.chain) for unit in units)

    @property
    def inexact(self) -> str:
        """What of the model cannot be followed exactly by compiled code; "" where all can."""
        if self.packing.words > MOST_WORDS:
            return f"a state takes {self.packing.words} words of 64 bits; at most {MOST_WORDS} are possible"
        if self.bits > MOST_PROPERTIES:
            return f"{self.bits} properties (those of steps count twice); at most {MOST_PROPERTIES} at once"
        return ""

    def source(self) -> str:
        """All functions."""
        parts = [self.expand(), self.evaluate(), self.exercised(), self.spent()]
        parts += [self.obligation(n) for n, (claim, _) in enumerate(self.properties.instances) if claim.is_liveness]
        parts += [self._function(f"image_{n}", ["state", "out"], image.body()) for n, image in enumerate(self.images)]
        if self.bounded:
            parts.append(self.beyond())
        if self.exchanges:
            parts.append(representative(self.packing, self.exchanges, self.path))
        if self.deadlock is not None:
            parts.append(self._function("ends", ["state", "unused"], self._ending()))
        return "\n\n".join(parts)

    def expand(self) -> str:
        """``expand(state, out, moves)``: writes a record for each enabled move: its number, then the words after it.

        moves: a row as ``row_of_moves`` makes it. Written are the records of moves that are wanted, and of those that
        change nothing, as -1 - number, if these are. (They are written in any case, but the next ones over them: a
        processor that has to guess what is wanted loses more.) All enabled moves get their bit. Returns how many
        numbers were written; less than 0: the model itself fails in this state.
        """
        words = range(self.move_words)
        begin = [f"wanted{n} = moves[{n}]" for n in words] + [f"enabled{n} = 0" for n in words]
        begin += [f"source = moves[{2 * self.move_words}]", f"idle = moves[{2 * self.move_words + 1}]", "n = 0"]
        body = self._beyond() + self.text.block(arrange(units_of(self.generated.ground.groups)), self._take)
        end = [f"moves[{self.move_words + n}] = enabled{n}" for n in words]
        return self._function("expand", ["state", "out", "moves"], [*begin, *body, *end, "return n"])

    def _beyond(self) -> list[str]:
        """The lines that leave ``expand`` in a state beyond a bound: it is noted as a move that leads nowhere."""
        bounds, known = self.generated.bounds, self.generated.ground.known
        failing = self.text.block(arrange(bounds.failures()), lambda _text, _work: ["return -1"])
        word, bit = divmod(len(self.steps), WORD)
        bits = [signed(1 << bit) if n == word else 0 for n in range(self.move_words)]
        noted = [f"moves[{self.move_words + n}] = {this}" for n, this in enumerate(bits)]
        return failing + self._when(negate(bounds.inside, known), [*noted, "return 0"])

    def beyond(self) -> str:
        """``beyond(state, unused)``: 1 for a state from which no step is taken, as it is beyond a bound."""
        outside = negate(self.generated.bounds.inside, self.generated.ground.known)
        return self._function("beyond", ["state", "unused"], [*self._when(outside, ["return 1"]), "return 0"])

    def row_of_moves(self, *, idle: bool) -> list[int]:
        """What ``expand`` wants to know, and room for what it tells: words of bits of moves, and two numbers.

        Which moves are wanted (all); which are enabled; what is added to the numbers of moves (0); whether moves that
        change nothing are wanted.
        """
        return [-1] * self.move_words + [0] * self.move_words + [0, int(idle)]

    def kinds_of_moves(self, faults: bool | None) -> list[int]:
        """Words of bits of the moves wanted (faults, others, or None: all), then of those that are not faults."""
        wanted = self._bits_of([faults is None or fault == faults for fault in self.is_fault])
        return wanted + self._bits_of([*(not fault for fault in self.is_fault), self.bounded])

    def _bits_of(self, chosen: Sequence[bool]) -> list[int]:
        bits = sum(1 << move for move, this in enumerate(chosen) if this)
        return [signed(bits >> (word * WORD)) for word in range(self.move_words)]

    def evaluate(self) -> str:
        """``evaluate(state, unused)``: a bit for all safety that is violated here, or by a step from here.

        Less than 0: the model fails.
        """
        units = [
            unit
            for number, (claim, _) in enumerate(self.properties.instances)
            if claim.is_safety
            for unit in self.properties.violations(number)
        ]
        body = self._block(units)
        return self._function("evaluate", ["state", "unused"], ["found = 0", *body, "return found"])

    def exercised(self) -> str:
        """``exercised(state, pending)``: clears the bit of each claim that is put to use (``sometimes``: true)."""
        known = self.generated.ground.known
        lines: list[str] = []
        for bit, claim in enumerate(self.claims):
            tests = []
            for number, (owner, _) in enumerate(self.properties.instances):
                if owner is claim:
                    antecedent, body = self.properties.formulas(number)
                    tests.append(both([antecedent, body], known) if claim.kind == "sometimes" else antecedent)
            clear = f"left = left & {~(1 << bit)}"
            inner = [line for test in tests for line in self._when(test, [clear])]
            if inner:
                lines += [f"if left & {1 << bit} != 0:  # {claim.name}", *indented(inner)]
        whole = ["left = pending[0]", *lines, "pending[0] = left", "return 0"]
        return self._function("exercised", ["state", "pending"], whole)

    def obligation(self, number: int) -> str:
        """``obligation_7(state, unused)``: 1 where an obligation is not fulfilled, 3 where it is incurred, too.

        4 more where an ``until`` is not fulfilled, and what must be true until then is false.
        """
        antecedent, body = self.properties.formulas(number)
        known = self.generated.ground.known
        failing = self._block(self.properties.failures(number))
        unmet = negate(body, known)
        gone = negate(self.properties.meanwhile(number), known)
        ways = (([antecedent, unmet, gone], 7), ([antecedent, unmet], 3), ([unmet, gone], 5), ([unmet], 1))
        lines = [line for tests, found in ways for line in self._when(both(tests, known), [f"return {found}"])]
        return self._function(f"obligation_{number}", ["state", "unused"], [*failing, *lines, "return 0"])

    def spent(self) -> str:
        """``spent(state, unused)``: how many faults led here, as far as budgets count them."""
        terms = [f"{self._start(slot)} - {self.text.cell(slot)}" for slot in self.counted_faults()]
        return self._function("spent", ["state", "unused"], [f"return {' + '.join(terms) if terms else '0'}"])

    def counted_faults(self) -> list[int]:
        """The cells that count what is left of the budgets of faults, as far as they can change."""
        places = self.system.layout.places
        names = {LEFT + a.budget for a in self.system.actions.values() if a.fault and a.budget}
        slots = [places[name].offset for name in sorted(names) if name in places]
        return [slot for slot in slots if self.packing.of[slot] is not None]

    @property
    def faults_counted(self) -> bool:
        """Whether a state tells how many faults led to it: every fault has a budget with a bound, of its own kind."""
        actions = self.system.actions.values()
        places = self.system.layout.places
        calm = {a.budget for a in actions if not a.fault and a.budget}
        return all(a.budget is not None and LEFT + a.budget in places for a in actions if a.fault) and not any(
            a.budget in calm for a in actions if a.fault
        )

    def bit_of(self, claim: Property, by_fault: bool = False) -> int:
        """The bit that says that a claim is violated; by_fault: by a step that is a fault."""
        among = self.of_steps if by_fault else self.claims
        return next(n for n, one in enumerate(among) if one is claim) + (len(self.claims) if by_fault else 0)

    # -- inside

    def _start(self, slot: int) -> int:
        return self.system.initials[0][slot]

    def _ending(self) -> list[str]:
        if self.system.ending is None:
            return ["return 0"]
        ending = self.generated.properties([self.system.ending])
        antecedent, body = ending.formulas(0)
        known = self.generated.ground.known
        holds = negate(both([antecedent, negate(body, known)], known), known)
        return [*self._when(holds, ["return 1"]), "return 0"]

    def _when(self, test: Formula, lines: list[str]) -> list[str]:
        if test is False:
            return []
        if test is True:
            return lines
        with self.text.shared.once([test]) as first:
            return [*first, f"if {self.text.formula(test)}:", *indented(lines)]

    def _take(self, text: WordText, work: Work) -> list[str]:
        step = self.steps[work.number]
        remark = f"  # {self.system.call(step)}"
        if work.error:
            self.steps_fail = True
            return [f"return -1{remark} fails"]
        lines, words = text.after(work.puts)
        word, bit = divmod(work.number, WORD)
        number, wanted = f"source + {work.number}", f"wanted{word} >> {bit} & 1"
        if not work.puts:
            number, wanted = str(-1 - work.number), f"{wanted} & idle"
        writes = [f"out[n] = {number}{remark}"]
        if len(words) > FEW_WORDS:
            writes += [f"for k in range({len(words)}):", "    out[n + 1 + k] = state[k]"]
        for place, (name, value) in enumerate(zip(self.text.words, words, strict=True)):
            if value != name or len(words) <= FEW_WORDS:
                writes.append(f"out[n + {1 + place}] = {value}")
        noted = f"enabled{word} = enabled{word} | {signed(1 << bit)}"
        return [*lines, *writes, noted, f"n += ({wanted}) * {1 + len(words)}"]

    def _block(self, units: Iterable[Unit]) -> list[str]:
        def note(_: WordText, work: Work) -> list[str]:
            if work.error:
                return ["return -1"]
            claim, _arguments, by_fault = self.properties.owner(work.number)
            return [f"found = found | {1 << self.bit_of(claim, by_fault)}  # {claim.name}"]

        block: Block = arrange(list(units))
        return self.text.block(block, note)

    def _function(self, name: str, parameters: list[str], body: list[str]) -> str:
        used = "\n".join(body)
        loads = [f"{word} = state[{n}]" for n, word in enumerate(self.text.words) if re.search(rf"\b{word}\b", used)]
        return "\n".join([f"def {name}({', '.join(parameters)}):", *indented([*loads, *body])]) + "\n"
