"""Random statements over sets and bags of the state, and over lists that drop what does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.helpers.soundness.expressions import LONGEST, Scope
from tests.helpers.soundness.values import pair

if TYPE_CHECKING:
    from tests.helpers.soundness.statements import Kind, Lines, Place, Statements


def _group(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    """A set of elements in the state."""
    group = writer.cell(scope, "group") if "group" in writer.fields else None
    things = writer.of_type(scope, "thing")
    if group is None or not things:
        return None
    writer.used.add("set")
    return _held(writer, scope, place, group, writer.random.choice(things), "thing")


def _letters(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    """A set of records in the state."""
    things = writer.of_type(scope, "thing")
    if "letters" not in writer.fields or not things:
        return None
    writer.used.add("set of records")
    letter = pair(writer, scope, writer.random.choice(things))
    return _held(writer, scope, place, writer.dialect.cell("letters"), letter, "pair")


def _held(writer: Statements, scope: Scope, place: Place, held: str, value: str, kind: str) -> Lines:
    r, dialect = writer.random, writer.dialect
    asked = f"{value} {r.choice(('in', 'not in'))} {held}"
    forms = [lambda: [f"if {asked}:", *writer.block(scope, place.inside(), 1)]]
    if place.may_write:
        forms += [
            lambda: [dialect.into_set(held, r.choice(("add", "discard", "send", "update")), value)],
            lambda: [dialect.into_set(held, r.choice(("add", "discard", "send")), value)],
            lambda: [f"if {value} in {held}:", f"    {held}.remove({value})"],
        ]
    if not writer.sole:
        forms += [
            lambda: _gone_through(writer, scope, place, held, kind),
            lambda: _gone_through(writer, scope, place, held, kind),
        ]
    if not writer.sole and place.may_write:
        forms += [lambda: [f"{held}.clear()"]]
    return r.choice(forms)()


def _gone_through(writer: Statements, scope: Scope, place: Place, held: str, kind: str) -> Lines:
    """A loop over a copy, in which what it goes through may be changed."""
    name, seen = writer.new({}), writer.new({})
    inner = {**scope, name: "thing"}
    lines = [f"{seen} = list({writer.dialect.members(held)})"]
    if kind == "pair":
        body = [f"    {name} = {name}.thing", *writer.block(inner, place.inside(loop=True), 1)]
        return [*lines, f"for {name} in {seen}:", *body]
    return [*lines, f"for {name} in {seen}:", *writer.block(inner, place.inside(loop=True), 1)]


def _bag(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    """A bag in the state: the same element up to twice."""
    things = writer.of_type(scope, "thing")
    if "bag" not in writer.fields or not things:
        return None
    writer.used.add("bag")
    r, dialect, thing = writer.random, writer.dialect, writer.random.choice(things)
    bag = dialect.cell("bag")
    asked = r.choice((f"{thing} in {bag}", f"{bag}.count({thing}) {r.choice(('==', '<', '>='))} {r.randint(0, 2)}"))
    forms = [lambda: [f"if {asked}:", *writer.block(scope, place.inside(), 1)]]
    if place.may_write:
        forms += [lambda: [dialect.sent(bag, thing)], lambda: [dialect.sent(bag, thing)]]
        forms += [lambda: [f"if {thing} in {bag}:", f"    {dialect.received(bag, thing)}"]]
        if place.leave == "return" and not place.loop:
            forms += [lambda: [dialect.received(bag, thing)]]
    forms += [lambda: _gone_through(writer, scope, place, bag, "thing")]
    return r.choice(forms)()


def _dropping(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    """A list that loses its oldest element, or the new one, where it is full."""
    things = writer.of_type(scope, "thing")
    held = [name for name in ("wire", "log", "mail") if name in writer.fields]
    if not held or not things:
        return None
    r, thing = writer.random, writer.random.choice(things)
    name = r.choice(held)
    queue, local = writer.dialect.cell(name), writer.new({})
    writer.used.add({"wire": "drop new", "log": "drop old", "mail": "sequence of records"}[name])
    value, most = (pair(writer, scope, thing), 1) if name == "mail" else (thing, LONGEST)
    if place.may_write and not place.loop and r.random() < 0.6:
        if r.random() < 0.7:
            return writer.dialect.appended(queue, value, most, "old" if name == "log" else "new")
        return [f"if len({queue}) > 0:", f"    {queue}.pop({r.choice(('0', ''))})"]
    if r.random() < 0.5:
        return [f"if {queue} {r.choice(('==', '!='))} [{value}]:", *writer.block(scope, place.inside(), 1)]
    part = ".thing" if name == "mail" else ""
    inner = {**scope, local: "thing"}
    first = [f"    {local} = {queue}[0]{part}", *writer.block(inner, place.inside(), 1)]
    return [f"if {queue}:", *first]


KINDS: list[Kind] = [_group, _letters, _bag, _dropping]
SOLE: list[Kind] = [_group]
