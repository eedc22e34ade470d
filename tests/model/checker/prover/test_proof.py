"""The proof of the protocol for any size: what goes through, under which faults, and what each mechanism carries."""

import time
from types import ModuleType

import pytest

from onceproof.model.checker.explicit.engine import check
from onceproof.model.checker.prover.certificate import digest_of, model_files
from onceproof.model.checker.prover.fragment import in_fragment
from onceproof.model.checker.prover.induction import Proof, prove, unbounded
from onceproof.model.checker.prover.minimise import minimal_invariant, needs
from onceproof.model.checker.prover.solver import Answer
from onceproof.model.checker.results import Verdict
from onceproof.model.language import Model, build
from onceproof.model.language.declare import Property
from onceproof.model.protocol.system import PROTOCOL
from tests.helpers.pace import slowness
from tests.helpers.present import present
from tests.models import lock_service, two_phase_commit

GIVEN_AWAY = {"lease_lapse", "broker_duplicate"}
HOLDING = {"single_holder", "no_needless_redelivery"}
# What a proof loses when a mechanism is off; the others of these are not needed for safety at all.
CARRIES = {
    "task_id_dedup": {"at_most_once", "result_agreement"},
    "atomic_admission": {"truthful_rejection"},
    "idempotent_relay": {"at_most_once", "result_agreement"},
    "invisibility": HOLDING,
    "renewal": HOLDING,
    "receipt_fencing": {"settled_by_holder"},
    "delete_after_result": {"delete_after_completion"},
    "owner_epoch": set(),
    "sticky_placement": {"at_most_once", "result_agreement"},
    "agent_dedup": {"at_most_once", "result_agreement"},
    "join_running": set(),
    "note_before_start": {"at_most_once", "result_agreement"},
    "retain_until_delete": {"at_most_once", "result_agreement"},
    "fail_on_agent_loss": {"at_most_once", "result_agreement"},
    "graceful_drain": set(),
}


def test_full_design_is_proved_under_every_fault(full: Proof) -> None:
    assert full.proved
    assert full.dropped == []
    always = [name for name, claim in PROTOCOL.properties.items() if claim.kind == "always" and not claim.invariant]
    assert full.properties == always
    for name in always:
        stage = present(full.stage_of(name))
        assert full.answer(name) is Answer.PROVED
        assert stage.without == (GIVEN_AWAY if name in HOLDING else set()), name
        assert set(stage.faults(full.config)) == set(PROTOCOL.faults) - stage.without


def test_every_query_is_its_own_fast_and_decidable(full: Proof) -> None:
    most = slowness(time.monotonic)
    assert all(outcome.seconds < most for outcome in full.outcomes)
    for stage in full.stages:
        for outcome in stage.outcomes:
            assert in_fragment(stage.encoding, outcome.query, stage.hypotheses), outcome.query.name
    asked = {(o.query.kind, o.query.name) for o in full.outcomes}
    assert len(asked) == len(full.outcomes)
    claims = sum(len(stage.goals) for stage in full.stages)
    transitions = {name for stage in full.stages for name in stage.encoding.transitions}
    skipped = sum(len(GIVEN_AWAY) for stage in full.stages if stage.without for _ in stage.goals)
    trivial = sum(stage.trivial for stage in full.stages)
    assert len(asked) + trivial == claims * (1 + len(transitions)) - skipped


def test_whole_proof_is_quick() -> None:
    began = time.process_time()
    assert prove(PROTOCOL, unbounded(PROTOCOL), walks=8).proved
    assert time.process_time() - began < 15 * slowness()


def test_only_the_half_admitting_design_enqueues(full: Proof) -> None:
    assert full.stages[0].impossible == ["enqueue"]


