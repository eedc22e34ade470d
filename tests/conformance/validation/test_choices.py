"""Logs of actions that choose on their way: what a line says of a choice was chosen, and nothing else."""

from pathlib import Path
from typing import Any

import pytest

from onceproof import Int, Optional, Sort, build, choose, choose_from, field, require, validate
from onceproof.conformance.validation.mapping import draft, load
from onceproof.conformance.validation.search import Explanation
from onceproof.conformance.validation.slices import Slice, streams_of
from onceproof.conformance.validation.validate import Validator
from onceproof.errors import InputError
from onceproof.model.language import Model, action, always
from tests.conformance.validation.obvious import obvious
from tests.conformance.validation.written import events_of, lines_of, mapping_of, random_run, written


class Guest(Sort, default=3):
    """Somebody."""


def invite(st: Any, host: Guest) -> None:
    """Chooses another, and how many drinks; nobody is chosen a second time."""
    require(st.invited[host] is None)
    other = choose(Guest, lambda guest: guest != host)
    st.invited[host] = other
    if st.invited[other] is None:
        drinks = choose_from([1, 3])
        st.drinks[host] = drinks


def sober(st: Any, guest: Guest) -> bool:
    return bool(st.drinks[guest] < 4)


NAMES = {
    "invited": field(Guest, Optional[Guest]),
    "drinks": field(Guest, Int(0, 3)),
    "invite": action(invite),
    "sober": always(sober),
}
PARTY = Model("party", {"__name__": "party", **NAMES})
SYSTEM = build(PARTY, PARTY.configure())


def line(**arguments: object) -> dict[str, object]:
    return {"action": "invite", "arguments": arguments}


def admits(tmp_path: Path, *lines: object) -> bool:
    return bool(validate(PARTY, written(tmp_path / "log.ndjson", lines)).holds)


@pytest.mark.parametrize(
    ("lines", "admitted"),
    [
        ([line(host="guest1", other="guest2", drinks="3")], True),
        ([line(host="guest1", other="guest2", drinks=1)], True),
        ([line(host="guest1", other="guest1", drinks=1)], False),
        ([line(host="guest1", other="guest2", drinks=2)], False),
        ([line(host="ann", other="bob", drinks=1), line(host="bob", other="ann")], True),
        ([line(host="ann", other="bob"), line(host="bob", other="bob")], False),
        ([line(host="ann", other="bob"), line(host="bob", other="ann", drinks=1)], False),  # no drinks are chosen then
        ([line(host="ann", other="bob"), line(host="bob", other="cid"), line(host="cid", other="dan")], True),
        ([line(host="ann"), line(host="ann")], False),
        ([line(other="ann"), line(other="ann"), line(host="ann")], True),
    ],
)
def test_what_a_line_says_of_a_choice_was_chosen(lines: list[object], admitted: bool, tmp_path: Path) -> None:
    assert admits(tmp_path, *lines) == admitted


@pytest.mark.parametrize("wrong", [{"hots": "guest1"}, {"host": "guest1", "zzz": 3}])
def test_argument_that_the_action_does_not_have_is_refused(wrong: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"log\.ndjson:1: `invite` has no such argument `(hots|zzz)`"):
        admits(tmp_path, line(**wrong))


def explained(lines: list[dict[str, object]], tmp_path: Path) -> tuple[Explanation, bool]:
    mapping = mapping_of(PARTY)
    events = events_of(tmp_path, lines, mapping)
    found = Validator(PARTY, PARTY.configure(), mapping).explain(Slice("", streams_of(events)))
    return found, obvious(SYSTEM, events, mapping)


@pytest.mark.parametrize("seed", range(12))
def test_search_finds_what_an_obvious_one_finds(seed: int, tmp_path: Path) -> None:
    lines = lines_of(SYSTEM, random_run(SYSTEM, seed, 3))
    found, expected = explained(lines, tmp_path)
    assert found.explained and expected
    spoilt: Any = lines[seed % len(lines)]["arguments"]
    spoilt["drinks" if seed % 2 else "other"] = "3" if seed % 2 else f"guest{seed % 3 + 1}"
    found, expected = explained(lines, tmp_path)
    assert found.explained == expected


def test_mapping_names_choices(tmp_path: Path) -> None:
    text = draft(SYSTEM, ["invite"])
    assert "{host: arguments.host, other: arguments.other, drinks: arguments.drinks}" in text
    path = tmp_path / "mapping.yaml"
    path.write_text("actions: {asked: {action: invite, arguments: {host: who, other: whom}}}\n")
    assert dict(load(path, SYSTEM).rules["asked"].arguments) == {"host": "who", "other": "whom"}
    log = written(tmp_path / "own.ndjson", [{"action": "asked", "who": "ann", "whom": "ann"}])
    report = validate(PARTY, log, mapping=path)
    assert report.holds is False and "asked" in "\n".join(report.lines())
