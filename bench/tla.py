"""Has the states of every spec counted by a TLA+ checker that is not ours: `python -m bench.tla [--most N] [--write]`.

Each spec is exported, and its module read by `tla-checker` (npm; see tests/model/checker/tla/tla_checker.py): the
number of distinct states must be that of `onceproof check --no-symmetry`. Exit status 1 where one differs. ``--write``
keeps the numbers in bench/results/tla.json.
"""

import argparse
import datetime
import json
import os
import platform
import sys
import time
from pathlib import Path

from onceproof.inputs.specs import load_specs
from onceproof.model.checker import compiled
from onceproof.model.checker.results import Limits
from onceproof.model.checker.tla.export import export
from tests.model.checker.tla import tla_checker
from tests.model.checker.tla.test_counted_by_tla_checker import COUNTING

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Prints a line for each spec, the smallest first."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=100_000, help="states; specs with more are left out")
    parser.add_argument("--write", action="store_true", help="keep the numbers in bench/results/tla.json")
    asked = parser.parse_args()
    if tla_checker.why_not():
        sys.exit(tla_checker.why_not())
    known = []
    for spec in load_specs([ROOT / "specs"]):
        result = compiled.check(spec.system, [], Limits(max_states=asked.most), symmetry=False)
        if result.complete and result.states <= asked.most:
            known.append((result.states, spec))
        else:
            print(f"{spec.name}: more than {asked.most:,} states, left out")
    known.sort(key=lambda pair: pair[0])
    modules = ((export(spec.system, spec.name, spec.properties)[0], COUNTING) for _, spec in known)
    rows, began = [], time.monotonic()
    print(f"{'spec':<50}{'onceproof':>10}{'tla-checker':>12}{'seconds':>9}")
    for (states, spec), found in zip(known, tla_checker.explored(modules, asked.most + 1), strict=True):
        seconds, began = time.monotonic() - began, time.monotonic()
        same = found.states == states and found.error is None
        print(
            f"{spec.name:<50}{states:>10,}{found.states:>12,}{seconds:>9.1f}  {'' if same else found.why or 'DIFFERS'}"
        )
        rows.append({"spec": spec.name, "onceproof": states, "tla_checker": found.states, "seconds": round(seconds, 2)})
    if asked.write:
        machine = {"processors": os.cpu_count(), "python": platform.python_version(), "checker": tla_checker.VERSION}
        kept = {"date": datetime.date.today().isoformat(), "machine": machine, "specs": rows}
        (ROOT / "bench" / "results" / "tla.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    sys.exit(any(row["onceproof"] != row["tla_checker"] for row in rows))


if __name__ == "__main__":
    main()
