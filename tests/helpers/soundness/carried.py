"""Random statements in which something is carried: from pass to pass, through a list, a closure or a default."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.helpers.soundness.expressions import COLOURS, SORTS, Scope

if TYPE_CHECKING:
    from tests.helpers.soundness.statements import Kind, Lines, Place, Statements


def _over(writer: Statements, name: str, kind: str) -> str:
    return f"for {name} in {writer.dialect.sort(SORTS[kind])}:"


def _count(writer: Statements, scope: Scope, place: Place) -> Lines:
    writer.used.add("carried count")
    name, kind = writer.loop_variable(scope)
    count = writer.new({})
    inner = {**scope, name: kind, count: "number"}
    lines = [
        f"{count} = 0",
        _over(writer, name, kind),
        f"    if {writer.condition(inner, 1)}:",
        f"        {count} += 1",
    ]
    if writer.random.random() < 0.4:
        lines += writer.block(inner, place.inside(loop=True), 1)
    scope |= {count: "number", name: kind}
    return lines


def _flag(writer: Statements, scope: Scope, place: Place) -> Lines:
    writer.used.add("carried flag")
    name, kind = writer.loop_variable(scope)
    flag = writer.new({})
    inner = {**scope, name: kind, flag: "bool"}
    lines = [f"{flag} = {writer.random.choice((True, False))}", _over(writer, name, kind)]
    lines += writer.block(inner, place.inside(loop=True), 1)
    lines += [f"    {flag} = {writer.condition(inner, 1)}"]
    scope |= {flag: "bool", name: kind}
    return lines


def _last(writer: Statements, scope: Scope, place: Place) -> Lines:
    """The pass before is remembered."""
    writer.used.add("carried element")
    name, kind = writer.loop_variable(scope)
    last = writer.new({})
    inner = {**scope, name: kind, last: kind + "?"}
    lines = [f"{last} = None", _over(writer, name, kind)]
    lines += [
        f"    if {last} is not None:",
        *("    " + one for one in writer.block({**inner, last: kind}, place.inside(loop=True))),
    ]
    lines += [f"    if {writer.condition(inner, 2)}:", f"        {last} = {name}"]
    scope |= {last: kind + "?", name: kind}
    return lines


def _list(writer: Statements, scope: Scope, place: Place) -> Lines:
    writer.used.add("list that is filled")
    name, kind = writer.loop_variable(scope)
    seen, alias = writer.new({}), writer.new({})
    inner = {**scope, name: kind}
    lines = [f"{seen}: list = []", f"{alias} = {seen}", _over(writer, name, kind)]
    note = writer.dialect.local("other", "note") if writer.module else writer.dialect.helper("other", "note")
    if writer.random.random() < 0.4:
        writer.used.add("list filled by a helper")
        added = f"{note}({alias}, {name})"
    else:
        added = f"{writer.random.choice((seen, alias))}.append({name})"
    lines += [f"    if {writer.condition(inner, 1)}:", f"        {added}"]
    lines += [f"if len({seen}) {writer.random.choice(('>', '==', '<='))} {writer.random.randint(0, 2)}:"]
    lines += writer.block(scope, place.inside(), 1)
    other = writer.new({} if writer.closed else scope, kind)
    lines += [f"for {other} in {seen}:", *writer.block({**scope, other: kind}, place.inside(loop=True), 1)]
    return lines


def _comprehension(writer: Statements, scope: Scope, place: Place) -> Lines:
    writer.used.add("list comprehension")
    name, kind = writer.loop_variable(scope)
    chosen = writer.new({})
    inner = {**scope, name: kind}
    over = writer.dialect.sort(SORTS[kind])
    lines = [f"{chosen} = [{name} for {name} in {over} if {writer.condition(inner, 1)}]"]
    other, place_in = writer.new({} if writer.closed else scope, kind), writer.new({})
    if writer.random.random() < 0.3:
        writer.used.add("enumerate")
        lines[0] = f"{chosen} = [{name} for {name} in {over}]"
        body = writer.block({**scope, other: kind, place_in: "number"}, place.inside(loop=True), 1)
        return [*lines, f"for {place_in}, {other} in enumerate({chosen}):", *body]
    return [*lines, f"for {other} in {chosen}:", *writer.block({**scope, other: kind}, place.inside(loop=True), 1)]


def _nested(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    """A function inside the function, which counts in a local of it, or writes the state."""
    if place.depth > 1 or writer.closed:
        return None
    function, argument, count = (writer.new({}) for _ in range(3))
    kind = writer.sort()
    inner = {**{n: k for n, k in scope.items() if not k.endswith("?")}, argument: kind}
    lines = [f"{count} = 0", f"def {function}({argument}):"]
    if writer.random.random() < 0.6:
        writer.used.add("nonlocal")
        lines += [
            f"    nonlocal {count}",
            f"    if {writer.condition({**inner, count: 'number'}, 1)}:",
            f"        {count} += 1",
        ]
    else:
        writer.used.add("function inside a function")
        writer.closed = True
        lines += writer.block(inner, place.inside(loop=True, leave="return None"), 1)
        writer.closed = False
    name = writer.new(scope, kind)
    lines += [_over(writer, name, kind), f"    {function}({name})"]
    scope |= {count: "number", name: kind}
    return lines


def _late(writer: Statements, scope: Scope, place: Place) -> Lines:
    """Lambdas made in a loop: they see its last element, unless a default keeps each."""
    name, kind = writer.loop_variable({})
    tests, test, kept = (writer.new({}) for _ in range(3))
    if writer.random.random() < 0.5:
        writer.used.add("lambda in a loop with a default")
        made = f"lambda {kept}={name}: {writer.condition({**scope, kept: kind}, 2)}"
    else:
        writer.used.add("lambda in a loop")
        made = f"lambda: {writer.condition({**scope, name: kind}, 2)}"
    lines = [f"{tests} = []", _over(writer, name, kind), f"    {tests}.append({made})"]
    lines += [f"if {writer.random.choice(('any', 'all'))}({test}() for {test} in {tests}):"]
    scope[name] = kind
    return lines + writer.block(scope, place.inside(), 1)


def _table(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    subject = writer.read(scope, "colour")
    if subject is None:
        return None
    writer.used.add("dictionary")
    table, name = writer.new({}), writer.new({})
    entries = ", ".join(f"{writer.member('Colour', one)}: {writer.random.randint(0, 2)}" for one in COLOURS)
    scope[name] = "number"
    key, value = writer.new({}), writer.new({})
    lines = [f"{table} = {{{entries}}}", f"{name} = {table}[{writer.member('Colour', 'RED')}]"]
    return [
        *lines,
        f"for {key}, {value} in {table}.items():",
        f"    if {subject} == {key}:",
        f"        {name} = {value}",
    ]


def _indexed(writer: Statements, scope: Scope, place: Place) -> Lines | None:
    writer.used.add("list indexed by a number")
    table, name = writer.new({}), writer.new({})
    values = ", ".join(str(writer.number(scope, 2)) for _ in range(3))
    lines = [f"{table} = [{values}]", f"{name} = {table}[{writer.within(writer.number(scope, 2), '2')}]"]
    scope[name] = "number"
    return lines


def _ranged(writer: Statements, scope: Scope, place: Place) -> Lines:
    writer.used.add("range, reversed, zip")
    name, other = writer.new({}), writer.new({})
    r = writer.random
    over = r.choice(("zip(range(3), (2, 1))", "enumerate((1, 0))", "zip(reversed([0, 2]), range(1, 3))"))
    inner = {**scope, name: "number", other: "number"}
    return [f"for {name}, {other} in {over}:", *writer.block(inner, place.inside(loop=True), 1)]


KINDS: list[Kind] = [_count, _flag, _last, _list, _comprehension, _nested, _late, _table, _indexed, _ranged]
