"""What a model's author writes: fields, switches, actions, faults, properties."""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from enum import Enum
from pathlib import Path
from typing import Any, Literal, overload

from onceproof.model.language.arguments import Parameter, parameters_of
from onceproof.model.language.composites import COMPOSITE, CompositeField, PartOf, any_kind_of
from onceproof.model.language.errors import Disabled, ModelError, Vacuous, nearest
from onceproof.model.language.index_sets import index_of, is_sort
from onceproof.model.language.mode import current
from onceproof.model.language.sorts import Int, Kind, Sort
from onceproof.model.language.value_kinds import record_kind

Held = typing.TypeVar("Held")
S = typing.TypeVar("S", bound=Sort)
PropertyKind = Literal[
    "always",
    "step",
    "sometimes",
    "eventually",
    "leads_to",
    "infinitely_often",
    "stays",
    "until",
    "refines",
    "deadlock",
    "ending",
    "axiom",
    "within",
]
CALLED = {"axiom": "axiom", "within": "bound", "refines": "refinement"}
PROVABLE = frozenset({"always", "step"})  # the kinds that are proved for any size
SAFETY = frozenset({*PROVABLE, "refines"})  # the kinds that a single state violates, or a single step
# the kinds that endless runs violate
LIVENESS = frozenset({"eventually", "leads_to", "infinitely_often", "stays", "until"})
DEADLOCK: Literal["deadlock"] = "deadlock"  # the name (and kind) of the built-in claim that no state is stuck


RANGE: Literal["range"] = "range"  # the kind of the built-in claims that no step leaves the range of a field


def range_of(name: str) -> str:
    """What the claim is called that no step writes a value which a field cannot hold."""
    return f"range of {name}"


class Fairness(Enum):
    """What may be assumed of an action in endless behaviour."""

    NONE = "none"  # it need never happen (a client's free choice, a fault)
    WEAK = "weak"  # it happens if it stays possible for ever
    STRONG = "strong"  # it happens if it becomes possible again and again


@dataclass(eq=False)
class Field:
    """A part of the state: an array over sorts (or a single cell). Its name is the one that the model gives it."""

    indices: tuple[type[Sort], ...]
    kind: Kind
    init: Any = None
    ghost: bool = False
    network: bool = False
    constant: bool = False
    name: str = ""
    component: str = ""
    doc: str = ""
    line: tuple[str, int] = ("", 0)  # file and line where it is written
    part: PartOf | None = None  # of a field of a composite kind, which the author declared


def field(
    *shape: Any, init: Any = None, ghost: bool = False, network: bool = False, constant: bool = False, doc: str = ""
) -> Any:
    """Declares a field: indices first (sorts, enums, ``Int(low, high)``), its kind last: ``field(Node, bool)``.

    init: the value that every cell starts with (default: the first of its kind), or a function of the indices;
        for cells that hold an element of a sort its result is taken modulo the sort's size.
    ghost: nothing that runs could read it; it is there for the properties.
    network: messages in flight; in a proof for any size what was sent may be lost, late, twice and out of order.
    constant: no action may write it.
    """
    if not shape:
        raise ModelError("a field needs at least the kind of its cells: field(bool)")
    *given, value = shape
    indices: list[type[Sort]] = []
    for one in given:
        sort = index_of(one)
        if sort is None:
            raise ModelError(f"a field is indexed by a Sort, an Enum or Int(low, high), not by {one!r}")
        indices.append(sort)
    kind = any_kind_of(value)
    if network and isinstance(kind, Int) and kind.low != 0:
        raise ModelError("a network field holds nothing at first, which a number shows as 0: declare Int(0, high)")
    frame = sys._getframe(1)
    line = frame.f_code.co_filename, frame.f_lineno
    if isinstance(kind, COMPOSITE):
        return CompositeField(tuple(indices), kind, init, ghost, network, constant, doc=doc, line=line)
    return Field(tuple(indices), kind, init, ghost, network, constant, doc=doc, line=line)


@dataclass(eq=False)
class Switch:
    """A mechanism that can be switched off; resolved when a model is built, so that a dead branch costs nothing."""

    on: str
    off: str
    default: bool = True
    name: str = ""
    component: str = ""


def switch(*, on: str, off: str, default: bool = True) -> Any:
    """Declares a mechanism: what the system does with it ``on``, and with it ``off``."""
    return Switch(on, off, default)


