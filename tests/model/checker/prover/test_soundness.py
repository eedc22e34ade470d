"""What exploration refutes is never proved: random models, with what proofs went wrong on before.

Each claim that can be encoded is proved or not, without the random runs that would contradict a wrong proof, and then
looked at in every state of small instances.
"""

import pytest

from onceproof.model.checker.explicit.engine import check
from onceproof.model.checker.prover import encoding, transition
from onceproof.model.checker.prover.encoding import encode
from onceproof.model.checker.prover.induction import Proof, prove, unbounded
from onceproof.model.checker.prover.solver import Answer
from onceproof.model.checker.results import Limits, Verdict
from onceproof.model.language import Model, ModelError, build
from tests.helpers.provable_models import provable_model

MODELS = 60
SIZES = (1, 2, 3)
LIMITS = Limits(max_states=1500)
LOSSY = 31  # the seed of a model in which a message is posted, lost and missed


def encodable(model: Model) -> list[str]:
    """The claims that are not refused."""
    found = []
    for name, claim in model.properties.items():
        try:
            encode(model, unbounded(model), [claim])
            found.append(name)
        except ModelError as error:
            assert error.place is not None and "property `" in error.place, error
    return found


def proved(proof: Proof) -> set[str]:
    return {name for name in proof.properties if proof.answer(name) is Answer.PROVED}


def refuted(model: Model, names: set[str]) -> set[str]:
    """The claims that are false in a state of a small instance, with faults any number of times."""
    found = set()
    for size in SIZES:
        sizes, faults = dict.fromkeys(model.size_names, size), dict.fromkeys(model.faults)
        claims = [model.properties[name] for name in sorted(names)]
        result = check(build(model, model.configure(sizes, {}, faults)), claims, LIMITS)
        found |= {judged.name for judged in result.properties if judged.verdict is Verdict.VIOLATED}
    return found


def test_what_exploration_refutes_is_never_proved() -> None:
    right, wrong = 0, 0
    for seed in range(MODELS):
        model = provable_model(seed)
        names = encodable(model)
        proof = prove(model, unbounded(model), names, timeout=2, walks=0)
        false = refuted(model, set(names))
        assert proved(proof).isdisjoint(false), f"seed {seed}"
        right += len(proved(proof))
        wrong += len(false)
    assert right > 120 and wrong > 80, (right, wrong)  # the models have claims of both kinds


def test_a_network_taken_for_reliable_would_be_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the look at polarity the same comparison finds a false claim proved: it can fail."""
    monkeypatch.setattr(encoding, "absences", lambda *_: set())
    monkeypatch.setattr(transition, "absences", lambda *_: set())
    monkeypatch.setattr(transition, "written_absences", lambda *_: set())
    model = provable_model(LOSSY)
    proof = prove(model, unbounded(model), encodable(model), timeout=2, walks=0)
    assert refuted(model, proved(proof)) == {"posted_is_there"}
