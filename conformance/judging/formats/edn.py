"""EDN, as far as histories of Jepsen use it: maps, vectors, lists, sets, keywords, strings, numbers, tagged values."""

from __future__ import annotations

import re
from typing import Any

TOKEN = re.compile(
    r"""[\s,]*(?:;[^\n]*\s*)*(?:(?P<open>\#?[{(\[])|(?P<close>[})\]])|(?P<string>"(?:\\.|[^"\\])*")"""
    r"""|(?P<tag>\#[\w.*+!?<>=/-]+)|(?P<atom>[^\s,"{}()\[\];]+))"""
)
NOTHING_MORE = re.compile(r"[\s,]*(?:;[^\n]*\s*)*")
ATOMS: dict[str, Any] = {"nil": None, "true": True, "false": False}


def parse(text: str) -> Any:
    """The first value in a text; ValueError where it is not EDN. Keywords become texts without their colon."""
    value, rest = _value(text, 0)
    if not NOTHING_MORE.fullmatch(text, rest):
        raise ValueError("more than one value in a line")
    return value


def _value(text: str, at: int) -> tuple[Any, int]:
    found = TOKEN.match(text, at)
    if found is None:
        raise ValueError("the value is cut off")
    at = found.end()
    if found["open"]:
        return _collection(text, at, found["open"])
    if found["close"]:
        raise ValueError(f"an unexpected `{found['close']}`")
    if found["string"]:
        return found["string"][1:-1].encode().decode("unicode_escape"), at
    if found["tag"]:
        return _value(text, at)  # the value itself: #jepsen.history.Op{...}, #inst "..."
    return _atom(found["atom"]), at


def _collection(text: str, at: int, opened: str) -> tuple[Any, int]:
    items: list[Any] = []
    while True:
        found = TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"a `{opened}` is not closed")
        if found["close"]:
            at = found.end()
            break
        item, at = _value(text, at)
        items.append(item)
    if opened == "{":
        if len(items) % 2:
            raise ValueError("a map with a key without a value")
        return {_hashable(key): value for key, value in zip(items[::2], items[1::2], strict=True)}, at
    return items, at


def _hashable(key: Any) -> Any:
    return tuple(key) if isinstance(key, list) else key


def _atom(text: str) -> Any:
    if text in ATOMS:
        return ATOMS[text]
    if text.startswith(":"):
        return text[1:]
    number = text.rstrip("NM")
    try:
        return int(number)
    except ValueError:
        pass
    try:
        return float(number)
    except ValueError:
        return text