@dataclass(eq=False)
class Action:
    """A step that the system (or its environment, for a fault) may take."""

    function: Callable[..., None]
    parameters: tuple[Parameter, ...]
    fault: bool = False
    fairness: Fairness = Fairness.WEAK
    budget: str | None = None
    name: str = ""
    component: str = ""
    reuse: bool = False
    needs: typing.Mapping[str, int] = attribute(default_factory=dict)
    gives: str = ""  # of the mapping of a refinement: how the fields are called that it gives values to, up to the dot
    fair_for: tuple[str, ...] | None = None  # the parameters that fairness tells apart; None for all of them
    fair_with: str | None = None  # the actions of which fairness asks that one of them happens share this name

    @property
    def fair_places(self) -> tuple[int, ...]:
        """The places of the parameters that fairness tells apart."""
        if self.fair_for is None:
            return () if self.fair_with is not None else tuple(range(len(self.parameters)))
        named = [(place, one.of[0][0] if one.of else one.name) for place, one in enumerate(self.parameters)]
        return tuple(place for name in self.fair_for for place, known in named if known == name)

    @property
    def doc(self) -> str:
        """The author's sentence about it."""
        return inspect.getdoc(self.function) or ""

    @property
    def what(self) -> str:
        """How messages call it: "action `receive`"."""
        return f"action `{self.name}`"

    @property
    def functions(self) -> tuple[Callable[..., Any], ...]:
        """The functions of its author that it is made of: one, but for the start."""
        return (self.function,)

    @property
    def actor(self) -> str:
        """The actor: the parameter that is called as the component is, or else the component."""
        return self.component

    @property
    def line(self) -> tuple[str, int]:
        """File and line where it is written."""
        return self.function.__code__.co_filename, self.function.__code__.co_firstlineno


@dataclass(eq=False)
class Property:
    """A claim on states (``always``, ``sometimes``), on steps (``step``) or on endless runs (``LIVENESS``); or what a
    wanted ``ending`` is.

    One of kind ``axiom`` is a law about constants: it is not checked in states but required of every instance; one of
    kind ``within`` says from which states steps are taken. The one of kind ``deadlock`` is built in; its function says
    what a wanted end is. That of kind ``refines`` is the mapping to the states of ``abstract``, a Model or its parts.
    """

    function: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    kind: PropertyKind
    when: Callable[[Any], bool] | None = None
    optional: bool = False
    invariant: str | None = None
    name: str = ""
    component: str = ""
    broken_by: frozenset[str] = frozenset()
    goal: Callable[..., Any] | None = None  # of an ``until``: what ends it
    weak: bool = False  # of an ``until``: whether that need not come
    abstract: Any = None

    @property
    def doc(self) -> str:
        """The author's sentence about it."""
        return inspect.getdoc(self.function) or ""

    @property
    def is_liveness(self) -> bool:
        """Whether it is endless runs that violate it."""
        return self.kind in LIVENESS

    @property
    def is_provable(self) -> bool:
        """Whether a proof for any size may show it."""
        return self.kind in PROVABLE

    @property
    def is_safety(self) -> bool:
        """Whether a single state violates it, or a single step."""
        return self.kind in SAFETY

    @property
    def what(self) -> str:
        """How messages call it: "property `at_most_once`", "axiom `quorums_meet`", by what its kind is CALLED."""
        return f"{CALLED.get(self.kind, 'property')} `{self.name}`"

    def applies(self, names: Any) -> bool:
        """Whether it is asked of a configuration (see ``Config.names``); ModelError where its ``when`` fails."""
        try:
            return self.when is None or bool(self.when(names))
        except Exception as error:
            raise ModelError(f"its `when`: {error}", f"property `{self.name}`, {Path(self.line[0]).name}") from None

    @property
    def line(self) -> tuple[str, int]:
        """File and line where it is written."""
        return self.function.__code__.co_filename, self.function.__code__.co_firstlineno


@overload
def action(function: Callable[..., None], /) -> Action: ...
@overload
def action(
    *,
    fairness: Fairness = ...,
    budget: str | None = ...,
    reuse: bool = ...,
    fair_for: Sequence[str] | None = ...,
    fair_with: str | None = ...,
) -> Callable[[Callable[..., None]], Action]: ...
def action(
    function: Callable[..., None] | None = None,
    *,
    fairness: Fairness = Fairness.WEAK,
    budget: str | None = None,
    reuse: bool = False,
    fair_for: Sequence[str] | None = None,
    fair_with: str | None = None,
) -> Action | Callable[[Callable[..., None]], Action]:
    """Marks a function as a step of the system.

    fair_for: the parameters that fairness tells apart (default: all). For "worker", of ``receive(worker, message)``:
        that each worker receives something.
    fair_with: a name that actions share of which fairness asks one to happen.
    budget: names the size that bounds how often it happens.
    reuse: it makes a used-up element stand for a new thing, because there are only so many. A note for readers: every
        engine, and a proof too, takes such a step like any other.
    """

    def mark(function: Callable[..., None]) -> Action:
        name = function.__name__
        apart = None if fair_for is None else tuple(fair_for)
        known = list(inspect.signature(function).parameters)[1:]
        for one in apart or ():
            if one not in known:
                raise ModelError(f"`{name}` is fair for an unknown parameter `{one}`{nearest(one, known)}")
        if fairness is Fairness.NONE and (apart is not None or fair_with is not None):
            raise ModelError(f"`{name}` has no fairness (Fairness.NONE) that could be told apart or shared")
        return Action(
            function,
            parameters_of(function),
            fairness=fairness,
            budget=budget,
            name=name,
            reuse=reuse,
            fair_for=apart,
            fair_with=fair_with,
        )

    return mark(function) if function else mark


