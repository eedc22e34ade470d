"""Certificates: valid as written, and every change of a conjunct, a guard, a query or a file is found and named."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from onceproof.model.checker.prover.certificate import NotProved, differences, write_certificate
from onceproof.model.checker.prover.induction import Proof, prove, unbounded
from onceproof.model.checker.prover.verify import CertificateError, verify
from onceproof.model.language import Model
from onceproof.model.protocol.system import PROTOCOL
from tests.models import lock_service

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


def test_verifying_needs_neither_the_model_nor_the_tracing(folder: Path) -> None:
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
