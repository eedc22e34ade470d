"""Terms of the language as SMT-LIB expressions over uninterpreted sorts.

A field ``stage`` is the function ``st.stage``. An index-or-none is a pair: the relation ``st.holder.none``, and the
function ``st.holder`` that means something only where the relation is false. An enum is a datatype without arguments;
so is a count, which has few values and stays at its last one.
"""

from __future__ import annotations

from collections.abc import Iterable

from onceproof.model.checker.prover import sexpr
from onceproof.model.checker.prover.sexpr import FALSE, TRUE, Sexpr
from onceproof.model.language.errors import ModelError
from onceproof.model.language.sorts import Choice, Count, Flag, Index, Kind, Maybe, Sort
from onceproof.model.language.terms import (
    And,
    Clamp,
    Const,
    Deref,
    Eq,
    IsNone,
    Ite,
    Less,
    Minus,
    Not,
    Or,
    Plus,
    Quantified,
    Read,
    Some,
    Term,
    Var,
    kind_of_term,
)

BEFORE = "st."
NONE = ".none"
RESERVED = {"_", "as", "exists", "forall", "let", "match", "par", "and", "or", "not", "ite", "true", "false", "xor"}
RESERVED_SORTS = {"Bool", "Int", "Real", "Array", "String", "RegLan", "Seq", "Set", "Bag", "List", "RoundingMode"}

Cases = dict[int, Sexpr]  # a number as the conditions under which it has each of its possible values


def sort_name(sort: type[Sort]) -> str:
    """How a sort is called in SMT-LIB."""
    return sort.__name__ + ("_" if sort.__name__ in RESERVED_SORTS else "")


def kind_name(kind: Kind) -> str:
    """How the sort of a field's values is called."""
    match kind:
        case Flag():
            return "Bool"
        case Choice(enum):
            return enum.__name__ + ("_" if enum.__name__ in RESERVED_SORTS else "")
        case Count(most):
            return f"Count{most}"
        case Index(sort) | Maybe(sort):
            return sort_name(sort)
    raise ModelError(f"no encoding for {kind!r}")


def value_name(kind: Kind, code: int) -> str:
    """The constant for a stored value of a kind (an index-or-none has none)."""
    match kind:
        case Flag():
            return TRUE if code else FALSE
        case Choice(enum):
            return f"{kind_name(kind)}.{list(enum)[code].name}"
        case Index(sort):
            return f"{sort_name(sort)}.{code + 1}"
    return f"{kind_name(kind)}.{code}"


def variable_name(variable: Var) -> str:
    """A variable of a quantifier or a parameter."""
    return variable.name + ("_" if variable.name in RESERVED else "")


def binding(variables: Iterable[Var]) -> list[tuple[str, str]]:
    """Variables with their sorts, as quantifiers have them."""
    return [(variable_name(variable), sort_name(variable.sort)) for variable in variables]


def applied(function: str, arguments: Iterable[Sexpr]) -> Sexpr:
    """A function of arguments; the constant itself where there are none."""
    given = tuple(arguments)
    return (function, *given) if given else function


def formula(term: Term) -> Sexpr:
    """A truth, an index or an enum member as an expression."""
    match term:
        case Const(kind, code):
            return value_name(kind, code)
        case Var():
            return variable_name(term)
        case Read(name, indices, _):
            return applied(BEFORE + name, map(formula, indices))
        case IsNone() | Deref():
            none, value = pair(term.term)
            return none if isinstance(term, IsNone) else value
        case Eq(left, right):
            return _equal(left, right)
        case Less(left, right):
            return _compared(left, right)
        case Not(inner):
            return sexpr.negation(formula(inner))
        case And(terms):
            return sexpr.conjunction([formula(part) for part in terms])
        case Or(terms):
            return sexpr.disjunction([formula(part) for part in terms])
        case Ite(condition, then, other):
            return sexpr.choice(formula(condition), formula(then), formula(other))
        case Quantified(universal, variables, body):
            return sexpr.closed("forall" if universal else "exists", binding(variables), formula(body))
    raise ModelError(f"no encoding for any size of {term!r}")


