"""Values of a model's cells in the Informal Trace Format, both ways."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, assert_never

from onceproof.model.language.composites import AnyKind, Bag, Seq, Set
from onceproof.model.language.layout import Layout, State
from onceproof.model.language.sorts import Choice, Count, Flag, Index, Int, Maybe
from onceproof.model.language.value_kinds import OptionKind, RecordKind

ACTION, PICKS = "mbt::actionTaken", "mbt::nondetPicks"
NONE: dict[str, Any] = {"tag": "None", "value": {"#tup": []}}


def some(value: Any) -> dict[str, Any]:
    """The variant ``Some(value)``."""
    return {"tag": "Some", "value": value}


def encoded(layout: Layout, name: str, state: State) -> Any:
    """A field of a state: a value, or a map from elements to values."""
    cells = layout.cells[name]
    values = [_encoded(cell.kind, cell.show(state)) for cell in cells]
    if not cells[0].key:
        return values[0]
    keys = [cell.key.split(",") for cell in cells]
    return {
        "#map": [[key[0] if len(key) == 1 else {"#tup": key}, value] for key, value in zip(keys, values, strict=True)]
    }


def _encoded(kind: AnyKind, value: Any) -> Any:
    match kind:
        case Set(element=element):
            return {"#set": [_encoded(element, one) for one in value]}
        case Seq(element=element) | Bag(element=element):
            return [_encoded(element, one) for one in value]
        case RecordKind(_, parts):
            return {name: _encoded(inner, value[name]) for name, inner in parts}
        case OptionKind(inner):
            return NONE if value is None else some(_encoded(inner, value))
        case Maybe():
            return NONE if value is None else some(value)
        case Count() | Int():
            return {"#bigint": str(value)}
        case Flag() | Choice() | Index():
            return value
        case _:
            assert_never(kind)


def decoded(value: Any) -> Any:
    """A value of ITF as ``Layout.show`` has it."""
    if isinstance(value, list):
        return [decoded(one) for one in value]
    if isinstance(value, dict):
        if "#bigint" in value:
            return int(value["#bigint"])
        if "#set" in value:
            return [decoded(one) for one in value["#set"]]
        if "#map" in value:
            return {_key(key): decoded(inner) for key, inner in value["#map"]}
        if value.keys() == {"tag", "value"} and value["tag"] in ("Some", "None"):
            return decoded(unwrapped(value))
        return {name: decoded(inner) for name, inner in value.items()}
    return value


def unwrapped(value: Any) -> Any:
    """The value of ``Some(value)``; None for ``None``."""
    if not isinstance(value, dict):
        return value
    return value.get("value") if value.get("tag") == "Some" else None


def _key(key: Any) -> str:
    parts: Iterable[Any] = key["#tup"] if isinstance(key, dict) else [key]
    return ",".join(map(str, parts))
