"""Properties of steps for any size: proved of every action under the invariant, in certificates too; and refuted."""

import json
from pathlib import Path
from typing import Any

import pytest

from onceproof.model.checker.prover.certificate import differences, write_certificate
from onceproof.model.checker.prover.diagnosis import diagnose
from onceproof.model.checker.prover.induction import Proof, prove, unbounded
from onceproof.model.checker.prover.verify import verify
from onceproof.model.language import (
    Count,
    Model,
    ModelError,
    Optional,
    Sort,
    action,
    always,
    fault,
    field,
    given,
    require,
    step,
)
from tests.helpers.present import present


class Node(Sort):
    """A node."""


@action
def promise(st: Any, node: Node, leader: Node) -> None:
    """A node follows a leader for good."""
    require(st.leader[node] is None)
    st.leader[node] = leader
    st.rank[node] = 1


@action
def settle(st: Any, node: Node) -> None:
    """What follows is settled."""
    require(st.leader[node] is not None)
    st.rank[node] = 2


@action
def send(st: Any, node: Node) -> None:
    """A node tells what it follows."""
    require(st.leader[node] is not None)
    st.told[node] = True


@fault
def lapse(st: Any, node: Node) -> None:
    """A node forgets its leader, unless that is settled."""
    require(st.rank[node] != 2)
    st.leader[node] = None


@always(invariant="ranks")
def settled_follows(st: Any, node: Node) -> bool:
    """What is settled has a leader."""
    return st.rank[node] != 2 or st.leader[node] is not None


@step
def settled_stays(before: Any, after: Any, node: Node) -> bool:
    """A settled node keeps its leader: that the new one is some needs the invariant."""
    given(before.rank[node] == 2)
    return after.leader[node] == before.leader[node] and after.leader[node] is not None


@step
def promise_stays(before: Any, after: Any, node: Node) -> bool:
    """A node keeps its leader; false where promises lapse."""
    return before.leader[node] is None or after.leader[node] == before.leader[node]


@step
def told_once(before: Any, after: Any, node: Node) -> bool:
    """What was told stays told."""
    return not before.told[node] or after.told[node]


NAMES: dict[str, Any] = {
    "__name__": "promises",
    "leader": field(Node, Optional[Node]),
    "rank": field(Node, Count(2)),
    "told": field(Node, bool),
}
ACTIONS = (promise, settle, send, lapse, settled_follows)


def proof_of(*claims: Any, faults: list[str] | None = None, **changes: Any) -> Proof:
    declared = {**NAMES, **{one.name: one for one in (*ACTIONS, *claims)}, **changes}
    model = Model("promises", {name: one for name, one in declared.items() if one is not None})
    return prove(model, unbounded(model, faults=faults), [claim.name for claim in claims])


def test_a_property_of_steps_is_proved_under_the_invariant(tmp_path: Path) -> None:
    proof = proof_of(settled_stays)
    assert proof.proved and not proof.dropped
    used = {name for outcome in proof.outcomes if outcome.query.subject == "settled_stays" for name in outcome.core}
    assert used == {"settled_follows"}, "it rests on the conjunct, and never on itself"
    write_certificate(proof, tmp_path)
    checked = verify(tmp_path)
    assert checked.valid, checked.problems
    assert not differences(proof.model, proof.config, tmp_path, {"settled_stays": [], "settled_follows": []})


@pytest.mark.parametrize("change", ["unmarked", "assumed", "left out"])
def test_a_certificate_that_takes_a_step_for_a_state_is_refused(tmp_path: Path, change: str) -> None:
    write_certificate(proof_of(settled_stays), tmp_path)
    index = json.loads((tmp_path / "certificate.json").read_text())
    (claim,) = (one for one in index["conjuncts"] if one["name"] == "settled_stays")
    queries = [one for one in index["queries"] if one["subject"] == "settled_stays"]
    assert {one["action"] for one in queries} == {"promise", "settle", "send", "lapse"}
    if change == "unmarked":
        del claim["of_steps"]
    elif change == "assumed":
        queries[0]["uses"].append("settled_stays")
    else:
        index["queries"].remove(queries[0])
    (tmp_path / "certificate.json").write_text(json.dumps(index))
    assert verify(tmp_path).problems


def test_a_false_one_comes_with_its_run() -> None:
    proof = proof_of(promise_stays)
    assert not proof.proved
    (found,) = diagnose(proof)
    steps = present(found.real).trace.steps
    assert [one.action for one in steps] == ["promise", "lapse"]
    induction = present(found.failure)
    assert induction.trace.steps[0].action == "lapse"
    assert proof_of(promise_stays, faults=[]).proved, "without the fault it holds"


def looks_at_settled(before: Any, after: Any, node: Node) -> bool:
    given(after.rank[node] == 2)
    return bool(before.rank[after.leader[node]] >= 0)


def test_an_index_is_shown_not_to_be_none_where_the_property_uses_it() -> None:
    proof = proof_of(step(looks_at_settled))
    kinds = {outcome.query.kind for outcome in proof.outcomes if outcome.query.subject == "looks_at_settled"}
    assert proof.proved and kinds == {"kept", "defined"}
    assert not proof_of(step(looks_at_settled), settled_follows=None).proved, "it rests on the invariant"


def test_what_is_on_the_network_may_be_lost_in_a_step() -> None:
    network = field(Node, bool, network=True)
    with pytest.raises(ModelError, match="absent from `told`, and what is on the network may be lost at any time"):
        proof_of(told_once, told=network)
    assert proof_of(told_once).proved
