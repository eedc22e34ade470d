"""A model checker for TLA+ that is not ours: `tla-checker`, a package of npm that Node.js runs. Installed on demand."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

VERSION = "0.9.0"
PLACE = Path(sys.prefix) / "npm" / f"tla-checker-{VERSION}"
PACKAGE = Path("node_modules") / "tla-checker"


@dataclass(frozen=True)
class Found:
    """What it says of a module: how many distinct states it saw, and the kind of error that it ended with, if any."""

    states: int
    error: str | None
    why: str | None


@functools.cache
def why_not() -> str:
    """Why it cannot be had on this machine; "" where it can."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "Node.js or npm is not on this machine"
    if not (PLACE / PACKAGE).exists():
        PLACE.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=PLACE.parent) as folder:
            command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder]
            command += ["--fetch-retries=1", "--fetch-timeout=20000", f"tla-checker@{VERSION}"]
            try:
                subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
            except subprocess.SubprocessError as error:
                return f"npm has no tla-checker for us: {error}"
            Path(folder, "done").mkdir()
            os.rename(Path(folder, "node_modules"), Path(folder, "done", "node_modules"))
            try:
                os.rename(Path(folder, "done"), PLACE)
            except OSError:  # another process was faster
                if not (PLACE / PACKAGE).exists():
                    raise
    return ""


def explored(modules: Iterable[tuple[str, str]], most: int = 1_000_000) -> Iterator[Found]:
    """What it says of each (module, configuration), in order; ``most``: distinct states of each, and no more."""
    script = Path(__file__).with_suffix(".mjs")
    command = ["node", str(script), str(PLACE / PACKAGE)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        for module, configuration in modules:
            asked = {"module": module, "configuration": configuration, "most": most}
            process.stdin.write(json.dumps(asked) + "\n")
            process.stdin.flush()
            yield Found(**json.loads(process.stdout.readline()))
        process.stdin.close()
    assert process.returncode == 0
