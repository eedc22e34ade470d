"""Checks a certificate without the model and the prover that wrote it: only its files, and a solver.

1. Every file is what the index says it is, none is missing, none is left over.
2. Every query is what the vocabulary, an action, the claims and the axioms make: put together here a second time.
3. There is a query for every action and every claim that reads what the action writes, for every start, and for
   everything that must be defined; whatever a query assumes is itself proved, under at least the same faults, or is an
   axiom (or the value of a constant), which speaks of nothing that any action writes.
4. The axioms do not contradict each other, as far as the solver can tell.
5. The solver finds every query unsatisfiable.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onceproof.model.checker.prover import sexpr
from onceproof.model.checker.prover.sexpr import Sexpr

INDEX = "certificate.json"
FORMAT = 2
KEYS = (
    *("digest", "model", "properties", "mechanisms_off", "faults", "conjuncts", "actions", "axioms", "constants"),
    *("queries", "files"),
)
BEFORE, AFTER = "|st ", "|next "
Report = Callable[[int, int], None]
Ask = Callable[[str], str]


class CertificateError(Exception):
    """The folder holds no certificate that could be read."""


@dataclass
class Verification:
    """What a check found. problems: each a line that names the file; unknown: queries that the solver gave up on.

    axioms: what is assumed and not proved, by name, with the author's sentence about it. without: of each conjunct, the
    faults that it is proved without.
    """

    solver: str
    digest: str = ""
    model: str = ""
    properties: list[str] = field(default_factory=list)
    conjuncts: list[str] = field(default_factory=list)
    without: dict[str, list[str]] = field(default_factory=dict)
    axioms: dict[str, str] = field(default_factory=dict)
    mechanisms_off: list[str] = field(default_factory=list)
    parameters: dict[str, int] = field(default_factory=dict)
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
        without={conjunct["name"]: list(conjunct["without"]) for conjunct in index["conjuncts"]},
        mechanisms_off=list(index["mechanisms_off"]),
        parameters=dict(index.get("parameters", {})),
        faults=list(index["faults"]),
    )
    result.problems += _files(folder, index)
    if not result.problems:
        try:
            parts = Parts(folder, index)
            result.axioms = {axiom["name"]: _about(folder / axiom["file"]) for axiom in index["axioms"]}
            result.problems += parts.problems()
        except (sexpr.SexprError, OSError, ValueError, KeyError, IndexError, TypeError) as error:
            result.problems.append(f"{folder}: cannot be put together: {error!r}")
    if not result.problems:
        ask = _solver(solver, timeout)
        if parts.laws and ask(parts.laws_alone()) == "unsat":
            result.problems.append(f"{INDEX}: the axioms contradict each other: everything follows from them")
        _solve(folder, index, result, ask, report)
    result.seconds = time.perf_counter() - began
    return result


def _index(folder: Path) -> dict[str, Any]:
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        if index["format"] != FORMAT:
            raise CertificateError(f"{folder / INDEX}: format {index['format']}, and this version reads {FORMAT} alone")
        for key in KEYS:
            index[key]
    except FileNotFoundError:
        raise CertificateError(f"{folder}: no certificate here (no {INDEX})") from None
    except (ValueError, KeyError, TypeError) as error:
        raise CertificateError(f"{folder / INDEX}: not the index of a certificate: {error}") from None
    return dict(index)


def _files(folder: Path, index: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the files themselves."""
    listed: dict[str, str] = index["files"]
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {INDEX}
    yield from (f"{path}: is missing" for path in sorted(set(listed) - there))
    yield from (f"{path}: is not part of the certificate" for path in sorted(there - set(listed)))
    total = hashlib.sha256()
    for path in sorted(set(listed) & there):
        text = (folder / path).read_bytes()
        if hashlib.sha256(text).hexdigest() != listed[path]:
            yield f"{path}: was changed after the certificate was written"
        if not path.startswith("queries/"):
            total.update(path.encode() + b"\0" + text + b"\0")
    if not set(listed) - there and total.hexdigest() != index["digest"]:
        yield f"{INDEX}: the digest is not that of the vocabulary, the actions and the conjuncts"


Key = tuple[str, str | None, str, int, tuple[str, ...]]  # kind, action, subject, number, without these faults


