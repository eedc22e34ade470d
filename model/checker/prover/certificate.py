"""A proof as files: the vocabulary, the start, the actions, the claims, what is assumed, and the queries.

Each query must have no model. ``certificate.json`` says which one shows what, and from which claims, axioms and values
of constants; ``verify`` checks it without the model.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from onceproof.model.checker.prover import sexpr
from onceproof.model.checker.prover.encoding import Conjunct, Encoding, Law, encode
from onceproof.model.checker.prover.fragment import in_fragment
from onceproof.model.checker.prover.induction import Proof, Stage, confront
from onceproof.model.checker.prover.names import claim_symbol
from onceproof.model.checker.prover.sexpr import Sexpr
from onceproof.model.checker.prover.solver import Answer, Outcome
from onceproof.model.checker.prover.verification_conditions import declarations, definitions, script
from onceproof.model.language.model import Config, Model

INDEX = "certificate.json"
VOCABULARY = "vocabulary.smt2"
START_FILE = "start.smt2"
FORMAT = 2


class NotProved(Exception):
    """A certificate was asked of a proof that did not succeed."""


def model_files(proof: Proof) -> dict[str, str]:
    """The files that say what was proved of what: vocabulary, start, actions, laws, proved conjuncts; by path."""
    files: dict[str, str] = {}
    for stage in proof.stages:
        files |= _encoding_files(stage.encoding)
        files |= _claim_files(stage.kept)
    return files


def _encoding_files(encoding: Encoding) -> dict[str, str]:
    files = {VOCABULARY: _text("The sorts, the values and the state.", declarations(encoding.vocabulary))}
    files[START_FILE] = _text("The start: what the state is at first.", definitions(encoding.start))
    for transition in encoding.transitions.values():
        doc = transition.action.doc if transition.action else ""
        files[f"actions/{transition.name}.smt2"] = _text(
            doc, [*definitions(transition), *_obligations(transition.obligations)]
        )
    for law in encoding.laws.values():
        files[_law_file(law)] = _text(law.doc, [("assert", law.formula), *_obligations(law.obligations)])
    return files


def _claim_files(claims: Iterable[Conjunct]) -> dict[str, str]:
    return {
        f"invariant/{claim.name}.smt2": _text(
            claim.doc,
            [
                ("define-fun", claim_symbol(claim.name), (), "Bool", claim.formula),
                *_obligations(claim.obligations),
            ],
        )
        for claim in claims
    }


def _law_file(law: Law) -> str:
    return f"axioms/{law.name}.smt2" if law.is_axiom else f"constants/{law.name.removeprefix('constant ')}.smt2"


def _obligations(found: Sequence[tuple[str, Sexpr]]) -> list[Sexpr]:
    """What must be true of every state so that no index that is None is used."""
    return [("define-fun", f"defined.{number}", (), "Bool", formula) for number, (_, formula) in enumerate(found, 1)]


def differences(model: Model, config: Config, folder: Path, proved: Mapping[str, Iterable[str]]) -> list[str]:
    """What a certificate says otherwise than the model at hand does, a line for each file; encodes the model anew.

    proved: the claims of the certificate, each with the faults that it is proved without. Raises RefutedProof where
    there is no difference, and a random run of the model refutes a claim all the same.
    """
    claims = []
    for name in proved:
        if name not in model.properties:
            return [f"invariant/{name}.smt2: the model at hand has no such property"]
        claims.append(model.properties[name])
    encoding = encode(model, config, claims)
    fresh = _encoding_files(encoding)
    fresh |= _claim_files(encoding.conjuncts.values())
    there = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*.smt2")
        if "queries" not in path.relative_to(folder).parts
    }
    found = [
        f"{path}: the model at hand says otherwise"
        for path in sorted(set(fresh) | set(there))
        if _meaning(fresh.get(path)) != _meaning(there.get(path))
    ]
    if not found:
        confront(model, config, proved)
    return found


def _meaning(text: str | None) -> list[Sexpr] | None:
    return None if text is None else sexpr.parse(text)


def digest_of(files: dict[str, str]) -> str:
    """One number for all of the files: two models (or invariants) that differ in anything have different ones."""
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(f"{path}\0{files[path]}\0".encode())
    return total.hexdigest()


def write_certificate(proof: Proof, folder: Path) -> dict[str, Any]:
    """Writes a certificate into a new or empty folder (or over an old certificate) and returns its index.

    Raises NotProved, and FileExistsError where the folder holds something else.
    """
    if not proof.proved or any(name in proof.refuted for name in proof.properties):
        raise NotProved("a certificate needs a proof that went through")
    _make_room(folder)
    files = model_files(proof)
    queries: list[dict[str, Any]] = []
    texts: dict[str, str] = {}
    for stage in proof.stages:
        for outcome in stage.outcomes:
            if outcome.answer is Answer.PROVED:
                entry, text = _query(stage, outcome)
                queries.append(entry)
                texts[entry["file"]] = text
    index = {
        "format": FORMAT,
        "model": proof.model.name,
        "mechanisms_off": [name for name, on in proof.config.switches.items() if not on],
        "faults": [name for name, left in proof.config.budgets.items() if left != 0],
        **({"parameters": dict(proof.config.parameters)} if proof.config.parameters else {}),
        "properties": proof.properties,
        "digest": digest_of(files),
        "conjuncts": [_conjunct_entry(stage, goal) for stage in proof.stages for goal in stage.kept],
        "actions": _action_entries(proof),
        "axioms": _law_entries(proof, axioms=True),
        "constants": _law_entries(proof, axioms=False),
        "queries": queries,
        "files": {path: _hash(text) for path, text in sorted({**files, **texts}.items())},
    }
    for path, text in {**files, **texts}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    (folder / INDEX).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
    return index


def _make_room(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file")
    if folder.is_dir() and any(folder.iterdir()):
        if not (folder / INDEX).is_file():
            raise FileExistsError(f"{folder} holds other things than a certificate")
        for name in ("actions", "axioms", "constants", "invariant", "queries"):
            shutil.rmtree(folder / name, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)


def _conjunct_entry(stage: Stage, goal: Conjunct) -> dict[str, Any]:
    of_steps = {"of_steps": True} if goal.of_steps else {}
    return {"name": goal.name, "group": goal.group, "without": sorted(stage.without), **of_steps}


def _action_entries(proof: Proof) -> list[dict[str, Any]]:
    transitions = {
        name: transition for stage in proof.stages for name, transition in stage.encoding.transitions.items()
    }
    return [
        {
            "name": name,
            "fault": (transition.action.budget or name) if transition.action and transition.action.fault else None,
        }
        for name, transition in transitions.items()
    ]


def _law_entries(proof: Proof, *, axioms: bool) -> list[dict[str, str]]:
    laws = {law.name: law for stage in proof.stages for law in stage.encoding.laws.values()}
    return [{"name": law.name, "file": _law_file(law)} for law in laws.values() if law.is_axiom == axioms]


def _query(stage: Stage, outcome: Outcome) -> tuple[dict[str, Any], str]:
    """A query as the index has it, and its script."""
    condition, without = outcome.query, sorted(stage.without)
    action = condition.transition.name if condition.transition else None
    name = f"{condition.subject}.defined.{condition.number}".lstrip(".") if condition.number else condition.subject
    least = ".".join(["", "without", *without]) if condition.kind == "defined" and without else ""
    assumed = stage.assumed(outcome)
    entry = {
        "file": f"queries/{action or 'any'}/{name}{least}.smt2",
        "kind": condition.kind,
        "action": action,
        "subject": condition.subject,
        "number": condition.number,
        "without": without,
        "uses": [one.name for one in assumed],
        "decidable": in_fragment(stage.encoding, condition, assumed),
        "seconds": round(outcome.seconds, 4),
    }
    says = f"{condition.name}: must be unsat."
    return entry, _comment(says) + script(stage.encoding, condition, assumed)


def _text(doc: str, commands: Iterable[Sexpr]) -> str:
    return _comment(doc) + "\n".join(sexpr.pretty(command) for command in commands) + "\n"


def _comment(doc: str) -> str:
    return "".join(f"; {line.strip()}\n" for line in doc.splitlines() if line.strip())


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
