"""A model as SMT-LIB formulas for any number of elements of every sort: the unbounded encoding.

What it has instead of the bounds of exploration:
- a fault whose budget is ``any``, and every other bounded choice, may happen at any time;
- of what a network field ever held any part may be in flight, late, twice and out of order (see ``network``);
- a fresh element may be any for which the action is enabled;
- a constant field has its ``init``, or, where that is a function of the indices, any values that the axioms allow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from onceproof.model.checker.prover import sexpr
from onceproof.model.checker.prover.formulas import Formulas
from onceproof.model.checker.prover.names import BEFORE, Names, before_symbol, none_symbol, state_symbol
from onceproof.model.checker.prover.network import Demand, absences, network_fields
from onceproof.model.checker.prover.sexpr import FALSE, TRUE, Sexpr
from onceproof.model.checker.prover.transition import (
    START,
    Transition,
    Update,
    first_value,
    obligation_encoder,
    start_of,
    transition_of,
    updates_of,
)
from onceproof.model.language.axioms import constants_of
from onceproof.model.language.composites import Bag, CompositeField, Seq
from onceproof.model.language.declare import Action, Field, Property
from onceproof.model.language.errors import ModelError
from onceproof.model.language.layout import budget_of
from onceproof.model.language.model import Config, Model
from onceproof.model.language.pairs import with_primed_fields
from onceproof.model.language.primes import unprimed
from onceproof.model.language.reading.reader import Reader
from onceproof.model.language.sorts import Choice, Count, Int, Maybe
from onceproof.model.language.terms import and_

MOST_NUMBERS = 100  # that a field may hold

__all__ = ["START", "Conjunct", "Encoding", "Law", "Transition", "Update", "Vocabulary", "encode"]


@dataclass(frozen=True)
class Conjunct:
    """A claim that is to hold in every state: a property, or a conjunct of the invariant.

    Or of every step: then its formula speaks of the state after it, too, and it is no conjunct that could be assumed.
    """

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
    def of_steps(self) -> bool:
        """Whether it speaks of steps."""
        return self.claim.kind == "step"

    @property
    def doc(self) -> str:
        """The author's sentence about it."""
        return self.claim.doc


@dataclass(frozen=True)
class Law:
    """What is assumed in every state, as it speaks of constants alone: an axiom, or the value of a constant field."""

    name: str
    doc: str
    formula: Sexpr
    is_axiom: bool
    obligations: tuple[tuple[str, Sexpr], ...] = ()


@dataclass(frozen=True)
class Vocabulary:
    """The sorts, the datatypes (with their values), the functions of the state and the constants of a model."""

    sorts: tuple[str, ...]
    datatypes: tuple[tuple[str, tuple[str, ...]], ...]
    functions: tuple[tuple[str, tuple[str, ...], str], ...]
    constants: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Encoding:
    """A model under a configuration, for any number of elements."""

    model: Model
    config: Config
    names: Names
    vocabulary: Vocabulary
    start: Transition
    transitions: dict[str, Transition]
    conjuncts: dict[str, Conjunct]
    laws: dict[str, Law]


def encode(model: Model, config: Config, claims: Iterable[Property]) -> Encoding:
    """The actions that the configuration allows, and the claims, as formulas for any size.

    Raises ModelError, with the author's line, for what has no meaning for any number of elements.
    """
    model = model.under(config)
    for composite in model.composites.values():
        _check_kind(composite)
    for declared in model.fields.values():
        with _placed(f"field `{declared.name}`", [declared]):
            _check_indices(declared)
            _check_numbers(declared)
    reader = Reader(model, config, unbounded=True)
    formulas = Formulas(Names(model.fields.values()))
    laws = _laws(model, formulas, reader)
    begins = reader.start(list(model.initials.values()))
    what = "the start" if begins is None else begins.action.what
    with _placed(what, model.fields.values() if begins is None else model.initials.values()):
        start = start_of(model, formulas, begins)
    transitions = {}
    for action in model.actions.values():
        if action.fault and budget_of(action, config) == 0:
            continue
        reading = reader.action(action)
        if reading.paths or reading.obligations:
            with _placed(f"action `{action.name}`", [action]):
                _check_parameters(action)
                transitions[action.name] = transition_of(model, formulas, reading)
    conjuncts = {}
    for claim in claims:
        with _placed(claim.what, [claim]):
            _check_parameters(claim)
            conjuncts[claim.name] = _conjunct(model, formulas, reader, claim)
    vocabulary = _vocabulary(model, formulas.names)
    return Encoding(model, config, formulas.names, vocabulary, start, transitions, conjuncts, laws)


def _check_kind(declared: CompositeField) -> None:
    """ModelError for a field whose cells have no first-order meaning for any size."""
    file, line = declared.line
    if isinstance(declared.kind, Bag):
        raise ModelError(
            f"`{declared.name}` is a bag, and a proof for any size does not count: write a set, field(Set(...))",
            f"field `{declared.name}`, {Path(file).name}:{line}",
        )
    if isinstance(declared.kind, Seq):
        raise ModelError(
            f"`{declared.name}` is a sequence, and a proof for any size has no order of what is sent or logged: write "
            "a set of what may be in it, field(Set(...))",
            f"field `{declared.name}`, {Path(file).name}:{line}",
        )


