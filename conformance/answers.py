"""Parts of a driver's answers that need more than a look: what it can interrupt, and the data that its system holds."""

from __future__ import annotations

import json
from typing import Any

from onceproof.conformance.driver import DriverError, Interruptions

NO_INTERRUPTIONS = Interruptions({}, {}, frozenset())


def misplaced(data: Any) -> dict[str, tuple[str, str]]:
    """By place, what belongs there and what is there instead; DriverError for data that is none."""
    expected = 'expected "data": {place: {"wanted": text, "found": text}}'
    if not isinstance(data, dict):
        raise DriverError(f'the driver observed "data": {json.dumps(data)}, {expected}')
    for place, held in data.items():
        texts = [held.get(key) for key in ("wanted", "found")] if isinstance(held, dict) else [None]
        if not all(isinstance(text, str) for text in texts):
            raise DriverError(f'the driver observed "data": {{"{place}": {json.dumps(held)}}}, {expected}')
    return {
        place: (held["wanted"], held["found"]) for place, held in data.items() if held["wanted"] not in held["found"]
    }


def interruptions(said: Any) -> Interruptions:
    """What a driver says that it can interrupt; DriverError where that is not said as it should be."""
    keys = {"deaths": dict, "halves": dict, "refusals": list, "forgets": dict}
    wrong = DriverError(
        f'the driver said "interruptions": {json.dumps(said)} at reset, expected {{"deaths": {{action: fault}}, '
        '"halves": {action: [field]}, "refusals": [action], "forgets": {action: fault}}, each of them optional'
    )
    if not isinstance(said, dict) or any(not isinstance(said.get(key, kind()), kind) for key, kind in keys.items()):
        raise wrong
    deaths, halves, refusals, forgets = (said.get(key, kind()) for key, kind in keys.items())
    names = [*deaths.values(), *forgets.values(), *refusals]
    fields = [*halves.values()]
    if not all(isinstance(name, str) for name in names) or not all(isinstance(each, list) for each in fields):
        raise wrong
    return Interruptions(
        deaths, {action: frozenset(map(str, each)) for action, each in halves.items()}, frozenset(refusals), forgets
    )
