"""Certificates: valid as written, and every change of a conjunct, a guard, a query or a file is found and named."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from onceproof.model.checker.prover.certificate import NotProved, differences, write_certificate
from onceproof.model.checker.prover.induction import Proof, RefutedProof, confront, prove, unbounded
from onceproof.model.checker.prover.solver import Answer
from onceproof.model.checker.prover.verify import CertificateError, verify
from onceproof.model.language import Model
from onceproof.model.protocol.system import PROTOCOL
from tests.helpers.written_models import written_model
from tests.models import chang_roberts, fencing_lease, lock_service

LOCK = Model("lock-service", lock_service)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_certificate(prove(LOCK, unbounded(LOCK)), tmp_path / "certificate")
    return tmp_path / "certificate"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def forge(folder: Path) -> None:
    """Makes the index fit the files again, as someone who wants to deceive would."""
    index = json.loads((folder / "certificate.json").read_text())
    total = hashlib.sha256()
    for path in sorted(index["files"]):
        data = (folder / path).read_bytes()
        index["files"][path] = hashlib.sha256(data).hexdigest()
        if not path.startswith("queries/"):
            total.update(path.encode() + b"\0" + data + b"\0")
    index["digest"] = total.hexdigest()
    (folder / "certificate.json").write_text(json.dumps(index))


@pytest.mark.parametrize("solver", ["z3", "cvc5"])
def test_certificate_is_valid_as_written(folder: Path, solver: str) -> None:
    result = verify(folder, solver)
    assert result.valid
    assert (result.queries, result.problems, result.properties) == (23, [], ["mutual_exclusion"])


def test_certificate_of_the_protocol_is_valid(tmp_path: Path, full: Proof) -> None:
    index = write_certificate(full, tmp_path / "certificate")
    assert all(query["decidable"] for query in index["queries"])
    for solver in ("z3", "cvc5"):
        result = verify(tmp_path / "certificate", solver)
        assert result.valid, solver
        assert result.queries == len(full.outcomes)
        assert differences(PROTOCOL, full.config, tmp_path / "certificate", result.without) == []


CHANGES = {
    "conjunct": ("invariant/at_one_client.smt2", "(= |one in Client| |other in Client|)", "true"),
    "guard": ("actions/grant.smt2", "|st free|", "true"),
    "start": ("start.smt2", "Bool true", "Bool false"),
    "query": ("queries/take/in_one_place.smt2", "(assert enabled)", "(assert false)"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_change_of_a_certificate_is_named(folder: Path, change: str) -> None:
    path, old, new = CHANGES[change]
    edit(folder / path, old, new)
    assert f"{path}: was changed after the certificate was written" in verify(folder).problems


@pytest.mark.parametrize("change", CHANGES)
def test_change_of_a_certificate_is_named_though_the_index_fits(folder: Path, change: str) -> None:
    path, old, new = CHANGES[change]
    edit(folder / path, old, new)
    forge(folder)
    problems = verify(folder).problems
    assert problems
    assert all(f"{path}" in problem for problem in problems)


def test_consistent_forgery_of_a_certificate_is_of_another_model(folder: Path) -> None:
    """A weaker guard and queries rewritten to fit: the solver finds the hole."""
    for query in [folder / "actions/grant.smt2", *(folder / "queries/grant").iterdir()]:
        edit(query, "(and (|st asks| |arg client|) |st free|)", "(|st asks| |arg client|)")
    forge(folder)
    result = verify(folder)
    assert "queries/grant/at_one_client.smt2: z3 finds it satisfiable: it proves nothing" in result.problems
    assert differences(LOCK, unbounded(LOCK), folder, result.without) == [
        "actions/grant.smt2: the model at hand says otherwise"
    ]


def test_missing_and_extra_files_of_a_certificate_are_named(folder: Path) -> None:
    (folder / "queries/take/in_one_place.smt2").unlink()
    (folder / "queries/take/other.smt2").write_text("(check-sat)")
    assert verify(folder).problems == [
        "queries/take/in_one_place.smt2: is missing",
        "queries/take/other.smt2: is not part of the certificate",
    ]


def test_query_left_out_of_a_certificate_is_named(folder: Path) -> None:
    index = json.loads((folder / "certificate.json").read_text())
    index["queries"] = [q for q in index["queries"] if q["file"] != "queries/take/in_one_place.smt2"]
    del index["files"]["queries/take/in_one_place.smt2"]
    (folder / "queries/take/in_one_place.smt2").unlink()
    (folder / "certificate.json").write_text(json.dumps(index))
    assert verify(folder).problems == ["certificate.json: no query shows in_one_place for take"]


def test_certificate_must_not_assume_a_claim_proved_under_fewer_faults(tmp_path: Path, full: Proof) -> None:
    write_certificate(full, tmp_path / "certificate")
    index = json.loads((tmp_path / "certificate" / "certificate.json").read_text())
    query = next(q for q in index["queries"] if q["subject"] == "at_most_once" and q["action"] == "start")
    query["uses"].append("single_holder")
    (tmp_path / "certificate" / "certificate.json").write_text(json.dumps(index))
    problems = verify(tmp_path / "certificate").problems
    assert f"{query['file']}: assumes single_holder, which is proved under fewer faults" in problems


def test_folder_without_a_certificate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="no certificate here"):
        verify(tmp_path)
    (tmp_path / "certificate.json").write_text("{}")
    with pytest.raises(CertificateError, match="not the index of a certificate"):
        verify(tmp_path)


def test_certificate_is_written_only_of_a_proof_and_into_its_own_folder(tmp_path: Path) -> None:
    proof = prove(PROTOCOL, unbounded(PROTOCOL, {"delete_after_result": False}), ["delete_after_completion"])
    with pytest.raises(NotProved):
        write_certificate(proof, tmp_path / "certificate")
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="holds other things"):
        write_certificate(prove(LOCK, unbounded(LOCK)), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_certificate_is_written_again_over_an_old_one(folder: Path) -> None:
    write_certificate(prove(LOCK, unbounded(LOCK)), folder)
    assert verify(folder).valid


def test_verifying_needs_neither_the_model_nor_the_reader(folder: Path) -> None:
    """The checker imports nothing of the language, the protocol or the formulas' making."""
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from onceproof.model.checker.prover.verify import verify\n"
        "assert verify(Path(sys.argv[1])).valid\n"
        "print(*sorted(name for name in sys.modules if name.startswith('onceproof.model.')))\n"
    )
    ran = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [
        "onceproof.model.checker",
        "onceproof.model.checker.prover",
        "onceproof.model.checker.prover.sexpr",
        "onceproof.model.checker.prover.verify",
    ]


