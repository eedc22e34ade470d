"""Random statements that choose: an element, one of some values, or whatever an optional cell holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.helpers.soundness.expressions import SORTS, Scope

if TYPE_CHECKING:
    from tests.helpers.soundness.statements import Kind, Lines, Place, Statements


def _choose(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    """Some element, at times one for which a condition is true."""
    if not may_choose(writer, place):
        return None
    writer.used.add("choose")
    kind, name = writer.sort(), writer.new({})
    condition = ""
    if writer.random.random() < 0.7:
        inside = writer.new(scope, kind)
        condition = writer.condition({**scope, inside: kind}, 2)
    else:
        inside = "one"
    scope[name] = kind
    return [f"{name} = {writer.dialect.chosen(SORTS[kind], inside, condition)}"]


def _choose_from(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    """One of some values, of any kind."""
    if not may_choose(writer, place):
        return None
    kind = writer.random.choice(("bool", "number", "colour", "thing"))
    if kind == "thing":
        values = [writer.element(scope, kind, 1) for _ in range(2)]
        over = writer.dialect.sort("Thing")
        one = writer.new(scope, "thing")
        chosen = f"[{one} for {one} in {over} if {writer.condition({**scope, one: kind}, 2)}]"
        if None not in values and writer.random.random() < 0.5:
            chosen = f"({', '.join(map(str, values))})"
    else:
        chosen = f"[{', '.join(str(writer.value(scope, kind, 1)) for _ in range(2))}]"
    writer.used.add("choose_from")
    name = writer.new({})
    scope[name] = kind
    return [f"{name} = {writer.dialect.chosen_from(chosen)}"]


def _message(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    """One of the messages in a set or a bag, which is taken out."""
    held = [name for name in ("group", "letters", "bag") if name in writer.fields]
    if not held or not may_choose(writer, place):
        return None
    field_name = writer.random.choice(held)
    cell = writer.cell(scope, field_name)
    if cell is None:
        return None
    writer.used.add("choice of a message")
    name = writer.new({})
    lines = [f"{name} = {writer.dialect.chosen_from(writer.dialect.members(cell))}"]
    if writer.random.random() < 0.7:
        lines += [writer.dialect.received(cell, name)]
    if field_name != "letters":
        scope[name] = "thing"
    return lines


def _guarded(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    """``require_not_none``: a guard and a value."""
    kind = writer.random.choice(("thing", "place"))
    cell = writer.read({}, kind + "?") or writer.read(scope, kind + "?")
    if cell is None or place.loop or place.leave != "return" or writer.closed:
        return None
    writer.used.add("require_not_none")
    name = writer.new({})
    scope[name] = kind
    return [f"{name} = {writer.dialect.not_none(cell)}"]


def may_choose(writer: Statements, place: Place) -> bool:
    """Whether something may be chosen here: in an action, outside loops, and not too often."""
    able = writer.choices_left > 0 and place.may_write and not place.loop and place.leave == "return"
    if not able or writer.closed or writer.module:
        return False
    writer.choices_left -= 1
    return True


KINDS: list[Kind] = [_choose, _choose_from, _message, _guarded]
SOLE: list[Kind] = [_choose, _guarded]
