"""Values of a model's cells in the Informal Trace Format, both ways."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from onceproof.model.language.layout import Layout, Place, State
from onceproof.model.language.sorts import Count, Int, Maybe

ACTION, PICKS = "mbt::actionTaken", "mbt::nondetPicks"
NONE: dict[str, Any] = {"tag": "None", "value": {"#tup": []}}


def some(value: Any) -> dict[str, Any]:
    """The variant ``Some(value)``."""
    return {"tag": "Some", "value": value}


def encoded(layout: Layout, place: Place, state: State) -> Any:
    """A field of a state: a value, or a map from elements to values."""

    def cell(slot: int) -> Any:
        value = place.kind.show(state[slot])
        if isinstance(place.kind, Maybe):
            return NONE if value is None else some(value)
        return {"#bigint": str(value)} if isinstance(place.kind, Count | Int) else value

    if not place.shape:
        return cell(place.offset)
    keys = [[sort.element(i) for sort, i in zip(place.sorts, key, strict=True)] for key in place.all_indices()]
    pairs = [[key[0] if len(key) == 1 else {"#tup": key}, cell(place.offset + n)] for n, key in enumerate(keys)]
    return {"#map": pairs}


def decoded(value: Any) -> Any:
    """A value of ITF as ``Layout.show`` has it."""
    if isinstance(value, dict):
        if "#bigint" in value:
            return int(value["#bigint"])
        if "#map" in value:
            return {_key(key): decoded(inner) for key, inner in value["#map"]}
        if "tag" in value:
            return unwrapped(value)
    return value


def unwrapped(value: Any) -> Any:
    """The value of ``Some(value)``; None for ``None``."""
    if not isinstance(value, dict):
        return value
    return value.get("value") if value.get("tag") == "Some" else None


def _key(key: Any) -> str:
    parts: Iterable[Any] = key["#tup"] if isinstance(key, dict) else [key]
    return ",".join(map(str, parts))
