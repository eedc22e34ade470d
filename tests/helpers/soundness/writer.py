"""Writes a whole random model: its two modules for the language, and the same as a plain program."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.helpers.soundness.dialects import SIZES, Language, Parameter, Plain
from tests.helpers.soundness.expressions import (
    CONSTANTS,
    FIELDS,
    MOST,
    OWN_STATEMENTS,
    PROVABLE,
    SORTS,
    Helper,
    Scope,
)
from tests.helpers.soundness.statements import Lines, Place, Statements
from tests.helpers.soundness.texts import (
    DECLARED,
    FIRST,
    HEADER,
    INDICES,
    INDICES_IN_PROGRAM,
    KINDS,
    OTHER,
    PROGRAM,
)

HELPERS = {
    "condition": ("thing", "place"),
    "number": ("thing", "number"),
    "effect": ("thing", "colour"),
    "choice": ("place",),
}
LIVENESS = ["eventually", "leads_to", "infinitely_often", "stays"]
LEAVE = {"condition": "return True", "number": "return 1", "effect": "return None", "choice": "return None"}


@dataclass
class Written:
    """One model, twice: the texts of the model and of the other module, and that of the program.

    sole: it has only what a proof for any size knows.
    """

    seed: int
    model: str
    other: str
    program: str
    sizes: dict[str, int]
    switched: bool
    limit: int
    budgets: dict[str, int | None]
    sole: bool
    used: set[str] = field(default_factory=set)


def write(seed: int) -> Written:
    """The model of a seed, always the same."""
    language, plain = Writer(seed, Language()), Writer(seed, Plain())
    model, other = language.model()
    program, _ = plain.model()
    sizes = {"things": plain.sizes["thing"], "places": plain.sizes["place"], "floors": plain.sizes["floor"]}
    return Written(
        seed, model, other, program, sizes, plain.switched, plain.limit, plain.budgets, plain.sole, language.used
    )


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
        self.sole = seed % 4 == 3
        self.sizes = {"thing": r.choice((1, 2, 2, 2, 3)), "place": r.choice((1, 2, 2)), "floor": r.choice((2, 3))}
        able = PROVABLE if self.sole else FIELDS
        self.fields = sorted(r.sample(sorted(able), r.choice((3, 3, 4)) if self.sole else r.choice((3, 4, 4, 5))))
        self.constants = r.sample(sorted(CONSTANTS), r.choice((0, 0, 1, 2)))
        if not self.sole and r.random() < 0.4:
            self.sorts = (*self.sorts, "floor")
        self.switched, self.limit, self.budgets = r.random() < 0.5, r.choice((1, 2)), dict[str, int | None]()
        self.starts = {name: r.randint(0, 1) for name in FIELDS}
        self.starts["chief"] = 0 if self.sole else 1  # only the first has a name in a proof
        self.style = r.choice(("module", "class", "classes"))
        if self.style != "module":
            self.used.add("state class")
            self.dialect.annotate("World")

    def model(self) -> tuple[str, str]:
        """The texts of the model and of the other module (which a program has in itself)."""
        r = self.random
        helpers = ("condition", "effect") if self.sole else tuple(HELPERS)
        apart = [self.helper(f"{r.choice('ab')}_{kind}", "other", kind) for kind in helpers if r.random() < 0.5]
        own = [self.helper(f"{r.choice('ab')}_{kind}", "", kind) for kind in helpers if r.random() < 0.6]
        actions = [self.action(f"act{n}") for n in range(r.randint(2, 3 if self.sole else 4))]
        driven = [name for name in self.fields if FIELDS[name][1] not in OWN_STATEMENTS]
        drivers = r.sample(driven, min(r.choice((1, 1, 2)), len(driven)))
        actions += [self.driver(f"drive{n}", name) for n, name in enumerate(drivers)]
        claims = [self.claim(f"claim{n}", kind) for n, kind in enumerate(self.kinds_of_claims())]
        functions = [*own, *(text for text, _ in actions), *(text for text, _ in claims)]
        if isinstance(self.dialect, Plain):
            lists = [f"ACTIONS = [{', '.join(row for _, row in actions)}]"]
            lists += [f"PROPERTIES = {{{', '.join(row for _, row in claims)}}}"]
            return "\n".join([PROGRAM, *self.initial(), *apart, *functions, *lists]) + "\n", ""
        header = HEADER.format(other=other_name(self.seed), base=base_name(self.seed))
        other = OTHER.format(base=base_name(self.seed))
        return "\n".join([header, *self.declared(), *functions]) + "\n", "\n".join([other, *apart]) + "\n"

    def kinds_of_claims(self) -> list[str]:
        """What is claimed: of a model for the prover mostly that something is always true."""
        r = self.random
        kinds = ["always"] * 6 if self.sole else ["always", "always", "sometimes", *r.sample(LIVENESS, 2)]
        return [*kinds, *(["ending"] if r.random() < 0.3 else []), *(["axiom"] if r.random() < 0.2 else [])]

    # -- the state

    def declared(self) -> Iterator[str]:
        """The fields, as the language declares them: in the module, or in one or two classes."""
        lines = [line.replace("{chief}", str(self.starts["chief"])) for line in DECLARED]
        for name in self.fields:
            shape, kind = FIELDS[name]
            indices = [INDICES[one] for one in shape]
            held = KINDS.get(kind) or f"Count({MOST.get(name) or 'limit'})"
            init = f", init={self.starts[name]}" if kind == "number" else ""
            lines.append(f"{name} = field({', '.join([*indices, held])}{init})")
        if self.style == "module":
            yield from lines
            return
        if self.style == "classes":
            yield from ("class Part(State):", '    """Some of it."""', *("    " + line for line in lines[:-1]), "")
            last = lines[-1].replace("Count(limit)", "Count(Part.limit)")  # a class body does not see its base's names
            yield from ("class World(Part):", '    """All of it."""', "    " + last)
            return
        yield from ("class World(State):", '    """All of it."""', *("    " + line for line in lines))

    def initial(self) -> Iterator[str]:
        """The same as cells of a dictionary."""
        things, places, floors = (self.sizes[kind] for kind in SORTS)
        yield f"THINGS, PLACES, FLOORS = {things}, {places}, {floors}"
        yield f"SWITCHED, PARAMETER = {self.switched}, {self.limit}"
        yield "INITIAL = {}"
        for name in self.fields:
            shape, kind = FIELDS[name]
            first = str(self.starts[name]) if kind == "number" else FIRST.get(kind, "None")
            loops = "".join(f"for i{n} in {INDICES_IN_PROGRAM[one]} " for n, one in enumerate(shape))
            key = "".join(f"i{n}, " for n in range(len(shape)))
            yield (
                f"INITIAL.update({{({name!r}, {key}): {first} {loops}}})" if shape else f"INITIAL[{name!r},] = {first}"
            )
        yield "INITIAL.update({('home', i): i % PLACES for i in range(THINGS)})"
        yield "INITIAL.update({('before', a, b): a < b for a in range(THINGS) for b in range(THINGS)})"
        yield f"INITIAL['chief',] = {self.starts['chief']} % THINGS"

    # -- functions

    def parameters(self, kinds: list[str], fresh: bool = False) -> tuple[list[Parameter], Scope]:
        """Parameters of these types, and the scope that they make."""
        self.taken = set()
        found, scope = [], Scope()
        unused = self.random.randrange(len(kinds)) if kinds and fresh and self.random.random() < 0.15 else None
        if unused is not None and kinds[unused] == "floor":
            unused = None
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
        if "floor" in self.sorts and r.random() < 0.4:
            kinds = [*kinds[:1], "floor"]
        parameters, scope = self.parameters(kinds, fresh=True)
        self.choices_left = 0 if any(p.fresh for p in parameters) else r.choice((0, 1, 1, 2))
        mark, budget, fairness = self.mark(name)
        body = [f"    {self.dialect.require(self.condition(scope, 1))}" for _ in range(r.choice((0, 0, 1, 1, 2)))]
        for _ in range(r.randint(1, 2 if self.sole else 3)):
            body += ["    " + line for line in self.statement(scope, Place())]
        body += ["    " + line for line in self.write(scope, Place())]
        self.choices_left = 0
        own = f"def {name}({self.dialect.first_parameter}{self.dialect.parameters(parameters)}):"
        counts = ", ".join(f"({SIZES[p.sort]}, {p.fresh})" for p in parameters)
        row = f"({name}, [{counts}], {budget!r}, {mark.startswith('@fault')}, {fairness!r})"
        marks = [] if isinstance(self.dialect, Plain) else [mark]
        return "\n".join(["", "", *marks, own, *body]), row

    def mark(self, name: str) -> tuple[str, str | None, str]:
        """What marks an action, the name of its budget (None: it has none) and its fairness."""
        r = self.random
        form = r.choice(("action", "action", "action", "strong", "none", "bounded", "fault", "fault", "shared"))
        match form:
            case "action":
                return "@action", None, "weak"
            case "strong" | "none":
                self.used.add("fairness")
                return f"@action(fairness=Fairness.{form.upper()})", None, form
            case "bounded":
                self.used.add("bounded action")
                self.budgets["tries"] = r.choice((1, 2))
                return '@action(budget="tries")', "tries", "weak"
            case "shared":
                self.used.add("shared budget")
                self.budgets["crash"] = r.choice((0, 1, 2, None))
                return '@fault(budget="crash")', "crash", "none"
            case _:
                self.budgets[name] = r.choice((0, 1, 1, 2, None))
                return "@fault", name, "none"

    def driver(self, name: str, field_name: str) -> tuple[str, str]:
        """A simple action that changes a field, so that there are states to go to; and its row."""
        shape, kind = FIELDS[field_name]
        held = kind.rstrip("?") if kind.rstrip("?") in SORTS else ""
        parameters, scope = self.parameters([*(one for one in shape if one in SORTS), *([held] if held else [])])
        outer = {name: scope[name] for name in list(scope)[: len(scope) - bool(held)]}
        target = self.cell(outer, field_name)
        assert target is not None
        match kind:
            case "number":
                value = f"min({target} + 1, {self.most(field_name)})"
            case "bool":
                value = f"not {target}"
            case "colour" | "mood":
                value = self.choice({}, kind, 1)
            case "colour?":
                value = self.choice({}, "colour", 1)
            case _:
                value = list(scope)[-1]
        own = f"def {name}({self.dialect.first_parameter}{self.dialect.parameters(parameters)}):"
        counts = ", ".join(f"({SIZES[p.sort]}, False)" for p in parameters)
        marks = [] if isinstance(self.dialect, Plain) else ["@action"]
        row = f"({name}, [{counts}], None, False, 'weak')"
        return "\n".join(["", "", *marks, own, f"    {target} = {value}"]), row

    def claim(self, name: str, kind: str) -> tuple[str, str]:
        """A property, and its entry in the program's dictionary."""
        if kind == "axiom":
            return self.axiom(name)
        r = self.random
        if kind not in ("always", "sometimes"):
            self.used.add(kind)
        shapes = [["thing"], ["thing", "place"], ["thing", "thing"], []]
        if "floor" in self.sorts:
            shapes += [["floor"]]
        parameters, scope = self.parameters([] if kind == "ending" else r.choice(shapes))
        body: Lines = []
        may_presuppose = kind in ("always", "eventually") and r.random() < 0.4
        if may_presuppose or kind == "leads_to":
            body += [f"    {self.dialect.given(self.condition(scope, 1), kind)}"]
        if r.random() < 0.4:
            body += ["    " + one for one in self.statement(scope, Place(1, leave="return True", may_write=False))]
        # What is promised is simple, so that it depends on what happens.
        depth = 3 if kind in LIVENESS and r.random() < 0.8 else 1 if self.sole else 0
        body += [f"    return {self.condition(scope, depth)}"]
        own = f"def {name}({self.dialect.first_parameter}{self.dialect.parameters(parameters)}):"
        marks = [] if isinstance(self.dialect, Plain) else [f"@{kind}"]
        counts = ", ".join(SIZES[p.sort] for p in parameters)
        return "\n".join(["", "", *marks, own, *body]), f"{name!r}: ({kind!r}, {name}, [{counts}])"

    def axiom(self, name: str) -> tuple[str, str]:
        """A law about constants, which may be false."""
        self.used.add("axiom")
        fields, helpers, constants = self.fields, self.helpers, self.constants
        self.fields, self.helpers, self.constants = (), [], list(CONSTANTS)
        parameters, scope = self.parameters(["thing", "thing"])
        one, other = scope
        home, before = self.dialect.cell("home", one), self.dialect.cell("before", one, other)
        body = self.random.choice(
            (
                f"{one} == {other} or {before} or {self.dialect.cell('before', other, one)}",
                f"not {before} or {one} != {other}",
                f"{home} == {self.dialect.cell('home', other)} or {self.condition(scope, 2)}",
                self.condition(scope, 1),
            )
        )
        self.fields, self.helpers, self.constants = fields, helpers, constants
        own = f"def {name}({self.dialect.first_parameter}{self.dialect.parameters(parameters)}):"
        marks = [] if isinstance(self.dialect, Plain) else ["@axiom"]
        return "\n".join(["", "", *marks, own, f"    return {body}"]), f"{name!r}: ('axiom', {name}, [THINGS, THINGS])"
