"""How fast exploration is, side by side: engines, workers, symmetry, sizes.

    .venv/bin/python -m bench.explore                   # specs of about 1.3 and 5 million states
    .venv/bin/python -m bench.explore --large           # and of 25 million
    .venv/bin/python -m bench.explore --huge            # and of 111 million, which take 3.3 GiB
    .venv/bin/python -m bench.explore --write           # also bench/results/explore.json and explore.svg

Every run is a process of its own, so that "launch to verdict" is what a user waits, with a cache that is new (first
launch) and with one that is not. Busy machines: compare the column of processor seconds.
"""

import argparse
import datetime
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
SPECS: dict[str, tuple[dict[str, int], dict[str, int]]] = {
    "small": ({"tasks": 2}, {"reply_loss": 1, "request_loss": 1}),
    "one-crash": ({"tasks": 2}, {"scheduler_crash": 1}),
    "crash-and-loss": ({"tasks": 2}, {"scheduler_crash": 1, "reply_loss": 1, "request_loss": 1}),
    "two-crashes": ({"tasks": 2}, {"scheduler_crash": 2, "reply_loss": 1}),
    "all-twice": ({"tasks": 2}, {"scheduler_crash": 2, "reply_loss": 2, "request_loss": 2}),
}
RUNS = [
    ("plain", 1, False),
    ("compiled", 1, False),
    ("compiled", 2, False),
    ("compiled", 2, True),
]


def explore(spec: str, engine: str, workers: int, symmetry: bool) -> dict[str, Any]:
    """One exploration in this process: all safety properties, to the end."""
    from onceproof.model.checker import compiled
    from onceproof.model.checker.explicit.engine import check
    from onceproof.model.language import build
    from onceproof.model.protocol.system import PROTOCOL

    sizes, budgets = SPECS[spec]
    system = build(PROTOCOL, PROTOCOL.configure(sizes, {}, budgets))
    claims = [claim for claim in system.properties() if claim.kind != "deadlock" and not claim.is_liveness]
    report: dict[str, Any] = {}
    if engine == "plain":
        result = check(system, claims)
    else:
        result = compiled.check(system, claims, workers=workers, symmetry=symmetry, report=report)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "spec": spec,
        "engine": engine,
        "workers": workers,
        "symmetry": result.symmetry,
        "states": result.states,
        "transitions": result.transitions,
        "looked_up": report.get("looked_up", result.transitions),
        "depth": result.depth,
        "verdict": result.verdict.value,
        "search_seconds": round(report.get("search_seconds", result.seconds), 3),
        "search_cpu_seconds": round(report.get("search_cpu_seconds", usage.ru_utime), 3),
        "bytes_per_state": round(report.get("bytes", usage.ru_maxrss * 1024) / result.states, 1),
        "peak_mib": usage.ru_maxrss // 1024,
    }


def launched(arguments: list[str], cache: str, state: str) -> dict[str, Any]:
    """One exploration in a process of its own, with the seconds from launch to verdict. state: of the cache."""
    command = [sys.executable, "-m", "bench.explore", "--one", *arguments]
    with tempfile.TemporaryDirectory() as empty:
        environment = {**os.environ, "XDG_CACHE_HOME": empty if state == "new" else cache}
        began = time.perf_counter()
        output = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
        seconds = time.perf_counter() - began
    row: dict[str, Any] = json.loads(output)
    row["cache"] = state
    row["launch_to_verdict_seconds"] = round(seconds, 2)
    row["states_per_second"] = round(row["states"] / max(row["search_seconds"], 1e-3))
    row["states_per_cpu_second"] = round(row["states"] / max(row["search_cpu_seconds"], 1e-3))
    row["transitions_per_second"] = round(row["transitions"] / max(row["search_seconds"], 1e-3))
    return row


