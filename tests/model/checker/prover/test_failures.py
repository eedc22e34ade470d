"""What a failed proof teaches, what cannot be read for any size, and that giving up is never called a proof."""

from pathlib import Path
from typing import Any

import pytest

from onceproof.main import run
from onceproof.model.checker.prover import solver
from onceproof.model.checker.prover.concrete_search import refute_on_walks
from onceproof.model.checker.prover.diagnosis import diagnose
from onceproof.model.checker.prover.induction import RefutedProof, prove, unbounded
from onceproof.model.checker.prover.solver import Answer
from onceproof.model.language import Count, Model, ModelError, Sort, action, always, field, require
from onceproof.model.language.declare import Property
from onceproof.model.protocol.system import PROTOCOL
from tests.helpers.present import present
from tests.helpers.written_models import written_model
from tests.models import lock_service


def lock_with(**changes: object) -> Model:
    """The lock service with some declarations changed or (None) left out."""
    names = {**vars(lock_service), **changes, "__name__": "lock_service"}
    return Model("lock-service", {name: value for name, value in names.items() if value is not None})


@action
def grant_always(st: Any, client: lock_service.Client) -> None:
    """The server gives the lock away, whether it has it or not."""
    require(st.asks[client])
    st.granted[client] = True


@always(invariant="wrong")
def nobody_holds(st: Any, client: lock_service.Client) -> bool:
    """It is never taken, one might think."""
    return not st.holds[client]


def test_a_real_bug_comes_with_its_run() -> None:
    model = lock_with(grant=grant_always)
    (found,) = diagnose(prove(model, unbounded(model)))
    assert found.property == "mutual_exclusion"
    steps = [step.action for step in present(found.real).trace.steps]
    assert len(steps) == 6 and steps.count("grant") == 2 and steps.count("take") == 2
    assert ("grant", "at_one_client") in found.causes


def test_a_weak_invariant_comes_with_a_step_and_no_run() -> None:
    model = lock_with(at_one_client=None)
    (found,) = diagnose(prove(model, unbounded(model)), seconds=20)
    assert found.real is None
    assert found.searched.instances == 1  # there is no fault, and no sort has less than two elements
    assert found.searched.states == 4 * (1 + 2 * 3)  # who asks; and free, or with one of two, or on either way
    failure = present(found.failure)
    assert dict(failure.sizes) == {"clients": 2}
    (step,) = failure.trace.steps
    assert step.action == "take"
    system = failure.trace.system
    before, after = failure.trace.states
    claim = model.properties["mutual_exclusion"]
    assert all(system.holds(claim, before, arguments) is not False for arguments in system.instances(claim))
    assert system.holds(claim, after, failure.arguments) is False
    assert system.step(before, step) == after  # a real step, from a state that is not reachable
    changes = system.layout.changes(system.initial, before)
    assert len(changes) == 3  # one holds, another has a grant, and so the lock is not free


def test_a_wrong_conjunct_fails_with_a_run() -> None:
    model = lock_with(nobody_holds=nobody_holds)
    states, (wrong,) = refute_on_walks(model, unbounded(model), list(model.properties.values())[-1:] * 1)
    assert states > 3 and wrong.claim == "nobody_holds"
    assert [step.action for step in wrong.trace.steps if step.action != "ask"] == ["grant", "take"]
    proof = prove(model, unbounded(model), walks=5)
    assert proof.proved and proof.dropped == ["nobody_holds"] == list(proof.refuted)


@pytest.mark.parametrize(
    ("mechanism", "name", "steps", "faults"),
    [
        ("delete_after_result", "delete_after_completion", 5, 0),
        ("receipt_fencing", "settled_by_holder", 7, 1),
        ("invisibility", "single_holder", 7, 1),
        ("renewal", "no_needless_redelivery", 8, 1),
    ],
)
def test_without_a_mechanism_the_real_counterexample_is_named(
    mechanism: str, name: str, steps: int, faults: int
) -> None:
    proof = prove(PROTOCOL, unbounded(PROTOCOL, {mechanism: False}), [name])
    (found,) = diagnose(proof)
    trace = present(found.real).trace
    assert (len(trace), trace.faults) == (steps, faults)
    assert found.failure is not None


def test_solver_that_gives_up_is_unknown_and_never_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "_answer", lambda found: Answer.UNKNOWN)
    model = lock_with()
    proof = prove(model, unbounded(model))
    assert not proof.proved
    assert proof.answer("mutual_exclusion") is Answer.UNKNOWN


