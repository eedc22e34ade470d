"""What agreed once, remembered by its content: the readings, the functions' code, and the language itself."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields as parts_of_record
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from onceproof.model.language.declare import Action, Property
from onceproof.model.language.layout import Layout
from onceproof.model.language.model import Config
from onceproof.model.language.reading.reader import Reader
from onceproof.model.language.reading.result import ActionReading, PropertyReading
from onceproof.model.language.sharing import Shared

FOLDER = "agreements"


def recall(
    config: Config,
    layout: Layout,
    readings: Sequence[ActionReading | PropertyReading],
    functions: Sequence[FunctionType],
) -> str | None:
    """None if these readings agreed before; else what to ``remember`` them by."""
    content = _content(config, layout, readings, functions)
    with contextlib.suppress(OSError, RuntimeError):
        if (_folder() / content).exists():
            return None
    return content


def remember(content: str) -> None:
    """Notes that what has this content agreed, where notes can be kept."""
    with contextlib.suppress(OSError, RuntimeError):
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            pass
        os.replace(file.name, folder / content)


def _folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "onceproof" / FOLDER


def _content(
    config: Config,
    layout: Layout,
    readings: Sequence[ActionReading | PropertyReading],
    functions: Sequence[FunctionType],
) -> str:
    texts = _Texts()
    for reading in readings:
        texts.add(reading)
    places = [(p.name, p.offset, p.shape, p.cardinality) for p in layout.places.values()]
    # The switches and parameters, too: a reading that misses one is the same whether it is on or off.
    switched = sorted(config.switches.items()), sorted(config.parameters.items())
    head = repr((sys.version, _version_of_language(), places, layout.initial, switched))
    codes = [
        repr((c.co_code, c.co_names, [k for k in c.co_consts if not isinstance(k, CodeType)]))
        for function in functions
        for c in _codes(function.__code__)
    ]
    return sha256("\n".join([head, *codes, *texts.lines]).encode()).hexdigest()[:40]


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The code of a function, and of those inside it."""
    yield code
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from _codes(one)


def fields_named(function: Callable[..., Any], read: Iterable[FunctionType]) -> set[str]:
    """The names that a function uses, or a function that was read and has such a name: its fields are among them."""
    helpers: dict[str, list[FunctionType]] = {}
    for one in read:
        helpers.setdefault(one.__name__, []).append(one)
    found: set[str] = set()
    waiting = [function.__code__]
    while waiting:
        for code in _codes(waiting.pop()):
            texts = [one for one in code.co_consts if isinstance(one, str)]
            for name in {*code.co_names, *code.co_freevars, *texts} - found:
                found.add(name)
                waiting += [helper.__code__ for helper in helpers.get(name, ())]
    return found


class _Texts:
    """Readings as lines of text, each shared term once."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.numbers: dict[Any, int] = {}

    def add(self, value: Any) -> str:
        """The text of a value; of a term, its number."""
        if isinstance(value, Shared):
            if value not in self.numbers:
                line = f"{type(value).__name__} " + " ".join(
                    self.add(getattr(value, one.name))
                    for one in parts_of_record(value)  # type: ignore[arg-type]
                )
                self.numbers[value] = len(self.lines)
                self.lines.append(line)
            return f"#{self.numbers[value]}"
        if isinstance(value, tuple):
            return "(" + " ".join(map(self.add, value)) + ")"
        if isinstance(value, Action | Property):
            return value.name
        if hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
            inner = " ".join(self.add(getattr(value, one.name)) for one in parts_of_record(value))
            text = f"{type(value).__name__}[{inner}]"
            if isinstance(value, ActionReading | PropertyReading):
                self.lines.append(text)
            return text
        if isinstance(value, frozenset):
            return repr(sorted(value))
        return value.__qualname__ if isinstance(value, type) else repr(value)


@lru_cache(maxsize=1)
def _version_of_language() -> str:
    """What the readings depend on, the language itself and this net, by the sizes and times of their files."""
    language = Path(sys.modules[Reader.__module__].__file__ or "").parents[1]
    files = [*sorted(language.rglob("*.py")), *sorted(Path(__file__).parent.glob("*.py"))]
    return repr([(path.name, one.st_size, one.st_mtime_ns) for path in files for one in [path.stat()]])
