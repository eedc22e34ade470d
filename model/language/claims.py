"""How a model's author marks what is claimed: ``@always``, ``@eventually``, ``@ending``, ``@axiom`` and so on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any, overload

from onceproof.model.language.declare import Property, PropertyKind, parameters_of


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
                parameters_of(function),
                self.kind,
                when,
                optional or invariant is not None,
                invariant,
                function.__name__,
                broken_by=frozenset(broken_by),
            )

        return mark(function) if function else mark


always = _PropertyMarker("always")
sometimes = _PropertyMarker("sometimes")
eventually = _PropertyMarker("eventually")
leads_to = _PropertyMarker("leads_to")
infinitely_often = _PropertyMarker("infinitely_often")
stays = _PropertyMarker("stays")
ending = _PropertyMarker("ending")


def axiom(function: Callable[..., Any], /) -> Property:
    """Marks a function as a law about constants: any two quorums share a node, an order is total, a ring closes.

    It may read constant fields only. Every instance that is explored, walked or replayed must satisfy it (an error
    names the axiom and the elements otherwise), and a proof for any size assumes it.
    """
    return Property(function, parameters_of(function), "axiom", name=function.__name__)
