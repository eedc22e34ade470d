"""A model read without bounds: for any number of elements of every sort, as SMT-LIB formulas.

What this encoding has instead of the bounds of exploration:
- a fault whose budget is ``any``, and every other bounded choice, may happen at any time;
- what a network field ever held stays on the wire for ever: a write of its first value ("nothing") is left out. That
  is loss, delay, duplication and reordering at once. What a loop finds on the wire may be any part of what was sent;
- a fresh element may be any for which the action is enabled;
- a constant field is any function;
- an action that makes a used-up element stand for a new thing (``reuse``) is left out: there are always unused ones.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from onceproof.model.checker.prover import sexpr
from onceproof.model.checker.prover.formulas import (
    BEFORE,
    NONE,
    applied,
    binding,
    formula,
    kind_name,
    number_value,
    pair,
    sort_name,
    value_name,
    variable_name,
)
from onceproof.model.checker.prover.sexpr import TRUE, Sexpr
from onceproof.model.language.declare import Action, Field, Property
from onceproof.model.language.errors import ModelError
from onceproof.model.language.layout import budget_of
from onceproof.model.language.model import Config, Model
from onceproof.model.language.reading.result import overwritten
from onceproof.model.language.sorts import Choice, Count, Index, Maybe
from onceproof.model.language.terms import (
    BOOL,
    And,
    Const,
    Not,
    Or,
    Quantified,
    Read,
    Term,
    Var,
    and_,
    children,
    eq,
    free_variables,
    ite,
    not_,
    quantified,
    walk,
)
from onceproof.model.language.terms import FALSE as NEVER
from onceproof.model.language.terms import TRUE as ALWAYS
from onceproof.model.language.tracing.tracer import Obligation, Path, TracedAction, Tracer, Write

AFTER = "next."
WIRE = ".wire"
ARGUMENT = "arg."
START = "initially"


@dataclass(frozen=True)
class Update:
    """What a function of the state is after a step: ``value`` for the arguments that ``parameters`` name."""

    symbol: str
    parameters: tuple[tuple[str, str], ...]
    result: str
    value: Sexpr


@dataclass(frozen=True)
class Transition:
    """An action (or the start, called ``initially``) as formulas.

    constants: its parameters, each with its sort. wires: what of each network field a loop finds on the wire.
    """

    name: str
    constants: tuple[tuple[str, str], ...]
    wires: tuple[tuple[str, tuple[str, ...]], ...]
    enabled: Sexpr
    updates: tuple[Update, ...]
    obligations: tuple[tuple[str, Sexpr], ...] = ()
    action: Action | None = None


@dataclass(frozen=True)
class Conjunct:
    """A claim that is to hold in every state: a property, or a conjunct of the invariant."""

    name: str
    claim: Property
    formula: Sexpr
    obligations: tuple[tuple[str, Sexpr], ...]
    reads: frozenset[str]

    @property
    def group(self) -> str:
        """What it carries: the group of a conjunct of the invariant; "properties" for what is to be proved."""
        return self.claim.invariant or "properties"

    @property
    def doc(self) -> str:
        """The author's sentence about it."""
        return self.claim.doc


@dataclass(frozen=True)
class Vocabulary:
    """The sorts, the datatypes (with their values), the functions of the state and the constants of a model."""

    sorts: tuple[str, ...]
    datatypes: tuple[tuple[str, tuple[str, ...]], ...]
    functions: tuple[tuple[str, tuple[str, ...], str], ...]
    constants: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Encoding:
    """A model under a configuration, read without bounds."""

    model: Model
    config: Config
    vocabulary: Vocabulary
    start: Transition
    transitions: dict[str, Transition]
    conjuncts: dict[str, Conjunct]


def encode(model: Model, config: Config, claims: Iterable[Property]) -> Encoding:
    """The actions that the configuration allows, and the claims, as formulas for any size.

    Raises ModelError, with the author's line, for what cannot be read so.
    """
    tracer = Tracer(model, config, unbounded=True)
    transitions = {}
    for action in model.actions.values():
        if action.reuse or (action.fault and budget_of(action, config) == 0):
            continue
        traced = tracer.action(action)
        if traced.paths or traced.obligations:
            with _placed(f"action `{action.name}`", action):
                transitions[action.name] = _transition(model, traced)
    conjuncts = {}
    for claim in claims:
        with _placed(f"property `{claim.name}`", claim):
            conjuncts[claim.name] = _conjunct(tracer, claim)
    return Encoding(model, config, _vocabulary(model), _start(model), transitions, conjuncts)