def test_interrupted_proof_is_unknown() -> None:
    def report(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    model = lock_with()
    proof = prove(model, unbounded(model), report=report)
    assert proof.interrupted and not proof.proved
    assert proof.answer("mutual_exclusion") is Answer.UNKNOWN


class Thing(Sort):
    """Something."""


seen = field(Thing, Count(2, saturate=True))


@action
def see(st: Any, thing: Thing) -> None:
    """It is seen."""
    st.seen[thing] += 1


def counting(claim: Property) -> Model:
    return Model("counting", {"__name__": "counting", "seen": seen, "see": see, claim.name: claim})


def refused(claim: Property) -> str:
    model = counting(claim)
    with pytest.raises(ModelError) as caught:
        prove(model, unbounded(model))
    assert "test_failures.py:" in str(caught.value)
    return str(caught.value)


def test_a_count_beyond_many_is_refused_with_its_line() -> None:
    @always
    def five(st: Any, thing: Thing) -> bool:
        """Too far."""
        return st.seen[thing] <= 5

    assert "`seen` counts no further than 2 (many): 5 cannot be told apart" in refused(five)


def test_a_loop_over_a_bounded_range_is_refused_with_its_line() -> None:
    @always
    def ranged(st: Any, thing: Thing) -> bool:
        """It counts elements."""
        return all(st.seen[number] < 2 for number in range(3))

    text = refused(ranged)
    assert "indexed by [Thing], found 0" in text


def test_a_loop_whose_passes_meet_is_refused() -> None:
    """Passes one after the other and passes all at once differ here, so there is no encoding for any size."""

    @action
    def spread(st: Any, thing: Thing) -> None:
        """What one thing has counts for all, itself first."""
        for other in Thing:
            st.seen[other] = st.seen[thing] + 1

    model = Model("spreading", {"__name__": "spreading", "seen": seen, "spread": spread, "few": _few_seen})
    with pytest.raises(ModelError, match="a pass of a loop over Thing reads `seen` where other passes write it"):
        prove(model, unbounded(model))


@always
def _few_seen(st: Any, thing: Thing) -> bool:
    return st.seen[thing] <= 1


def test_count_of_many_is_proved_to_stay_many() -> None:
    @always
    def not_seen_often(st: Any, thing: Thing) -> bool:
        """False: it can be seen twice."""
        return st.seen[thing] <= 1

    model = counting(not_seen_often)
    (found,) = diagnose(prove(model, unbounded(model)))
    assert len(present(found.real).trace) == 2


def test_a_start_that_depends_on_the_element_is_refused() -> None:
    names = {
        "__name__": "dealt",
        "dealt": field(Thing, Count(2, saturate=True), init=lambda thing: thing),
        "see": _see_dealt,
    }
    model = Model("dealt", {**names, "few": _few})
    with pytest.raises(ModelError, match="`dealt` starts with a function of its indices"):
        prove(model, unbounded(model))


@action
def _see_dealt(st: Any, thing: Thing) -> None:
    st.dealt[thing] = 0


@always
def _few(st: Any, thing: Thing) -> bool:
    return st.dealt[thing] <= 1


def test_a_proof_that_a_run_refutes_is_a_contradiction(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the solver (or the encoding) wrong, the runs of the model would say so: never a verdict."""
    model = lock_with(grant=grant_always)
    monkeypatch.setattr(solver, "_answer", lambda found: Answer.PROVED)
    with pytest.raises(RefutedProof) as caught:
        prove(model, unbounded(model))
    text = str(caught.value)
    assert (
        "a fault of onceproof, not a verdict: `mutual_exclusion` is proved for any size, and is false for one = "
        in text
    )
    assert "take(client=client" in text
    assert caught.value.refutation.trace.steps


def test_a_contradiction_exits_70_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    source = Path(lock_service.__file__).read_text().replace("st.asks[client] and st.free", "st.asks[client]")
    (tmp_path / "broken_lock.py").write_text(source)
    (tmp_path / "broken_lock.yaml").write_text("name: broken-lock\nmodel: broken_lock.py\n")
    monkeypatch.setattr(solver, "_answer", lambda found: Answer.PROVED)
    folder = tmp_path / "certificate"
    assert run(["prove", str(tmp_path / "broken_lock.yaml"), "--certificate", str(folder)]) == 70
    output = capsys.readouterr()
    assert "a fault of onceproof, not a verdict" in output.err and "proved" not in output.out
    assert not folder.exists()


@pytest.mark.parametrize(
    "body",
    [
        "not st.done[node] or st.sent[node]",
        "not st.done[node] or exists(Node, lambda other: st.sent[other])",
        "forall(Node, lambda other: st.sent[other] == st.done[other]) or st.done[node]",
        "(st.sent[node], st.done[node]) != (False, True)",
    ],
)
def test_a_claim_that_something_is_on_the_network_is_refused(body: str) -> None:
    model = written_model(NETWORK.format(require="True", body=body))
    with pytest.raises(ModelError, match=r"property `claim`, .*: .* absent from `sent`.*presuppose what was sent"):
        prove(model, unbounded(model))


@pytest.mark.parametrize(
    "body",
    [
        "not st.sent[node] or st.done[node]",
        "not exists(Node, lambda other: st.sent[other] and not st.done[other])",
        "st.mail[node] is None or st.done[st.mail[node]] or not st.sent[node]",
        "forall(Node, lambda other: st.mail[node] != other) or st.mail[node] != node or st.done[node]",
    ],
)
def test_a_claim_that_presupposes_what_is_on_the_network_is_proved(body: str) -> None:
    model = written_model(NETWORK.format(require="True", body=body))
    assert prove(model, unbounded(model)).proved


def test_an_action_may_find_absent_what_was_sent() -> None:
    """A guard that asks for absence: the message is lost, and twice is done what was to be done once."""
    model = written_model(NETWORK.format(require="not st.sent[node]", body="not st.twice[node]"))
    (found,) = diagnose(prove(model, unbounded(model)))
    assert found.real is not None
    assert [step.action for step in found.real.trace.steps] == ["send", "lose", "send"]


NETWORK = """
from onceproof import *


class Node(Sort, default=2):
    "Who sends."


sent = field(Node, bool, network=True)
mail = field(Node, Optional[Node], network=True)
done = field(Node, bool)
twice = field(Node, bool)


@action
def send(st, node: Node):
    "A message goes out."
    require({require})
    if st.done[node]:
        st.twice[node] = True
    st.sent[node] = st.done[node] = True
    st.mail[node] = node


@action
def lose(st, node: Node):
    "It is lost."
    st.sent[node] = False
    st.mail[node] = None


@always
def claim(st, node: Node):
    "What is claimed."
    return {body}
"""
