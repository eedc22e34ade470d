"""Holds every engine, and the prover, against a plain program on random models: `python -m bench.soundness --models N`.

Each model is written twice, for the language and as a program over a dictionary, and explored by both (see
tests/helpers/soundness). States, transitions, depth, verdicts and lengths of violations must be equal, and nothing
that is violated may be called proved. Exit status 1 where one differs: its seed writes the same model
again. ``--write`` keeps the numbers in bench/results/soundness.json, also when Ctrl-C ends the run.
"""

import argparse
import collections
import datetime
import functools
import json
import multiprocessing
import os
import platform
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.helpers.soundness.comparison import ENGINES, SYMMETRY, Outcome, compare

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Compares the models one by one, with progress on stderr."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=1_000, help="how many models")
    parser.add_argument("--seed", type=int, default=10_000, help="the first seed")
    parser.add_argument("--states", type=int, default=100, help="models with more states are left out")
    parser.add_argument(
        "--seconds", type=float, default=8.0, help="of processor time; models that take longer are left out"
    )
    parser.add_argument("--max-minutes", type=float, default=600.0, help="stop after so long")
    parser.add_argument("--prove-every", type=int, default=1, help="ask the prover about one in so many made for it")
    parser.add_argument("--compile-every", type=int, default=4, help="ask the compiled engine about one in so many")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--write", action="store_true", help="keep the numbers in bench/results/soundness.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:  # nothing of these models stays in the cache of compiled code
        os.environ["XDG_CACHE_HOME"] = scratch
        result = run(options)
    if options.write:
        path = ROOT / "bench" / "results" / "soundness.json"
        path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({key: value for key, value in result.items() if key != "constructs"}, indent=1))
    sys.exit(bool(result["differences"]))


def run(options: argparse.Namespace) -> dict[str, Any]:
    """What came of the models, up to the first limit or Ctrl-C."""
    began = time.monotonic()
    kinds: collections.Counter[str] = collections.Counter()
    engines: collections.Counter[str] = collections.Counter()
    used: collections.Counter[str] = collections.Counter()
    states = proved = 0
    differences: list[dict[str, Any]] = []
    left_out: list[int] = []
    # Processes are renewed, since solver and compiler keep memory of each model.
    with multiprocessing.get_context("fork").Pool(options.jobs, ignore_interrupts, maxtasksperchild=20) as pool:
        outcomes = pool.imap(functools.partial(one_of, options), range(options.models), chunksize=5)
        try:
            for number, one in enumerate(outcomes, 1):
                kinds[one.kind] += 1
                engines.update(one.compared)
                states, proved = states + one.states, proved + one.proved
                if one.kind == "agrees":
                    used.update(one.used)
                if one.kind == "differs":
                    differences.append({"seed": one.seed, "detail": one.detail})
                    print(f"\nseed {one.seed} differs: {one.detail}", file=sys.stderr)
                if one.kind == "slow":
                    left_out.append(one.seed)
                seconds = time.monotonic() - began
                shown = ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items()))
                left = seconds / number * (options.models - number)
                print(f"\r{number:,}/{options.models:,}: {shown}; {left / 60:.0f} min left ", end="", file=sys.stderr)
                if seconds > options.max_minutes * 60:
                    break
        except KeyboardInterrupt:
            pass
        pool.terminate()
    print(file=sys.stderr)
    return {
        "date": datetime.date.today().isoformat(),
        "machine": {"processors": os.cpu_count(), "python": platform.python_version()},
        "first_seed": options.seed,
        "models": sum(kinds.values()),
        "outcomes": dict(sorted(kinds.items())),
        "comparisons": dict(sorted(engines.items())),
        "states": states,
        "proved": proved,
        "seconds": round(time.monotonic() - began, 1),
        "slow_seeds": left_out,
        "differences": differences,
        "constructs": dict(sorted(used.items())),
    }


def ignore_interrupts() -> None:
    """Leaves Ctrl-C to the process that gathers the outcomes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def one_of(options: argparse.Namespace, number: int) -> Outcome:
    """What came of one model; a failure of the comparison itself is a difference, too."""
    seed = options.seed + number
    prove = number // 4 % options.prove_every == 0  # one in four is made for the prover
    try:
        return compare(seed, asked(number, options.compile_every), prove, options.states, options.seconds)
    except Exception as error:
        return Outcome(seed, "differs", f"{type(error).__name__}: {error}")


def asked(number: int, compile_every: int) -> tuple[str, ...]:
    """The engines for one model; the compiled one takes longest, and symmetry needs it a second time."""
    if number // 4 % compile_every:  # four models in a row, so that those made for the prover have their share
        return ENGINES[:2]
    return (*ENGINES, SYMMETRY) if number // 4 % (4 * compile_every) == 0 else ENGINES


if __name__ == "__main__":
    main()
