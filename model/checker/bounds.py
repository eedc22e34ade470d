"""Bounds of exploration (``@within``) in what engines report: their names, and what was never seen."""

from __future__ import annotations

from onceproof.model.language.system import System


def names_of_bounds(system: System) -> str:
    """The bounds of a system, for people: ``few_terms and short_logs``."""
    return " and ".join(bound.name for bound in system.bounds)


def never_seen(system: System, bounded: bool) -> str:
    """Why a ``sometimes`` that no state satisfies says nothing. bounded: whether states were left out."""
    return f"no state within {names_of_bounds(system)} satisfies it" if bounded else "no reachable state satisfies it"
