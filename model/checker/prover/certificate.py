"""A proof as files: the vocabulary, the start, every action, every conjunct, and every query that must have no model.

``certificate.json`` says which query shows what and from which conjuncts; ``verify`` checks it without the model.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from onceproof.model.checker.prover import sexpr
from onceproof.model.checker.prover.encoding import Conjunct, Encoding, Transition, encode
from onceproof.model.checker.prover.fragment import in_fragment
from onceproof.model.checker.prover.induction import Proof, Stage
from onceproof.model.checker.prover.sexpr import Sexpr
from onceproof.model.checker.prover.solver import Answer
from onceproof.model.checker.prover.verification_conditions import declarations, definitions, script
from onceproof.model.language.model import Config, Model

INDEX = "certificate.json"
VOCABULARY = "vocabulary.smt2"
START_FILE = "start.smt2"
FORMAT = 1


class NotProved(Exception):
    """A certificate was asked of a proof that did not succeed."""


def model_files(proof: Proof) -> dict[str, str]:
    """The files that say what was proved of what: vocabulary, start, actions, proved conjuncts; by path."""
    files: dict[str, str] = {}
    for stage in proof.stages:
        files |= _encoding_files(stage.encoding)
        files |= {f"invariant/{goal.name}.smt2": _text(goal.doc, [_definition(goal)]) for goal in stage.kept}
    return files


def _encoding_files(encoding: Encoding) -> dict[str, str]:
    files = {VOCABULARY: _text("The sorts, the values and the state.", declarations(encoding.vocabulary))}
    files[START_FILE] = _text("The start: what the state is at first.", definitions(encoding.start))
    for transition in encoding.transitions.values():
        files[f"actions/{transition.name}.smt2"] = _text(
            transition.action.doc if transition.action else "", _commands(transition)
        )
    return files


def differences(model: Model, config: Config, folder: Path, conjuncts: Iterable[str]) -> list[str]:
    """What a certificate says otherwise than the model at hand does, a line for each file; reads the model anew."""
    claims = []
    for name in conjuncts:
        if name not in model.properties:
            return [f"invariant/{name}.smt2: the model at hand has no such property"]
        claims.append(model.properties[name])
    encoding = encode(model, config, claims)
    fresh = _encoding_files(encoding)
    fresh |= {f"invariant/{c.name}.smt2": _text(c.doc, [_definition(c)]) for c in encoding.conjuncts.values()}
    there = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*.smt2")
        if "queries" not in path.relative_to(folder).parts
    }
    return [
        f"{path}: the model at hand says otherwise"
        for path in sorted(set(fresh) | set(there))
        if _meaning(fresh.get(path)) != _meaning(there.get(path))
    ]


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
    if not proof.proved:
        raise NotProved("a certificate needs a proof that went through")
    _make_room(folder)
    files = model_files(proof)
    queries: list[dict[str, Any]] = []
    texts: dict[str, str] = {}
    for stage in proof.stages:
        for outcome in stage.outcomes:
            if outcome.answer is Answer.PROVED:
                path, entry, text = _query(stage, outcome.query.name, outcome)
                queries.append(entry)
                texts[path] = text
    index = {
        "format": FORMAT,
        "model": proof.model.name,
        "mechanisms_off": [name for name, on in proof.config.switches.items() if not on],
        "faults": [name for name, left in proof.config.budgets.items() if left != 0],
        "properties": proof.properties,
        "digest": digest_of(files),
        "conjuncts": [_conjunct_entry(stage, goal) for stage in proof.stages for goal in stage.kept],
        "actions": _action_entries(proof),
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
        for name in ("actions", "invariant", "queries"):
            shutil.rmtree(folder / name, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)


def _commands(transition: Transition) -> list[Sexpr]:
    claims: list[Sexpr] = [
        ("define-fun", f"defined.{number}", (), "Bool", formula)
        for number, (_, formula) in enumerate(transition.obligations, 1)
    ]
    return [*definitions(transition), *claims]


def _definition(goal: Conjunct) -> Sexpr:
    return ("define-fun", goal.name, (), "Bool", goal.formula)


def _conjunct_entry(stage: Stage, goal: Conjunct) -> dict[str, Any]:
    return {"name": goal.name, "group": goal.group, "without": sorted(stage.without)}


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


def _query(stage: Stage, name: str, outcome: Any) -> tuple[str, dict[str, Any], str]:
    query = outcome.query
    number = 0
    if query.kind == "defined" and query.transition:
        number = 1 + [formula for _, formula in query.transition.obligations].index(query.goal)
    folder = query.transition.name if query.transition else "any"
    subject = f"defined.{number}" if number else query.subject if query.transition else _hash(query.subject)[:12]
    path = f"queries/{folder}/{subject}.smt2"
    uses = [conjunct for conjunct in stage.hypotheses if conjunct.name in outcome.core]
    entry = {
        "file": path,
        "kind": query.kind,
        "action": query.transition.name if query.transition else None,
        "subject": subject if query.transition else query.subject,
        "uses": [conjunct.name for conjunct in uses],
        "decidable": in_fragment(stage.encoding, query, uses),
        "seconds": round(outcome.seconds, 4),
    }
    return path, entry, _comment(f"{name}: must be unsat.") + script(stage.encoding, query, uses)


def _text(doc: str, commands: Iterable[Sexpr]) -> str:
    return _comment(doc) + "\n".join(sexpr.pretty(command) for command in commands) + "\n"


def _comment(doc: str) -> str:
    return "".join(f"; {line.strip()}\n" for line in doc.splitlines() if line.strip())


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
