"""A system as generated Python: one function for its steps, one for its properties, over flat tuples.

    generated = GeneratedSystem(system)
    generated.successors(state)        # [(number, state after it), ...], in the order of system.successors
    generated.steps[number]            # the Step with that number
    found = generated.properties(system.properties())
    found.violated(state)              # what is false in the state, as numbers for found.owner: mostly ()
    found.shown(state)                 # numbers of the "sometimes" instances that are true
    found.instances[number]            # (property, arguments)
    found.truth(number)(state)         # True, False, or None where the property says nothing: as system.holds
    generated.source                   # the text, for people

The results are exactly those of ``system.successors`` and ``system.holds``, some hundred times as fast.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, assert_never

from onceproof.model.checker.ground.arithmetic_text import arith_text, sum_text
from onceproof.model.checker.ground.bounds import Bounds
from onceproof.model.checker.ground.formula import (
    Arith,
    Below,
    Both,
    Cell,
    Clip,
    Either,
    Formula,
    In,
    Known,
    Opposite,
    Pick,
    Same,
    Sum,
    Value,
    both,
    conjuncts,
    either,
    negate,
    values_in,
)
from onceproof.model.checker.ground.guard_tree import Block, Unit, Work, arrange, units_of
from onceproof.model.checker.ground.shared_parts import NamedParts
from onceproof.model.checker.ground.step_claims import StepClaims
from onceproof.model.checker.ground.steps import Ground
from onceproof.model.language.declare import Property
from onceproof.model.language.layout import State
from onceproof.model.language.system import Arguments, System
from onceproof.model.language.terms import Term, Var

RESERVED = {"after_", "found_", "state_", "confirm", *dir(builtins)}  # what the generated code means by a name


@lru_cache(maxsize=4)
def generated(system: System) -> GeneratedSystem:
    """The generated code of a system; of the last few it is remembered."""
    return GeneratedSystem(system)


class Names:
    """Formulas over cells as Python text; a cell reads as ``work_scheduler1_message1``."""

    def __init__(self, system: System, known: Known) -> None:
        self.known = known
        self.shared = NamedParts("shared_", self.formula, self.value)
        self.cells: list[str] = []
        taken = set(RESERVED)
        for slot, (place, key) in enumerate(system.layout.labels):
            parts = [place.name, *(sort.element(index) for sort, index in zip(place.sorts, key, strict=True))]
            name = re.sub(r"\W", "_", "_".join(parts))
            self.cells.append(name if name not in taken else f"{name}_cell{slot}_")
            taken.add(self.cells[-1])

    def test(self, slot: int, mask: int) -> str:
        """The test of a cell against a set of values."""
        name, others = self.cells[slot], self.known[slot] & ~mask
        if mask == 1:
            return f"not {name}"
        if not mask & (mask - 1):
            return f"{name} == {mask.bit_length() - 1}"
        if others == 1:
            return name
        if not others & (others - 1):
            return f"{name} != {others.bit_length() - 1}"
        low, high = (mask & -mask).bit_length() - 1, mask.bit_length() - 1
        if high - low + 1 == mask.bit_count():
            return f"{low} <= {name} <= {high}"
        return f"{name} in ({', '.join(map(str, values_in(mask)))})"

    def formula(self, formula: Formula) -> str:
        """A condition; in brackets where it is not a simple test."""
        if formula in self.shared.of:
            return self.shared.of[formula]
        match formula:
            case bool():
                return str(formula)
            case In(slot, mask):
                return self.test(slot, mask)
            case Both(parts):
                return f"({' and '.join(map(self.formula, parts))})"
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

    def value(self, value: Value) -> str:
        """A value; in brackets where it is not a name or a number."""
        if value in self.shared.of:
            return self.shared.of[value]
        match value:
            case int():
                return str(value)
            case Cell(slot, plus):
                name = self.cells[slot]
                return f"({name} {'+' if plus > 0 else '-'} {abs(plus)})" if plus else name
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

    def unpacking(self, body: Sequence[str]) -> str:
        """The line that gives the cells that the body speaks of their names."""
        used = set(re.findall(r"\w+", "\n".join(body)))
        names = [name if name in used else "_" for name in self.cells]
        return f"({', '.join(names)},) = state_"


class GeneratedSystem:
    """Steps of a system by generated code. Raises TooLarge where there would be too much of it."""

    def __init__(self, system: System, ground: Ground | None = None) -> None:
        self.system = system
        self.ground = ground or Ground(system)
        self.steps = self.ground.steps
        self.names = Names(system, self.ground.known)
        body = _block(self.names, arrange(units_of(self.ground.groups)), _take)
        self.bounds = Bounds(self.ground)
        failing = _block(self.names, arrange(self.bounds.failures()), _note)
        body = [*failing, *_bound_lines(self.names, self.bounds.inside), *body]
        lines = [
            "def successors(state_):",
            f"    {self.names.unpacking(body)}",
            "    found_ = []",
            *(f"    {line}" for line in body),
            "    found_.sort()",
            "    return found_",
        ]
        self.source = "\n".join(lines) + "\n"
        self.successors: Callable[[State], list[tuple[int, State]]]
        self.successors = _compiled(self.source, "successors", {"confirm": self._confirm})

    def properties(self, properties: Sequence[Property]) -> GeneratedProperties:
        """The truth of properties by generated code."""
        return GeneratedProperties(self, properties)

    def _confirm(self, number: int, state: State) -> None:
        """The trace says that the model fails here: running it raises the ModelError, with its place."""
        if number < 0:
            self.system.outside(state)
        else:
            for _ in self.system.steps_of(self.steps[number].action, state):
                pass


class GeneratedProperties:
    """All instances of some properties, by number. See the module for how to ask it."""

    def __init__(self, generated: GeneratedSystem, properties: Sequence[Property]) -> None:
        self.generated, self.system = generated, generated.system
        self.instances: list[tuple[Property, Arguments]] = [
            (claim, arguments) for claim in properties for arguments in self.system.instances(claim)
        ]
        self._of_steps = StepClaims(generated.ground)
        self._judged = {
            number: list(self._of_steps.judged(claim, arguments))
            for number, (claim, arguments) in enumerate(self.instances)
            if claim.kind == "step"
        }
        self._formulas = {
            number: self._ground(claim, arguments)
            for number, (claim, arguments) in enumerate(self.instances)
            if claim.kind != "step"
        }
        self._evaluators: dict[int, Callable[[State], bool | None]] = {}
        known = generated.ground.known
        false_: list[Unit] = []
        true_: list[Unit] = []
        for number, (claim, _) in enumerate(self.instances):
            if claim.is_safety:
                false_ += self.violations(number)
            elif claim.kind == "sometimes":
                antecedent, body = self._formulas[number]
                true_ += _units(number, both([antecedent, body], known))
        self.violated: Callable[[State], Sequence[int]] = self._collector("violated", false_)
        self.shown: Callable[[State], Sequence[int]] = self._collector("shown", true_)

    def formulas(self, number: int) -> tuple[Formula, Formula]:
        """Antecedent and body of an instance; of a property of steps, for the steps from a state together."""
        if number not in self._formulas:
            known, ways = self.generated.ground.known, self._judged[number]
            claim, _ = self.instances[number]
            antecedent: Formula = True
            if self.system.presupposes(claim):
                antecedent = either([way.given for way in ways], known)
            self._formulas[number] = antecedent, negate(either([way.false for way in ways], known), known)
        return self._formulas[number]

    def owner(self, number: int) -> tuple[Property, Arguments, bool]:
        """What a number that ``violated`` returns stands for: an instance, and whether a fault is the step to blame."""
        claim, arguments = self.instances[number % len(self.instances)]
        return claim, arguments, number >= len(self.instances)

    def violations(self, number: int) -> list[Unit]:
        """Where an instance is false, and where the model itself may fail while it is evaluated.

        Of a property of steps: where some step from the state violates it. That stands under the number of the instance
        if the step is no fault, else under that number and the number of all instances (see ``owner``).
        """
        if number in self._judged:
            by_fault = len(self.instances)
            found = [(number + way.fault * by_fault, way.false) for way in self._judged[number]]
            return [unit for one in found for unit in _units(*one)] + self.failures(number)
        antecedent, body = self._formulas[number]
        known = self.generated.ground.known
        return _units(number, both([antecedent, negate(body, known)], known)) + self.failures(number)

    def truth(self, number: int) -> Callable[[State], bool | None]:
        """The function that says whether an instance holds in a state; None where it says nothing."""
        if number not in self._evaluators:
            antecedent, body = self.formulas(number)
            names = self.generated.names
            silent = [f"    if not ({names.formula(antecedent)}): return None"] if antecedent is not True else []
            self._evaluators[number] = self._predicate([*self._failing_lines(number), *silent], body)
        return self._evaluators[number]

    def fulfilled(self, number: int) -> Callable[[State], bool]:
        """The function that says whether a state fulfils the obligation of an ``eventually``, whatever is given."""
        predicate = self._predicate([], self._formulas[number][1])
        return lambda state: bool(predicate(state))

    def lasts(self, number: int) -> Callable[[State], bool]:
        """The function that says whether what an ``until`` says of the time before its goal is true in a state."""
        predicate = self._predicate([], self.meanwhile(number))
        return lambda state: bool(predicate(state))

    def meanwhile(self, number: int) -> Formula:
        """What an ``until`` says of the time before its goal."""
        claim, arguments = self.instances[number]
        reading = self.system.property_reading(claim)
        names: dict[Var, int] = dict(zip(reading.variables, arguments, strict=True))
        return self.generated.ground.grounder.condition(reading.meanwhile, names, self.generated.ground.known)

    def _predicate(self, first: list[str], body: Formula) -> Callable[[State], bool | None]:
        names = self.generated.names
        with names.shared.once([body]) as shared:
            lines = [*first, *_indented(shared), f"    return bool({names.formula(body)})"]
        text = "\n".join(["def truth(state_):", f"    {names.unpacking(lines)}", *lines])
        predicate: Callable[[State], bool | None] = _compiled(text, "truth", {"confirm": self._confirm})
        return predicate

    def _failing_lines(self, number: int) -> list[str]:
        block = arrange(self.failures(number))
        return [f"    {line}" for line in _block(self.generated.names, block, _note)]

    def _ground(self, claim: Property, arguments: Arguments) -> tuple[Formula, Formula]:
        reading = self.system.property_reading(claim)
        environment: dict[Var, int] = dict(zip(reading.variables, arguments, strict=True))
        ground = self.generated.ground

        def formula(term: Term) -> Formula:
            return ground.grounder.condition(term, environment, ground.known)

        return formula(reading.antecedent), formula(reading.body)

    def failures(self, number: int) -> list[Unit]:
        """Where the model itself may fail while an instance is evaluated."""
        if number in self._judged:
            failing = [one for way in self._judged[number] for one in way.fails]
            return [_failing(unit, why) for where, why in failing for unit in _units(number, where)]
        claim, arguments = self.instances[number]
        reading = self.system.property_reading(claim)
        environment: dict[Var, int] = dict(zip(reading.variables, arguments, strict=True))
        return [
            Unit(way.guard, (Work(number, {}, way.rest, (), way.error),))
            for obligation in reading.obligations
            for way in self.generated.ground.failures(number, obligation, environment)
        ]

    def _collector(self, name: str, units: list[Unit]) -> Callable[[State], Sequence[int]]:
        if not units:
            return lambda _: ()
        body = _block(self.generated.names, arrange(units), _note)
        lines = [
            f"def {name}(state_):",
            f"    {self.generated.names.unpacking(body)}",
            "    found_ = ()",
            *(f"    {line}" for line in body),
            "    return found_",
        ]
        found: Callable[[State], Sequence[int]]
        found = _compiled("\n".join(lines), name, {"confirm": self._confirm})
        return found

    def _confirm(self, number: int, state: State) -> None:
        self.system.holds(self.instances[number][0], state, self.instances[number][1])


def _failing(unit: Unit, why: str) -> Unit:
    """The unit that says that the model itself may fail there."""
    return Unit(unit.guard, tuple(replace(work, error=why) for work in unit.chain))


def _units(number: int, formula: Formula) -> list[Unit]:
    if formula is False:
        return []
    parts = conjuncts(formula)
    guard = {part.slot: part.mask for part in parts if isinstance(part, In)}
    rest = tuple(part for part in parts if not isinstance(part, In) and part is not True)
    return [Unit(guard, (Work(number, {}, rest),))]


Render = Callable[[Names, Work], list[str]]


def _take(names: Names, work: Work) -> list[str]:
    """The lines that take a move."""
    if work.error:
        return [f"confirm({work.number}, state_)"]
    if not work.puts:
        return [f"found_.append(({work.number}, state_))"]
    with names.shared.once(part for put in work.puts for part in (put.value, put.condition)) as first:
        lines = [*first, "after_ = list(state_)"]
        for put in work.puts:
            write = f"after_[{put.slot}] = {names.value(put.value)}  # {names.cells[put.slot]}"
            if put.condition is True:
                lines.append(write)
            else:
                lines += [f"if {names.formula(put.condition)}:", f"    {write}"]
    return [*lines, f"found_.append(({work.number}, tuple(after_)))"]


def _note(_: Names, work: Work) -> list[str]:
    """The line that notes an instance of a property."""
    return [f"confirm({work.number}, state_)" if work.error else f"found_ += ({work.number},)"]


def _bound_lines(names: Names, inside: Formula) -> list[str]:
    """The lines that leave where no step is taken."""
    if inside is True:
        return []
    with names.shared.once([inside]) as first:
        return [*first, f"if not ({names.formula(inside)}): return found_"]


def _block(names: Names, block: Block, render: Render) -> list[str]:
    lines: list[str] = []
    for part in block:
        if isinstance(part, Unit):
            lines += _unit_lines(names, part, render)
            continue
        word = "if"
        for mask, inner in part.branches:
            lines += [f"{word} {names.test(part.slot, mask)}:", *_indented(_block(names, inner, render))]
            word = "elif"
    return lines


def _unit_lines(names: Names, unit: Unit, render: Render) -> list[str]:
    """The lines of one unit: its guard, then the first of its chain that can be."""
    with names.shared.once(formula for work in unit.chain for formula in work.rest) as first:
        alone = len(unit.chain) == 1 and not first
        chain: list[str] = list(first)
        for position, work in enumerate(unit.chain):
            test = _conjunction(names, {**(unit.guard if alone else {}), **work.guard}, work.rest)
            if not test:
                chain += ["else:", *_indented(render(names, work))] if position else render(names, work)
                break
            chain += [f"{'elif' if position else 'if'} {test}:", *_indented(render(names, work))]
    test = "" if alone else _conjunction(names, unit.guard, ())
    return [f"if {test}:", *_indented(chain)] if test else chain


def _conjunction(names: Names, guard: Mapping[int, int], rest: tuple[Formula, ...]) -> str:
    tests = [names.test(slot, mask) for slot, mask in guard.items()]
    return " and ".join(tests + [names.formula(formula) for formula in rest])


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _compiled(text: str, name: str, names: dict[str, Any]) -> Any:
    namespace: dict[str, Any] = dict(names)
    exec(compile(text, f"<generated {name}>", "exec"), namespace)
    return namespace[name]