@contextmanager
def _placed(what: str, declared: Action | Property) -> Iterator[None]:
    """Gives an error that has no place yet the author's line."""
    try:
        yield
    except ModelError as error:
        if error.place is not None:
            raise
        file, line = declared.line
        raise ModelError(error.message, f"{what}, {file.rsplit('/', 1)[-1]}:{line}") from None


def _vocabulary(model: Model) -> Vocabulary:
    kinds: dict[str, tuple[str, ...]] = {}
    functions: list[tuple[str, tuple[str, ...], str]] = []
    for declared in model.fields.values():
        indices = tuple(map(sort_name, declared.indices))
        kind = declared.kind
        if isinstance(kind, Choice | Count):
            kinds[kind_name(kind)] = tuple(value_name(kind, code) for code in range(kind.cardinality({})))
        functions.append((BEFORE + declared.name, indices, kind_name(kind)))
        if isinstance(kind, Maybe):
            functions.append((BEFORE + declared.name + NONE, indices, "Bool"))
    sorts = tuple(sort_name(sort) for sort in model.sorts.values())
    clash = set(sorts) & set(kinds)
    if clash:
        raise ModelError(f"a sort and an enum are both called `{min(clash)}`")
    constants = tuple((f"{sort}.1", sort) for sort in sorts)
    return Vocabulary(sorts, tuple(kinds.items()), tuple(functions), constants)


def _start(model: Model) -> Transition:
    updates: list[Update] = []
    for declared in model.fields.values():
        if callable(declared.init):
            if not declared.constant:
                raise ModelError(
                    f"`{declared.name}` starts with a function of its indices, which has no meaning for any number of "
                    "elements: make it constant, or give it one value to start with"
                )
            continue
        code = 0 if declared.init is None else declared.kind.encode(declared.init)
        if isinstance(declared.kind, Index) and code:
            raise ModelError(f"`{declared.name}` starts with a certain {declared.kind.sort.__name__} but the first")
        parameters = _parameters(declared)
        updates += _updates(declared, parameters, Const(declared.kind, code))
    return Transition(START, (), (), TRUE, tuple(updates))


def _parameters(declared: Field) -> tuple[Var, ...]:
    return tuple(Var(f"{sort.__name__.lower()}.{place + 1}", sort) for place, sort in enumerate(declared.indices))


def _updates(declared: Field, parameters: tuple[Var, ...], value: Term) -> list[Update]:
    bound = tuple(binding(parameters))
    name, kind = AFTER + declared.name, declared.kind
    if isinstance(kind, Maybe):
        none, index = pair(value)
        kept = applied(BEFORE + declared.name, [variable_name(parameter) for parameter in parameters])
        if none == TRUE:
            index = kept
        return [Update(name + NONE, bound, "Bool", none), Update(name, bound, sort_name(kind.sort), index)]
    result = number_value(kind, value) if isinstance(kind, Count) else formula(value)
    return [Update(name, bound, kind_name(kind), result)]


def _transition(model: Model, traced: TracedAction) -> Transition:
    network = {name for name, declared in model.fields.items() if declared.network}
    for path in traced.paths:
        _check_passes(path.writes)
    paths = [
        Path(path.guard, tuple(w for w in (_unbounded(model, network, w) for w in path.writes) if w is not None))
        for path in traced.paths
    ]
    enabled = _decided([(path.guard, ALWAYS) for path in paths], NEVER)
    names = {variable_name(v): ARGUMENT + v.name for v in traced.variables}
    updates: list[Update] = []
    for name in dict.fromkeys(write.field for path in paths for write in path.writes):
        declared = model.fields[name]
        parameters = _parameters(declared)
        values = []
        for path in paths:
            value: Term = Read(name, parameters, declared.kind)
            for write in path.writes:
                if write.field == name:
                    value = overwritten(write, parameters, value)
            values.append((path.guard, value))
        for update in _updates(declared, parameters, _decided(values, None)):
            updates.append(replace(update, value=sexpr.rename(update.value, names)))
    found = {symbol for update in updates for symbol in sexpr.symbols(update.value)}
    wires = tuple(
        (BEFORE + name + WIRE, tuple(map(sort_name, model.fields[name].indices)))
        for name in model.fields
        if BEFORE + name + WIRE in found
    )
    read_one = _obligation(traced.variables)
    obligations = tuple((says, sexpr.rename(claim, names)) for says, claim in map(read_one, traced.obligations))
    constants = tuple((names[name], sort) for name, sort in binding(traced.variables))
    guard = sexpr.rename(formula(enabled), names)
    return Transition(traced.action.name, constants, wires, guard, tuple(updates), obligations, traced.action)


