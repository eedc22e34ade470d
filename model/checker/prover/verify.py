"""Checks a certificate without the model, the tracing and the prover that wrote it: only its files, and a solver.

1. Every file is what the index says it is, none is missing, none is left over.
2. Every query is what the vocabulary, an action and the conjuncts make: put together here a second time.
3. There is a query for every action and every conjunct that reads what the action writes, and for every start;
   whatever a query assumes is itself proved, under at least the same faults.
4. The solver finds every query unsatisfiable.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onceproof.model.checker.prover import sexpr
from onceproof.model.checker.prover.sexpr import Sexpr

INDEX = "certificate.json"
Report = Callable[[int, int], None]
Ask = Callable[[str], str]


class CertificateError(Exception):
    """The folder holds no certificate that could be read."""


@dataclass
class Verification:
    """What a check found. problems: each a line that names the file; unknown: queries that the solver gave up on."""

    solver: str
    digest: str = ""
    model: str = ""
    properties: list[str] = field(default_factory=list)
    conjuncts: list[str] = field(default_factory=list)
    mechanisms_off: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    queries: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def valid(self) -> bool:
        """Whether every check went through."""
        return not self.problems and not self.unknown and self.queries > 0


def verify(folder: Path, solver: str = "z3", timeout: float = 10.0, report: Report | None = None) -> Verification:
    """Checks the certificate in a folder with "z3" or "cvc5" (ImportError where it is not installed).

    Raises CertificateError where there is none or its index is malformed.
    """
    began = time.perf_counter()
    index = _index(folder)
    result = Verification(
        solver,
        index["digest"],
        index["model"],
        list(index["properties"]),
        [conjunct["name"] for conjunct in index["conjuncts"]],
        list(index["mechanisms_off"]),
        list(index["faults"]),
    )
    result.problems += _files(folder, index)
    if not result.problems:
        try:
            parts = Parts(folder, index)
            result.problems += parts.problems()
        except (sexpr.SexprError, OSError, KeyError, IndexError) as error:
            result.problems.append(f"{folder}: cannot be put together: {error}")
    if not result.problems:
        _solve(folder, index, result, _solver(solver, timeout), report)
    result.seconds = time.perf_counter() - began
    return result


def _index(folder: Path) -> dict[str, Any]:
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        for key in (
            "digest",
            "model",
            "properties",
            "mechanisms_off",
            "faults",
            "conjuncts",
            "actions",
            "queries",
            "files",
        ):
            index[key]
    except FileNotFoundError:
        raise CertificateError(f"{folder}: no certificate here (no {INDEX})") from None
    except (ValueError, KeyError, TypeError) as error:
        raise CertificateError(f"{folder / INDEX}: no proper index of a certificate: {error}") from None
    return dict(index)


def _files(folder: Path, index: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the files themselves."""
    listed: dict[str, str] = index["files"]
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {INDEX}
    yield from (f"{path}: is missing" for path in sorted(set(listed) - there))
    yield from (f"{path}: is no part of the certificate" for path in sorted(there - set(listed)))
    total = hashlib.sha256()
    for path in sorted(set(listed) & there):
        text = (folder / path).read_bytes()
        if hashlib.sha256(text).hexdigest() != listed[path]:
            yield f"{path}: was changed after the certificate was written"
        if not path.startswith("queries/"):
            total.update(path.encode() + b"\0" + text + b"\0")
    if not set(listed) - there and total.hexdigest() != index["digest"]:
        yield f"{INDEX}: the digest is not that of the vocabulary, the actions and the conjuncts"


