"""The process that outlives a storm: when the storm is gone, for whatever reason, it ends all that the storm started.

``python -m onceproof.conformance.storms.sweeper STORM``, with the ids of sessions on standard input, one a line. The
storm holds the other end of that pipe, and even after a kill -9 the kernel closes it.
"""

from __future__ import annotations

import contextlib
import sys

from onceproof.conformance.storms.process_table import end_all


def main() -> None:
    """Wait until the storm has gone, then end its processes."""
    sessions: set[int] = set()
    with contextlib.suppress(ValueError):
        for line in sys.stdin:
            sessions.add(int(line))
    sys.exit(1 if end_all(sys.argv[1], sessions) else 0)


if __name__ == "__main__":
    main()
