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
from functools import lru_cache
from pathlib import Path
from typing import Any

FORMAT = "onceproof-1"
MODELS_KEPT = 200  # machine code of so many models is kept; the longest unused go first
VERSIONS_KEPT = 4


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
        _forget_oldest(path.parent, "*.o", MODELS_KEPT)
    return code, False


def use_for_numba() -> None:
    """Tells Numba to keep its machine code in the cache too (or where NUMBA_CACHE_DIR says), after a check of it.

    Each version of the kernels has a folder of its own: Numba itself looks at the file of a function only, not at what
    it imports. Files that are not as they were written are removed, so that Numba compiles again.
    """
    config = _numba_config()
    place = Path(config.CACHE_DIR) if config.CACHE_DIR else folder() / "numba"
    version = f"onceproof-{_version_of_kernels()}"
    if place.name != version:
        place = _writable(place / version)
        config.CACHE_DIR = str(place)
        with contextlib.suppress(OSError):
            _forget_oldest(place.parent, "onceproof-*", VERSIONS_KEPT)
    with contextlib.suppress(OSError):
        if not _is_whole(place):
            for path in _kernels(place):
                path.unlink(missing_ok=True)


def _writable(place: Path) -> Path:
    """The folder, made if need be; where that cannot be, one that lasts as long as this process's temporary files."""
    with contextlib.suppress(OSError):
        place.mkdir(parents=True, exist_ok=True)
        if os.access(place, os.W_OK):
            return place
    return Path(tempfile.mkdtemp(prefix="onceproof-")) / place.name


@lru_cache(maxsize=1)
def _version_of_kernels() -> str:
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]


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
    return sorted(path for path in place.rglob("kernels*") if path.suffix in (".nbi", ".nbc"))


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


def _forget_oldest(place: Path, pattern: str, kept: int) -> None:
    for path in sorted(place.glob(pattern), key=lambda one: one.stat().st_mtime)[:-kept]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
