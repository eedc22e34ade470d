"""Machine code kept on disk by content: the text it was made from, the versions that made it, the processor.

A file that is damaged, or was made elsewhere, is not used but made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from onceproof.model.checker.deadline import in_time

FORMAT = "onceproof-2"
KEPT = 200  # machine code of so many models is kept, and of so many kernels; the longest unused go first


def folder() -> Path:
    """Where the cache is: under the user's cache directory (XDG_CACHE_HOME, or ~/.cache)."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "onceproof"


def machine_code(text: str) -> tuple[bytes, bool]:
    """The machine code of a model's functions, and whether it came from the cache."""

    def make() -> bytes:
        from onceproof.model.checker.compiled.llvm.object_code import to_object

        return to_object(text)

    return kept("models", version_of_kernels() + text, make)


def kept(kind: str, text: str, make: Callable[[], bytes]) -> tuple[bytes, bool]:
    """What ``make`` makes of ``text``, and whether it came from the cache; there it is next time."""
    from onceproof.model.checker.compiled.llvm.machine import description

    name = hashlib.sha256("\0".join([FORMAT, description(), text]).encode()).hexdigest()
    path = folder() / kind / f"{name[:40]}.o"
    with contextlib.suppress(OSError):
        content = path.read_bytes()
        if content[:32] == hashlib.sha256(content[32:]).digest():
            os.utime(path)
            return content[32:], True
    code = in_time(make)
    with contextlib.suppress(OSError):
        _write(path, hashlib.sha256(code).digest() + code)
        _forget_oldest(path.parent)
    return code, False


@lru_cache(maxsize=1)
def version_of_kernels() -> str:
    """What kernels are compiled from: all that stands beside this file."""
    sources = sorted(Path(__file__).parents[1].rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]


def clear() -> None:
    """Empties the cache."""
    shutil.rmtree(folder(), ignore_errors=True)


def _write(path: Path, content: bytes) -> None:
    """Writes a file as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    os.replace(file.name, path)


def _forget_oldest(place: Path) -> None:
    for path in sorted(place.glob("*.o"), key=lambda one: one.stat().st_mtime)[:-KEPT]:
        path.unlink(missing_ok=True)
