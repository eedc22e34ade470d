"""What is installed comes before files of the user: their ``queue.py`` must not stand in for the standard library's.

This module imports nothing that a file could stand in for: ``os`` and ``sys`` are there before any search for modules.
"""

import os
import sys

_STANDARD = os.path.dirname(os.__file__)  # also above lib-dynload, and site-packages outside virtual environments
_ARCHIVE = f"python{sys.version_info[0]}{sys.version_info[1]}.zip"
_PACKAGES = ("site-packages", "dist-packages", _ARCHIVE)


def is_installed(entry: str) -> bool:
    """Whether an entry of ``sys.path`` holds the standard library or installed packages, and nothing else."""
    return f"{entry}/".startswith(f"{_STANDARD}/") or os.path.basename(entry) in _PACKAGES


class InstalledFirst:
    """A context in which imports find what is installed first, then what is in the user's folders and on PYTHONPATH.

    The user's entries keep their order. At the end ``sys.path`` is as it was, with what the body added or removed.
    """

    def __enter__(self) -> None:
        """Put what is installed first."""
        self._before = sys.path[:]
        prefer_installed()

    def __exit__(self, *raised: object) -> None:
        """Restore the order."""
        added = [entry for entry in sys.path if entry not in self._before]
        sys.path[:] = [entry for entry in self._before if entry in sys.path] + added


def prefer_installed() -> None:
    """Put what is installed first for the rest of the process: the command line does so, which owns its process."""
    # not in place: while a list is sorted it is empty for all others, and another thread may import something just then
    sys.path[:] = sorted(sys.path, key=lambda entry: not is_installed(entry))
