"""The search for an explanation is held against a slower, obvious one; and finds what it must on small logs."""

import dataclasses
import itertools
import random
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from onceproof import Int, action, build, field, record, require
from onceproof.conformance.validation.logs import LoggedEvent
from onceproof.conformance.validation.mapping import LogMapping
from onceproof.conformance.validation.search import Explanation
from onceproof.conformance.validation.slices import Slice, streams_of
from onceproof.conformance.validation.validate import Validator
from onceproof.model.language import Model, System
from tests.conformance.validation.obvious import obvious
from tests.conformance.validation.written import events_of, lines_of, mapping_of, random_run
from tests.models.courier import COURIER
from tests.models.jugs import JUGS
from tests.models.philosophers import PHILOSOPHERS

SETTINGS: list[tuple[Model, frozenset[str]]] = [
    (PHILOSOPHERS, frozenset()),
    (PHILOSOPHERS, frozenset({"get_hungry", "take_left"})),
    (COURIER, frozenset()),
]


def spoilt(r: random.Random, lines: list[dict[str, object]]) -> list[dict[str, object]]:
    """A log with one line dropped, doubled, moved, or with another action."""
    lines = [dict(line) for line in lines]
    number = r.randrange(len(lines))
    match r.randrange(4):
        case 0:
            del lines[number]
        case 1:
            lines.insert(number, dict(lines[number]))
        case 2:
            lines.insert(r.randrange(len(lines)), lines.pop(number))
        case _:
            lines[number] = {**lines[r.randrange(len(lines))]}
    return [{**line, "time": second} for second, line in enumerate(lines, 1)]


def explained(system: System, events: Sequence[LoggedEvent], mapping: LogMapping) -> Explanation:
    validator = Validator(system.model, system.config, mapping)
    return validator.explain(Slice("", streams_of(events)))


@pytest.mark.parametrize("setting", range(len(SETTINGS)))
def test_search_decides_as_the_obvious_one_on_random_and_spoilt_logs(setting: int, tmp_path: Path) -> None:
    model, unlogged = SETTINGS[setting]
    system, mapping = build(model), mapping_of(model, unlogged)
    verdicts: list[bool] = []
    for seed in range(60):
        r = random.Random(seed)
        lines = lines_of(system, random_run(system, seed, 10), unlogged)
        if not lines:
            continue
        if seed % 3:
            lines = spoilt(r, lines) or lines
        events = events_of(tmp_path, lines, mapping)
        found = explained(system, events, mapping)
        assert found.complete and found.explained == obvious(system, events, mapping), seed
        verdicts.append(found.explained)
    assert {True, False} == set(verdicts), "logs of both kinds, or the comparison is vacuous"


def test_events_of_two_processes_within_the_clock_error_may_have_come_in_any_order(tmp_path: Path) -> None:
    """Decided as if every order that the times allow was tried, one after the other."""
    system = build(JUGS)
    for seed in range(12):
        r = random.Random(seed)
        lines = lines_of(system, random_run(system, seed, 6))
        for line in lines:
            line["process"] = r.choice("ab")
            line["time"] = float(str(line["time"])) + r.uniform(-1.2, 1.2)
        lines.sort(key=lambda line: float(str(line["time"])))
        mapping = mapping_of(JUGS, clock_error=2.5)
        events = events_of(tmp_path, lines, mapping)
        orders = [order for order in itertools.permutations(events) if allowed(order, 2_500_000_000)]
        wanted = any(obvious(system, order, mapping) for order in orders)
        assert explained(system, events, mapping).explained == wanted, seed


def allowed(order: Sequence[LoggedEvent], error: int) -> bool:
    """Whether nothing comes before what certainly came first."""
    for (_, one), (_, other) in itertools.combinations(enumerate(order), 2):
        if other.stream == one.stream and (other.line < one.line):
            return False
        if other.stream != one.stream and other.end + error < one.begin:
            return False
    return True