@pytest.fixture
def with_axioms(tmp_path: Path) -> Path:
    model = Model("chang_roberts", chang_roberts)
    write_certificate(prove(model, unbounded(model)), tmp_path / "axioms")
    return tmp_path / "axioms"


def changed(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes the index of a certificate, and makes it fit the files."""
    index = json.loads((folder / "certificate.json").read_text())
    change(index)
    (folder / "certificate.json").write_text(json.dumps(index))
    forge(folder)


@pytest.mark.parametrize(
    ("solver", "module"), [("z3", chang_roberts), ("cvc5", fencing_lease)], ids=["z3, ring", "cvc5, lease"]
)
def test_axioms_are_named_by_who_checks(tmp_path: Path, solver: str, module: ModuleType) -> None:
    model = Model("with axioms", module)
    write_certificate(prove(model, unbounded(model)), tmp_path / "certificate")
    result = verify(tmp_path / "certificate", solver)
    assert result.valid
    assert result.axioms == {name: axiom.doc for name, axiom in model.axioms.items()}
    assert result.axioms["order_is_antisymmetric"].endswith("each at most the other are the same.")


def test_an_axiom_that_is_added_is_refused(with_axioms: Path) -> None:
    (with_axioms / "axioms/wish.smt2").write_text("(assert false)\n")
    assert verify(with_axioms).problems == ["axioms/wish.smt2: is not part of the certificate"]
    entry = {"name": "wish", "file": "axioms/wish.smt2"}
    changed(with_axioms, lambda index: (index["axioms"].append(entry), index["files"].update({entry["file"]: ""})))
    assert verify(with_axioms).problems == [
        "certificate.json: the axioms contradict each other: everything follows from them"
    ]
    model = Model("chang_roberts", chang_roberts)
    assert differences(model, unbounded(model), with_axioms, verify(with_axioms).without) == [
        "axioms/wish.smt2: the model at hand says otherwise"
    ]


def test_an_axiom_about_what_changes_is_refused(with_axioms: Path) -> None:
    wish = "(assert (forall ((|n| |sort Node|)) (not (|st leads| |n|))))\n"
    (with_axioms / "axioms/wish.smt2").write_text(wish)
    entry = {"name": "wish", "file": "axioms/wish.smt2"}
    changed(with_axioms, lambda index: (index["axioms"].append(entry), index["files"].update({entry["file"]: ""})))
    assert verify(with_axioms).problems == ["axioms/wish.smt2: it speaks of |st leads|, which is not constant"]


def test_an_axiom_that_is_removed_is_missed(with_axioms: Path) -> None:
    (with_axioms / "axioms/identities_differ.smt2").unlink()

    def without_it(index: dict[str, Any]) -> None:
        index["axioms"] = [axiom for axiom in index["axioms"] if axiom["name"] != "identities_differ"]
        del index["files"]["axioms/identities_differ.smt2"]

    changed(with_axioms, without_it)
    problems = verify(with_axioms).problems
    assert problems
    assert all("assumes identities_differ, which is not among the conjuncts or the axioms" in one for one in problems)


def test_a_query_of_definedness_cannot_be_left_out(tmp_path: Path) -> None:
    """An index that may be none where a claim uses it: who checks asks for the query that excludes it."""
    model = written_model(
        """
from onceproof import *


class Node(Sort, default=2):
    "Who holds."


held_by = field(Node, Optional[Node])
free = field(bool, init=True)


@action
def take(st, node: Node, other: Node):
    "Taken."
    st.held_by[node] = other
    st.free = False


@always
def claim(st, node: Node):
    "Held by one that is itself."
    given(st.held_by[node] is not None)
    return st.held_by[node] == st.held_by[node] and (not st.free)


@always(invariant="free")
def free_is_unheld(st, node: Node):
    "What is free is not held."
    return not st.free or st.held_by[node] is None
"""
    )
    folder = tmp_path / "certificate"
    proof = prove(model, unbounded(model))
    assert proof.proved
    write_certificate(proof, folder)
    assert_each_query_is_needed(folder)


def assert_each_query_is_needed(folder: Path) -> None:
    """The certificate is valid, and whichever of its queries is left out, it is missed."""
    assert verify(folder).valid
    index = json.loads((folder / "certificate.json").read_text())
    for query in index["queries"]:
        smaller = {**index, "queries": [one for one in index["queries"] if one is not query]}
        smaller["files"] = {path: digest for path, digest in index["files"].items() if path != query["file"]}
        text = (folder / query["file"]).read_text()
        (folder / query["file"]).unlink()
        (folder / "certificate.json").write_text(json.dumps(smaller))
        problems = verify(folder).problems
        assert problems
        assert all(problem.startswith("certificate.json: no query shows ") for problem in problems)
        (folder / query["file"]).write_text(text)


TWO_FAULTS = """
from onceproof import *


class Node(Sort, default=2):
    "Who holds."


holder = field(Optional[Node])
started = field(bool)
ready = field(bool)
busy = field(Node, bool)


@action
def start(st, node: Node):
    "It starts."
    require(not st.started and st.holder is None)
    st.holder = node
    st.started = True


@action
def prepare(st):
    "It is ready."
    require(st.holder is not None)
    st.ready = True


@action
def go(st):
    "Whoever holds is busy."
    require(st.started and st.ready)
    st.busy[st.holder] = True


@fault
def spill(st):
    "The holder is lost before it is ready."
    require(not st.ready)
    st.holder = None


@fault
def burn(st):
    "The holder is lost before it started."
    require(not st.started)
    st.holder = None


@always(broken_by=["spill"])
def started_is_held(st):
    "Where it started there is a holder."
    return not st.started or st.holder is not None


@always(broken_by=["burn"])
def ready_is_held(st):
    "Where it is ready there is a holder."
    return not st.ready or st.holder is not None
"""


def test_an_action_is_shown_to_be_defined_under_each_least_set_of_faults(tmp_path: Path) -> None:
    """Neither claim holds under all faults: that no index is none is shown without the one, and without the other."""
    model = written_model(TWO_FAULTS)
    proof = prove(model, unbounded(model))
    assert proof.proved
    index = write_certificate(proof, tmp_path / "certificate")
    shown = [query for query in index["queries"] if query["kind"] == "defined" and query["action"] == "go"]
    assert sorted(query["without"] for query in shown) == [["burn"], ["spill"]]
    assert sorted(query["uses"] for query in shown) == [["ready_is_held"], ["started_is_held"]]
    assert_each_query_is_needed(tmp_path / "certificate")


def test_an_action_that_may_fail_under_one_least_set_of_faults_is_not_proved() -> None:
    """With the spill at any time, and a claim that does not need the holder, `go` fails though neither claim does."""
    text = TWO_FAULTS.replace("    require(not st.ready)\n    st.holder = None", "    st.holder = None")
    text = text.replace("not st.ready or st.holder is not None", "not st.busy[list_of_one()] or st.started")
    text = text.replace("def ready_is_held(st):", "def ready_is_held(st, node: Node):").replace("list_of_one()", "node")
    model = written_model(text)
    proof = prove(model, unbounded(model), walks=0)
    assert not proof.proved
    (failed,) = [one for stage in proof.stages for one in stage.outcomes if one.answer is not Answer.PROVED]
    assert failed.query.kind == "defined"
    assert failed.query.name.startswith("go/")


def test_a_certificate_of_a_claim_that_a_run_refutes_is_a_contradiction(folder: Path) -> None:
    """The model at hand says what the certificate says, and a run of it refutes a claim: said aloud."""
    result = verify(folder)
    broken = Model("lock-service", {**vars(lock_service), "__name__": "lock_service"})
    broken.properties = {**LOCK.properties}
    free = LOCK.properties["mutual_exclusion"]
    broken.properties["mutual_exclusion"] = replace(free, function=_never_held)
    with pytest.raises(RefutedProof, match="`mutual_exclusion` is proved for any size, and is false"):
        confront(broken, unbounded(broken), result.without)


def _never_held(st: Any, one: lock_service.Client, other: lock_service.Client) -> bool:
    return not st.holds[one]
