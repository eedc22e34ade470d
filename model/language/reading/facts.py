"""What is known at a point of a function: the conditions that hold there, and terms made simpler by them."""

from __future__ import annotations

from onceproof.model.language.sorts import Choice
from onceproof.model.language.terms import (
    FALSE,
    TRUE,
    And,
    Const,
    Eq,
    Ite,
    Not,
    Or,
    Term,
    and_,
    boolean,
    eq,
    ite,
    not_,
    or_,
)


class Facts:
    """Conditions that are known to be true or false. Never changed: ``also`` makes a new one."""

    __slots__ = ("excluded", "truths", "values")

    def __init__(
        self, truths: dict[Term, bool], values: dict[Term, Const], excluded: dict[Term, frozenset[int]]
    ) -> None:
        self.truths, self.values, self.excluded = truths, values, excluded

    def also(self, *conditions: Term) -> Facts:
        """These facts, and that all conditions hold."""
        more = Facts(dict(self.truths), dict(self.values), dict(self.excluded))
        for condition in conditions:
            more._add(condition, True)
        return more

    def common(self, base: Facts, other: Facts) -> Facts:
        """What is known in both; both know what ``base`` knows."""
        if len(self.truths) == len(base.truths) or len(other.truths) == len(base.truths):
            return base
        shared = Facts(dict(base.truths), dict(base.values), dict(base.excluded))
        for term, truth in self.truths.items():
            if term not in base.truths and other.truths.get(term) is truth:
                shared._add(term, truth)
        return shared

    def _add(self, term: Term, truth: bool) -> None:
        if isinstance(term, Const):
            return
        if isinstance(term, Not):
            self._add(term.term, not truth)
            return
        self.truths[term] = truth
        if (isinstance(term, And) and truth) or (isinstance(term, Or) and not truth):
            for part in term.terms:
                self._add(part, truth)
        if isinstance(term, Eq) and isinstance(term.right, Const):
            if truth:
                self.values[term.left] = term.right
            else:
                self._exclude(term.left, term.right)

    def _exclude(self, left: Term, constant: Const) -> None:
        out = self.excluded[left] = self.excluded.get(left, frozenset()) | {constant.code}
        if isinstance(constant.kind, Choice):
            remaining = set(range(len(constant.kind.enum))) - out
            if len(remaining) == 1:
                self.values[left] = Const(constant.kind, remaining.pop())

    def simpler(self, term: Term) -> Term:
        """The term, as it is where these facts hold."""
        if not self.truths or isinstance(term, Const):
            return term
        known = self.truths.get(term)
        if known is not None:
            return boolean(known)
        match term:
            case Not(inner):
                return not_(self.simpler(inner))
            case And(terms):
                return and_(*map(self.simpler, terms))
            case Or(terms):
                return or_(*map(self.simpler, terms))
            case Ite(condition, then, other):
                test = self.simpler(condition)
                if test is TRUE or test is FALSE:
                    return self.simpler(then if test is TRUE else other)
                return ite(test, self.simpler(then), self.simpler(other))
            case Eq(left, right) if isinstance(right, Const):
                value = self.values.get(left)
                if value is not None:
                    return eq(value, right)
                if right.code in self.excluded.get(left, ()):
                    return FALSE
                if isinstance(left, Ite):
                    return eq(self.simpler(left), right)
            case _:
                pass
        return term


NOTHING_KNOWN = Facts({}, {}, {})