def _check_indices(declared: Field) -> None:
    """ModelError for a field that is indexed by anything but sorts."""
    for sort in declared.indices:
        if sort.values is not None:
            instead = "declare a field for each of its members" if isinstance(sort.values, Choice) else "declare a sort"
            raise ModelError(
                f"`{declared.name}` is indexed by {sort.__name__}, and a proof for any size indexes fields by sorts "
                f"only: {instead}"
            )


def _check_numbers(declared: Field) -> None:
    """ModelError for numbers of so many values that a formula with a case for each would be too deep."""
    if isinstance(declared.kind, Count | Int) and declared.kind.high - declared.kind.low >= MOST_NUMBERS:
        raise ModelError(
            f"`{declared.name}` holds numbers from {declared.kind.low:,} to {declared.kind.high:,}, and a proof has a "
            f"case for each: declare at most {MOST_NUMBERS} of them"
        )


def _check_parameters(declared: Action | Property) -> None:
    """ModelError for an argument that is no element of a sort: a part of a record, say an enum's."""
    for parameter in declared.parameters:
        if parameter.kind is not None:
            record, part = parameter.of[-1][1].cls.__name__, parameter.name.removeprefix(f"{parameter.of[0][0]}_")
            remedy = (
                "write an action for each of its values"
                if isinstance(declared, Action)
                else f"say it with `forall({parameter.of[0][1].cls.__name__}, lambda {parameter.of[0][0]}: ...)`"
            )
            raise ModelError(
                f"`{part}` of {record} is no element of a sort, and a proof for any size takes arguments that are: "
                f"{remedy}"
            )


@contextmanager
def _placed(what: str, declared: Iterable[Action | Property | Field]) -> Iterator[None]:
    """Gives an error that has no place yet the author's line."""
    try:
        yield
    except ModelError as error:
        if error.place is not None:
            raise
        spoken_of = list(declared)
        one = next((d for d in spoken_of if isinstance(d, Field) and f"`{d.name}`" in error.message), spoken_of[0])
        file, line = one.line
        raise ModelError(error.message, f"{what}, {Path(file).name}:{line}") from None


def _vocabulary(model: Model, names: Names) -> Vocabulary:
    functions: list[tuple[str, tuple[str, ...], str]] = []
    for declared in model.fields.values():
        indices = tuple(map(names.sort, declared.indices))
        functions.append((state_symbol(declared.name), indices, names.kind(declared.kind)))
        if isinstance(declared.kind, Maybe):
            functions.append((none_symbol(declared.name), indices, "Bool"))
    sorts = tuple(map(names.sort, model.sorts.values()))
    constants = tuple((names.first(sort), names.sort(sort)) for sort in model.sorts.values())
    return Vocabulary(sorts, tuple(names.datatypes.items()), tuple(functions), constants)


def _laws(model: Model, formulas: Formulas, reader: Reader) -> dict[str, Law]:
    laws = {}
    for axiom in model.axioms.values():
        with _placed(axiom.what, [axiom]):
            reading = reader.property(axiom)
            constants_of(model, axiom, reading)
            body = sexpr.closed("forall", formulas.names.binding(reading.variables), formulas.of(reading.body))
            obligations = tuple(map(obligation_encoder(formulas), reading.obligations))
            laws[axiom.name] = Law(axiom.name, axiom.doc, body, True, obligations)
    for declared in model.fields.values():
        if declared.constant and not callable(declared.init):
            with _placed(f"field `{declared.name}`", [declared]):
                updates = updates_of(formulas, declared, first_value(declared))
                name = f"constant {declared.name}"
                laws[name] = Law(name, declared.doc, sexpr.conjunction([_kept(one) for one in updates]), False)
    return {name: law for name, law in laws.items() if law.formula != TRUE}


def _kept(update: Update) -> Sexpr:
    """That a function has, before a step too, the value that the update says."""
    names = [name for name, _ in update.parameters]
    symbol = before_symbol(update.symbol)
    cell: Sexpr = (symbol, *names) if names else symbol
    if cell == update.value:
        return TRUE
    same = cell if update.value == TRUE else ("not", cell) if update.value == FALSE else ("=", cell, update.value)
    return sexpr.closed("forall", list(update.parameters), same)


def _conjunct(model: Model, formulas: Formulas, reader: Reader, claim: Property) -> Conjunct:
    reading = reader.property(claim)
    network = network_fields(with_primed_fields(model) if claim.kind == "step" else model)
    absent = absences(reading.body, network, Demand.ABSENCE)
    for obligation in reading.obligations:
        absent |= absences(and_(*obligation.guard), network, Demand.PRESENCE)
    if absent:
        name = unprimed(min(absent))
        raise ModelError(
            f"whether it holds depends on what is absent from `{name}`, and what is on the network may be lost at any "
            f"time: presuppose what was sent (`given(st.{name}[...])`), or keep it in a field that is not network=True"
        )
    body = sexpr.closed("forall", formulas.names.binding(reading.variables), formulas.of(reading.body))
    reads = frozenset(symbol for symbol in sexpr.symbols(body) if symbol.startswith(BEFORE))
    return Conjunct(claim.name, claim, body, tuple(map(obligation_encoder(formulas), reading.obligations)), reads)
