"""What a state costs, by each way to explore, and what that makes of many nodes: the page docs/scaling.md.

    .venv/bin/python -m bench.scaling                # 5 million states
    .venv/bin/python -m bench.scaling --large        # and 25 million
    .venv/bin/python -m bench.scaling --write        # also bench/results/scaling.json and the tables of docs/scaling.md

Each way runs in a process of its own, one after the other. What is not measured is computed from what is, by
``on_nodes``: a formula for each resource, none of which was tried on more than one machine.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.explore import RESULTS, SPECS, machine

PAGE = Path(__file__).parent.parent / "docs" / "scaling.md"
WAYS = ("1 thread", "2 threads", "ray 1", "ray 2", "ray 4", "disk", "fingerprint")
NAMES = {
    "ray 1": "`--ray`, 1 partition",
    "ray 2": "`--ray`, 2 partitions",
    "ray 4": "`--ray`, 4 partitions",
    "disk": "`--disk`, in 256 MiB",
    "fingerprint": "`--fingerprint`, 2 threads",
}
# What a node is taken to be, and what rounds cost, for the figures on paper.
CORES = 16
NODE_MEMORY = 64 << 30
NETWORK = 1.25e9  # bytes a second of one node, in each direction: 10 Gbit/s
OBJECTS_A_SECOND = 7_200  # calls a second that one Ray driver makes (measured, shared/facts)
LEVELS = 60  # of a search: the specs here have 40 to 60
BARRIER = 0.015  # seconds that a level takes at least, in the median
MESSAGE = 6 << 20  # bytes of a full message
SCALES = ((10**10, 8), (10**11, 8), (10**11, 64), (10**11, 1000))


def measured(spec: str, way: str) -> dict[str, Any]:
    """One exploration in this process."""
    from onceproof.model.checker import compiled
    from onceproof.model.checker.partitioned.ray_cluster import ray_partitions
    from onceproof.model.language import build
    from onceproof.model.protocol.system import PROTOCOL

    sizes, budgets = SPECS[spec]
    system = build(PROTOCOL, PROTOCOL.configure(sizes, {}, budgets))
    claims = [claim for claim in system.properties() if claim.kind != "deadlock" and not claim.is_liveness]
    report: dict[str, Any] = {}
    kind, _, number = way.partition(" ")
    stored = 0
    if kind == "ray":
        with ray_partitions("local", int(number), None, None) as partitions:
            result = compiled.check(system, claims, partitions=partitions, report=report)
    elif kind == "disk":
        with tempfile.TemporaryDirectory() as folder:
            result = compiled.check(system, claims, disk=Path(folder), max_memory=256 << 20, report=report)
            stored = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
    elif kind == "fingerprint":
        result = compiled.check(system, claims, fingerprint=True, report=report)
    else:
        result = compiled.check(system, claims, workers=int(kind), report=report)
    states, seconds = result.states, report["search_seconds"]
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "spec": spec,
        "way": way,
        "states": states,
        "transitions": result.transitions,
        "depth": result.depth,
        "looked_up": report["looked_up"],
        "seconds": round(seconds, 3),
        "nanoseconds_a_state": round(seconds / states * 1e9, 1),
        "memory_bytes_a_state": round(report["bytes"] / states, 1),
        "disk_bytes_a_state": round(stored / states, 1),
        "wire_bytes_a_state": round(report.get("on_the_wire", 0) / states, 2),
        "rounds": report.get("rounds", 0),
        "peak_mib": usage.ru_maxrss // 1024,
    }


@dataclass(frozen=True)
class Figures:
    """What a search takes on so many nodes, in bytes and seconds, each resource by itself."""

    states: int
    nodes: int
    memory: float  # of a node
    disk: float  # of a node, where states are kept on disks
    compute: float
    network: float
    rounds: float  # the exchange of objects between all pairs of nodes
    barriers: float

    @property
    def seconds(self) -> float:
        """The time of all of it: messages travel while nodes compute; objects are passed on in between."""
        return max(self.compute, self.network) + self.rounds + self.barriers

    @property
    def breaks(self) -> str:
        """What ends it, or takes most of the time."""
        if self.memory > NODE_MEMORY:
            return "memory: `--disk` is needed on each node"
        costs = {"compute": self.compute, "network": self.network, "objects of the rounds": self.rounds}
        return max(costs, key=lambda name: costs[name])


def on_nodes(rows: list[dict[str, Any]], states: int, nodes: int) -> Figures:
    """From what was measured in one thread, over two partitions and on disk."""
    one, two, disk = (_largest(rows, way) for way in ("1 thread", "ray 2", "disk"))
    # half of what two partitions find belongs to the other one: with many nodes nearly all does
    wire = 2 * two["wire_bytes_a_state"] * (nodes - 1) / nodes
    share = states / nodes
    sent = wire * share
    # each round passes on a message for each pair of nodes, full or not
    exchanges = max(LEVELS, math.ceil(sent / nodes / MESSAGE))
    return Figures(
        states=states,
        nodes=nodes,
        memory=share * two["memory_bytes_a_state"],
        disk=share * disk["disk_bytes_a_state"],
        compute=share * one["nanoseconds_a_state"] / 1e9 / CORES,
        network=sent / NETWORK,
        rounds=exchanges * nodes**2 / OBJECTS_A_SECOND,
        barriers=LEVELS * BARRIER,
    )


def _largest(rows: list[dict[str, Any]], way: str) -> dict[str, Any]:
    return max((row for row in rows if row["way"] == way), key=lambda row: row["states"])


def tables(results: dict[str, Any]) -> dict[str, str]:
    """The tables of the page, by the names of their places in it."""
    rows, about = results["rows"], results["machine"]
    head = ["states", "way", "ns a state", "bytes in memory", "bytes on disk", "bytes on the wire", "rounds"]
    lines = [
        [
            f"{row['states']:,}",
            NAMES.get(row["way"], row["way"]),
            f"{row['nanoseconds_a_state']:.0f}",
            f"{row['memory_bytes_a_state']:.1f}",
            f"{row['disk_bytes_a_state']:.1f}" if row["disk_bytes_a_state"] else "",
            f"{row['wire_bytes_a_state']:.1f}" if row["wire_bytes_a_state"] else "",
            str(row["rounds"] or ""),
        ]
        for row in rows
    ]
    paper = [on_nodes(rows, states, nodes) for states, nodes in SCALES]
    figures = [
        [
            f"10^{round(math.log10(one.states))}",
            f"{one.nodes:,}",
            _bytes(one.memory),
            _bytes(one.disk),
            _seconds(one.compute),
            _seconds(one.network),
            _seconds(one.rounds),
            _seconds(one.seconds),
            one.breaks,
        ]
        for one in paper
    ]
    titles = ["states", "nodes", "memory", "or disk", "compute", "network", "objects", "together", "breaks first"]
    where = f"{about['processor']}, {about['cores']} cores, {about['date']}, load before {about['load_before']}"
    return {"measured": f"Measured on {where}.\n\n{_markdown(head, lines)}", "paper": _markdown(titles, figures)}


def _bytes(number: float) -> str:
    return f"{number / 2**30:,.0f} GiB" if number >= 2**30 else f"{number / 2**20:,.0f} MiB"


def _seconds(number: float) -> str:
    return (
        f"{number / 3600:,.1f} h" if number > 5400 else f"{number / 60:,.0f} min" if number > 90 else f"{number:.1f} s"
    )


def _markdown(head: list[str], rows: list[list[str]]) -> str:
    rule = ["---:" if number else "---" for number in range(len(head))]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def filled(page: str, results: dict[str, Any]) -> str:
    """The page with its tables made from the results."""
    for name, text in tables(results).items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, rest = page.split(begin)
        page = f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}"
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true", help="also a spec of 25 million states")
    parser.add_argument("--write", action="store_true", help="keep the results, and fill the tables of the page")
    parser.add_argument("--one", nargs=2, metavar=("SPEC", "WAY"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measured(*options.one)))
        return
    about, rows = machine(), []
    for spec in ("two-crashes", "all-twice")[: 1 + options.large]:
        for way in WAYS:
            command = [sys.executable, "-m", "bench.scaling", "--one", spec, way]
            rows.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
            print(json.dumps(rows[-1]), file=sys.stderr)
    results = {"machine": about, "rows": rows}
    for text in tables(results).values():
        print(text + "\n")
    if options.write:
        (RESULTS / "scaling.json").write_text(json.dumps(results, indent=1) + "\n")
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")


if __name__ == "__main__":
    main()
