"""How long the proof for any size takes: a table per action, from launch to verdict, and certificates checked again.

    .venv/bin/python -m bench.prove                     # the full design, its certificate with z3 and cvc5
    .venv/bin/python -m bench.prove --without           # also each mechanism off (proofs alone, no search)
    .venv/bin/python -m bench.prove --write             # also bench/results/prove.json

"Launch to verdict" is a process of its own, as a user starts it. Busy machines: compare the processor seconds.
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
from collections import defaultdict
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def launched(*arguments: str) -> dict[str, Any]:
    """One command in a process of its own: its document, its wall seconds and its processor seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    command = [sys.executable, "-m", "onceproof", "prove", *arguments, "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not ran.stdout:
        sys.exit(ran.stderr)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"document": json.loads(ran.stdout), "status": ran.returncode, "wall": wall, "processor": spent}


def by_action(queries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each action: how many queries, milliseconds of all and of the slowest, how many conjuncts were used."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for query in queries:
        rows[query["action"] or "any state"].append(query)
    return [
        {
            "action": action,
            "queries": len(asked),
            "milliseconds": round(1000 * sum(query["seconds"] for query in asked), 2),
            "slowest": round(1000 * max(query["seconds"] for query in asked), 2),
            "uses": len({name for query in asked for name in query["uses"]}),
            "decidable": all(query["decidable"] for query in asked),
        }
        for action, asked in rows.items()
    ]


def table(headers: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Print a table in columns, numbers to the right."""
    text = [headers, *(tuple(map(str, row)) for row in rows)]
    widths = [max(len(row[column]) for row in text) for column in range(len(headers))]
    for row in text:
        cells = [
            cell.ljust(w) if n == 0 else cell.rjust(w) for n, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
    print()


def main() -> None:
    """Measure, print, and write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--without", action="store_true", help="each mechanism off, too")
    parser.add_argument("--write", action="store_true", help="write bench/results/prove.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        full = launched("--certificate", f"{folder}/certificate")
        checks = {s: launched("--verify", f"{folder}/certificate", "--solver", s) for s in ("z3", "cvc5")}
    document = full["document"]
    actions = by_action(document["queries"])
    headers = ("action", "queries", "ms", "slowest ms", "conjuncts used", "decidable")
    table(headers, [tuple(row.values()) for row in actions])
    slowest = max(query["seconds"] for query in document["queries"])
    rows: list[tuple[Any, ...]] = [("the proof and its certificate", len(document["queries"]), *_seconds(full))]
    rows += [(f"the certificate, by {s}", c["document"]["queries"], *_seconds(c)) for s, c in checks.items()]
    if options.without:
        from onceproof.model.protocol.system import PROTOCOL

        for name in PROTOCOL.switches:
            ran = launched("--without", name, "--search", "0")
            rows.append((f"without {name}: {_lost(ran['document'])}", len(ran["document"]["queries"]), *_seconds(ran)))
    table(("from launch to verdict", "queries", "seconds", "processor seconds"), rows)
    print(f"verdict: {document['verdict']}; slowest query {1000 * slowest:.1f} ms; ", end="")
    print(f"{document['kept_trivially']} pairs of action and claim need no query")
    if options.write:
        RESULTS.mkdir(exist_ok=True)
        machine = {"processors": os.cpu_count(), "python": platform.python_version(), "machine": platform.machine()}
        written = {
            "date": datetime.date.today().isoformat(),
            "machine": machine,
            "actions": actions,
            "launches": [dict(zip(("what", "queries", "seconds", "processor"), row, strict=True)) for row in rows],
        }
        (RESULTS / "prove.json").write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


def _seconds(ran: dict[str, Any]) -> tuple[str, str]:
    return f"{ran['wall']:.2f}", f"{ran['processor']:.2f}"


def _lost(document: dict[str, Any]) -> str:
    lost = [claim["name"] for claim in document["properties"] if claim["verdict"] != "proved"]
    return f"loses {', '.join(lost)}" if lost else "loses nothing"


if __name__ == "__main__":
    main()
