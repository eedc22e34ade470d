"""Random conditions over what is in scope."""

from tests.helpers.soundness.expressions import COLOURS, MOODS, SORTS, Expressions, Scope


def condition(writer: Expressions, scope: Scope, depth: int) -> str:
    """A condition; the deeper, the simpler."""
    simple = [_compared_enum, _compared_enum, _none, _same, _bool, _bool]
    simple += [_in_set, _stored] if writer.sole else [_in_set, _ordered, _counted, _chained]
    choices = simple if depth > 2 else [*simple, _joined, _joined, _joined, _negated, _quantified]
    if depth <= 2 and not writer.sole:
        choices += [_any_or_all]
    if depth <= 1 and writer.sole:
        choices = [*choices, _called, _conditional, _narrowed]
    elif depth <= 1:
        choices = [*choices, _called, _conditional, _lambda, _walrus, _member, *[_narrowed] * 4]
    return writer.pick(*(lambda one=one: one(writer, scope, depth) for one in choices), lambda: "True")


def _bool(writer: Expressions, scope: Scope, depth: int) -> str | None:
    return writer.dialect.switch() if writer.random.random() < 0.1 else writer.read(scope, "bool")


def _compared_enum(writer: Expressions, scope: Scope, depth: int) -> str | None:
    r = writer.random
    kind = r.choice(("colour", "mood"))
    found = writer.read(scope, kind)
    if found is None:
        return None
    enum, members = ("Colour", COLOURS) if kind == "colour" else ("other.Colour", MOODS)
    if r.random() < 0.3:
        writer.used.add("in a tuple")
        of = ", ".join(writer.member(enum, one) for one in r.sample(members, 2))
        return f"{found} {r.choice(('in', 'not in'))} ({of})"
    return f"{found} {r.choice(('==', '!='))} {writer.choice(scope, kind, 1)}"


def _none(writer: Expressions, scope: Scope, depth: int) -> str | None:
    found = writer.read(scope, writer.random.choice(("thing?", "place?", "colour?")))
    return f"{found} {writer.random.choice(('is', 'is not', '==', '!='))} None" if found else None


def _ordered(writer: Expressions, scope: Scope, depth: int) -> str | None:
    """Elements of a sort with an order, compared by it."""
    one = writer.read(scope, "floor") if "floor" in writer.sorts else None
    if one is None:
        return None
    return f"{one} {writer.random.choice(('<', '<=', '>', '>='))} {writer.floor(scope, 1)}"


def _in_set(writer: Expressions, scope: Scope, depth: int) -> str | None:
    group = writer.cell(scope, "group") if "group" in writer.fields else None
    thing = writer.read(scope, "thing")
    if group is None or thing is None:
        return None
    return f"{thing} {writer.random.choice(('in', 'not in'))} {group}"


def _stored(writer: Expressions, scope: Scope, depth: int) -> str | None:
    """A count of the state beside a number."""
    found = writer.read(scope, writer.random.choice(("number", "saturating", "strict")))
    if found is None:
        return None
    return f"{found} {writer.random.choice(('<', '<=', '>', '>=', '==', '!='))} {writer.random.randint(0, 2)}"


def _same(writer: Expressions, scope: Scope, depth: int) -> str | None:
    r = writer.random
    kind = writer.sort()
    one, other = writer.read(scope, r.choice((kind, kind + "?"))), writer.read(scope, kind)
    return f"{one} {r.choice(('==', '!='))} {other}" if one and other else None


def _counted(writer: Expressions, scope: Scope, depth: int) -> str:
    return f"{writer.number(scope, depth + 1)} {writer.random.choice(('<', '<=', '>', '>=', '==', '!='))} " + str(
        writer.number(scope, 2)
    )


def _chained(writer: Expressions, scope: Scope, depth: int) -> str:
    r = writer.random
    writer.used.add("chained comparison")
    parts = [writer.number(scope, 2) for _ in range(3)]
    return f"{parts[0]} {r.choice(('<', '<='))} {parts[1]} {r.choice(('<=', '<', '!='))} {parts[2]}"


def _joined(writer: Expressions, scope: Scope, depth: int) -> str:
    word = writer.random.choice(("and", "or"))
    return f"({condition(writer, scope, depth + 1)} {word} {condition(writer, scope, depth + 1)})"


def _negated(writer: Expressions, scope: Scope, depth: int) -> str:
    return f"not ({condition(writer, scope, depth + 1)})"


def _conditional(writer: Expressions, scope: Scope, depth: int) -> str:
    writer.used.add("conditional expression")
    parts = [condition(writer, scope, depth + 2) for _ in range(3)]
    return f"({parts[0]} if {parts[1]} else {parts[2]})"


def _quantified(writer: Expressions, scope: Scope, depth: int) -> str:
    kind = writer.sort()
    name = writer.new(scope, kind)
    inner = condition(writer, {**scope, name: kind}, depth + 1)
    writer.used.add("quantifier")
    return writer.dialect.quantified(writer.random.random() < 0.5, SORTS[kind], name, inner)


def _any_or_all(writer: Expressions, scope: Scope, depth: int) -> str:
    r = writer.random
    kind = writer.sort()
    name = writer.new(scope, kind)
    inner = {**scope, name: kind}
    writer.used.add("any, all")
    filtered = f" if {condition(writer, inner, depth + 2)}" if r.random() < 0.5 else ""
    opening, closing = ("([", "])") if r.random() < 0.2 else ("(", ")")
    over = writer.dialect.sort(SORTS[kind])
    body = condition(writer, inner, depth + 1)
    return f"{r.choice(('any', 'all'))}{opening}{body} for {name} in {over}{filtered}{closing}"


def _called(writer: Expressions, scope: Scope, depth: int) -> str | None:
    return writer.call(scope, "condition")


def _lambda(writer: Expressions, scope: Scope, depth: int) -> str | None:
    kind = writer.sort()
    argument = writer.element(scope, kind, 1)
    if argument is None:
        return None
    writer.used.add("lambda called at once")
    name = writer.new(scope, kind)
    return f"(lambda {name}: {condition(writer, {**scope, name: kind}, depth + 2)})({argument})"


def _walrus(writer: Expressions, scope: Scope, depth: int) -> str | None:
    found = writer.read(scope, "number")
    if found is None or "no walrus" in scope:
        return None
    writer.used.add("walrus")
    name = writer.new({})
    return f"(({name} := {found}) > 0 and {name} < {writer.number(scope, 2)})"


def _member(writer: Expressions, scope: Scope, depth: int) -> str | None:
    kind = writer.sort()
    one = writer.read(scope, kind)
    if one is None:
        return None
    writer.used.add("in a comprehension")
    name = writer.new(scope, kind)
    inner = condition(writer, {**scope, name: kind}, depth + 2)
    return f"{one} in [{name} for {name} in {writer.dialect.sort(SORTS[kind])} if {inner}]"


def _narrowed(writer: Expressions, scope: Scope, depth: int) -> str | None:
    """``x is not None and ...`` of what x is then."""
    kind = writer.sort()
    names = writer.of_type(scope, kind + "?")
    if not names:
        return None
    writer.used.add("narrowed by and")
    name = writer.random.choice(names)
    inner = condition(writer, {**scope, name: kind}, depth + 2)
    if writer.random.random() < 0.5:
        return f"({name} is not None and {inner})"
    return f"({name} is None or {inner})"
