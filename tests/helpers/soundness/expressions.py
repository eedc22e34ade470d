"""Random expressions of each type over what is in scope."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.helpers.soundness.dialects import Language

COLOURS, MOODS = ("RED", "GREEN", "BLUE"), ("RED", "SAD")  # of two enums that are both called Colour
# Names that mean something to whoever reads, translates or solves a model, or that hide a name of Python's.
TRICKY = """
node_1 _1 result thing_1 place_1 Thing_1 arg value world path guard index state true select next_ and_ x y it
each held seen step id type hash map vars input t_1 p_1 item __ left after model n forall_ cell
"""
NAMES = TRICKY.split()
FIELDS: dict[str, tuple[tuple[str, ...], str]] = {
    "colour": (("thing",), "colour"),
    "mood": (("place",), "mood"),
    "at": (("thing",), "place?"),
    "marked": (("thing", "place"), "bool"),
    "level": (("place",), "number"),
    "total": ((), "number"),
    "first_of": ((), "thing?"),
    "raised": ((), "bool"),
    "owner": (("place",), "thing"),
    "link": (("thing",), "thing?"),
    "lit": (("colour",), "bool"),
    "slot": (("small",), "thing?"),
    "lift": ((), "floor"),
    "ajar": (("floor",), "bool"),
    "gauge": (("thing",), "number"),
    "hint": (("thing",), "colour?"),
    "tally": (("thing",), "saturating"),
    "strict": ((), "strict"),
    "balance": ((), "whole"),
    "queue": (("place",), "things"),
    "wire": ((), "newest dropped"),
    "log": ((), "oldest dropped"),
    "mail": ((), "pairs"),
    "note": ((), "pair?"),
    "stamp": ((), "pair"),
    "group": (("place",), "set"),
    "letters": ((), "set of pairs"),
    "bag": ((), "bag"),
}
CONSTANTS: dict[str, tuple[tuple[str, ...], str]] = {
    "home": (("thing",), "place"),
    "before": (("thing", "thing"), "bool"),
    "chief": ((), "thing"),
}
# Of the values of these fields for one cell a proof for any size knows the meaning.
PROVABLE = ("colour", "mood", "at", "marked", "first_of", "raised", "owner", "link", "hint", "note", "group", "tally")
MOST = {"level": "2", "total": "3", "tally": "2", "strict": "2", "gauge": ""}  # "": as many as the parameter says
LONGEST = 2  # elements of a sequence
# Kinds of fields with statements of their own.
OWN_STATEMENTS = {
    "saturating",
    "strict",
    "whole",
    "things",
    "newest dropped",
    "oldest dropped",
    "pairs",
    "pair?",
    "pair",
    "set",
    "set of pairs",
    "bag",
}
SORTS = {"thing": "Thing", "place": "Place", "floor": "Floor"}
Scope = dict[str, str]  # the type of each local name


@dataclass(frozen=True)
class Helper:
    """A function that a model calls: "condition", "number", "effect" or "choice"; of the model or the other module."""

    name: str
    module: str
    kind: str
    parameters: tuple[str, ...]  # their types


@dataclass
class Expressions:
    """Writes expressions; ``used`` gathers which constructs there were."""

    random: random.Random
    dialect: Language
    fields: Sequence[str] = ()
    used: set[str] = field(default_factory=set)
    helpers: list[Helper] = field(default_factory=list)
    module: str = ""  # the module that is being written
    taken: set[str] = field(default_factory=set)  # the names of the function that is being written
    closed: bool = False  # whether it is inside another one, whose names it must not assign
    sorts: Sequence[str] = ("thing", "place")  # the sorts that are written about
    constants: Sequence[str] = ()  # the constant fields that are read
    choices_left: int = 0  # how often the action that is written may still choose
    sole: bool = False  # whether only what a proof for any size knows may be written

    def new(self, scope: Scope, kind: str = "") -> str:
        """A name that the function does not use yet; at times one that is hidden by it (of the same type)."""
        same = [name for name, known in scope.items() if known == kind]
        if same and self.random.random() < 0.25:
            self.used.add("hidden name")
            return self.random.choice(same)
        free = [name for name in NAMES if name not in self.taken]
        name = self.random.choice(free) if free else f"more{len(self.taken)}"
        self.taken.add(name)
        return name

    def pick(self, *choices: Callable[[], str | None]) -> str:
        """What one of the choices writes; those that have nothing to write give None."""
        for choice in self.random.sample(choices, len(choices)):
            found = choice()
            if found is not None:
                return found
        raise AssertionError("one choice at least is always possible")

    def of_type(self, scope: Scope, kind: str) -> list[str]:
        """The locals of a type."""
        return [name for name, known in scope.items() if known == kind]

    def value(self, scope: Scope, kind: str, depth: int = 0) -> str | None:
        """An expression of a type; None where there can be none."""
        match kind:
            case "bool":
                return self.condition(scope, depth + 1)
            case "number":
                return self.number(scope, depth + 1)
            case "colour" | "mood":
                return self.choice(scope, kind, depth)
            case "colour?":
                return self.pick(
                    lambda: "None",
                    lambda: self.choice(scope, "colour", depth),
                    lambda: self.read(scope, "colour?"),
                )
            case "thing" | "place" | "floor":
                return self.element(scope, kind, depth)
            case _:
                return self.optional(scope, kind[:-1], depth)

    def read(self, scope: Scope, kind: str) -> str | None:
        """A cell of a type, or a local."""
        locals_ = self.of_type(scope, kind)
        if locals_ and self.random.random() < 0.5:
            return self.random.choice(locals_)
        known = [*self.fields, *self.constants]
        for name in self.random.sample(known, len(known)):
            if {**FIELDS, **CONSTANTS}[name][1] == kind:
                cell = self.cell(scope, name)
                if cell is not None:
                    return cell
        return self.random.choice(locals_) if locals_ else None

    def cell(self, scope: Scope, name: str) -> str | None:
        """A cell of a field; None where there is no element in scope for it."""
        indices = []
        for kind in {**FIELDS, **CONSTANTS}[name][0]:
            if kind == "colour":
                self.used.add("field indexed by an enum")
                indices.append(self.choice(scope, "colour", 1))
                continue
            if kind == "small":
                self.used.add("field indexed by a number")
                indices.append(self.within(self.number(scope, 2), "2"))
                continue
            found = self.of_type(scope, kind)
            if kind == "place" and self.random.random() < 0.3 and self.of_type(scope, "thing"):
                found = [self.dialect.cell("home", self.random.choice(self.of_type(scope, "thing")))]
            if not found:
                return None
            indices.append(self.random.choice(found))
        return self.dialect.cell(name, *indices)

    def member(self, enum: str, name: str) -> str:
        """A member of an enum."""
        return self.dialect.member(enum, name, self.module)

    def choice(self, scope: Scope, kind: str, depth: int) -> str:
        """A member of an enum."""
        enum, members = ("Colour", COLOURS) if kind == "colour" else ("other.Colour", MOODS)
        member = self.member(enum, self.random.choice(members))
        if depth < 1 and self.random.random() < 0.2:
            self.used.add("conditional expression")
            return f"({self.choice(scope, kind, depth + 1)} if {self.condition(scope, 2)} else {member})"
        found = self.read(scope, kind)
        return found if found and self.random.random() < 0.4 else member

    def within(self, value: str, most: str) -> str:
        """A number, put into the range of a count."""
        form = self.random.choice(("min(max({0}, 0), {1})", "max(0, min({1}, {0}))"))
        return form.format(value, most)

    def most(self, name: str) -> str:
        """The greatest number that a field holds."""
        return MOST[name] or self.dialect.parameter()

    def sort(self) -> str:
        """The kind of a loop variable, say: a sort."""
        return self.random.choice(self.sorts)

    def element(self, scope: Scope, kind: str, depth: int) -> str | None:
        """An element of a sort."""
        if kind == "floor" and depth < 2 and self.random.random() < 0.5:
            return self.floor(scope, depth)
        found = self.of_type(scope, kind)
        if found and depth < 1 and len(found) > 1 and self.random.random() < 0.2:
            self.used.add("conditional expression")
            one, other = self.random.sample(found, 2)
            return f"({one} if {self.condition(scope, 2)} else {other})"
        return self.read(scope, kind)

    def floor(self, scope: Scope, depth: int) -> str:
        """An element of a sort with an order: an end of it, or what is beside another one."""
        self.used.add("sort with an order")
        is_first = self.random.random() < 0.5
        end = self.dialect.end("Floor", is_first)
        near = self.read(scope, "floor")
        if near is None or self.random.random() < 0.3:
            return end
        return f"({near} {'-' if is_first else '+'} 1 if {near} != {end} else {near})"

    def optional(self, scope: Scope, kind: str, depth: int) -> str:
        """An element or None."""

        def chosen() -> str:
            name = self.new(scope, kind)
            inner = {**scope, name: kind}
            self.used.add("next")
            return f"next(({name} for {name} in {self.dialect.sort(SORTS[kind])} if {self.condition(inner, 2)}), None)"

        def called() -> str | None:
            return self.call(scope, "choice") if kind == "thing" else None

        simple = (
            lambda: "None",
            lambda: self.read(scope, kind + "?"),
            lambda: self.element(scope, kind, depth),
        )
        if self.sole:
            return self.pick(*simple)
        return self.pick(
            *simple,
            chosen,
            called,
        )

    def number(self, scope: Scope, depth: int = 0) -> str:
        """A whole number of 0 or more."""
        r = self.random

        def literal() -> str:
            return str(r.randint(0, 2))

        def summed() -> str | None:
            if depth > 1:
                return None
            self.used.add("sum")
            kind = self.sort()
            name = self.new(scope, kind)
            inner, over = {**scope, name: kind}, self.dialect.sort(SORTS[kind])
            if r.random() < 0.5:
                return f"sum(1 for {name} in {over} if {self.condition(inner, 2)})"
            return f"len([{name} for {name} in {over} if {self.condition(inner, 2)}])"

        def extreme() -> str | None:
            if depth > 1:
                return None
            self.used.add("min, max")
            return f"{r.choice(('min', 'max'))}({self.number(scope, 2)}, {self.number(scope, 2)})"

        def greatest() -> str | None:
            if depth > 1 or "level" not in self.fields:
                return None
            self.used.add("max of a generator")
            name = self.new(scope, "place")
            cell = self.dialect.cell("level", name)
            return f"{r.choice(('min', 'max'))}({cell} for {name} in {self.dialect.sort('Place')})"

        def added() -> str | None:
            return f"{self.number(scope, 2)} + {self.number(scope, 2)}" if depth < 2 else None

        def conditional() -> str | None:
            if depth > 1:
                return None
            return f"({self.number(scope, 2)} if {self.condition(scope, 2)} else {self.number(scope, 2)})"

        def constant() -> str:
            self.used.add("constants of equal names")
            if self.module:
                return self.dialect.local(self.module, "LIMIT")
            return self.dialect.helper(r.choice(("", "other")), "LIMIT")

        def size() -> str:
            return self.dialect.size(SORTS[self.sort()])

        def parameter() -> str:
            self.used.add("parameter of the model")
            return self.dialect.parameter()

        def indexed() -> str | None:
            found = self.read(scope, "bool")
            if found is None or depth > 1:
                return None
            self.used.add("arithmetic of truths")
            return f"({found} + 1)"

        def read() -> str | None:
            return self.read(scope, r.choice(("number", "number", "saturating", "strict")))

        def measured() -> str | None:
            lists = ("queue", "wire", "log", "mail", "group", "letters", "bag")
            held = [name for name in lists if name in self.fields and not (self.sole and name == "group")]
            found = self.cell(scope, r.choice(held)) if held else None
            return f"len({found})" if found else None

        def called() -> str | None:
            return self.call(scope, "number") if depth < 2 else None

        if self.sole:
            return self.pick(literal, read, read, conditional, constant, parameter)
        return self.pick(
            literal,
            read,
            read,
            parameter,
            summed,
            extreme,
            greatest,
            added,
            conditional,
            constant,
            size,
            called,
            indexed,
            measured,
        )

    def call(self, scope: Scope, kind: str) -> str | None:
        """A call of a helper, by position or by name."""
        able = [h for h in self.helpers if h.kind == kind and (h.module == "other" or not self.module)]
        if not able:
            return None
        helper = self.random.choice(able)
        arguments = []
        for place, needed in enumerate(helper.parameters):
            if needed == "number" and self.random.random() < 0.4:
                self.used.add("default argument")
                continue
            found = self.value(scope, needed, 1)
            if found is None:
                return None
            arguments.append(f"{'least=' if needed == 'number' else ''}{found}" if place else found)
        self.used.add("helper in another module" if helper.module and not self.module else "helper")
        own = self.dialect.local(helper.module, helper.name)
        name = own if self.module == helper.module else self.dialect.helper(helper.module, helper.name)
        return f"{name}({', '.join([self.dialect.state, *arguments])})"

    def condition(self, scope: Scope, depth: int = 0) -> str:
        """A condition."""
        from tests.helpers.soundness.conditions import condition

        return condition(self, scope, depth)
