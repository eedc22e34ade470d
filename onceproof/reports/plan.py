"""A plan as text and as JSON: how many states there will be, and what each way to explore them takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from onceproof.inputs.specs import Spec
from onceproof.model.checker.plan import DISK_SLOWER, FINGERPRINT_BYTES, INDEX_BYTES, Plan
from onceproof.reports.style import style
from onceproof.reports.tables import table_lines
from onceproof.reports.ways_on import in_bytes

Range = tuple[int, int]


def plan_lines(spec: Spec, plan: Plan) -> Iterator[str]:
    """What there is to know before a long check is begun."""
    explored, forecast = plan.explored, plan.forecast
    yield style(spec.name, bold=True)
    yield f"  {explored.states:,} states were explored in {explored.seconds:.1f} s"
    yield from (f"  {line}" for line in _reductions(plan))
    if forecast is None:
        yield "  these are all: there is nothing to plan"
        return
    if forecast.most is None:
        last = f"the last of {explored.bound + 1} levels is {forecast.growth:.1f} times as large as the one before"
        yield f"  there are more than {forecast.least:,} states; how many, it is too early to say:"
        yield f"  {last if explored.bound > 0 else 'only the first level is known'}. A larger --max-seconds tells more."
        return
    states = (forecast.least, forecast.most)
    yield f"  {_rounded(states[0], math.floor)} to {_rounded(states[1], math.ceil)} states are to be expected"
    yield ""
    rows = [(name, takes, _span(seconds), fits) for name, takes, seconds, fits in _ways(plan, states)]
    yield from table_lines(("way", "takes", "time", ""), rows)


def _reductions(plan: Plan) -> Iterator[str]:
    if plan.symmetry_saves > 1:
        of = plan.explored.symmetry
        yield f"symmetry over {of} leaves one state in {plan.symmetry_saves:.1f} at the same depth"
    if plan.looked_up:
        yield f"settled steps: {100 * plan.looked_up:.0f}% of the states that steps lead to had to be looked up"


def _ways(plan: Plan, states: Range) -> Iterator[tuple[str, str, tuple[float, float], str]]:
    """Each way: its name, the memory or disk that it takes, its seconds, and whether that is there."""
    least, most = states
    seconds = (least / plan.rate, most / plan.rate)
    for name, each in (("in memory", plan.memory_bytes), ("--fingerprint", float(FINGERPRINT_BYTES))):
        takes = (int(least * each), int(most * each))
        yield name, f"{_sizes(takes)} of memory", seconds, _fits(takes, plan.free_bytes)
    each = plan.state_bytes + INDEX_BYTES
    slower = (seconds[0], seconds[1] * DISK_SLOWER)
    yield "--disk FOLDER", f"{_sizes((int(least * each), int(most * each)))} of disk", slower, ""


def _fits(takes: Range, free: int) -> str:
    if takes[1] <= free:
        return f"fits: {in_bytes(free)} are free here"
    machines = -(-takes[1] // max(free, 1))
    if takes[0] <= free:
        return f"may not fit: {in_bytes(free)} are free here"
    return f"does not fit: {in_bytes(free)} are free here; {machines:,} machines like this one would hold it"


def _sizes(span: Range) -> str:
    return f"{in_bytes(span[0])} to {in_bytes(span[1])}"


def _rounded(number: int, how: Callable[[float], int]) -> str:
    """A number with two digits that count."""
    unit = 10 ** max(len(str(number)) - 2, 0)
    return f"{how(number / unit) * unit:,}"


def _span(seconds: tuple[float, float]) -> str:
    """Seconds as people say them."""
    return f"{_time(seconds[0])} to {_time(seconds[1])}"


def _time(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 1 else f"{seconds:.1f} s"


def plan_document(spec: Spec, plan: Plan) -> dict[str, Any]:
    """The same for ``--json``; sizes in bytes, times in seconds."""
    explored, forecast = plan.explored, plan.forecast
    ways = None
    if forecast is not None and forecast.most is not None:
        least, most = forecast.least, forecast.most
        each = {
            "memory": plan.memory_bytes,
            "fingerprint": FINGERPRINT_BYTES,
            "disk": plan.state_bytes + INDEX_BYTES,
        }
        ways = {
            name: {
                "bytes": [int(least * size), int(most * size)],
                "seconds": [least / plan.rate, most / plan.rate * (DISK_SLOWER if name == "disk" else 1)],
            }
            for name, size in each.items()
        }
    return {
        "spec": spec.name,
        "explored": {
            "states": explored.states,
            "finished_depth": explored.bound,
            "seconds": explored.seconds,
            "complete": explored.complete,
        },
        "states": {
            "least": explored.states if forecast is None else forecast.least,
            "most": explored.states if forecast is None else forecast.most,
        },
        "growth": None if forecast is None else forecast.growth,
        "ways": ways,
        "free_memory": plan.free_bytes,
        "states_a_second": plan.rate,
        "looked_up": plan.looked_up,
        "symmetry": explored.symmetry,
        "symmetry_saves": plan.symmetry_saves,
    }
