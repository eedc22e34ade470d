"""How a model's author marks what is claimed: ``@always``, ``@step``, ``@eventually``, ``@axiom`` and so on."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as attribute
from types import FunctionType
from typing import Any, overload

from onceproof.model.language.arguments import parameters_of
from onceproof.model.language.declare import Property, PropertyKind
from onceproof.model.language.errors import ModelError


@dataclass
class _PropertyMarker:
    """``@always``, ``@sometimes``, ``@eventually``, ``@ending`` and so on: bare, or with options."""

    kind: PropertyKind
    options: dict[str, Any] = attribute(default_factory=dict)

    @overload
    def __call__(self, function: Callable[..., Any], /) -> Property: ...
    @overload
    def __call__(
        self,
        *,
        when: Callable[[Any], bool] | None = ...,
        optional: bool = ...,
        invariant: str | None = ...,
        broken_by: tuple[str, ...] = ...,
    ) -> Callable[[Callable[..., Any]], Property]: ...
    def __call__(
        self,
        function: Callable[..., Any] | None = None,
        *,
        when: Callable[[Any], bool] | None = None,
        optional: bool = False,
        invariant: str | None = None,
        broken_by: tuple[str, ...] = (),
    ) -> Property | Callable[[Callable[..., Any]], Property]:
        """when: of which configurations it is asked (default: all); optional: only when a spec names it;
        invariant: the group of a conjunct of the inductive invariant (checked only when asked for);
        broken_by: the faults that make it false by what they are; a proof allows all the others."""

        def mark(function: Callable[..., Any]) -> Property:
            return Property(
                function,
                parameters_of(function, 2 if self.kind == "step" else 1),
                self.kind,
                when,
                optional or invariant is not None,
                invariant,
                function.__name__,
                broken_by=frozenset(broken_by),
            )

        return mark(function) if function else mark


always = _PropertyMarker("always")
step = _PropertyMarker("step")
sometimes = _PropertyMarker("sometimes")
eventually = _PropertyMarker("eventually")
leads_to = _PropertyMarker("leads_to")
infinitely_often = _PropertyMarker("infinitely_often")
stays = _PropertyMarker("stays")
ending = _PropertyMarker("ending")


@overload
def refines(abstract: Any, mapping: Callable[..., None], /) -> Property: ...
@overload
def refines(
    abstract: Any, /, *, when: Callable[[Any], bool] | None = ..., optional: bool = ...
) -> Callable[[Callable[..., None]], Property]: ...
def refines(
    abstract: Any,
    mapping: Callable[..., None] | None = None,
    /,
    *,
    when: Callable[[Any], bool] | None = None,
    optional: bool = False,
) -> Property | Callable[[Callable[..., None]], Property]:
    """Marks a function ``mapping(st, spec)`` as a refinement: it gives each state the state of an abstract model.

    Every step must be a step of the abstract model then, or leave its state as it is, and the start must be its start.
    abstract: a Model, or the module or class that declares one; when, optional: as of ``always``.
    """

    if isinstance(abstract, FunctionType | Property):
        raise ModelError(f"{_called(abstract)} is no abstract model: write @refines(Abstract) before a mapping")

    def mark(function: Callable[..., None]) -> Property:
        _check_mapping(function)
        return Property(function, (), "refines", when, optional, name=function.__name__, abstract=abstract)

    return mark(mapping) if mapping is not None else mark


def _called(found: Any) -> str:
    """How a message calls what is not as it should be."""
    name = getattr(found, "__name__", "") or getattr(found, "name", "")
    return f"`{name}`" if name else repr(found)


def _check_mapping(function: Callable[..., None]) -> None:
    """ModelError for a mapping that is no function, or does not take just the two states."""
    if not isinstance(function, FunctionType):
        raise ModelError(f"a mapping is a function, with one @refines(Abstract) before it, and not {_called(function)}")
    parameters = [*inspect.signature(function).parameters.values()]
    plain = all(one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for one in parameters)
    if len(parameters) != 2 or not plain:
        raise ModelError(
            f"`{function.__name__}` is the mapping of a refinement and needs just two parameters, the state of this "
            f"model and that of the abstract one: {function.__name__}(st, spec)"
        )


def until(
    goal: Callable[..., bool],
    /,
    *,
    weak: bool = False,
    when: Callable[[Any], bool] | None = None,
    optional: bool = False,
) -> Callable[[Callable[..., Any]], Property]:
    """Marks a function as a condition that stays true until ``goal`` is, which comes at some time.

    Where the function says ``given(...)``, that is asked from each state in which this is true; without it, from the
    start. goal: a function of the same parameters. weak: it need not come, if only the condition stays true for ever.
    """
    if isinstance(goal, Property) or not callable(goal):
        raise ModelError("@until takes the condition that ends it: @until(lambda st, task: st.done[task])")

    def mark(function: Callable[..., Any]) -> Property:
        parameters = parameters_of(function)
        wanted, taken = (list(inspect.signature(one).parameters) for one in (function, goal))
        if len(taken) != len(wanted):
            same = ", ".join(["st", *wanted[1:]])
            raise ModelError(f"what ends `{function.__name__}` takes the same parameters, ({same}), not {len(taken)}")
        return Property(function, parameters, "until", when, optional, name=function.__name__, goal=goal, weak=weak)

    return mark


@overload
def within(function: Callable[..., Any], /) -> Property: ...
@overload
def within(*, when: Callable[[Any], bool] | None = ...) -> Callable[[Callable[..., Any]], Property]: ...
def within(
    function: Callable[..., Any] | None = None, *, when: Callable[[Any], bool] | None = None
) -> Property | Callable[[Callable[..., Any]], Property]:
    """Marks a function as a bound of exploration: from a state in which it is false no step is taken.

    Such a state is judged like any other. Where there is one, all verdicts say "within" the bound.
    when: in which configurations it counts (default: all).
    """

    def mark(function: Callable[..., Any]) -> Property:
        return Property(function, parameters_of(function), "within", when, name=function.__name__)

    return mark(function) if function else mark


def axiom(function: Callable[..., Any], /) -> Property:
    """Marks a function as a law about constants: any two quorums share a node, an order is total, a ring closes.

    It may read constant fields only. Every instance that is explored, walked or replayed must satisfy it (an error
    names the axiom and the elements otherwise), and a proof for any size assumes it.
    """
    return Property(function, parameters_of(function), "axiom", name=function.__name__)
