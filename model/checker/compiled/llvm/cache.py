"""Machine code kept on disk by content: the text it was made from, the versions that made it, the processor.

The code is run, so a file is used only if it is what it should be: its digest covers the code and what it was made
from, and neither it nor its folder belongs to, or can be written by, anybody but this user. Any other is made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from onceproof.model.checker.deadline import in_time

FORMAT = "onceproof-3"
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

    return cached("models", version_of_kernels() + text, make)


def cached(kind: str, text: str, make: Callable[[], bytes]) -> tuple[bytes, bool]:
    """What ``make`` makes of ``text``, and whether it came from the cache; there it is next time."""
    from onceproof.model.checker.compiled.llvm.machine import description

    key = hashlib.sha256("\0".join([FORMAT, description(), text]).encode()).hexdigest()
    path = folder() / kind / f"{key[:40]}.o"
    with contextlib.suppress(OSError):
        content = _trusted(path)
        if content[:32] == _digest(key, content[32:]):
            os.utime(path)
            return content[32:], True
    code = in_time(make)
    with contextlib.suppress(OSError):
        _write(path, _digest(key, code) + code)
        _forget_oldest(path.parent)
    return code, False


def _digest(key: str, code: bytes) -> bytes:
    """What stands before the code in its file: only this code, and only for this source, fits to it."""
    return hashlib.sha256(key.encode() + code).digest()


def _trusted(path: Path) -> bytes:
    """The content of a file that nobody but this user can have written; OSError for any other."""
    for place in (folder(), path.parent):
        _check_private(os.stat(place))
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW)) as file:
        _check_private(os.fstat(file.fileno()))
        return file.read()


def _check_private(found: os.stat_result) -> None:
    """PermissionError where others than this user own or may write what was found."""
    if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError


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
    for place in (folder(), path.parent):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_private(os.stat(place))
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    os.replace(file.name, path)


def _forget_oldest(place: Path) -> None:
    for path in sorted(place.glob("*.o"), key=lambda one: one.stat().st_mtime)[:-KEPT]:
        path.unlink(missing_ok=True)
