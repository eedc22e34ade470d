"""Random statements: writes, branches, loops, matches, and what locals and functions carry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.helpers.soundness import carried, choices, matches, members, values
from tests.helpers.soundness.expressions import FIELDS, OWN_STATEMENTS, SORTS, Expressions, Scope

Lines = list[str]
Kind = Callable[["Statements", Scope, "Place"], Lines | None]


@dataclass(frozen=True)
class Place:
    """Where a statement is: how deep, in a loop or not, and what ends the function there ("" where nothing may)."""

    depth: int = 0
    loop: bool = False
    leave: str = "return"
    may_write: bool = True

    def inside(self, **changes: object) -> Place:
        """A block within."""
        return replace(self, depth=self.depth + 1, **changes)  # type: ignore[arg-type]


@dataclass
class Statements(Expressions):
    """Writes blocks of statements."""

    def block(self, scope: Scope, place: Place, most: int = 2) -> Lines:
        """Some statements; names that they set stay inside."""
        scope, lines = dict(scope), Lines()
        for _ in range(self.random.randint(1, most)):
            lines += self.statement(scope, place)
        return indented(lines)

    def statement(self, scope: Scope, place: Place) -> Lines:
        """One statement, which may add to the scope what it surely sets."""
        if place.depth > 2 or self.random.random() < 0.3:
            return self.write(scope, place)
        kinds = self.random.sample(SOLE if self.sole else KINDS, len(SOLE if self.sole else KINDS))
        for kind in kinds:
            found = kind(self, scope, place)
            if found is not None:
                return found
        raise AssertionError("a write is always possible")

    def write(self, scope: Scope, place: Place) -> Lines:
        """An assignment of a cell; where there is none to write, ``pass``."""
        if not place.may_write:
            return ["pass"]
        for name in self.random.sample(list(self.fields), len(self.fields)):
            target, kind = self.cell(scope, name), FIELDS[name][1]
            if target is None or kind in OWN_STATEMENTS:
                continue
            if kind == "number":
                return [f"{target} = {self.within(self.stepped(scope, target), self.most(name))}"]
            value = self.value(scope, kind, 1)
            if value is not None:
                return [f"{target} = {value}"]
        return ["pass"]

    def stepped(self, scope: Scope, target: str) -> str:
        """What a count becomes."""
        return self.random.choice((f"{target} + 1", f"{target} - 1", self.number(scope, 1)))

    def loop_variable(self, scope: Scope) -> tuple[str, str]:
        """A new name and its type."""
        kind = self.sort()
        return self.new({} if self.closed else scope, kind), kind


def indented(lines: Lines) -> Lines:
    """The lines one level deeper."""
    return ["    " + line for line in lines]


def _write(writer: Statements, scope: Scope, place: Place) -> Lines:
    return writer.write(scope, place)


def _if(writer: Statements, scope: Scope, place: Place) -> Lines:
    writer.used.add("if")
    lines = [f"if {writer.condition(scope, 1)}:", *writer.block(scope, place.inside())]
    while writer.random.random() < 0.25:
        lines += [f"elif {writer.condition(scope, 1)}:", *writer.block(scope, place.inside())]
    if writer.random.random() < 0.5:
        lines += ["else:", *writer.block(scope, place.inside())]
    return lines


def _for(writer: Statements, scope: Scope, place: Place) -> Lines:
    name, kind = writer.loop_variable(scope)
    inner = {**scope, name: kind}
    writer.used.add("loop over a sort")
    body = writer.block(inner, place.inside(loop=True))
    lines = [f"for {name} in {writer.dialect.sort(SORTS[kind])}:", *body]
    if writer.random.random() < 0.35:
        word = writer.random.choice(("break", "continue"))
        writer.used.add(word)
        ended = indented([f"if {writer.condition(inner, 1)}:", f"    {word}"])
        lines = [*lines, *ended] if writer.random.random() < 0.5 else [lines[0], *ended, *body]
    if writer.random.random() < 0.25:
        writer.used.add("else of a loop")
        lines += ["else:", *writer.block(scope, place.inside())]
    scope[name] = kind  # every sort has an element
    return lines


def _over_tuple(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    found = [writer.element(scope, "thing", 1) for _ in range(2)]
    if found[0] is None:
        return None
    writer.used.add("loop over a tuple of tuples")
    name, other = writer.new({}), writer.new({})
    pairs = f"(({found[0]}, {writer.number(scope, 2)}), ({found[1]}, {writer.number(scope, 2)}))"
    inner = {**scope, name: "thing", other: "number"}
    return [f"for {name}, {other} in {pairs}:", *writer.block(inner, place.inside(loop=True))]


def _while(writer: Statements, scope: Scope, place: Place) -> Lines:
    writer.used.add("while")
    name = writer.new({})
    body = writer.block({**scope}, place.inside(loop=False))
    return [f"{name} = 0", f"while {name} < 2:", *body, f"    {name} += 1"]


def _early(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    if not place.leave:
        return None
    writer.used.add("early return")
    return [f"if {writer.condition(scope, 1)}:", *writer.block(scope, place.inside(), 1), f"    {place.leave}"]


def _require(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    if place.loop or place.leave != "return":
        return None
    writer.used.add("require after a write")
    return [writer.dialect.require(writer.condition(scope, 1))]


def _narrowed(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    kind = writer.sort()
    cell = writer.read({n: k for n, k in scope.items() if k != kind + "?"}, kind + "?")
    if cell is None:
        return None
    writer.used.add("narrowed by if")
    name = writer.new({})
    lines = [f"{name} = {cell}"]
    if writer.random.random() < 0.4 and place.leave:
        scope[name] = kind
        return [
            *lines,
            f"if {name} is None:",
            *writer.block(scope_without(scope, name), place.inside(), 1),
            f"    {place.leave}",
        ]
    lines += [f"if {name} is not None:", *writer.block({**scope, name: kind}, place.inside())]
    scope[name] = kind + "?"
    return lines


def scope_without(scope: Scope, name: str) -> Scope:
    """The scope where a name may not be used."""
    return {known: kind for known, kind in scope.items() if known != name}


def _local(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    kind = writer.random.choice(("bool", "number", "colour", "thing", "place", *["thing?", "place?"] * 3))
    value = writer.value(scope, kind, 0)
    if value is None:
        return None
    writer.used.add("local")
    name = writer.new({})
    scope[name] = kind
    annotation = writer.random.choice(("", "", ": object"))
    return [f"{name}{annotation} = {value}"]


def _changed_local(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    """A local that is assigned anew on one branch only."""
    locals_ = [name for name, kind in scope.items() if kind in ("bool", "number", "colour")]
    if not locals_ or writer.closed:
        return None
    name = writer.random.choice(locals_)
    writer.used.add("local changed on a branch")
    value = writer.value(scope, scope[name], 0)
    return [f"if {writer.condition(scope, 1)}:", f"    {name} = {value}"]


def _swap(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    for name in writer.random.sample(list(writer.fields), len(writer.fields)):
        one, other = writer.cell(scope, name), writer.cell(scope, name)
        if one and other and one != other and place.may_write:
            writer.used.add("swap of cells")
            return [f"{one}, {other} = {other}, {one}"]
    kinds = [kind for kind in ("thing", "place", "number") if len(writer.of_type(scope, kind)) > 1]
    if not kinds or writer.closed:
        return None
    writer.used.add("swap of locals")
    one, other = writer.random.sample(writer.of_type(scope, kinds[0]), 2)
    return [f"{one}, {other} = {other}, {one}"]


def _tuple(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    kinds = writer.random.sample(("bool", "number", "colour", "mood"), 2)
    values = [writer.value(scope, kind, 1) for kind in kinds]
    writer.used.add("tuple assignment")
    pair, one, other = (writer.new({}) for _ in range(3))
    scope |= {one: kinds[0], other: kinds[1]}
    form = writer.random.choice(
        (
            (f"{one}, {other} = {values[0]}, {values[1]}",),
            (f"{pair} = ({values[0]}, {values[1]})", f"{one}, {other} = {pair}"),
        )
    )
    return list(form)


def _chained_assignment(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    if not place.may_write or "raised" not in writer.fields:
        return None
    writer.used.add("a = b = value")
    name = writer.new({})
    value = writer.condition(scope, 1)
    scope[name] = "bool"
    return [f"{name} = {writer.dialect.cell('raised')} = {value}"]


def _effect(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    found = writer.call(scope, "effect") if place.may_write else None
    return [found] if found else None


KINDS: list[Kind] = [
    _write,
    _if,
    _for,
    _for,
    _over_tuple,
    _while,
    _early,
    _require,
    _narrowed,
    _narrowed,
    _local,
    _changed_local,
    _swap,
    _tuple,
    _chained_assignment,
    _effect,
    *carried.KINDS,
    *matches.KINDS,
    *values.KINDS,
    *members.KINDS,
    *choices.KINDS,
]
# Those without a loop or a count, of which a proof for any size knows the meaning.
SOLE: list[Kind] = [
    _write,
    _if,
    _if,
    _early,
    _narrowed,
    _local,
    _changed_local,
    _effect,
    *matches.SOLE,
    *values.SOLE,
    *members.SOLE,
    *choices.SOLE,
]
