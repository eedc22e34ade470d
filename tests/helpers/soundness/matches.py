"""Random ``match`` statements: values, captures, guards, alternatives and tuples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.helpers.soundness.expressions import COLOURS, MOODS, Scope

if TYPE_CHECKING:
    from tests.helpers.soundness.statements import Kind, Lines, Place, Statements


def _case(writer: Statements, pattern: str, scope: Scope, place: Place, guard: Scope | None = None) -> Lines:
    tail = ""
    if guard is not None and writer.random.random() < 0.35:
        writer.used.add("guard of a case")
        tail = f" if {writer.condition(guard, 1)}"
    body = writer.block(scope, place.inside())
    return ["    " + line for line in (f"case {pattern}{tail}:", *body)]


def _enum(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    kind = writer.random.choice(("colour", "mood"))
    subject = writer.read(scope, kind)
    if subject is None:
        return None
    writer.used.add("match of an enum")
    enum, members = ("Colour", COLOURS) if kind == "colour" else ("other.Colour", MOODS)
    shown = [writer.member(enum, one) for one in writer.random.sample(members, 2)]
    lines = [f"match {subject}:"]
    if writer.random.random() < 0.4:
        writer.used.add("alternatives in a pattern")
        lines += _case(writer, " | ".join(shown), scope, place, scope)
    else:
        lines += _case(writer, shown[0], scope, place, scope)
        lines += _case(writer, shown[1], scope, place, scope)
    return lines + _last(writer, scope, place, kind)


def _last(writer: Statements, scope: Scope, place: Place, kind: str) -> Lines:
    choice = writer.random.random()
    if choice < 0.4:
        return _case(writer, "_", scope, place)
    if choice < 0.8:
        writer.used.add("capture in a pattern")
        name = writer.new({})
        return _case(writer, name, {**scope, name: kind}, place)
    return []


def _truth(writer: Statements, scope: Scope, place: Place) -> Lines:
    writer.used.add("match of a truth")
    word = writer.random.choice(("True", "False"))
    lines = [f"match {writer.condition(scope, 1)}:", *_case(writer, word, scope, place, scope)]
    return lines + _last(writer, scope, place, "bool")


def _number(writer: Statements, scope: Scope, place: Place) -> Lines:
    writer.used.add("match of a number")
    lines = [f"match {writer.number(scope, 1)}:", *_case(writer, "0", scope, place, scope)]
    return lines + _case(writer, "1 | 2", scope, place, scope) + _last(writer, scope, place, "number")


def _optional(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    kind = writer.random.choice(("thing", "place"))
    subject = writer.read(scope, kind + "?")
    if subject is None:
        return None
    writer.used.add("match of None")
    name = writer.new({})
    lines = [f"match {subject}:", *_case(writer, "None", scope, place)]
    return lines + _case(writer, name, {**scope, name: kind}, place, {**scope, name: kind})


def _pair(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    kind = writer.random.choice(("colour", "mood"))
    enum, members = ("Colour", COLOURS) if kind == "colour" else ("other.Colour", MOODS)
    subject = writer.read(scope, kind)
    if subject is None:
        return None
    writer.used.add("match of a tuple")
    member = writer.member(enum, writer.random.choice(members))
    name, whole = writer.new({}), writer.new({})
    inner = {**scope, name: kind}
    lines = [f"match ({subject}, {writer.condition(scope, 1)}, {writer.number(scope, 2)}):"]
    lines += _case(writer, f"({member}, True, _)", scope, place, scope)
    lines += _case(writer, f"({name}, False, 0)", inner, place, inner)
    if writer.random.random() < 0.5:
        lines += _case(writer, f"(({member} as {whole}), _, 1 | 2)", {**scope, whole: kind}, place)
    return lines + (_case(writer, "_", scope, place) if writer.random.random() < 0.5 else [])


KINDS: list[Kind] = [_enum, _truth, _number, _optional, _pair]
SOLE: list[Kind] = [_enum, _truth, _optional]
