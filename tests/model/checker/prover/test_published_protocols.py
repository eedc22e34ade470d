"""Protocols with published invariants, proved for any size from axioms; broken, or without an axiom, they are not."""

import inspect
import time
from types import ModuleType

import pytest

from onceproof.model.checker.explicit.engine import check
from onceproof.model.checker.prover.diagnosis import diagnose
from onceproof.model.checker.prover.induction import prove, unbounded
from onceproof.model.checker.results import Verdict
from onceproof.model.language import Model, build
from onceproof.model.language.errors import AxiomError
from tests.helpers.pace import slowness
from tests.helpers.written_models import written_model
from tests.models import chang_roberts, fencing_lease, ironfleet_lock, simple_election, toy_consensus

PROTOCOLS = [chang_roberts, fencing_lease, ironfleet_lock, simple_election, toy_consensus]
CONDITIONS = {"chang_roberts": 10, "fencing_lease": 14, "ironfleet_lock": 32, "simple_election": 7, "toy_consensus": 7}
STATES = {"chang_roberts": 64, "fencing_lease": 241, "ironfleet_lock": 13, "simple_election": 66, "toy_consensus": 41}
# What follows from the other axioms, or is not needed for safety.
NEEDLESS = {
    ("chang_roberts", "order_is_transitive"),
    ("chang_roberts", "ring_is_total"),
    ("ironfleet_lock", "order_is_reflexive"),
}
# For each a line left out or made weaker, what breaks then, and after how many steps at the soonest.
BROKEN = {
    "chang_roberts": (
        "ident != st.ident[node] and st.at_most[st.ident[node], ident]",
        "ident != st.ident[node]",
        {"one_leader": 8},
    ),
    "fencing_lease": (
        "        require(st.at_most[fence, token])",
        "        pass",
        {"writes_are_in_the_order_of_tokens": 7},
    ),
    "ironfleet_lock": ("    st.holds[node] = False\n", "", {"one_holder": 3, "one_node_for_an_epoch": 5}),
    "simple_election": (
        "    require(forall(Proposer, lambda other: not st.promise[acceptor, other]))\n",
        "",
        {"one_leader": 8},
    ),
    "toy_consensus": (
        "    require(forall(Value, lambda other: not st.vote[node, other]))\n",
        "",
        {"agreement": 6},
    ),
}


def name_of(module: ModuleType) -> str:
    return module.__name__.rsplit(".", 1)[-1]


@pytest.mark.parametrize("module", PROTOCOLS, ids=name_of)
def test_published_protocol_is_proved_for_any_size(module: ModuleType) -> None:
    model = Model(name_of(module), module)
    began = time.process_time()
    proof = prove(model, unbounded(model))
    seconds = time.process_time() - began
    assert proof.proved and proof.dropped == [] and proof.refuted == {}
    assert len(proof.outcomes) == CONDITIONS[model.name]
    assert [law.name for law in proof.axioms] == list(model.axioms)
    assert seconds < 5 * slowness()


@pytest.mark.parametrize("module", PROTOCOLS, ids=name_of)
def test_published_protocol_holds_in_an_explored_instance(module: ModuleType) -> None:
    """All its claims, those of its invariant too; and the sometimes say that something happens at all."""
    model = Model(name_of(module), module)
    system = build(model, model.configure({}, {}, dict.fromkeys(model.faults, 1)))
    result = check(system, [claim for claim in model.properties.values() if claim.kind != "ending"])
    assert result.complete and result.states == STATES[model.name]
    assert {judged.verdict for judged in result.properties} == {Verdict.HOLDS}


@pytest.mark.parametrize("module", PROTOCOLS, ids=name_of)
def test_broken_protocol_is_not_proved(module: ModuleType) -> None:
    old, new, lengths = BROKEN[name_of(module)]
    source = inspect.getsource(module)
    assert source.count(old) == 1
    model = written_model(source.replace(old, new))
    proof = prove(model, unbounded(model))
    assert not proof.proved
    found = {diagnosis.property: diagnosis.real for diagnosis in diagnose(proof)}
    assert {name: len(real.trace) for name, real in found.items() if real is not None} == lengths


AXIOMS = [(module, name) for module in PROTOCOLS for name in Model(name_of(module), module).axioms]


@pytest.mark.parametrize(("module", "axiom"), AXIOMS, ids=[f"{name_of(module)}-{name}" for module, name in AXIOMS])
def test_an_axiom_that_is_left_out_is_missed(module: ModuleType, axiom: str) -> None:
    model = Model(name_of(module), {name: value for name, value in vars(module).items() if name != axiom})
    assert prove(model, unbounded(model)).proved == ((model.name, axiom) in NEEDLESS)


@pytest.mark.parametrize("module", [simple_election, toy_consensus], ids=name_of)
def test_an_instance_without_meeting_quorums_is_refused(module: ModuleType) -> None:
    model = Model(name_of(module), module)
    sizes = dict.fromkeys(model.size_names, 2)
    with pytest.raises(AxiomError, match=f"axiom `quorums_meet`, {model.name}.py:[0-9]+: it is false in the instance"):
        build(model, model.configure(sizes))


def test_axioms_that_no_instance_satisfies_prove_nothing() -> None:
    """From axioms that contradict the model's own constants anything would follow."""
    source = inspect.getsource(toy_consensus).replace("quorum != node, constant", "False, constant")
    model = written_model(source)
    with pytest.raises(AxiomError, match="axiom `quorums_meet`"):
        prove(model, unbounded(model))
