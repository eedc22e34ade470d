"""What the model predicts of a queue, and the schedule that its counterexamples become."""

from pathlib import Path

import pytest

from onceproof.conformance.storms.aiming import aimed
from onceproof.conformance.storms.outcomes import Claim
from onceproof.conformance.storms.prediction import predict
from onceproof.conformance.storms.profile import Mechanism, Profile, Topology
from onceproof.conformance.storms.schedule import Fault, parse
from onceproof.conformance.storms.targets import FOLDER
from onceproof.inputs.profiles import load_profile
from onceproof.model.checker.results import Verdict

COMMON = ("atomic_admission", "idempotent_relay", "invisibility")


def profile(*on: str, topology: Topology = Topology.FORKED) -> Profile:
    return Profile(Path("queue.yaml"), "a queue", topology, {name: Mechanism(True) for name in (*COMMON, *on)})


CONNECTIONS = (
    *("durable_queue", "durable_deliveries", "delivery_outlives_connection", "settles_after_reconnect"),
    *("survives_disconnect", "connection_outlives_pause"),
)


def without(name: str, *on: str) -> Profile:
    return profile(*on, *(each for each in CONNECTIONS if each != name))


LATE = profile("delete_after_result")
EARLY = profile()
HOLDS, VIOLATED = Verdict.HOLDS, Verdict.VIOLATED


@pytest.mark.parametrize(
    ("known", "schedule", "twice", "lost"),
    [
        (LATE, "none", VIOLATED, HOLDS),
        (profile("delete_after_result", "renewal"), "none", HOLDS, HOLDS),
        (LATE, "pause", VIOLATED, HOLDS),
        (LATE, "kill@before-start", HOLDS, HOLDS),
        (LATE, "kill@after-start", VIOLATED, HOLDS),
        (LATE, "kill@before-ack", VIOLATED, HOLDS),
        (LATE, "kill@after-ack", HOLDS, HOLDS),
        (LATE, "kill-parent", VIOLATED, HOLDS),
        (profile("delete_after_result", "child_settles"), "kill-parent", HOLDS, HOLDS),
        (profile("delete_after_result", "child_settles"), "kill-parent,length=1.5", VIOLATED, HOLDS),
        (profile("delete_after_result", "child_settles"), "kill-parent@before-start", HOLDS, HOLDS),
        (profile("delete_after_result", "child_settles"), "kill-parent@before-ack", HOLDS, HOLDS),
        (LATE, "resubmit", VIOLATED, HOLDS),
        (profile("delete_after_result", "task_id_dedup"), "resubmit", HOLDS, HOLDS),
        (EARLY, "kill@before-start", HOLDS, VIOLATED),
        (EARLY, "kill@after-start", HOLDS, VIOLATED),
        (EARLY, "kill@before-ack", HOLDS, HOLDS),
        (EARLY, "kill-parent", HOLDS, HOLDS),
        (without("", "delete_after_result"), "broker-restart", HOLDS, HOLDS),
        (without("", "delete_after_result"), "cut@before-ack", HOLDS, HOLDS),
        (without("", "delete_after_result"), "black-hole", VIOLATED, HOLDS),
        (without(""), "black-hole", HOLDS, HOLDS),
        (without("durable_queue", "delete_after_result"), "broker-restart@before-start", HOLDS, VIOLATED),
        (without("settles_after_reconnect", "delete_after_result"), "broker-restart", VIOLATED, HOLDS),
        (without("settles_after_reconnect"), "broker-restart", HOLDS, HOLDS),
        (without("survives_disconnect", "delete_after_result"), "broker-restart", VIOLATED, HOLDS),
        (without("survives_disconnect"), "broker-restart", HOLDS, VIOLATED),
        (without("delivery_outlives_connection", "delete_after_result"), "cut", VIOLATED, HOLDS),
        (without("survives_disconnect"), "pause", HOLDS, HOLDS),
        (without("connection_outlives_pause"), "pause", HOLDS, HOLDS),
        (EARLY, "pause", HOLDS, VIOLATED),
        (without("durable_deliveries", "delete_after_result"), "cut", HOLDS, HOLDS),
        (without("durable_deliveries", "delete_after_result"), "broker-restart", VIOLATED, HOLDS),
    ],
)
def test_model_predicts_what_a_fault_breaks(known: Profile, schedule: str, twice: Verdict, lost: Verdict) -> None:
    found = predict(known, parse(schedule))
    assert (found[Claim.AT_MOST_ONCE].verdict, found[Claim.AT_LEAST_ONCE].verdict) == (twice, lost)


def test_a_worker_of_one_process_has_no_parent_that_could_be_killed() -> None:
    embedded = profile("delete_after_result", topology=Topology.EMBEDDED)
    found = predict(embedded, parse("kill-parent"))
    assert {(each.verdict, each.why) for each in found.values()} == {
        (Verdict.UNKNOWN, "the worker is one process: it has no parent to kill")
    }


def test_shortest_counterexamples_become_schedules() -> None:
    """A child must outlive the lease to run beside its successor; acknowledged early is lost before the start."""
    faults = (Fault.NONE, Fault.PAUSE, Fault.KILL, Fault.KILL_PARENT, Fault.RESUBMIT)
    assert list(map(str, aimed(profile("delete_after_result", "renewal"), faults))) == [
        "pause@after-start,length=0.15,hold=2.5",
        "kill@after-start,length=0.15",
        "kill-parent@before-start,length=1.5",
        "resubmit@queued,length=0.15",
    ]
    settling = profile("delete_after_result", "renewal", "child_settles")
    assert list(map(str, aimed(settling, [Fault.KILL_PARENT]))) == ["kill-parent@before-start,length=1.5"]
    assert list(map(str, aimed(EARLY, [Fault.KILL]))) == ["kill@before-start,length=0.15"]


@pytest.mark.parametrize(
    ("schedule", "broken"),
    [
        ("none", set()),
        ("none,traffic", {Claim.AT_MOST_ONCE}),
        ("kill", {Claim.AT_MOST_ONCE, Claim.NOT_STUCK}),
        ("kill@before-start", {Claim.NOT_STUCK}),
        ("kill@before-start,traffic", set()),
        ("pause", {Claim.AT_MOST_ONCE, Claim.NOT_STUCK}),
        ("pause,traffic", {Claim.AT_MOST_ONCE}),
    ],
)
def test_a_model_of_its_own_knows_whether_there_is_other_traffic(schedule: str, broken: set[Claim]) -> None:
    """taskiq's stream broker claims what nobody acknowledged only when a new message wakes a worker."""
    found = predict(load_profile(FOLDER / "taskiq_stream.yaml"), parse(schedule))
    assert {claim for claim, each in found.items() if each.breaks} == broken
    assert Verdict.UNKNOWN not in {each.verdict for each in found.values()}
