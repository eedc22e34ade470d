"""The net under the reader: what was read from the source is held against the functions themselves, run by Python.

Every action (also one whose reading can never happen) and every property is taken both ways, in states that are
reached and in states that are made for it: made so that its guard holds, with what it looks at changed at random. Most
misreadings show only there. A difference is a fault of onceproof; it is said aloud and never becomes a verdict.
What agreed once is remembered by its content: the readings, the functions' code, and the language itself.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import fields as parts_of_record
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from onceproof.model.checker.aiming import aimed
from onceproof.model.language.declare import Action, Property
from onceproof.model.language.errors import InternalContradiction, ModelError
from onceproof.model.language.evaluate import read_step, value_of
from onceproof.model.language.layout import LEFT, State, budget_of
from onceproof.model.language.reading.reader import Reader
from onceproof.model.language.reading.result import ActionReading, Obligation, PropertyReading
from onceproof.model.language.sharing import Shared
from onceproof.model.language.system import Arguments, System
from onceproof.model.language.terms import Var
from onceproof.model.language.traversal import free_variables

REACHED = 60  # states that are reached by running the functions
COMPARISONS = 5_000  # about how many are made in all
FEWEST, MOST = 12, 120  # states in which one action or property is compared for one tuple of elements
INSTANCES = 4  # tuples of elements for which one action or property is compared
REMEMBERED = "agreements"


class Disagreement(InternalContradiction):
    """The reading of a function and its run differ in a state."""


def check_agreement(system: System, claims: Iterable[Property] = (), *, unbounded: bool = False) -> None:
    """Holds readings against runs; Disagreement where they differ.

    claims: the properties to compare, beside all actions. unbounded: the readings that a proof works on are compared.
    """
    comparison = _Comparison(system, list(claims), unbounded)
    place = _remembered(comparison)
    if place is not None and place.exists():
        return
    comparison.run()
    if place is not None:
        with contextlib.suppress(OSError):
            place.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as file:
                pass
            os.replace(file.name, place)


class _Comparison:
    def __init__(self, system: System, claims: list[Property], unbounded: bool) -> None:
        self.system, self.layout = system, system.layout
        if unbounded:
            reader = Reader(system.model, system.config, unbounded=True)
            allowed = [a for a in system.model.actions.values() if budget_of(a, system.config) != 0]
            self.actions = {action.name: reader.action(action) for action in allowed}
            self.properties = {claim.name: reader.property(claim) for claim in claims}
            self.functions = reader.functions
        else:
            self.actions = dict(system.all_readings)
            self.properties = {claim.name: system.property_reading(claim) for claim in claims}
            self.functions = system.read_functions
        items = (len(self.actions) + len(self.properties)) * INSTANCES
        self.states = min(max(COMPARISONS // max(items, 1), FEWEST), MOST)
        self.random = random.Random(1)
        self.free = {
            slot: place.cardinality
            for place in system.layout.places.values()
            if place.field is not None and not place.field.constant
            for slot in range(place.offset, place.offset + place.cells)
        }

    def run(self) -> None:
        reached = self._reached()
        for name, reading in self.actions.items():
            action = self.system.model.actions[name]
            for arguments in self._instances(action):
                environment = dict(zip(reading.variables, arguments, strict=True))
                guards = [term for path in reading.paths for term in path.guard]
                for state in self._states(reached, guards, environment):
                    self._compare_step(action, reading, state, arguments)
        for reading_of in self.properties.values():
            claim = reading_of.property
            for arguments in self._instances(claim):
                environment = dict(zip(reading_of.variables, arguments, strict=True))
                for state in self._states(reached, [reading_of.antecedent], environment):
                    self._compare_truth(claim, reading_of, state, arguments)

    # -- states

    def _reached(self) -> list[State]:
        """States that are reached, by running the functions; as many as come before the model itself fails."""
        found = [self.system.initial]
        seen = {self.system.initial}
        for state in found:
            if len(found) >= REACHED:
                break
            with contextlib.suppress(ModelError):
                for _, after in itertools.islice(self.system.successors(state), REACHED):
                    if after not in seen:
                        seen.add(after)
                        found.append(after)
        return found

    def _states(self, reached: Sequence[State], wanted: Sequence[Any], environment: dict[Var, int]) -> Iterable[State]:
        """Reached states, and states made so that ``wanted`` holds, with some cells changed."""
        yield from self.random.sample(reached, min(self.states // 3, len(reached)))
        slots = list(self.free)
        for number in range(self.states // 3):
            state = list(self.random.choice(reached))
            if slots:
                for slot in self.random.sample(slots, self.random.randint(0, min(len(slots), 3 + number))):
                    state[slot] = self.random.randrange(self.free[slot])
            made = aimed(tuple(state), wanted, self.layout, environment, self.free, self.random)
            yield made
            if slots:
                slot = self.random.choice(slots)
                yield (*made[:slot], self.random.randrange(self.free[slot]), *made[slot + 1 :])

    def _instances(self, declared: Action | Property) -> list[Arguments]:
        ranges = [range(self.system.sizes[parameter.sort.__name__]) for parameter in declared.parameters]
        every = list(itertools.islice(itertools.product(*ranges), 5_000))
        return every if len(every) <= INSTANCES else self.random.sample(every, INSTANCES)

    # -- comparisons

    def _compare_step(self, action: Action, reading: ActionReading, state: State, arguments: Arguments) -> None:
        environment = dict(zip(reading.variables, arguments, strict=True))
        try:
            ran = self.system.run_action(action, state, arguments)
        except ModelError as error:
            if not self._fails(reading.obligations, state, environment):
                raise self._disagreement(
                    action, state, arguments, f"it fails: {error.message}", "it does not"
                ) from None
            return
        read = read_step(reading, self.layout, state, arguments)
        if read != ran:
            raise self._disagreement(action, state, arguments, self._shown(state, ran), self._shown(state, read))

    def _compare_truth(self, claim: Property, reading: PropertyReading, state: State, arguments: Arguments) -> None:
        environment = dict(zip(reading.variables, arguments, strict=True))
        try:
            ran = self.system.holds(claim, state, arguments)
        except ModelError as error:
            if not self._fails(reading.obligations, state, environment):
                failure = f"it fails: {error.message}"
                raise self._disagreement(claim, state, arguments, failure, "it does not") from None
            return
        applies = bool(value_of(reading.antecedent, self.layout, state, environment))
        read = bool(value_of(reading.body, self.layout, state, environment)) if applies else None
        if read is not ran:
            raise self._disagreement(claim, state, arguments, _truth(ran), _truth(read))

    def _fails(self, obligations: Sequence[Obligation], state: State, environment: dict[Var, int]) -> bool:
        """Whether the reading says that the function fails there."""
        for one in obligations:
            free = [v for v in dict.fromkeys(v for t in one.guard for v in free_variables(t)) if v not in environment]
            for values in itertools.product(*(range(self.system.sizes[v.sort.__name__]) for v in free)):
                inner = environment | dict(zip(free, values, strict=True))
                if all(value_of(term, self.layout, state, inner) for term in one.guard):
                    return True
        return False

    def _shown(self, before: State, after: State | None) -> str:
        if after is None:
            return "it cannot happen"
        changes = self.layout.changes(before, after)
        return ", ".join(f"{cell} becomes {new}" for cell, (_, new) in changes.items()) or "it changes nothing"

    def _disagreement(
        self, declared: Action | Property, state: State, arguments: Arguments, ran: str, read: str
    ) -> Disagreement:
        kind = "action" if isinstance(declared, Action) else "property"
        elements = ", ".join(p.sort.element(a) for p, a in zip(declared.parameters, arguments, strict=True))
        file, line = declared.line
        cells = ", ".join(
            f"{place.label(key)} = {place.kind.show(code)}"
            for (place, key), code in zip(self.layout.labels, state, strict=True)
            if code and not place.name.startswith(LEFT)
        )
        return Disagreement(
            f"a fault of onceproof, not a verdict: it reads {kind} `{declared.name}({elements})` "
            f"({Path(file).name}:{line}) otherwise than Python runs it. In the state with "
            f"{cells or 'all at its first'}: run, {ran}; read, {read}"
        )


def _truth(value: bool | None) -> str:
    return {None: "it claims nothing", True: "it is true", False: "it is false"}[value]


# -- what agreed once


def _remembered(comparison: _Comparison) -> Path | None:
    """The file that says that this agreed before; None where nothing can be remembered."""
    base = os.environ.get("XDG_CACHE_HOME")
    with contextlib.suppress(OSError, RuntimeError):
        folder = (Path(base) if base else Path.home() / ".cache") / "onceproof" / REMEMBERED
        return folder / _content(comparison)[:40]
    return None


def _content(comparison: _Comparison) -> str:
    texts = _Texts()
    for reading in (*comparison.actions.values(), *comparison.properties.values()):
        texts.add(reading)
    places = [(p.name, p.offset, p.shape, p.cardinality) for p in comparison.layout.places.values()]
    head = repr((sys.version, _version_of_language(), places, comparison.layout.initial))
    codes = [
        repr((c.co_code, c.co_names, [k for k in c.co_consts if not hasattr(k, "co_code")])) for c in _codes(comparison)
    ]
    return sha256("\n".join([head, *codes, *texts.lines]).encode()).hexdigest()


def _codes(comparison: _Comparison) -> list[Any]:
    found: list[Any] = []
    waiting = [function.__code__ for function in comparison.functions]
    while waiting:
        code = waiting.pop()
        found.append(code)
        waiting += [one for one in code.co_consts if hasattr(one, "co_code")]
    return found


class _Texts:
    """Readings as lines of text, each shared term once."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.numbers: dict[Any, int] = {}

    def add(self, value: Any) -> str:
        """The text of a value; of a term, its number."""
        if isinstance(value, Shared):
            if value not in self.numbers:
                line = f"{type(value).__name__} " + " ".join(
                    self.add(getattr(value, one.name))
                    for one in parts_of_record(value)  # type: ignore[arg-type]
                )
                self.numbers[value] = len(self.lines)
                self.lines.append(line)
            return f"#{self.numbers[value]}"
        if isinstance(value, tuple):
            return "(" + " ".join(map(self.add, value)) + ")"
        if isinstance(value, Action | Property):
            return value.name
        if hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
            inner = " ".join(self.add(getattr(value, one.name)) for one in parts_of_record(value))
            text = f"{type(value).__name__}[{inner}]"
            if isinstance(value, ActionReading | PropertyReading):
                self.lines.append(text)
            return text
        if isinstance(value, frozenset):
            return repr(sorted(value))
        return value.__qualname__ if isinstance(value, type) else repr(value)


@lru_cache(maxsize=1)
def _version_of_language() -> str:
    """What the readings depend on: the language itself, and this net."""
    folder = Path(sys.modules[Reader.__module__].__file__ or "").parents[1]
    files = [*sorted(folder.rglob("*.py")), Path(__file__), Path(__file__).with_name("aiming.py")]
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
