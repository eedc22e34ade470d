"""Mappings of logs: read, checked, drafted."""

from pathlib import Path

import pytest

from onceproof.conformance.judging.errors import LogError
from onceproof.conformance.validation.mapping import draft, identity, load
from onceproof.model.language import build
from onceproof.model.protocol.system import PROTOCOL
from tests.models.philosophers import PHILOSOPHERS
from tests.paths import ROOT

SYSTEM = build(PHILOSOPHERS, PHILOSOPHERS.configure())


def read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text(text)
    load(path, SYSTEM)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("actions: {eats: eat}\nunloged: [eat]", "unknown key `unloged`; did you mean `unlogged`?"),
        ("event: name", "the key `actions` is missing"),
        ("actions: {}", "no event is mapped to an action"),
        ("actions: {e: eet}", "actions.e: unknown name `eet`; did you mean `eat`?"),
        ("actions: {e: {action: eat, arguments: {philosophr: a}}}", "unknown name `philosophr`; did you mean"),
        ("actions: {e: {action: eat, show: {}}}", "unknown key of actions.e `show`; did you mean `shows`?"),
        ("actions: {e: {action: eat, shows: {hungri: a}}}", "unknown name `hungri`"),
        ("actions: {e: eat}\nunlogged: [take_lft]", "unlogged: unknown name `take_lft`; did you mean `take_left`?"),
        ("actions: {e: eat}\nby: Philosofer", "by: unknown name `Philosofer`; did you mean `Philosopher`?"),
        ("actions: {e: eat}\nclock_error: much", "clock_error: expected a number of seconds, found `much`"),
        ("actions: {e: eat}\nunit: minutes", "unit: expected one of s, ms, us, ns"),
        ("actions: {e: 3}", "expected the name of an action, or a mapping"),
        ("- eat", "expected a mapping with the key `actions`"),
        ("actions: [", "not YAML"),
    ],
)
def test_wrong_mapping_is_one_line_with_its_key(text: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(LogError) as error:
        read(tmp_path, text)
    assert complaint in str(error.value) and "mapping.yaml" in str(error.value)


def test_draft_matches_names_and_lists_what_is_left(tmp_path: Path) -> None:
    text = draft(SYSTEM, ["get_hungry", "TakeLeft", "heartbeat"])
    path = tmp_path / "mapping.yaml"
    path.write_text(text)
    mapping = load(path, SYSTEM)
    assert {name: rule.action for name, rule in mapping.rules.items()} == {
        "get_hungry": "get_hungry",
        "TakeLeft": "take_left",
    }
    assert mapping.ignored == {"heartbeat"} and mapping.unlogged == {"eat", "put_down"}


def test_log_with_the_names_of_the_model_needs_no_mapping() -> None:
    mapping = identity(SYSTEM, ["eat", "noise"])
    assert set(mapping.rules) == {"eat"} and mapping.ignored == {"noise"}
    assert mapping.unlogged == {"get_hungry", "take_left", "put_down"}


def test_mapping_of_the_platform_says_something_of_every_action_of_the_protocol() -> None:
    mapping = load(
        ROOT / "conformance" / "examples" / "platform" / "mapping.yaml", build(PROTOCOL, PROTOCOL.configure())
    )
    said = {rule.action for rule in mapping.rules.values()} | mapping.unlogged | mapping.ignored | set(mapping.reborn)
    assert set(PROTOCOL.actions) - said == {"scheduler_upgrade"}  # the platform drains by itself; see its README