@overload
def fault(function: Callable[..., None], /) -> Action: ...
@overload
def fault(
    *, budget: str | None = ..., needs: typing.Mapping[str, int] | None = ...
) -> Callable[[Callable[..., None]], Action]: ...
def fault(
    function: Callable[..., None] | None = None,
    *,
    budget: str | None = None,
    needs: typing.Mapping[str, int] | None = None,
) -> Action | Callable[[Callable[..., None]], Action]:
    """Marks a function as a fault: it happens at most as often as its budget says (its own name, or ``budget``).

    needs: the sizes without which it can show nothing, ``{"submissions": 2}``; a matrix gives it at least these.
    """

    def mark(function: Callable[..., None]) -> Action:
        name = function.__name__
        parameters = parameters_of(function)
        return Action(function, parameters, True, Fairness.NONE, budget or name, name, needs=dict(needs or {}))

    return mark(function) if function else mark


def never_ends(st: Any) -> bool:
    """What a wanted end is in a model that declares none: no state."""
    return False


def require(condition: bool) -> None:
    """The guard of an action: where it is false the action cannot happen."""
    if not current().guard(condition, "require"):
        raise Disabled


def require_not_none(value: Held | None) -> Held:
    """The guard ``require(value is not None)``, and the value: ``holder = require_not_none(st.current[message])``."""
    require(value is not None)
    return value  # type: ignore[return-value]  # the guard is true here


def given(condition: bool) -> None:
    """The antecedent of a property: where it is false nothing is claimed. For ``leads_to``: what sets the clock."""
    mode = current()
    if not mode.skips_given and not mode.guard(condition, "given"):
        raise Vacuous


def forall(*sorts_then_body: Any) -> Any:
    """``forall(Message, lambda m: ...)``: true of every message (of every pair, with two sorts, and so on)."""
    return current().quantify(True, *_sorts_and_body("forall", sorts_then_body))


def exists(*sorts_then_body: Any) -> Any:
    """``exists(Scheduler, Message, lambda s, m: ...)``: true of some scheduler and message."""
    return current().quantify(False, *_sorts_and_body("exists", sorts_then_body))


def choose(options: type[Held], allowed: Callable[[Held], bool] | None = None) -> Held:
    """An element of a sort (a member of an enum, a record) for which ``allowed`` is true, in the middle of an action.

    Each possible choice makes a step of its own; where nothing can be chosen the action cannot happen.
    """
    record = record_kind(options)
    if record is not None:
        return typing.cast(Held, _chosen(current().records(record, allowed)))
    if not (is_sort(options) or (isinstance(options, type) and issubclass(options, Enum))):
        raise ModelError("expected choose(Sort) or choose(Sort, lambda element: ...), of a sort, an enum or a record")
    return typing.cast(Held, current().choose(options, allowed))


def choose_from(values: typing.Iterable[Held]) -> Held:
    """One of these values, which are all of one kind, in the middle of an action.

    Each value makes a step of its own; of nothing, the action cannot happen. Of a record each part is a choice.
    """
    if isinstance(values, type):
        return typing.cast(Held, current().choose(values, None))
    return typing.cast(Held, _chosen(list(values)))


def _chosen(values: list[Any]) -> Any:
    kinds = {record_kind(type(value)) for value in values}
    kind = kinds.pop() if len(kinds) == 1 else None
    if kind is None:
        return current().choose(values, None)
    parts = {}
    for name, _ in kind.parts:
        parts[name] = _chosen([getattr(value, name) for value in values])
        values = [value for value in values if getattr(value, name) == parts[name]]
    return kind.cls(**parts)


def first(sort: type[S]) -> S:
    """The first element of an ordered sort."""
    return typing.cast(S, current().element(_ordered("first", sort), 0))


def last(sort: type[S]) -> S:
    """The last element of an ordered sort."""
    return typing.cast(S, current().element(_ordered("last", sort), -1))


def _ordered(name: str, sort: Any) -> type[Sort]:
    if not is_sort(sort) or not sort.ordered:
        raise ModelError(f"`{name}` takes a sort that is ordered: class Node(Sort, ordered=True)")
    return sort


def _sorts_and_body(name: str, given: tuple[Any, ...]) -> tuple[tuple[type[Sort], ...], Callable[..., Any]]:
    *sorts, body = given or (None,)
    if not sorts or not all(is_sort(one) or record_kind(one) for one in sorts) or is_sort(body) or not callable(body):
        raise ModelError(f"expected {name}(Sort, ..., lambda element, ...: condition), of sorts and records")
    return tuple(sorts), body


def in_turn(*indices: int) -> int:
    """An ``init`` for a constant field: deals its values out in turn over the first index."""
    return indices[0]