def test_vector_clocks_order_events_where_times_do_not(tmp_path: Path) -> None:
    system = build(JUGS)
    steps = random_run(system, 3, 5)
    lines = lines_of(system, steps)
    for number, line in enumerate(lines):
        line.update(time=0, process=f"p{number}", clock={f"p{n}": 1 for n in range(number + 1)})
    ordered = mapping_of(JUGS, clock="clock")
    found = explained(system, events_of(tmp_path, lines, ordered), ordered)
    assert found.explained and [move.step for move in found.run] == steps
    backwards = [{**line, "clock": lines[-1 - n]["clock"]} for n, line in enumerate(lines)]
    events = events_of(tmp_path, backwards, ordered)
    assert explained(system, events, ordered).explained == obvious(system, events[::-1], ordered)


def test_an_argument_that_is_not_logged_may_be_anything(tmp_path: Path) -> None:
    system = build(PHILOSOPHERS)
    run = random_run(system, 5, 8)
    lines = [{**line, "arguments": {}} for line in lines_of(system, run)]
    mapping = mapping_of(PHILOSOPHERS)
    assert explained(system, events_of(tmp_path, lines, mapping), mapping).explained


def test_names_of_the_log_stand_for_elements_one_to_one(tmp_path: Path) -> None:
    """Consistent renaming changes nothing; one name for two elements, or two for one, is no explanation."""
    system = build(PHILOSOPHERS)
    mapping = mapping_of(PHILOSOPHERS)
    run = random_run(system, 7, 10)
    lines = lines_of(system, run)
    renamed = [{**line, "arguments": {k: f"x-{v}" for k, v in dict(line["arguments"]).items()}} for line in lines]  # type: ignore[call-overload]
    assert explained(system, events_of(tmp_path, renamed, mapping), mapping).explained


def test_state_that_an_event_shows_must_be_that_of_the_run(tmp_path: Path) -> None:
    system = build(JUGS)
    run = random_run(system, 1, 6)
    mapping = mapping_of(JUGS)
    rules = {name: dataclasses.replace(rule, shows={"big": "state.big"}) for name, rule in mapping.rules.items()}
    mapping = dataclasses.replace(mapping, rules=rules)
    state, lines = system.initial, lines_of(system, run)
    for step, line in zip(run, lines, strict=True):
        following = system.step(state, step)
        assert following is not None
        state = following
        line["state"] = {"big": system.layout.show(state)["big"]}
    assert explained(system, events_of(tmp_path, lines, mapping), mapping).explained
    shown = dict(lines[-1]["state"])  # type: ignore[call-overload]
    lines[-1]["state"] = {"big": shown["big"] + 1}
    found = explained(system, events_of(tmp_path, lines, mapping), mapping)
    assert not found.explained and found.complete and found.most == len(lines) - 1


def test_limit_leaves_a_log_undecided(tmp_path: Path) -> None:
    system, mapping = build(JUGS), mapping_of(JUGS)
    events = events_of(tmp_path, lines_of(system, random_run(system, 1, 9)), mapping)
    found = Validator(JUGS, system.config, mapping, limit=3).explain(Slice("", streams_of(events)))
    assert not found.explained and not found.complete


class Colour(Enum):
    RED, GREEN, BLUE = range(3)


@record
class Paint:
    colour: Colour
    coats: Int(1, 2)  # type: ignore[valid-type]


wall = field(Paint)


@action
def paint(st: Any, what: Paint) -> None:
    """Red comes before green, and one coat before two."""
    require(what == Paint(Colour.GREEN, 1) or (st.wall == Paint(Colour.GREEN, 1) and what == Paint(Colour.GREEN, 2)))
    st.wall = what


def test_values_of_enums_and_numbers_are_what_the_log_says(tmp_path: Path) -> None:
    """Names of elements are the log's own, and may be any; GREEN is GREEN."""
    system = build(Model("painting", {"wall": wall, "paint": paint}))
    mapping = mapping_of(system.model)
    verdicts = {}
    for colours in (("GREEN", "GREEN"), ("BLUE", "BLUE"), ("PURPLE", "PURPLE")):
        for coats in (("1", "2"), ("2", "1"), ("7", "8")):
            parts = [{"what_colour": one, "what_coats": other} for one, other in zip(colours, coats, strict=True)]
            lines = [{"time": n, "process": "p", "action": "paint", "arguments": part} for n, part in enumerate(parts)]
            verdicts[colours, coats] = explained(system, events_of(tmp_path, lines, mapping), mapping).explained
    assert [case for case, fine in verdicts.items() if fine] == [(("GREEN", "GREEN"), ("1", "2"))]
