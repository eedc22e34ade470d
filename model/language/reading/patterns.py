"""``match``: which pattern a value matches, and what it binds."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from onceproof.model.language.errors import ModelError
from onceproof.model.language.reading.interpreter import Interpreter
from onceproof.model.language.reading.operators import condition_of, equal, none_test, truth
from onceproof.model.language.reading.rows import current_record
from onceproof.model.language.reading.values import (
    Cases,
    ListObject,
    RecordValue,
    Reference,
    Symbol,
    Value,
    value_of,
)
from onceproof.model.language.sorts import Flag
from onceproof.model.language.terms import FALSE, TRUE, Term, and_, not_, or_
from onceproof.model.language.value_kinds import RecordKind, record_kind

Bindings = dict[str, Value]


def match(interpreter: Interpreter, node: ast.Match) -> None:
    """The ``match`` statement: its first case that matches."""
    subject = interpreter.evaluate(node.subject)

    def cases(number: int) -> Value:
        if number == len(node.cases):
            return None
        case = node.cases[number]
        bindings: Bindings = {}
        try:
            matched = pattern(interpreter, case.pattern, subject, bindings)
        except ModelError as error:
            raise interpreter.placed(error, case.pattern) from None

        def bound() -> Value:
            for name, value in bindings.items():
                interpreter.assign(name, value)
            return value_of(truth(interpreter, interpreter.evaluate(case.guard))) if case.guard else True

        hit = condition_of(interpreter.branch(matched, bound, lambda: False))
        return interpreter.branch(hit, lambda: interpreter.execute(case.body), lambda: cases(number + 1))

    cases(0)


def pattern(interpreter: Interpreter, node: ast.pattern, subject: Value, bindings: Bindings) -> Term:
    """When a value matches a pattern; ModelError for patterns that ask for the class of an object."""
    match node:
        case ast.MatchValue(value):
            return equal(interpreter, subject, interpreter.evaluate(value))
        case ast.MatchSingleton(None):
            return none_test(interpreter, subject)
        case ast.MatchSingleton(value):
            return _is_truth(interpreter, subject, bool(value))
        case ast.MatchAs(inner, name):
            matched = pattern(interpreter, inner, subject, bindings) if inner is not None else TRUE
            if name is not None:
                bindings[name] = subject
            return matched
        case ast.MatchOr(patterns):
            return _one_of(interpreter, patterns, subject, bindings)
        case ast.MatchSequence(patterns):
            return _sequence(interpreter, patterns, subject, bindings)
        case ast.MatchClass():
            return _record(interpreter, node, subject, bindings)
        case _:
            raise ModelError("a pattern that a model cannot use: match values, None, True, False and tuples")


def _record(interpreter: Interpreter, node: ast.MatchClass, subject: Value, bindings: Bindings) -> Term:
    """``case Vote(term=2, voter=other)``."""
    kind = record_kind(interpreter.evaluate(node.cls))
    if kind is None:
        raise ModelError("a pattern that asks for the class of a value: match records, or values, `case Enum.MEMBER:`")
    names = [name for name, _ in kind.parts]
    if len(node.patterns) > len(names) or any(name not in names for name in node.kwd_attrs):
        raise ModelError(f"a {kind.cls.__name__} has {', '.join(names)} and nothing else to match")
    wanted = [*zip(names, node.patterns, strict=False), *zip(node.kwd_attrs, node.kwd_patterns, strict=True)]
    # What a pattern binds is looked at only where all of it matches, so any record will do where there is none.
    there, found = _of_class(kind, subject)
    if found is None:
        return FALSE
    current_record(interpreter, found)
    return and_(there, *(pattern(interpreter, one, found.values[names.index(name)], bindings) for name, one in wanted))


def _of_class(kind: RecordKind, subject: Value) -> tuple[Term, RecordValue | None]:
    """When a value is a record of a kind, and which it is then."""
    if isinstance(subject, RecordValue):
        return (TRUE, subject) if subject.kind.cls is kind.cls else (FALSE, None)
    if isinstance(subject, Cases):
        for condition, one in subject.alternatives:
            if isinstance(one, RecordValue) and one.kind.cls is kind.cls:
                return condition, one
    return FALSE, None


def _is_truth(interpreter: Interpreter, subject: Value, wanted: bool) -> Term:
    """``case True``: the very object, as Python asks; a number is not it."""

    def one(value: Value) -> Value:
        if isinstance(value, Symbol) and isinstance(value.kind, Flag):
            return value if wanted else value_of(not_(value.term))
        return value is wanted

    return condition_of(interpreter.split(subject, one))


def _one_of(interpreter: Interpreter, patterns: Sequence[ast.pattern], subject: Value, bindings: Bindings) -> Term:
    found: list[Term] = []
    for one in patterns:
        inside: Bindings = {}
        found.append(pattern(interpreter, one, subject, inside))
        if inside:
            raise ModelError("a name is bound inside `|` of a pattern: write one `case` for each")
    return or_(*found)


def _sequence(interpreter: Interpreter, patterns: Sequence[ast.pattern], subject: Value, bindings: Bindings) -> Term:
    if isinstance(subject, Cases):
        raise ModelError("a tuple is matched that may be of different lengths: test for it with `if`")
    if isinstance(subject, Reference):
        content = interpreter.content(subject.identity)
        if not isinstance(content, ListObject):
            return FALSE
        if any(present is not TRUE for present, _ in content.items):
            raise ModelError("a list is matched whose length depends on the state")
        subject = tuple(value for _, value in content.items)
    if any(isinstance(one, ast.MatchStar) for one in patterns):
        raise ModelError("`*` in a pattern: a model cannot use it")
    if not isinstance(subject, tuple) or len(subject) != len(patterns):
        return FALSE
    parts = []
    for one, value in zip(patterns, subject, strict=True):
        parts.append(pattern(interpreter, one, value, bindings))
    return and_(*parts)