class Parts:
    """The files of a certificate, parsed, and the queries that they make."""

    def __init__(self, folder: Path, index: dict[str, Any]) -> None:
        self.folder, self.index = folder, index
        self.vocabulary = self._parsed("vocabulary.smt2")
        self.start = self._parsed("start.smt2")
        self.actions = {a["name"]: self._parsed(f"actions/{a['name']}.smt2") for a in index["actions"]}
        self.faults = {a["name"]: a["fault"] for a in index["actions"]}
        self.conjuncts = {c["name"]: self._conjunct(c["name"]) for c in index["conjuncts"]}
        self.without = {c["name"]: frozenset(c["without"]) for c in index["conjuncts"]}
        self.queries = {(q["kind"], q["action"], q["subject"]): q for q in index["queries"]}

    def problems(self) -> Iterator[str]:
        """What is missing, and what is not as it must be."""
        missing = [name for name in self.index["properties"] if name not in self.conjuncts]
        yield from (f"{INDEX}: the property {name} is not among the conjuncts" for name in missing)
        listed = {f"actions/{name}.smt2" for name in self.actions} | {f"invariant/{n}.smt2" for n in self.conjuncts}
        used = listed | {q["file"] for q in self.index["queries"]} | {"vocabulary.smt2", "start.smt2"}
        yield from (f"{path}: nothing refers to it" for path in sorted(set(self.index["files"]) - used))
        for name in self.conjuncts:
            yield from self._needed("starts", "initially", name)
            for action, commands in self.actions.items():
                if self.faults[action] in self.without[name]:
                    continue
                if written(commands) & set(sexpr.symbols(self.conjuncts[name])):
                    yield from self._needed("kept", action, name)
        for action, commands in self.actions.items():
            for claim in (c[1] for c in commands if c[0] == "define-fun" and c[1].startswith("defined.")):
                yield from self._needed("defined", action, claim)
        for query in self.index["queries"]:
            yield from self._as_composed(query)

    def _needed(self, kind: str, action: str, subject: str) -> Iterator[str]:
        if (kind, action, subject) not in self.queries:
            yield f"{INDEX}: no query shows {subject} for {action}"

    def _as_composed(self, query: dict[str, Any]) -> Iterator[str]:
        path, subject = query["file"], query["subject"]
        if query["action"] is None:
            return  # a claim that a formula means something; nothing else rests on it
        allowed = self.without.get(subject, frozenset())
        for name in query["uses"]:
            if name not in self.conjuncts:
                yield f"{path}: assumes {name}, which is not among the conjuncts"
            elif not self.without[name] <= allowed:
                yield f"{path}: assumes {name}, which is proved under fewer faults"
        if query["kind"] == "starts" and query["uses"]:
            yield f"{path}: assumes something of the start"
        if all(name in self.conjuncts for name in query["uses"]) and self._composed(query) != self._parsed(path):
            yield f"{path}: is not what {' and '.join(_made_of(query))} make"

    def _composed(self, query: dict[str, Any]) -> list[Sexpr]:
        step = self.start if query["kind"] == "starts" else self.actions[query["action"]]
        commands = [c for c in step if not (c[0] == "define-fun" and c[1].startswith("defined."))]
        if query["kind"] == "defined":
            goal = next(c[4] for c in step if c[0] == "define-fun" and c[1] == query["subject"])
        else:
            new = {"st." + name.removeprefix("next."): name for name in defined(step)}
            goal = sexpr.rename(self.conjuncts[query["subject"]], new)
        assumed = [("assert", self.conjuncts[name]) for name in query["uses"]]
        last = [("assert", "enabled"), ("assert", sexpr.negation(goal)), ("check-sat",)]
        return [("set-logic", "ALL"), *self.vocabulary, *commands, *assumed, *last]

    def _conjunct(self, name: str) -> Sexpr:
        (command,) = self._parsed(f"invariant/{name}.smt2")
        if command[:2] != ("define-fun", name):
            raise sexpr.SexprError(f"invariant/{name}.smt2 defines something else")
        return command[4]

    def _parsed(self, path: str) -> list[Sexpr]:
        try:
            return sexpr.parse((self.folder / path).read_text(encoding="utf-8"))
        except sexpr.SexprError as error:
            raise sexpr.SexprError(f"{path}: {error}") from None


def _made_of(query: dict[str, Any]) -> list[str]:
    """The files that a query is put together from."""
    step = "start.smt2" if query["kind"] == "starts" else f"actions/{query['action']}.smt2"
    claims = [*query["uses"], *([query["subject"]] if query["kind"] != "defined" else [])]
    return [step, *(f"invariant/{name}.smt2" for name in dict.fromkeys(claims))]


def defined(step: list[Sexpr]) -> set[str]:
    """The functions ``next.…`` that an action defines."""
    return {command[1] for command in step if command[0] == "define-fun" and command[1].startswith("next.")}


def written(step: list[Sexpr]) -> set[str]:
    """The functions of the state that an action gives new values."""
    return {"st." + name.removeprefix("next.") for name in defined(step)}


def _solve(folder: Path, index: dict[str, Any], result: Verification, ask: Ask, report: Report | None) -> None:
    total = len(index["queries"])
    for number, query in enumerate(index["queries"], 1):
        answer = ask((folder / query["file"]).read_text(encoding="utf-8"))
        result.queries += 1
        if answer == "sat":
            result.problems.append(f"{query['file']}: {result.solver} finds it satisfiable: it proves nothing")
        elif answer != "unsat":
            result.unknown.append(query["file"])
        if report:
            report(number, total)


def _solver(name: str, timeout: float) -> Ask:
    return {"z3": _z3, "cvc5": _cvc5}[name](timeout)


def _z3(timeout: float) -> Ask:
    import z3

    def ask(text: str) -> str:
        solver = z3.Solver()
        solver.set("timeout", int(timeout * 1000))
        solver.from_string(text)
        return str(solver.check())

    return ask


def _cvc5(timeout: float) -> Ask:
    import cvc5

    def ask(text: str) -> str:
        manager = cvc5.TermManager()
        solver = cvc5.Solver(manager)
        solver.setOption("tlimit-per", str(int(timeout * 1000)))
        parser = cvc5.InputParser(solver)
        parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "query")
        answer = ""
        while not (command := parser.nextCommand()).isNull():
            said = str(command.invoke(solver, parser.getSymbolManager())).strip()
            answer = said or answer
        return answer

    return ask