@pytest.mark.parametrize("mechanism", CARRIES)
def test_what_each_mechanism_carries(mechanism: str) -> None:
    """Without it just these properties lose their proof; all others keep it."""
    proof = prove(PROTOCOL, unbounded(PROTOCOL, {mechanism: False}))
    lost = {name for name in proof.properties if proof.answer(name) is not Answer.PROVED}
    assert lost == CARRIES[mechanism]


@pytest.mark.parametrize("fault", sorted(GIVEN_AWAY))
def test_what_breaks_a_property_by_definition_really_breaks_it(fault: str) -> None:
    """One such fault, and the queue given to another owner: two hold the message."""
    claims = [PROTOCOL.properties[name] for name in sorted(HOLDING)]
    system = build(PROTOCOL, PROTOCOL.configure({}, {}, {fault: 1, "stale_owner": 1}))
    result = check(system, claims)
    assert {judged.name for judged in result.properties if judged.verdict is Verdict.VIOLATED} == HOLDING


def test_conjuncts_hold_in_reachable_states() -> None:
    """Exhaustively in a small instance in which a scheduler dies and a function raises."""
    budgets = {"scheduler_crash": 1, "function_failure": 1, "response_loss": 1}
    system = build(PROTOCOL, PROTOCOL.configure({"submissions": 2}, {}, budgets))
    names = system.config.names()
    claims = [p for p in PROTOCOL.properties.values() if p.invariant and (p.when is None or p.when(names))]
    assert len(claims) > 30
    result = check(system, claims)
    assert result.complete
    assert {judged.name for judged in result.properties if judged.verdict is not Verdict.HOLDS} == set()
    # nothing is at hand without a row here, no agent is lost, and no task expires
    vacuous = {judged.name for judged in result.properties if judged.vacuous}
    assert vacuous == {
        "enqueued_is_no_longer_at_hand",
        "expired_task_is_not_begun",
        "lost_agent_is_not_asked",
        "lost_agent_remembers_nothing",
    }


def test_every_conjunct_says_why() -> None:
    for claim in PROTOCOL.properties.values():
        if claim.invariant:
            assert claim.doc.endswith(".") and "\n" not in claim.doc, claim.name


def test_minimal_invariant_is_inductive_and_minimal(full: Proof) -> None:
    minimal = minimal_invariant(full)
    assert set(full.properties) <= set(minimal)
    assert len(minimal) < sum(len(stage.goals) for stage in full.stages)
    components = {name: p for name, p in PROTOCOL.properties.items() if p.invariant is None or name in minimal}
    reduced = _with_properties(components)
    again = prove(reduced, unbounded(reduced))
    assert again.proved and again.dropped == []
    for left_out in [name for name in minimal if PROTOCOL.properties[name].invariant][::15]:
        fewer = _with_properties({name: p for name, p in components.items() if name != left_out})
        proof = prove(fewer, unbounded(fewer))
        assert not proof.proved or proof.dropped, left_out


def test_explained_needs_are_enough(full: Proof) -> None:
    """What ``--explain`` says of an action is what its queries were proved from."""
    used = needs(full).actions
    assert used["asked_agent_knows_what_it_started"]["start"]
    assert "relay" in used["task_with_message_gets_no_other"]


def test_digest_changes_with_the_model() -> None:
    model, other = Model("textbook", lock_service), Model("textbook", two_phase_commit)
    digests = [digest_of(model_files(prove(m, unbounded(m)))) for m in (model, model, other)]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    ("module", "queries"), [(lock_service, 23), (two_phase_commit, 34)], ids=["lock service", "two-phase commit"]
)
def test_textbook_protocols_are_proved_for_any_size(module: ModuleType, queries: int) -> None:
    model = Model("textbook", module)
    proof = prove(model, unbounded(model))
    assert proof.proved and proof.dropped == []
    assert len(proof.outcomes) == queries


def _with_properties(properties: dict[str, Property]) -> Model:
    """The protocol with these properties alone."""
    model = Model("reduced")
    model.__dict__.update({**PROTOCOL.__dict__, "properties": properties})
    return model
