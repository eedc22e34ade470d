"""The page of the spec library, ``specs/README.md``: each story in two sentences, with what its check found.

``python -m onceproof.reports.spec_library specs`` checks every spec of the folder and prints the page; a
test keeps it true.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from onceproof.inputs.specs import Spec, load_specs
from onceproof.model.checker.engines import check
from onceproof.reports.check_outcome import Outcome

HEAD = """# The spec library

Each file is a story: what is switched off, what may go wrong, and what an exhaustive check must find. This page is made
by `python -m onceproof.reports.spec_library specs > specs/README.md`, and a test keeps it true. Where a mechanism is
off and a property breaks, the twin with the mechanism on holds under the same faults.
"""


def checked(spec: Spec) -> Outcome:
    """The outcome of checking a spec to the end."""
    return Outcome(spec, check(spec.system, spec.properties if spec.chosen else None))


def story(outcome: Outcome, library: Sequence[Spec]) -> str:
    """The section of one spec: its story, what was found, and how large it is."""
    spec, result = outcome.spec, outcome.result
    about = " ".join(spec.about.split())
    size = f"{result.states:,} states, {result.transitions:,} transitions, depth {result.depth}."
    return f"### [{spec.name}]({spec.path.name})\n{about} {_found(outcome, library)}\n\n*{size}*\n"


def _found(outcome: Outcome, library: Sequence[Spec]) -> str:
    spec, trouble = outcome.spec, _trouble(outcome.spec)
    off = [name for name, on in spec.config.switches.items() if not on]
    without = f", with {_names(off)} off" if off else ""
    counterexample = outcome.counterexample
    if counterexample is None:
        return f"Every property checked holds under {trouble}{without}."
    trace = counterexample.trace
    way = "a run without end" if trace.loop is not None else f"{len(trace)} steps"
    if trace.loop is not None:
        way += f", its stem of {trace.loop} steps and its loop of {len(trace) - trace.loop}"
    sentence = f"`{counterexample.property}` breaks under {trouble}{without}: in {way}"
    twin = twin_of(spec, library)
    return f"{sentence}; with all on it holds: [{twin.name}]({twin.path.name})." if twin else f"{sentence}."


def _trouble(spec: Spec) -> str:
    faults = [f"`{name}`" + ("" if n == 1 else f" ×{n or '∞'}") for name, n in spec.config.budgets.items() if n != 0]
    return " and ".join(faults) if faults else "no fault at all"


def _names(names: Sequence[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)


def twin_of(spec: Spec, library: Sequence[Spec]) -> Spec | None:
    """The spec that differs only in having every mechanism on, and holds; None for one that is its own twin."""
    if all(spec.config.switches.values()):
        return None
    for other in library:
        same_faults = other.config.budgets == spec.config.budgets
        same_sizes = {**other.config.sizes, "messages": 0} == {**spec.config.sizes, "messages": 0}
        if same_faults and same_sizes and all(other.config.switches.values()) and not other.expect.violated:
            return other
    return None


def page(outcomes: Sequence[Outcome]) -> str:
    """The whole page: an index by mechanism, one by fault, and the stories."""
    library = [outcome.spec for outcome in outcomes]
    parts = [HEAD, "## By mechanism\n", mechanisms(library), "## By fault, in the full design\n", faults(library)]
    return "\n".join([*parts, "## The stories\n", *(story(outcome, library) for outcome in outcomes)])


def mechanisms(library: Sequence[Spec]) -> str:
    """The table of mechanisms: what is told of each being off."""
    rows = ["| mechanism off | what is found |", "|---|---|"]
    for name in library[0].model.switches:
        told = [spec for spec in library if not spec.config.switches[name]]
        rows.append(f"| `{name}` | {'; '.join(_entry(spec) for spec in told)} |")
    return "\n".join(rows) + "\n"


def faults(library: Sequence[Spec]) -> str:
    """The table of faults: what is told of each alone, with every mechanism on."""
    rows = ["| fault | what is found |", "|---|---|"]
    for name in library[0].model.faults:
        told = [s for s in library if all(s.config.switches.values()) and s.config.budgets[name] != 0]
        alone = [s for s in told if sum(n != 0 for n in s.config.budgets.values()) == 1]
        rows.append(f"| `{name}` | {'; '.join(_entry(spec) for spec in alone)} |")
    return "\n".join(rows) + "\n"


def _entry(spec: Spec) -> str:
    broken = spec.expect.violated
    found = f"`{broken[0]}` breaks" if broken else "holds"
    return f"{found}: [{spec.name}]({spec.path.name})"


def main(arguments: Sequence[str]) -> None:
    """Prints the page of the folder named by the only argument."""
    outcomes = [checked(spec) for spec in load_specs([Path(arguments[0])])]
    print(page(outcomes), end="")


if __name__ == "__main__":
    main(sys.argv[1:])
