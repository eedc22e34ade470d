"""How soon the command line answers, and how fast plain exploration is: `python bench/launch.py [--json] [--write]`.

Each command runs as a whole process, in turn with the others, several times after a warm-up; medians are what to quote.
``--write`` keeps the numbers, with the machine and the date, in bench/results/launch.json.
"""

import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # in place of this folder, where platform.py is not the one of the standard library

COMMANDS = {
    "onceproof --help": ["--help"],
    "check plain-day (160 states)": ["check", "--quiet", "--engine", "plain", "specs/plain-day.yaml"],
    "check scheduler-failover (2,120 states)": [
        "check",
        "--quiet",
        "--engine",
        "plain",
        "specs/scheduler-failover.yaml",
    ],
    "check zombie-deletes (3,488 states, violated)": [
        "check",
        "--quiet",
        "--engine",
        "plain",
        "specs/zombie-deletes-with-old-receipt.yaml",
    ],
}


def launch(arguments: list[str], compiled: str) -> float:
    """Seconds of one launch; modules are compiled once, into a folder of their own, as they are for a user."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = compiled
    began = time.perf_counter()
    command = [sys.executable, "-m", "onceproof", *arguments]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return time.perf_counter() - began


def launches(runs: int) -> dict[str, float]:
    """The median seconds of each command, from its launch to its end."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as compiled:
        for run in range(runs + 1):
            for name, arguments in COMMANDS.items():
                seconds = launch(arguments, compiled)
                if run:
                    times[name].append(seconds)
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def rates(runs: int) -> dict[str, float]:
    """Distinct states a second of exploration alone, generated and by running the model's functions (medians)."""
    from onceproof.model.checker.explicit.graph import DirectStepper, explore
    from onceproof.model.checker.ground.python_code import GeneratedSystem
    from onceproof.model.language import build
    from onceproof.model.protocol.system import PROTOCOL

    small = build(PROTOCOL, PROTOCOL.configure({}, {}, {"scheduler_crash": 1}))
    large = build(PROTOCOL, PROTOCOL.configure({"submissions": 2}, {}, {"scheduler_pause": 1, "response_loss": 1}))
    found: dict[str, list[float]] = {}
    for _ in range(runs):
        for name, system, stepper in (
            ("plain engine, generated steps", large, GeneratedSystem(large)),
            ("direct engine, the model's functions", small, DirectStepper(small)),
        ):
            graph = explore(system, stepper)
            found.setdefault(f"{name} ({len(graph.states):,} states)", []).append(len(graph.states) / graph.seconds)
    return {name: statistics.median(values) for name, values in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    seconds, states = launches(options.runs), rates(options.runs)
    if options.write:
        machine = {"processors": os.cpu_count(), "python": sys.version.split()[0], "load_before": round(load, 1)}
        found = {"date": f"{datetime.date.today()}", "machine": machine, "seconds": seconds, "states_a_second": states}
        (ROOT / "bench" / "results" / "launch.json").write_text(json.dumps(found, indent=2) + "\n")
    if options.json:
        print(json.dumps({"seconds": seconds, "states_a_second": states}, indent=2))
        return
    for name, value in seconds.items():
        print(f"{name:50} {value:8.2f} s")
    for name, value in states.items():
        print(f"{name:50} {value:8,.0f} states/s")


if __name__ == "__main__":
    main()
