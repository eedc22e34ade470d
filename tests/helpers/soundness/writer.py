"""Writes a whole random model: its two modules for the language, and the same as a plain program."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.helpers.soundness.dialects import Language, Parameter, Plain
from tests.helpers.soundness.expressions import (
    COLOURS,
    FIELDS,
    LONGEST,
    MOODS,
    MOST,
    OWN_STATEMENTS,
    SORTS,
    Helper,
    Scope,
)
from tests.helpers.soundness.statements import Lines, Place, Statements

KINDS = {
    "colour": "Colour",
    "mood": "other.Colour",
    "place?": "Optional[Place]",
    "thing?": "Optional[Thing]",
    "thing": "Thing",
    "bool": "bool",
    "saturating": f"Count({MOST['tally']}, saturate=True)",
    "whole": "Int(-1, 2)",
    "things": f"Seq(Thing, {LONGEST})",
    "pair?": "Optional[Pair]",
}
BASE = '''
from enum import Enum
from onceproof import Sort, record


class Thing(Sort, default=2, symmetric=True):
    """Things."""


class Place(Sort, default=2):
    """Places."""


class Colour(Enum):
    """An enum."""

    RED, GREEN, BLUE = range(3)


@record
class Pair:
    """A thing and a colour."""

    thing: Thing
    colour: Colour
'''
OTHER = '''
from enum import Enum
from onceproof import *
import {base} as base
from {base} import Place, Thing


class Colour(Enum):
    """Called like another enum."""

    RED, SAD = range(2)


LIMIT = 2


def note(seen, x):
    seen.append(x)
'''
HEADER = """
from onceproof import *
import {other} as other
from {base} import Colour, Pair, Place, Thing


LIMIT = 1
switched = switch(on="more is allowed", off="less is")
home = field(Thing, Place, init=in_turn, constant=True)
"""
PROGRAM = """
from collections import namedtuple

Pair = namedtuple("Pair", "thing colour")


class Off(Exception):
    pass


main_LIMIT, other_LIMIT = 1, 2


def other_note(seen, x):
    seen.append(x)

