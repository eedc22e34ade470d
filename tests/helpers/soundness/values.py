"""Random statements over values of more kinds: sequences, records, whole numbers, counts that stay at their ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.helpers.soundness.expressions import COLOURS, LONGEST, MOST, Scope

if TYPE_CHECKING:
    from tests.helpers.soundness.statements import Kind, Lines, Place, Statements


def _saturating(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    """A count that no guard keeps in its range: it stays at its ends by itself."""
    target = writer.cell(scope, "tally") if "tally" in writer.fields and place.may_write else None
    if target is None:
        return None
    writer.used.add("saturating count")
    value = writer.random.choice((f"{target} + 1", f"{target} - 1", f"{target} + {writer.number(scope, 2)}"))
    if writer.sole:
        value = f"{target} + 1"
    return [f"{target} = {writer.dialect.saturated(value, MOST['tally'])}"]


def _strict(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    """A count that leaves its range where no guard keeps it there: that is a violation."""
    if "strict" not in writer.fields or not place.may_write:
        return None
    writer.used.add("strict count")
    r, cell = writer.random, writer.dialect.cell("strict")
    value = r.choice((f"{cell} + 1", f"{cell} - 1"))
    if r.random() < 0.9:
        guard = f"{cell} < {MOST['strict']}" if value.endswith("+ 1") else f"{cell} > 0"
        return [f"if {guard}:", f"    {cell} = {writer.dialect.strict(value)}"]
    return [f"{cell} = {writer.dialect.strict(value)}"]


def _balance(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    """Arithmetic that may be negative on its way."""
    if "balance" not in writer.fields or not place.may_write:
        return None
    writer.used.add("arithmetic of whole numbers")
    r, cell = writer.random, writer.dialect.cell("balance")
    number = writer.number(scope, 2)
    value = r.choice(
        (
            f"{cell} - {number}",
            f"-{cell}",
            f"{cell} * {r.choice((2, -1))}",
            f"({cell} - {number}) // {r.choice((2, -2, 3))}",
            f"({cell} + {number}) % {r.choice((2, 3, -3))}",
            f"abs({cell}) - {number}",
            f"{number} - abs({cell} - 1)",
        )
    )
    lines = [f"{cell} = max(-1, min({value}, 2))"]
    if r.random() < 0.3:
        lines = [f"if {cell} {r.choice(('<', '>=', '=='))} {r.randint(-1, 1)}:", "    " + lines[0]]
    return lines


def _queue(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    """A sequence of the state: what is put in, taken out, gone through, compared."""
    queue = writer.cell(scope, "queue") if "queue" in writer.fields else None
    things = writer.of_type(scope, "thing")
    if queue is None or not things:
        return None
    writer.used.add("sequence")
    r = writer.random
    name = writer.new({})
    forms = [_gone_through, _asked, _first_of]
    if place.may_write and not place.loop:
        forms += [_put_in, _put_in, _taken_out, _taken_out, _changed]
    return r.choice(forms)(writer, scope, place, queue, r.choice(things), name)


def _put_in(writer: Statements, scope: Scope, place: Place, queue: str, thing: str, name: str) -> Lines:
    return [f"if len({queue}) < {LONGEST}:", f"    {queue}.append({thing})"]


def _taken_out(writer: Statements, scope: Scope, place: Place, queue: str, thing: str, name: str) -> Lines:
    body = writer.block({**scope, name: "thing"}, place.inside(), 1)
    return [f"if len({queue}) > 0:", f"    {name} = {queue}.pop({writer.random.choice(('0', ''))})", *body]


def _changed(writer: Statements, scope: Scope, place: Place, queue: str, thing: str, name: str) -> Lines:
    r = writer.random
    form = r.choice(("first", "rest", "kept", "all"))
    match form:
        case "first":
            return [f"if {queue}:", f"    {queue}[{r.choice(('0', '-1'))}] = {thing}"]
        case "rest":
            return [f"{queue} = {queue}[{r.choice(('1:', ':-1'))}]"]
        case "kept":
            return [f"{name} = list({queue})", f"{queue} = [{thing}]", f"if len({name}) > 1:", f"    {queue} = {name}"]
        case _:
            return [f"{queue} = {r.choice(('[]', f'[{thing}]', f'[{thing}, {thing}]'))}"]


def _gone_through(writer: Statements, scope: Scope, place: Place, queue: str, thing: str, name: str) -> Lines:
    body = writer.block({**scope, name: "thing"}, place.inside(loop=True), 1)
    return [f"for {name} in {queue}:", *body]


def _asked(writer: Statements, scope: Scope, place: Place, queue: str, thing: str, name: str) -> Lines:
    asked = writer.random.choice(
        (f"{thing} in {queue}", f"len({queue}) == 1", f"{queue} == [{thing}]", f"not {queue}", f"{queue} != []")
    )
    return [f"if {asked}:", *writer.block(scope, place.inside(), 1)]


def _first_of(writer: Statements, scope: Scope, place: Place, queue: str, thing: str, name: str) -> Lines:
    at = writer.random.choice(("0", "-1"))
    return [
        f"if len({queue}) > 0:",
        f"    {name} = {queue}[{at}]",
        *writer.block({**scope, name: "thing"}, place.inside(), 1),
    ]


def _note(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    """A record in the state: made, compared, taken apart."""
    things = writer.of_type(scope, "thing")
    if "note" not in writer.fields or not things:
        return None
    writer.used.add("record")
    r, note = writer.random, writer.dialect.cell("note")
    name, other = writer.new({}), writer.new({})
    forms = [_apart, _matched, _matched, _equal]
    if place.may_write:
        forms += [_made, _made]
    return r.choice(forms)(writer, scope, place, note, r.choice(things), name, other)


def pair(writer: Statements, scope: Scope, thing: str) -> str:
    colour = writer.choice(scope, "colour", 1)
    kind = writer.dialect.record("Pair", writer.module)
    return writer.random.choice((f"{kind}({thing}, {colour})", f"{kind}(colour={colour}, thing={thing})"))


def _made(writer: Statements, scope: Scope, place: Place, note: str, thing: str, name: str, other: str) -> Lines:
    return [f"{note} = {writer.random.choice(('None', pair(writer, scope, thing), pair(writer, scope, thing)))}"]


def _apart(writer: Statements, scope: Scope, place: Place, note: str, thing: str, name: str, other: str) -> Lines:
    inner = {**scope, other: "thing"}
    lines = [f"{name} = {note}", f"if {name} is not None:", f"    {other} = {name}.thing"]
    return [*lines, *writer.block(inner, place.inside(), 1)]


def _equal(writer: Statements, scope: Scope, place: Place, note: str, thing: str, name: str, other: str) -> Lines:
    word = writer.random.choice(("==", "!="))
    return [f"if {note} {word} {pair(writer, scope, thing)}:", *writer.block(scope, place.inside(), 1)]


def _matched(writer: Statements, scope: Scope, place: Place, note: str, thing: str, name: str, other: str) -> Lines:
    writer.used.add("class pattern")
    kind = writer.dialect.record("Pair", writer.module)
    colour = writer.member("Colour", writer.random.choice(COLOURS))
    patterns = [
        (f"{kind}(thing={name}, colour={colour})", {**scope, name: "thing"}),
        (f"{kind}({name}, {other})", {**scope, name: "thing", other: "colour"}),
        (f"{kind}(colour={colour})", scope),
    ]
    lines = [f"match {note}:"]
    for pattern, inner in writer.random.sample(patterns, 2):
        lines += [f"    case {pattern}:", *("    " + one for one in writer.block(inner, place.inside(), 1))]
    if writer.random.random() < 0.5:
        lines += ["    case None:", *("    " + one for one in writer.block(scope, place.inside(), 1))]
    return lines


def _stamp(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    """A record that is always there: changed in one part, asked by a method of its class, compared."""
    things = writer.of_type(scope, "thing")
    if "stamp" not in writer.fields or not things:
        return None
    writer.used.add("record that is always there")
    r, stamp, thing = writer.random, writer.dialect.cell("stamp"), writer.random.choice(things)
    colour = writer.choice(scope, "colour", 1)
    if place.may_write and r.random() < 0.6:
        changes = (
            writer.dialect.part(stamp, "colour", colour),
            writer.dialect.part(stamp, "thing", thing),
            f"{stamp} = {pair(writer, scope, thing)}",
        )
        return [r.choice(changes)]
    asked = (
        f"{stamp}.is_like({pair(writer, scope, thing)})",
        f"{stamp}.thing == {thing}",
        f"{stamp}.colour != {colour}",
    )
    return [f"if {r.choice(asked)}:", *writer.block(scope, place.inside(), 1)]


def _hint(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    """A member of an enum, or none."""
    hint = writer.cell(scope, "hint") if "hint" in writer.fields else None
    if hint is None:
        return None
    writer.used.add("optional member of an enum")
    r, name = writer.random, writer.new({})
    if r.random() < 0.4:
        red = writer.member("Colour", r.choice(COLOURS))
        return [f"if {hint} {r.choice(('==', '!='))} {red}:", *writer.block(scope, place.inside(), 1)]
    inner = {**scope, name: "colour"}
    return [f"{name} = {hint}", f"if {name} is not None:", *writer.block(inner, place.inside(), 1)]


KINDS: list[Kind] = [_saturating, _strict, _balance, _queue, _queue, _note, _note, _stamp, _hint]
SOLE: list[Kind] = [_saturating, _note, _hint]