def pair(term: Term) -> tuple[Sexpr, Sexpr]:
    """An index-or-none: whether it is none, and the index (any, where nothing says which)."""
    match term:
        case Const(kind, 0) if isinstance(kind, Maybe):
            return TRUE, value_name(Index(kind.sort), 0)
        case Const(kind, code) if isinstance(kind, Maybe):
            return FALSE, value_name(Index(kind.sort), code - 1)
        case Some(inner, _):
            return FALSE, formula(inner)
        case Read(name, indices, _):
            arguments = [formula(index) for index in indices]
            return applied(BEFORE + name + NONE, arguments), applied(BEFORE + name, arguments)
        case Ite(condition, then, other):
            then_none, then_value = pair(then)
            other_none, other_value = pair(other)
            if then_none == TRUE:  # what is none keeps any index: no constant is needed
                then_value = other_value
            elif other_none == TRUE:
                other_value = then_value
            chosen = formula(condition)
            none = sexpr.disjunction(
                [sexpr.conjunction([chosen, then_none]), sexpr.conjunction([sexpr.negation(chosen), other_none])]
            )
            if then_none == other_none:
                none = then_none
            return none, sexpr.choice(chosen, then_value, other_value)
    raise ModelError(f"no encoding for any size of {term!r}")


def number_value(kind: Count, term: Term) -> Sexpr:
    """A number that a count's cell is to hold, as a value of the count."""
    cases = list(_cases(term).items())
    result: Sexpr = value_name(kind, kind.encode(cases[-1][0]))
    for value, condition in reversed(cases[:-1]):
        result = sexpr.choice(condition, value_name(kind, kind.encode(value)), result)
    return result


def _equal(left: Term, right: Term) -> Sexpr:
    kind = kind_of_term(left)
    if isinstance(kind, Count):
        return _relation(left, right, lambda one, other: one == other)
    if isinstance(kind, Maybe):
        (none, value), (other_none, other_value) = pair(left), pair(right)
        same = ("=", none, other_none)
        return sexpr.conjunction([same, sexpr.disjunction([none, ("=", value, other_value)])])
    return ("=", formula(left), formula(right))


def _compared(left: Term, right: Term) -> Sexpr:
    return _relation(left, right, lambda one, other: one < other)


def _relation(left: Term, right: Term, relates: object) -> Sexpr:
    assert callable(relates)
    found = [
        sexpr.conjunction([condition, other])
        for one, condition in _cases(left).items()
        for two, other in _cases(right).items()
        if relates(one, two)
    ]
    total = len(_cases(left)) * len(_cases(right))
    for part, number in ((left, right), (right, left)):
        if not isinstance(part, Read) or not isinstance(number, Const) or not isinstance(part.kind, Count):
            continue
        most = part.kind.most
        if number.code >= most and len(found) in (0, total):
            raise ModelError(f"`{part.field}` counts no further than {most} (many): {number.code} cannot be told apart")
    return sexpr.disjunction(found)


def _cases(term: Term) -> Cases:
    match term:
        case Const(_, code):
            return {code: TRUE}
        case Read(name, indices, kind) if isinstance(kind, Count):
            cell = applied(BEFORE + name, map(formula, indices))
            return {value: ("=", cell, value_name(kind, value)) for value in range(kind.most + 1)}
        case Plus(left, right):
            return _combined(left, right, 1)
        case Minus(left, right):
            return _combined(left, right, -1)
        case Clamp(inner, most):
            return _merged((min(max(value, 0), most), condition) for value, condition in _cases(inner).items())
        case Ite(condition, then, other):
            chosen = formula(condition)
            yes = [(value, sexpr.conjunction([chosen, when])) for value, when in _cases(then).items()]
            no = [(value, sexpr.conjunction([sexpr.negation(chosen), when])) for value, when in _cases(other).items()]
            return _merged([*yes, *no])
    raise ModelError(f"no encoding for any size of the number {term!r}")


def _combined(left: Term, right: Term, sign: int) -> Cases:
    return _merged(
        (one + sign * two, sexpr.conjunction([condition, other]))
        for one, condition in _cases(left).items()
        for two, other in _cases(right).items()
    )


def _merged(cases: Iterable[tuple[int, Sexpr]]) -> Cases:
    gathered: dict[int, list[Sexpr]] = {}
    for value, condition in cases:
        gathered.setdefault(value, []).append(condition)
    return {value: sexpr.disjunction(conditions) for value, conditions in gathered.items()}
