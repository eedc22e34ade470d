"""S-expressions: what SMT-LIB text is made of. Nested tuples of symbols; read, written, renamed, put together."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

Sexpr = Any  # a symbol (str), or a tuple of S-expressions

TRUE, FALSE = "true", "false"
_TOKEN = re.compile(r"""\s+|;[^\n]*|([()])|(\|[^|]*\||"(?:[^"]|"")*"|[^\s();|"]+)""")


class SexprError(ValueError):
    """The text is not a sequence of S-expressions."""


def parse(text: str) -> list[Sexpr]:
    """All S-expressions of a text; SexprError where brackets don't match."""
    stack: list[list[Sexpr]] = [[]]
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise SexprError(f"no S-expression: {text[position : position + 20]!r}")
        position = found.end()
        bracket, symbol = found.groups()
        if bracket == "(":
            stack.append([])
        elif bracket == ")":
            if len(stack) == 1:
                raise SexprError("a bracket is closed that was not opened")
            inner = tuple(stack.pop())
            stack[-1].append(inner)
        elif symbol:
            stack[-1].append(symbol)
    if len(stack) > 1:
        raise SexprError("a bracket is not closed")
    return stack[0]


def render(expression: Sexpr) -> str:
    """One S-expression as one line of text."""
    if isinstance(expression, str):
        return expression
    return "(" + " ".join(map(render, expression)) + ")"


def pretty(expression: Sexpr, indent: int = 0, width: int = 110) -> str:
    """One S-expression as text, broken into lines where it is too wide."""
    line = render(expression)
    if len(line) + indent <= width or isinstance(expression, str) or len(expression) < 2:
        return line
    lead = 2 if isinstance(expression[0], str) and expression[0] in ("forall", "exists", "define-fun") else 1
    if expression[0] == "define-fun":
        lead = 4
    head = "(" + " ".join(map(render, expression[:lead]))
    rest = [pretty(part, indent + 2, width) for part in expression[lead:]]
    return head + "".join("\n" + " " * (indent + 2) + part for part in rest) + ")"


def rename(expression: Sexpr, names: Mapping[str, str]) -> Sexpr:
    """The expression with symbols replaced, bound ones too: for names that no quantifier binds."""
    if isinstance(expression, str):
        return names.get(expression, expression)
    return tuple(rename(part, names) for part in expression)


def substitute(expression: Sexpr, values: Mapping[str, Sexpr]) -> Sexpr:
    """The expression with free variables replaced; no variable of a value is captured by a quantifier inside."""
    if isinstance(expression, str):
        return values.get(expression, expression)
    if not expression or expression[0] not in ("forall", "exists"):
        return tuple(substitute(part, values) for part in expression)
    quantifier, bound, body = expression
    names = [name for name, _ in bound]
    spoken_of = set(symbols(body))
    inside = {name: value for name, value in values.items() if name in spoken_of and name not in names}
    arriving = {symbol for value in inside.values() for symbol in symbols(value)}
    taken = arriving | spoken_of | set(names)
    renamed = {}
    for name in names:
        if name in arriving:
            renamed[name] = next(n for count in itertools.count(1) if (n := _primed(name, count)) not in taken)
            taken.add(renamed[name])
    variables = tuple((renamed.get(name, name), sort) for name, sort in bound)
    return (quantifier, variables, substitute(body, {**inside, **renamed}))


def _primed(name: str, count: int) -> str:
    primes = "'" * count
    return f"{name[:-1]}{primes}|" if name.endswith("|") else f"{name}{primes}"


def symbols(expression: Sexpr) -> Iterator[str]:
    """Every symbol in it, as often as it stands there."""
    if isinstance(expression, str):
        yield expression
    else:
        for part in expression:
            yield from symbols(part)


def conjunction(parts: list[Sexpr]) -> Sexpr:
    """All of them."""
    parts = [part for part in parts if part != TRUE]
    if FALSE in parts:
        return FALSE
    return TRUE if not parts else parts[0] if len(parts) == 1 else ("and", *parts)


def disjunction(parts: list[Sexpr]) -> Sexpr:
    """Any of them."""
    parts = [part for part in parts if part != FALSE]
    if TRUE in parts:
        return TRUE
    return FALSE if not parts else parts[0] if len(parts) == 1 else ("or", *parts)


def negation(part: Sexpr) -> Sexpr:
    """Not it."""
    if part in (TRUE, FALSE):
        return FALSE if part == TRUE else TRUE
    return part[1] if isinstance(part, tuple) and part[0] == "not" else ("not", part)


def choice(condition: Sexpr, then: Sexpr, other: Sexpr) -> Sexpr:
    """If-then-else."""
    if condition == TRUE or then == other:
        return then
    return other if condition == FALSE else ("ite", condition, then, other)


def closed(kind: str, variables: list[tuple[str, str]], body: Sexpr) -> Sexpr:
    """``forall`` or ``exists`` over variables given with their sorts; the body itself where there are none."""
    return (kind, tuple(variables), body) if variables and body not in (TRUE, FALSE) else body
