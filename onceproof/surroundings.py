"""What a process may meet around it: closed or ASCII-only streams, and a limit on its memory."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from collections.abc import Iterator
from importlib.abc import MetaPathFinder
from typing import Any

# How the characters of our reports are written where only ASCII can be.
PLAIN = str.maketrans(
    {
        "→": "->",
        **dict.fromkeys("─┄", "-"),
        "╌": ".",
        "│": "|",
        **dict.fromkeys("├┤┌└┐┘", "+"),
        "►": ">",
        "◄": "<",
        "●": "*",
        "✗": "x",
        "×": "x",
        "·": ".",
        "≤": "<=",
        "∞": "any",
        "…": "...",
    }
)
# Address space that libraries need, in bytes. They end the process where they do not get it, numpy's with status 1.
NEEDED = {"numpy": 130 * 2**20, "llvmlite": 350 * 2**20}
# How a dynamic linker and C libraries say that there is no memory left.
NO_MEMORY = ("failed to map segment", "cannot allocate memory", "std::bad_alloc", "unable to allocate")


def prepare() -> None:
    """Make what a report needs of its process true. Called once, before anything is printed or imported."""
    _open_descriptors()
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            setattr(sys, name, _readable(stream))
    sys.stderr = _Unfailing(sys.stderr)
    if memory_limit() is not None:
        # Each thread of a linear algebra library that is not used here would take a part of what is left.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        sys.meta_path.insert(0, _RoomForLibraries())


def out_of_memory(error: BaseException) -> bool:
    """Whether an error, or one that it came from, says that there is no memory."""
    for cause in _causes(error):
        if isinstance(cause, MemoryError) or (isinstance(cause, OSError) and cause.errno == errno.ENOMEM):
            return True
        if isinstance(cause, OSError | ImportError | RuntimeError):
            text = str(cause).lower()
            if any(words in text for words in NO_MEMORY):
                return True
    return False


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def memory_limit() -> int | None:
    """The limit on the address space of this process (``ulimit -v``), in bytes; None where there is none."""
    try:
        import resource
    except ImportError:  # not on this operating system
        return None
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if limit == resource.RLIM_INFINITY else limit


def memory_left() -> int | None:
    """How many bytes of address space are left under the limit; None where there is no limit."""
    limit = memory_limit()
    if limit is None:
        return None
    try:
        with open("/proc/self/statm", encoding="ascii") as numbers:
            return limit - int(numbers.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return limit


def _open_descriptors() -> None:
    """Give the three standard descriptors a file where they are closed: else the next file opened takes their place."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  # as long as the process


def _readable(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    """The stream, in which a character that its encoding does not have becomes one that is like it."""
    codecs.register_error("onceproof.plain", _plain)
    if codecs.lookup(stream.encoding).name != "ascii":
        stream.reconfigure(errors="onceproof.plain")
        return stream
    line_buffering = stream.line_buffering
    return _AsciiStream(stream.detach(), encoding="ascii", errors="onceproof.plain", line_buffering=line_buffering)


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(PLAIN)
    return text.encode("ascii", "replace").decode("ascii"), error.end


class _AsciiStream(io.TextIOWrapper):
    """A stream of ASCII characters, under a name of its own: click takes ``ascii`` for a mistake, and writes UTF-8."""

    encoding = "x-ascii"


class _Unfailing:
    """Standard error that drops what cannot be written: a message that nobody can read must not change the result."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text, or drop it."""
        try:
            return int(self._stream.write(text))
        except OSError:
            return len(text)

    def flush(self) -> None:
        """Flush what can be flushed."""
        try:
            self._stream.flush()
        except OSError:
            # What is left in the buffer would fail again when the interpreter ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _RoomForLibraries(MetaPathFinder):
    """Refuses to import a library whose memory is not there."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        """MemoryError where there is not enough room; else other finders go on."""
        needed = NEEDED.get(fullname)
        if needed is None:
            return
        left = memory_left()
        if left is not None and left < needed:
            raise MemoryError(f"{fullname} needs {needed // 2**20} MB")
