"""What a setting may be: its kind and its range, checked where it is read, before anything starts.

A rule has `check(value)`, which returns the value in its right type or raises Wrong; `parsed(text)` is the same for
the text of an environment variable. Wrong says which part of the value it is about, so that the message names the key.
"""

import difflib
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


class Wrong(Exception):
    """A value is not what its rule expects. path: the keys from the setting to the part that is wrong."""

    def __init__(self, problem: str, path: tuple[str, ...] = (), at_key: bool = False) -> None:
        super().__init__(problem)
        self.problem = problem
        self.path = path
        self.at_key = at_key  # it is the last key of the path that is wrong, not its value

    def below(self, key: str) -> "Wrong":
        """The same, seen from one level further out."""
        return Wrong(self.problem, (key, *self.path), self.at_key)


def shown(value: Any) -> str:
    """A value as messages quote it."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def mismatch(value: Any, expected: str) -> Wrong:
    """The usual complaint."""
    return Wrong(f"found {shown(value)}, expected {expected}")


def unknown_name(name: Any, known: Iterable[str], what: str) -> str:
    """That there is no such name, with the nearest one that there is, or all."""
    names = list(known)
    near = difflib.get_close_matches(str(name), names, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}"
    return f"no {what} is called {name!r}; {hint}"


@dataclass(frozen=True)
class Number:
    """A number from low to high; above: low itself is too low. whole: without a fraction."""

    low: float
    high: float
    above: bool = False
    whole: bool = False

    def check(self, value: Any) -> Any:
        """The value as int or float."""
        fits = isinstance(value, int) if self.whole else isinstance(value, int | float)
        if isinstance(value, bool) or not fits:
            raise mismatch(value, self.expected())
        too_low = value <= self.low if self.above else value < self.low
        if (isinstance(value, float) and not math.isfinite(value)) or too_low or value > self.high:
            raise mismatch(value, self.expected())
        return value if self.whole else float(value)

    def parsed(self, text: str) -> Any:
        """The number that a text says."""
        try:
            return self.check(int(text) if self.whole else float(text))
        except ValueError:
            raise mismatch(text, self.expected()) from None

    def expected(self) -> str:
        """The kind and the range, in words."""
        kind = "a whole number" if self.whole else "a number"
        return (
            f"{kind} {'above' if self.above else 'from'} {self.low:.15g} {'and at most' if self.above else 'to'} "
            + (f"{self.high:.15g}")
        )


@dataclass(frozen=True)
class Text:
    """A text that a pattern matches as a whole. expected: what that is, in words."""

    pattern: str = r"[^\x00]+"
    expected: str = "a text that is not empty"

    def check(self, value: Any) -> Any:
        """The text."""
        if not isinstance(value, str) or not re.fullmatch(self.pattern, value):
            raise mismatch(value, self.expected)
        return value

    def parsed(self, text: str) -> Any:
        """The text."""
        return self.check(text)


@dataclass(frozen=True)
class Secret(Text):
    """A text that no message quotes."""

    def check(self, value: Any) -> Any:
        """The text."""
        try:
            return super().check(value)
        except Wrong:
            found = f"{len(value)} characters" if isinstance(value, str) else f"a {type(value).__name__}"
            raise Wrong(f"found {found}, expected {self.expected}") from None


@dataclass(frozen=True)
class Choice:
    """One of some values."""

    values: tuple[Any, ...]

    def check(self, value: Any) -> Any:
        """The value."""
        if isinstance(value, bool) or value not in self.values:
            raise mismatch(value, f"one of {', '.join(map(str, self.values))}")
        return value

    def parsed(self, text: str) -> Any:
        """The value that a text says."""
        return self.check(next((value for value in self.values if str(value) == text), text))


@dataclass(frozen=True)
class Known:
    """A text that a predicate knows; expected() says what that is."""

    knows: Callable[[str], bool]
    expected: Callable[[], str]

    def check(self, value: Any) -> Any:
        """The text."""
        if not isinstance(value, str) or not self.knows(value):
            raise mismatch(value, self.expected())
        return value

    def parsed(self, text: str) -> Any:
        """The text."""
        return self.check(text)


@dataclass(frozen=True)
class Listed:
    """A list of texts, each as the rule says; an environment variable has commas between them."""

    each: Text

    def check(self, value: Any) -> Any:
        """The list."""
        if not isinstance(value, list):
            raise mismatch(value, "a list")
        return [self.each.check(one) for one in value]

    def parsed(self, text: str) -> Any:
        """The texts between commas."""
        return self.check([part.strip() for part in text.split(",")] if text else [])


@dataclass(frozen=True)
class Named:
    """A mapping with names of the user's choice (as the rule for keys says) to mappings with known names."""

    key: Text
    entries: Mapping[str, Any]
    required: tuple[str, ...]
    what: str

    def check(self, value: Any) -> Any:
        """The mapping."""
        if not isinstance(value, dict):
            raise mismatch(value, "names with values")
        checked = {}
        for name, entry in value.items():
            try:
                self.key.check(name)
            except Wrong as wrong:
                raise Wrong(wrong.problem, (str(name),), True) from None
            checked[name] = self._entry(str(name), entry)
        return checked

    def _entry(self, name: str, entry: Any) -> dict[str, Any]:
        if not isinstance(entry, dict):
            raise mismatch(entry, f"names with values ({', '.join(self.entries)})").below(name)
        for part in entry:
            if part not in self.entries:
                raise Wrong(unknown_name(part, self.entries, self.what), (name, str(part)), True)
        for part in self.required:
            if part not in entry:
                raise Wrong(f"there is no `{part}`", (name,), True)
        checked = {}
        for part, value in entry.items():
            try:
                checked[part] = self.entries[part].check(value)
            except Wrong as wrong:
                raise wrong.below(part).below(name) from None
        return checked

    def parsed(self, text: str) -> Any:
        """The mapping that a JSON text says."""
        try:
            return self.check(json.loads(text))
        except (ValueError, RecursionError):
            raise Wrong("it is not JSON, expected names with values, as a JSON object") from None