class Parts:
    """The files of a certificate, parsed, and the queries that they make."""

    def __init__(self, folder: Path, index: dict[str, Any]) -> None:
        self.folder, self.index = folder, index
        self.vocabulary = self._parsed("vocabulary.smt2")
        self.start = self._parsed("start.smt2")
        self.actions = {a["name"]: self._parsed(f"actions/{a['name']}.smt2") for a in index["actions"]}
        self.faults = {a["name"]: a["fault"] for a in index["actions"]}
        self.claims = {c["name"]: self._parsed(f"invariant/{c['name']}.smt2") for c in index["conjuncts"]}
        self.of_steps = {c["name"] for c in index["conjuncts"] if c.get("of_steps")}
        self.without = {c["name"]: frozenset(c["without"]) for c in index["conjuncts"]}
        self.law_files = {law["name"]: law["file"] for law in (*index["axioms"], *index["constants"])}
        self.laws = {name: self._parsed(path) for name, path in self.law_files.items()}
        self.queries = {_key(q): q for q in index["queries"]}

    def problems(self) -> Iterator[str]:
        """What is missing, and what is not as it must be."""
        missing = [name for name in self.index["properties"] if name not in self.claims]
        yield from (f"{INDEX}: the property {name} is not among the conjuncts" for name in missing)
        yield from (f"{INDEX}: {name} is both an axiom and a claim" for name in set(self.laws) & set(self.claims))
        listed = {f"actions/{name}.smt2" for name in self.actions} | {f"invariant/{n}.smt2" for n in self.claims}
        listed |= set(self.law_files.values())
        used = listed | {q["file"] for q in self.index["queries"]} | {"vocabulary.smt2", "start.smt2"}
        yield from (f"{path}: nothing refers to it" for path in sorted(set(self.index["files"]) - used))
        yield from self._laws_of_constants()
        for name in self.claims:
            yield from self._shown(name)
        for least in self._least_without():
            for action, commands in self.actions.items():
                if self.faults[action] not in least:
                    yield from self._defined(action, "", commands, least)
            for name, commands in self.laws.items():
                yield from self._defined(None, name, commands, least)
        for query in self.index["queries"]:
            yield from self._as_composed(query)

    def laws_alone(self) -> str:
        """A script that asks whether what is assumed has a model at all."""
        assumed = [("assert", commands[0][1]) for commands in self.laws.values()]
        commands = [("set-logic", "ALL"), *self.vocabulary, *assumed, ("check-sat",)]
        return "\n".join(map(sexpr.render, commands))

    def _laws_of_constants(self) -> Iterator[str]:
        changing = written(self.start).union(*map(written, self.actions.values()))
        for name, commands in self.laws.items():
            if commands[0][0] != "assert":
                yield f"{self.law_files[name]}: it does not begin with what is assumed"
            for symbol in sorted(changing.intersection(sexpr.symbols(commands[0]))):
                yield f"{self.law_files[name]}: it speaks of {symbol}, which is not constant"

    def _shown(self, name: str) -> Iterator[str]:
        """What lacks of the proof of a claim."""
        commands, without = self.claims[name], self.without[name]
        if commands[0][:2] != ("define-fun", f"|claim {name}|"):
            yield f"invariant/{name}.smt2: it defines something else"
            return
        if name in self.of_steps:
            yield from self._shown_of_steps(name, commands, without)
            return
        if _of_after(commands[0]):
            yield f"invariant/{name}.smt2: it speaks of the state after a step, and the index does not say so"
        yield from self._needed(("starts", "initially", name, 0, tuple(sorted(without))))
        for action, step in self.actions.items():
            if self.faults[action] not in without and written(step) & set(sexpr.symbols(commands[0][4])):
                yield from self._needed(("kept", action, name, 0, tuple(sorted(without))))
        yield from self._defined(None, name, commands, without)

    def _shown_of_steps(self, name: str, commands: list[Sexpr], without: frozenset[str]) -> Iterator[str]:
        """The same for a claim about steps: each action is a step that it must be shown of."""
        for action in self.actions:
            if self.faults[action] not in without:
                yield from self._needed(("kept", action, name, 0, tuple(sorted(without))))
                yield from self._defined(action, name, commands, without)

    def _least_without(self) -> set[frozenset[str]]:
        """The least sets of faults that claims are proved without: under these all actions must be defined."""
        return {one for one in self.without.values() if not any(other < one for other in self.without.values())}

    def _defined(
        self, action: str | None, subject: str, commands: list[Sexpr], without: frozenset[str]
    ) -> Iterator[str]:
        for number, _ in enumerate(_obligations(commands), 1):
            yield from self._needed(("defined", action, subject, number, tuple(sorted(without))))

    def _needed(self, key: Key) -> Iterator[str]:
        kind, action, subject, number, _ = key
        if key not in self.queries:
            what = f"that {subject or action} is defined ({number})" if kind == "defined" else subject
            yield f"{INDEX}: no query shows {what}{f' for {action}' if action and subject else ''}"

    def _as_composed(self, query: dict[str, Any]) -> Iterator[str]:
        path, allowed = query["file"], frozenset(query["without"])
        known = True
        for name in query["uses"]:
            if name in self.laws:
                continue
            if name not in self.claims:
                known = False
                yield f"{path}: assumes {name}, which is not among the conjuncts or the axioms"
            elif name in self.of_steps:
                yield f"{path}: assumes {name}, which is a claim about steps"
            elif not self.without[name] <= allowed:
                yield f"{path}: assumes {name}, which is proved under fewer faults"
            elif query["kind"] == "starts":
                yield f"{path}: assumes {name} of the start"
        if known and self._composed(query) != self._parsed(path):
            yield f"{path}: is not what {' and '.join(self._made_of(query))} make"

    def _composed(self, query: dict[str, Any]) -> list[Sexpr]:
        action, subject = query["action"], query["subject"]
        step = [] if action is None else self.start if query["kind"] == "starts" else self.actions[action]
        commands = [c for c in step if c not in _obligations(step)]
        if query["kind"] == "defined":
            owner = step if not subject else self.laws[subject] if subject in self.laws else self.claims[subject]
            goal = _obligations(owner)[query["number"] - 1][4]
        else:
            goal = self.claims[subject][0][4]
        if subject in self.of_steps:
            kept = _of_after(goal) - defined(step)
            goal = sexpr.rename(goal, {name: BEFORE + name.removeprefix(AFTER) for name in kept})
        elif query["kind"] != "defined":
            new = {BEFORE + name.removeprefix(AFTER): name for name in defined(step)}
            goal = sexpr.rename(goal, new)
        assumed = [self.laws[n][0][1] if n in self.laws else self.claims[n][0][4] for n in query["uses"]]
        of_action = query["kind"] == "defined" and not subject
        enabled = [] if action is None or of_action else [("assert", "enabled")]
        last = [*enabled, ("assert", sexpr.negation(goal)), ("check-sat",)]
        return [("set-logic", "ALL"), *self.vocabulary, *commands, *(("assert", one) for one in assumed), *last]

    def _made_of(self, query: dict[str, Any]) -> list[str]:
        """The files that a query is put together from."""
        action = query["action"]
        step = "start.smt2" if query["kind"] == "starts" else f"actions/{action}.smt2"
        names = dict.fromkeys([*query["uses"], *([query["subject"]] if query["subject"] else [])])
        files = [self.law_files.get(name, f"invariant/{name}.smt2") for name in names]
        return ([step] if action else ["vocabulary.smt2"]) + files

    def _parsed(self, path: str) -> list[Sexpr]:
        try:
            return sexpr.parse((self.folder / path).read_text(encoding="utf-8"))
        except sexpr.SexprError as error:
            raise sexpr.SexprError(f"{path}: {error}") from None


def _key(query: dict[str, Any]) -> Key:
    return query["kind"], query["action"], query["subject"], query["number"], tuple(query["without"])


def _about(path: Path) -> str:
    """The author's sentence at the top of a file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    comments = itertools.takewhile(lambda line: line.startswith(";"), lines)
    return " ".join(line.lstrip("; ") for line in comments)


def _obligations(commands: list[Sexpr]) -> list[Sexpr]:
    """The commands of an action or a claim that say when it is defined."""
    return [c for c in commands if c[0] == "define-fun" and c[1].startswith("defined.")]


def defined(step: list[Sexpr]) -> set[str]:
    """The functions ``|next …|`` that an action defines."""
    return {command[1] for command in step if command[0] == "define-fun" and command[1].startswith(AFTER)}


def _of_after(formula: Sexpr) -> set[str]:
    """The functions of the state after a step that a formula speaks of."""
    return {symbol for symbol in sexpr.symbols(formula) if symbol.startswith(AFTER)}


def written(step: list[Sexpr]) -> set[str]:
    """The functions of the state that an action gives new values."""
    return {BEFORE + name.removeprefix(AFTER) for name in defined(step)}


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