def median(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Of several runs of the same the one in the middle, by what the search took."""
    return sorted(rows, key=lambda row: row["search_seconds"])[len(rows) // 2]


COLUMNS = {
    "spec": "spec",
    "engine": "engine",
    "workers": "workers",
    "cache": "cache",
    "states": "states",
    "transitions": "transitions",
    "looked_up": "looked up",
    "launch_to_verdict_seconds": "launch s",
    "search_seconds": "search s",
    "search_cpu_seconds": "cpu s",
    "states_per_second": "states/s",
    "states_per_cpu_second": "states/cpu s",
    "bytes_per_state": "bytes/state",
}


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as text, one line each."""
    lines = [list(COLUMNS.values())]
    for row in rows:
        row = {**row, "engine": row["engine"] + ("+symmetry" if row["symmetry"] != "none" else "")}
        lines.append([f"{row[c]:,}" if isinstance(row[c], int | float) else str(row[c]) for c in COLUMNS])
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def plot(rows: list[dict[str, Any]]) -> str:
    """Cost (search seconds) against size (states), both logarithmic, as SVG: a line for each way to run."""
    from math import log10

    def x(row: dict[str, Any]) -> float:
        return 60 + (log10(row["states"]) - 4) * 150

    def y(row: dict[str, Any]) -> float:
        return 300 - (log10(max(row["search_seconds"], 0.01)) + 2) * 60

    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["cache"] == "warm":
            name = f"{row['engine']}, {row['workers']} worker{'s' * (row['workers'] > 1)}"
            groups.setdefault(name + (", symmetry" if row["symmetry"] != "none" else ""), []).append(row)
    colours = ["#888888", "#1f77b4", "#d62728", "#2ca02c"]
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" width="760" height="360" font-family="sans-serif" font-size="12">'
    ]
    parts += [f'<text x="{60 + n * 150}" y="330">1e{n + 4} states</text>' for n in range(5)]
    parts += [f'<text x="5" y="{304 - n * 60}">{10.0 ** (n - 2):g} s</text>' for n in range(5)]
    for number, (name, found) in enumerate(groups.items()):
        colour = colours[number % len(colours)]
        found.sort(key=lambda row: row["states"])
        points = " ".join(f"{x(row):.0f},{y(row):.0f}" for row in found)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x(row):.0f}" cy="{y(row):.0f}" r="3" fill="{colour}"/>' for row in found]
        parts.append(f'<text x="70" y="{20 + number * 16}" fill="{colour}">{name}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def machine() -> dict[str, Any]:
    """What the numbers were measured on, and how busy it was."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
    return {
        "date": datetime.date.today().isoformat(),
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true", help="also the spec of 25 million states")
    parser.add_argument("--huge", action="store_true", help="also the specs of 25 and 111 million states")
    parser.add_argument("--runs", type=int, default=3, help="runs of each, of which the median counts (3)")
    parser.add_argument("--write", action="store_true", help="keep table and plot in bench/results")
    parser.add_argument("--one", nargs=4, metavar=("SPEC", "ENGINE", "WORKERS", "SYMMETRY"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        spec, engine, workers, symmetry = options.one
        print(json.dumps(explore(spec, engine, int(workers), symmetry == "True")))
        return
    about, rows = machine(), []
    left_out = {"two-crashes": not (options.large or options.huge), "all-twice": not options.huge}
    with tempfile.TemporaryDirectory() as cache:
        for spec in (spec for spec in SPECS if not left_out.get(spec)):
            for engine, workers, symmetry in RUNS:
                if (engine == "plain" and spec != "small") or (spec == "all-twice" and workers == 1):
                    continue
                arguments = [spec, engine, str(workers), str(symmetry)]
                states = ["warm"]
                if spec == "one-crash" and (engine, workers, symmetry) == ("compiled", 1, False):
                    states = ["new", "warm"]
                for state in states:
                    rows.append(median([launched(arguments, cache, state) for _ in range(options.runs)]))
                    print(table(rows[-1:]).splitlines()[-1], file=sys.stderr)
    print(table(rows))
    if options.write:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "explore.json").write_text(json.dumps({"machine": about, "rows": rows}, indent=1) + "\n")
        (RESULTS / "explore.svg").write_text(plot(rows))


if __name__ == "__main__":
    main()