"""
HELPERS = {
    "condition": ("thing", "place"),
    "number": ("thing", "number"),
    "effect": ("thing", "colour"),
    "choice": ("place",),
}
LEAVE = {"condition": "return True", "number": "return 1", "effect": "return None", "choice": "return None"}


@dataclass
class Written:
    """One model, twice: the texts of the model and of the other module, and that of the program."""

    seed: int
    model: str
    other: str
    program: str
    sizes: dict[str, int]
    switched: bool
    budgets: dict[str, int | None]
    used: set[str] = field(default_factory=set)


def write(seed: int) -> Written:
    """The model of a seed, always the same."""
    language, plain = Writer(seed, Language()), Writer(seed, Plain())
    model, other = language.model()
    program, _ = plain.model()
    sizes = {"things": plain.sizes["thing"], "places": plain.sizes["place"]}
    return Written(seed, model, other, program, sizes, plain.switched, plain.budgets, language.used)


def base_name(seed: int) -> str:
    """The name of the module with what both others import."""
    return f"soundness_base_{seed}"


def other_name(seed: int) -> str:
    """The name of the other module of a seed."""
    return f"soundness_other_{seed}"


class Writer(Statements):
    """Writes in one dialect. Whatever is drawn is drawn alike in both, so that they say the same."""

    def __init__(self, seed: int, dialect: Language) -> None:
        super().__init__(random.Random(seed), dialect)
        self.seed, r = seed, self.random
        self.sizes = {"thing": r.choice((1, 2, 2, 2, 3)), "place": r.choice((1, 2, 2))}
        self.fields = sorted(r.sample(sorted(FIELDS), r.choice((3, 4, 4, 5))))
        self.switched, self.budgets = r.random() < 0.5, dict[str, int | None]()
        self.starts = {name: r.randint(0, 1) for name in FIELDS}

    def model(self) -> tuple[str, str]:
        """The texts of the model and of the other module (which a program has in itself)."""
        r = self.random
        apart = [self.helper(f"{r.choice('ab')}_{kind}", "other", kind) for kind in HELPERS if r.random() < 0.5]
        own = [self.helper(f"{r.choice('ab')}_{kind}", "", kind) for kind in HELPERS if r.random() < 0.6]
        actions = [self.action(f"act{n}") for n in range(r.randint(2, 4))]
        driven = [name for name in self.fields if FIELDS[name][1] not in OWN_STATEMENTS] or ["raised"]
        drivers = r.sample(driven, min(r.choice((1, 1, 2)), len(driven)))
        actions += [self.driver(f"drive{n}", name) for n, name in enumerate(drivers)]
        claims = [self.claim(f"claim{n}", kind) for n, kind in enumerate(("always", "always", "always", "sometimes"))]
        functions = [*own, *(text for text, _ in actions), *(text for text, _ in claims)]
        if isinstance(self.dialect, Plain):
            lists = [f"ACTIONS = [{', '.join(row for _, row in actions)}]"]
            lists += [f"PROPERTIES = {{{', '.join(row for _, row in claims)}}}"]
            return "\n".join([PROGRAM, *self.initial(), *apart, *functions, *lists]) + "\n", ""
        header = HEADER.format(other=other_name(self.seed), base=base_name(self.seed))
        other = OTHER.format(base=base_name(self.seed))
        return "\n".join([header, *self.declared(), *functions]) + "\n", "\n".join([other, *apart]) + "\n"

    # -- the state

    def declared(self) -> Iterator[str]:
        """The fields, as the language declares them."""
        for name in FIELDS:
            shape, kind = FIELDS[name]
            indices = [SORTS[one] for one in shape]
            held = KINDS.get(kind) or f"Count({MOST[name]})"
            init = f", init={self.starts[name]}" if kind == "number" else ""
            yield f"{name} = field({', '.join([*indices, held])}{init})"

    def initial(self) -> Iterator[str]:
        """The same as cells of a dictionary."""
        things, places = self.sizes["thing"], self.sizes["place"]
        yield f"THINGS, PLACES, SWITCHED = {things}, {places}, {self.switched}"
        yield "INITIAL = {}"
        counts = {"thing": "THINGS", "place": "PLACES"}
        firsts = {
            "colour": f"'Colour.{COLOURS[0]}'",
            "mood": f"'other.Colour.{MOODS[0]}'",
            "bool": "False",
            "thing": "0",
            "saturating": "0",
            "whole": "-1",
            "things": "()",
        }
        for name, (shape, kind) in FIELDS.items():
            first = str(self.starts[name]) if kind == "number" else firsts.get(kind, "None")
            loops = "".join(f"for i{n} in range({counts[one]}) " for n, one in enumerate(shape))
            key = "".join(f"i{n}, " for n in range(len(shape)))
            yield (
                f"INITIAL.update({{({name!r}, {key}): {first} {loops}}})" if shape else f"INITIAL[{name!r},] = {first}"
            )
        yield "INITIAL.update({('home', i): i % PLACES for i in range(THINGS)})"

    # -- functions

    def parameters(self, kinds: list[str], fresh: bool = False) -> tuple[list[Parameter], Scope]:
        """Parameters of these types, and the scope that they make."""
        self.taken = set()
        found, scope = [], Scope()
        unused = self.random.randrange(len(kinds)) if kinds and fresh and self.random.random() < 0.15 else None
        for number, kind in enumerate(kinds):
            name = self.new({})
            scope[name] = kind
            found.append(Parameter(name, SORTS.get(kind, ""), number == unused))
        return found, scope

    def helper(self, name: str, module: str, kind: str) -> str:
        """A function that the model calls; it calls those written before it."""
        self.module = module
        types = HELPERS[kind]
        parameters, scope = self.parameters(list(types))
        shown = [p.name if of != "number" else "least=1" for p, of in zip(parameters, types, strict=True)]
        if "number" in types:
            scope = {("least" if of == "number" else n): of for n, of in scope.items()}
        place = Place(1, leave=LEAVE[kind], may_write=kind == "effect")
        own = self.dialect.local(module, name)
        lines = [f"def {own}({', '.join([self.dialect.state, *shown])}):"]
        if kind == "effect" or self.random.random() < 0.6:
            lines += self.block(scope, place)
        match kind:
            case "condition":
                lines += [f"    return {self.condition(scope, 1)}"]
            case "number":
                lines += [f"    return {self.number(scope, 1)}"]
            case "choice":
                one = self.new({})
                inner = {**scope, one: "thing"}
                lines += [f"    for {one} in {self.dialect.sort('Thing')}:", f"        if {self.condition(inner, 1)}:"]
                lines += [f"            return {one}", "    return None"]
        self.helpers.append(Helper(name, module, kind, types))
        self.module = ""
        return "\n".join(["", "", *lines])

    def action(self, name: str) -> tuple[str, str]:
        """An action, or a fault, and its row in the program's list."""
        r = self.random
        kinds = r.choice((["thing"], ["place"], ["thing", "place"], ["thing", "place"], ["thing", "thing"], []))
        parameters, scope = self.parameters(kinds, fresh=True)
        mark = r.choice(("@action", "@action", "@action", "@fault"))
        if mark == "@fault":
            self.budgets[name] = r.choice((0, 1, 1, 2, None))
        body = [f"    {self.dialect.require(self.condition(scope, 1))}" for _ in range(r.choice((0, 0, 1, 1, 2)))]
        for _ in range(r.randint(1, 3)):
            body += ["    " + line for line in self.statement(scope, Place())]
        body += ["    " + line for line in self.write(scope, Place())]
        own = f"def {name}({self.dialect.state}{self.dialect.parameters(parameters)}):"
        counts = ", ".join(f"({SORTS_IN_PROGRAM[p.sort]}, {p.fresh})" for p in parameters)
        row = f"({name}, [{counts}], {name!r})" if mark == "@fault" else f"({name}, [{counts}], None)"
        marks = [] if isinstance(self.dialect, Plain) else [mark]
        return "\n".join(["", "", *marks, own, *body]), row

    def driver(self, name: str, field_name: str) -> tuple[str, str]:
        """A simple action that changes a field, so that there are states to go to; and its row."""
        shape, kind = FIELDS[field_name]
        parameters, scope = self.parameters([*shape, *({kind.rstrip("?")} & set(SORTS))])
        target = self.dialect.cell(field_name, *list(scope)[: len(shape)])
        match kind:
            case "number":
                value = f"min({target} + 1, {MOST[field_name]})"
            case "bool":
                value = f"not {target}"
            case "colour" | "mood":
                value = self.choice({}, kind, 1)
            case _:
                value = list(scope)[-1]
        own = f"def {name}({self.dialect.state}{self.dialect.parameters(parameters)}):"
        counts = ", ".join(f"({SORTS_IN_PROGRAM[p.sort]}, False)" for p in parameters)
        marks = [] if isinstance(self.dialect, Plain) else ["@action"]
        return "\n".join(["", "", *marks, own, f"    {target} = {value}"]), f"({name}, [{counts}], None)"

    def claim(self, name: str, kind: str) -> tuple[str, str]:
        """A property, and its entry in the program's dictionary."""
        r = self.random
        parameters, scope = self.parameters(r.choice((["thing"], ["thing", "place"], ["thing", "thing"], [])))
        body: Lines = []
        if r.random() < 0.4 and kind == "always":
            body += [f"    {self.dialect.given(self.condition(scope, 1), kind)}"]
        if r.random() < 0.4:
            body += ["    " + one for one in self.statement(scope, Place(1, leave="return True", may_write=False))]
        body += [f"    return {self.condition(scope, 0)}"]
        own = f"def {name}({self.dialect.state}{self.dialect.parameters(parameters)}):"
        marks = [] if isinstance(self.dialect, Plain) else [f"@{kind}"]
        counts = ", ".join(SORTS_IN_PROGRAM[p.sort] for p in parameters)
        return "\n".join(["", "", *marks, own, *body]), f"{name!r}: ({kind!r}, {name}, [{counts}])"


SORTS_IN_PROGRAM = {"Thing": "THINGS", "Place": "PLACES"}
