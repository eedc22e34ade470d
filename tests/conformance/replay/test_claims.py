"""Claims of drivers: the shortest trace that tells a system with a mechanism from one without it."""

import dataclasses
import json
import sys
from pathlib import Path

import pytest

from onceproof.conformance.driver import Abilities
from onceproof.conformance.reference.core_driver import CoreDriver
from onceproof.conformance.replay.claims import claims_of, try_claim, try_claims
from onceproof.conformance.replay.telling import NotTold, TellingTrace, telling_trace
from onceproof.model.language import System, build
from tests.helpers.fixture_types import Command
from tests.helpers.present import present
from tests.helpers.systems import ModelDriver, small
from tests.paths import HELPERS, ROOT

ZOMBIE = ROOT / "specs" / "zombie-is-fenced.yaml"
# How many steps the telling trace has, and whether it ends in a step that must be refused.
TOLD = {
    "atomic_admission": (2, False),
    "invisibility": (7, True),
    "renewal": (6, False),
    "receipt_fencing": (9, False),
    "delete_after_result": (5, False),
    "owner_epoch": (1, False),
    "sticky_placement": (6, False),
    "join_running": (9, False),
    "note_before_start": (8, False),
    "retain_until_delete": (9, True),
}


def odd(mode: str) -> str:
    return f"{sys.executable} {HELPERS / 'odd_driver.py'} {mode}"


def without(system: System, mechanism: str) -> System:
    return build(
        system.model, dataclasses.replace(system.config, switches={**system.config.switches, mechanism: False})
    )


@pytest.fixture(scope="module")
def zombie() -> System:
    return small(scheduler_pause=1)


@pytest.fixture(scope="module")
def everything(zombie: System) -> Abilities:
    return ModelDriver(zombie).reset({})


@pytest.mark.parametrize("mechanism", TOLD)
def test_system_without_the_mechanism_fails_its_telling_trace_and_no_shorter_one(
    zombie: System, everything: Abilities, mechanism: str
) -> None:
    told = telling_trace(zombie, mechanism, everything)
    assert isinstance(told, TellingTrace)
    assert (len(told.trace), told.forbidden is not None) == TOLD[mechanism]
    lacking = without(zombie, mechanism)
    tried = try_claim(zombie, mechanism, ModelDriver(lacking), everything)
    assert tried.refuted and present(tried.confirmation).certain
    # Before its last step nothing differs: both models are in states that look the same.
    end = told.trace.steps if told.forbidden is not None else told.trace.steps[:-1]
    there, here = zombie.initial, lacking.initial
    for step in end:
        there, here = present(zombie.step(there, step)), present(lacking.step(here, step))
    assert there == here


@pytest.mark.parametrize("mechanism", ["task_id_dedup", "idempotent_relay", "graceful_drain", "fail_on_agent_loss"])
def test_mechanism_that_nothing_depends_on_is_not_told(zombie: System, everything: Abilities, mechanism: str) -> None:
    told = telling_trace(zombie, mechanism, everything)
    assert isinstance(told, NotTold)
    assert "depends on it" in told.reason  # the search was exhaustive


def test_what_the_driver_does_not_see_or_do_does_not_tell(zombie: System) -> None:
    performs, rest = frozenset({"lapse"}), frozenset(zombie.actions) - {"lapse"}
    sees = Abilities("some queue", performs, frozenset({"stage"}), rest)
    told = telling_trace(zombie, "renewal", sees)
    assert isinstance(told, TellingTrace) and present(told.forbidden).action == "lapse"
    for blind in (
        dataclasses.replace(sees, lenient={"lapse": "it may"}),
        dataclasses.replace(sees, performs=frozenset({"admit"}), internal=rest | {"lapse"} - {"admit"}),
    ):
        assert isinstance(telling_trace(zombie, "renewal", blind), NotTold)


def test_reference_system_lives_up_to_all_that_can_be_tried(zombie: System, core: CoreDriver) -> None:
    tried = list(try_claims(zombie, core))
    assert [one.mechanism for one in tried if one.result is not None and not one.refuted] == [
        *("atomic_admission", "invisibility", "renewal", "receipt_fencing", "delete_after_result", "owner_epoch"),
        *("sticky_placement", "agent_dedup", "join_running", "note_before_start", "retain_until_delete"),
    ]


def test_only_claims_are_tried(zombie: System, everything: Abilities) -> None:
    some = dataclasses.replace(everything, claims=frozenset({"renewal", "invisibility"}))
    assert claims_of(zombie, some) == ["invisibility", "renewal"]
    assert claims_of(without(zombie, "renewal"), some) == ["invisibility"]


def test_command_says_what_was_tried(onceproof: Command) -> None:
    status, out, err = onceproof("replay", "--mechanisms", ZOMBIE)
    assert (status, err) == (0, "")
    assert "receipt_fencing      agrees     step 9, receipt_refused(scheduler1, message1), would be refused" in out
    assert "graceful_drain       not tried" in out
    assert out.endswith("11 of 15 claims tried: all of them show\n")


def test_command_as_json_says_that_nothing_could_be_tried(onceproof: Command, tmp_path: Path) -> None:
    spec = tmp_path / "small.yaml"
    spec.write_text("sizes: {tasks: 1, submissions: 1, schedulers: 1, agents: 1}")
    status, out, _ = onceproof("replay", "--mechanisms", spec, "--json", "--driver", odd("none"))
    document = json.loads(out)
    assert (status, document["verdict"]) == (3, "undecided")  # it only submits, and no mechanism changes that
    assert {claim["verdict"] for claim in document["claims"]} == {"not tried"}


def test_command_takes_one_of_trace_cover_and_mechanisms(onceproof: Command) -> None:
    status, _, err = onceproof("replay", "--mechanisms", ZOMBIE, "--cover", ZOMBIE)
    assert status == 2 and "give either a TRACE, --cover SPEC, --pairs SPEC or --mechanisms SPEC" in err
