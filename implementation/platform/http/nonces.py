"""Nonces of signed requests, remembered in the data folder, so that a restart does not let a request in twice."""

import contextlib
import json
from pathlib import Path

REWRITE_AT = 10_000  # nonces, of which most have lapsed by then under steady traffic


class NonceFile:
    """Nonces by access key, each until a request with it would be too old anyway. For one process at a time.

    A nonce is on its way to the file before the request is served; it is not synced, so that a power failure, but no
    crash of a process, can forget the last ones. Where the file cannot be written, memory alone remembers.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.until: dict[tuple[str, str], float] = {}
        self.rewrite_at = REWRITE_AT
        with contextlib.suppress(OSError):
            self._load(path.read_text(encoding="utf-8", errors="replace"))

    def is_new(self, key: str, nonce: str, now: float, until: float) -> bool:
        """Whether the key has not used this nonce before; from now on it has, until then."""
        if self.until.get((key, nonce), -1.0) >= now:
            return False
        self.until[key, nonce] = until
        with contextlib.suppress(OSError):
            if len(self.until) >= self.rewrite_at:
                self._rewrite(now)
            else:
                self._append([((key, nonce), until)], "a")
        return True

    def _load(self, text: str) -> None:
        for line in text.splitlines():
            with contextlib.suppress(ValueError, TypeError):  # the last line may be torn
                key, nonce, until = json.loads(line)
                self.until[str(key), str(nonce)] = float(until)
        if text and not text.endswith("\n"):
            self._append([], "a", "\n")

    def _rewrite(self, now: float) -> None:
        self.until = {known: until for known, until in self.until.items() if until >= now}
        self.rewrite_at = max(REWRITE_AT, 2 * len(self.until))
        self._append(list(self.until.items()), "w")

    def _append(self, entries: list[tuple[tuple[str, str], float]], mode: str, before: str = "") -> None:
        with open(self.path, mode, encoding="utf-8") as file:
            file.write(before)
            file.writelines(json.dumps([key, nonce, until]) + "\n" for (key, nonce), until in entries)
