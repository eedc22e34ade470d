"""Machine code kept on disk by content: the text it was made from, the versions that made it, the processor.

A file that is damaged, or was made elsewhere, is not used but made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import shutil
import tempfile
from pathlib import Path
from typing import Any

FORMAT = "onceproof-1"
KEPT = 200  # machine code of so many models is kept; the longest unused go first


def folder() -> Path:
    """Where the cache is: under the user's cache directory (XDG_CACHE_HOME, or ~/.cache)."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "onceproof"


def machine_code(text: str) -> tuple[bytes, bool]:
    """The machine code of generated functions, and whether it came from the cache."""
    import llvmlite
    import llvmlite.binding as llvm

    from model.checker.compiled.lowering import to_object

    made_by = "\n".join([FORMAT, llvmlite.__version__, platform.machine(), llvm.get_host_cpu_name()])
    features = llvm.get_host_cpu_features().flatten()
    name = hashlib.sha256("\0".join([made_by, features, text]).encode()).hexdigest()
    path = folder() / "models" / f"{name[:40]}.o"
    with contextlib.suppress(OSError):
        content = path.read_bytes()
        if content[:32] == hashlib.sha256(content[32:]).digest():
            os.utime(path)
            return content[32:], True
    code = to_object(text)
    with contextlib.suppress(OSError):
        _write(path, hashlib.sha256(code).digest() + code)
        _forget_oldest(path.parent)
    return code, False


def use_for_numba() -> None:
    """Tells Numba to keep its machine code in the cache too (unless NUMBA_CACHE_DIR says where), after a check of it.

    Files that are not as they were written are removed, so that Numba compiles again.
    """
    config = _numba_config()
    if not config.CACHE_DIR:
        config.CACHE_DIR = str(folder() / "numba")
    with contextlib.suppress(OSError):
        if not _is_whole(Path(config.CACHE_DIR)):
            for path in _kernels(Path(config.CACHE_DIR)):
                path.unlink(missing_ok=True)


def seal_numba() -> None:
    """Notes what Numba's files are like now, for the next check."""
    config = _numba_config()
    with contextlib.suppress(OSError):
        place = Path(config.CACHE_DIR)
        _write(place / "onceproof.sha256", _digest(place).encode())


def clear() -> None:
    """Empties the cache."""
    shutil.rmtree(folder(), ignore_errors=True)


def _numba_config() -> Any:
    from numba import config

    return config


def _kernels(place: Path) -> list[Path]:
    return sorted(path for path in place.rglob("kernels.*") if path.suffix in (".nbi", ".nbc"))


def _digest(place: Path) -> str:
    digest = hashlib.sha256()
    for path in _kernels(place):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _is_whole(place: Path) -> bool:
    seal = place / "onceproof.sha256"
    return seal.read_text(encoding="ascii") == _digest(place) if seal.exists() else not _kernels(place)


def _write(path: Path, content: bytes) -> None:
    """Writes a file as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    os.replace(file.name, path)


def _forget_oldest(place: Path) -> None:
    files = sorted(place.glob("*.o"), key=lambda path: path.stat().st_mtime)
    for path in files[:-KEPT]:
        path.unlink(missing_ok=True)