def _obligation(parameters: tuple[Var, ...]) -> Callable[[Obligation], tuple[str, Sexpr]]:
    def read_one(obligation: Obligation) -> tuple[str, Sexpr]:
        wrong = and_(*obligation.guard)
        others = [variable for variable in free_variables(wrong) if variable not in parameters]
        return obligation.message, sexpr.closed("forall", binding(others), sexpr.negation(formula(wrong)))

    return read_one


def _conjunct(tracer: Tracer, claim: Property) -> Conjunct:
    traced = tracer.property(claim)
    body = sexpr.closed("forall", binding(traced.variables), formula(traced.body))
    reads = frozenset(symbol for symbol in sexpr.symbols(body) if symbol.startswith(BEFORE))
    return Conjunct(claim.name, claim, body, tuple(map(_obligation(()), traced.obligations)), reads)


def _check_passes(writes: tuple[Write, ...]) -> None:
    """Refuses a loop of which one pass reads what another one writes: here all passes happen at once."""
    looped = [write for write in writes if write.binders]
    for one, other in itertools.product(looped, looped):
        shared = [binder for binder in one.binders if binder in other.binders]
        for part in (part for term in (*one.indices, one.condition, one.value) for part in walk(term)):
            if not isinstance(part, Read) or part.field != other.field:
                continue
            for binder in shared:
                if any(w == binder != r for w, r in zip(other.indices, part.indices, strict=True)):
                    sort = binder.sort.__name__
                    raise ModelError(f"a pass of a loop over {sort} reads `{part.field}` where other passes write it")


def _unbounded(model: Model, network: set[str], write: Write) -> Write | None:
    """A write as the unbounded encoding has it; None for one that it leaves out."""
    if write.binders:
        write = replace(
            write,
            condition=_on_the_wire(write.condition, network),
            value=_on_the_wire(write.value, network),
        )
    if write.field not in network:
        return write
    kind = model.fields[write.field].kind
    nothing = eq(write.value, Const(kind, 0))
    return None if nothing == ALWAYS else replace(write, condition=and_(write.condition, not_(nothing)))


def _on_the_wire(term: Term, network: set[str]) -> Term:
    """The term with every read of a network field taken for what happens to be on the wire of all that was sent."""

    def again(inner: Term) -> Term:
        return _on_the_wire(inner, network)

    match term:
        case Read(name, indices, kind) if name in network:
            return ite(Read(name + WIRE, indices, BOOL), term, Const(kind, 0))
        case Quantified(universal, variables, body):
            return quantified(universal, variables, again(body))
        case And(terms) | Or(terms):
            return type(term)(tuple(map(again, terms)))
        case Not(inner):
            return not_(again(inner))
        case _:
            return _rebuilt(term, again)


def _rebuilt(term: Term, again: Callable[[Term], Term]) -> Term:
    parts = children(term)
    if not parts:
        return term
    changed = tuple(map(again, parts))
    if changed == parts:
        return term
    if type(term).__name__ == "Eq":
        return eq(*changed)
    if type(term).__name__ == "Ite":
        return ite(*changed)
    raise ModelError(f"no encoding for a network field inside {type(term).__name__}")


def _decided(branches: list[tuple[tuple[Term, ...], Term]], missing: Term | None, depth: int = 0) -> Term:
    """The term of the branch that is taken: branches are guards (alternatives in depth-first order) with a term each.

    missing: the term where no branch is taken; None if that need not be asked.
    """
    if len(branches) == 1 and len(branches[0][0]) == depth:
        return branches[0][1]
    literal = next(guard[depth] for guard, _ in branches)
    positive = literal.term if isinstance(literal, Not) else literal
    yes = [branch for branch in branches if branch[0][depth] == positive]
    no = [branch for branch in branches if branch[0][depth] != positive]
    if missing is None and not (yes and no):
        return _decided(yes or no, missing, depth + 1)
    then = _decided(yes, missing, depth + 1) if yes else missing
    other = _decided(no, missing, depth + 1) if no else missing
    assert then is not None and other is not None
    return ite(positive, then, other)
