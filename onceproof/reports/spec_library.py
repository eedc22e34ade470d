"""The page of the spec library, ``specs/README.md``: each scenario in two sentences, with what its check found.

``python -m onceproof.reports.spec_library specs`` checks every spec of the folder and prints the page; a test keeps
it up to date.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from onceproof.inputs.specs import Spec, load_specs
from onceproof.model.checker.engines import check
from onceproof.reports.check_outcome import Outcome

HEAD = """# The spec library

Each file is a scenario: what is switched off, what may go wrong, and what an exhaustive check must find. This page is
written by `python -m onceproof.reports.spec_library specs > specs/README.md`, and a test keeps it up to date. Where a
mechanism is off and a property is violated, the same scenario with the mechanism on holds under the same faults.
"""


def checked(spec: Spec) -> Outcome:
    """The outcome of checking a spec to the end."""
    return Outcome(spec, check(spec.system, spec.properties))


def section(outcome: Outcome, library: Sequence[Spec]) -> str:
    """The section of one spec: what it is about, what was found, and how large it is."""
    spec, result = outcome.spec, outcome.result
    about = " ".join(spec.about.split())
    size = f"{result.states:,} states, {result.transitions:,} transitions, depth {result.depth}."
    return f"### [{spec.name}]({spec.path.name})\n{about} {_found(outcome, library)}\n\n*{size}*\n"


def _found(outcome: Outcome, library: Sequence[Spec]) -> str:
    spec, under = outcome.spec, _faults(outcome.spec)
    off = [name for name, on in spec.config.switches.items() if not on]
    without = f", with {_names(off)} off" if off else ""
    counterexample = outcome.counterexample
    if counterexample is None:
        return f"Every property checked holds {under}{without}."
    trace = counterexample.trace
    way = f"in {len(trace)} steps"
    if trace.loop is not None:
        loop = len(trace) - trace.loop
        end = f"and a loop of {loop}" if loop else "after which nothing more happens"
        way = f"by an infinite run (a stem of {trace.loop} steps {end})"
    sentence = f"`{counterexample.property}` is violated {under}{without}, {way}"
    twin = twin_of(spec, library)
    return f"{sentence}; with every mechanism on it holds: [{twin.name}]({twin.path.name})." if twin else f"{sentence}."


def _faults(spec: Spec) -> str:
    faults = [f"`{name}`" + ("" if n == 1 else f" ×{n or '∞'}") for name, n in spec.config.budgets.items() if n != 0]
    return f"under {' and '.join(faults)}" if faults else "without any fault"


def _names(names: Sequence[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)


def twin_of(spec: Spec, library: Sequence[Spec]) -> Spec | None:
    """The spec that differs only in having every mechanism on, and holds; None if all are on already."""
    if all(spec.config.switches.values()):
        return None
    for other in library:
        same_faults = other.config.budgets == spec.config.budgets
        same_sizes = {**other.config.sizes, "messages": 0} == {**spec.config.sizes, "messages": 0}
        judged = set(spec.expect.violated) <= {claim.name for claim in other.properties}
        if same_faults and same_sizes and judged and all(other.config.switches.values()) and not other.expect.violated:
            return other
    return None


def page(outcomes: Sequence[Outcome]) -> str:
    """The whole page: an index by mechanism, one by fault, and the scenarios."""
    library = [outcome.spec for outcome in outcomes]
    parts = [HEAD, "## By mechanism\n", mechanisms(library), "## By fault, in the full design\n", faults(library)]
    return "\n".join([*parts, "## The scenarios\n", *(section(outcome, library) for outcome in outcomes)])


def mechanisms(library: Sequence[Spec]) -> str:
    """The table of mechanisms: the specs with each one off."""
    rows = ["| mechanism off | what is found |", "|---|---|"]
    for name in library[0].model.switches:
        found = [spec for spec in library if not spec.config.switches[name]]
        rows.append(f"| `{name}` | {'; '.join(_entry(spec) for spec in found)} |")
    return "\n".join(rows) + "\n"


def faults(library: Sequence[Spec]) -> str:
    """The table of faults: the specs with each one alone and every mechanism on."""
    rows = ["| fault | what is found |", "|---|---|"]
    for name in library[0].model.faults:
        found = [s for s in library if all(s.config.switches.values()) and s.config.budgets[name] != 0]
        alone = [s for s in found if sum(n != 0 for n in s.config.budgets.values()) == 1]
        rows.append(f"| `{name}` | {'; '.join(_entry(spec) for spec in alone)} |")
    return "\n".join(rows) + "\n"


def _entry(spec: Spec) -> str:
    broken = spec.expect.violated
    found = f"`{broken[0]}` is violated" if broken else "holds"
    return f"{found}: [{spec.name}]({spec.path.name})"


def main(arguments: Sequence[str]) -> None:
    """Print the page of the folder that is the only argument."""
    outcomes = [checked(spec) for spec in load_specs([Path(arguments[0])])]
    print(page(outcomes), end="")


if __name__ == "__main__":
    main(sys.argv[1:])
