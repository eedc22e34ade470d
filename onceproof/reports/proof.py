"""The report of `prove`: the verdicts, the invariant, what failed and how; and the check of certificates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onceproof.explain.explanation import explain
from onceproof.explain.steps import explained_steps, shown
from onceproof.model.checker.prover.certificate import digest_of, model_files
from onceproof.model.checker.prover.cti import CounterexampleToInduction
from onceproof.model.checker.prover.diagnosis import Diagnosis
from onceproof.model.checker.prover.encoding import Law
from onceproof.model.checker.prover.fragment import in_fragment
from onceproof.model.checker.prover.induction import Proof, Stage
from onceproof.model.checker.prover.minimise import needs
from onceproof.model.checker.prover.solver import Answer, Outcome
from onceproof.model.checker.prover.verify import Verification
from onceproof.model.checker.results import Counterexample
from onceproof.model.language.declare import Property
from onceproof.reports.style import style
from onceproof.reports.tables import table_lines
from onceproof.reports.trace_text import INDENT, counted, explanation_lines


@dataclass(frozen=True)
class Details:
    """What a proof is reported with, besides itself.

    invariant: print its conjuncts; minimal: a minimal inductive set of claims, None if not asked for; certificate: the
    folder that was written; refused: a certificate was asked for, and there is nothing to certify.
    """

    diagnoses: Sequence[Diagnosis] = ()
    invariant: bool = False
    minimal: list[str] | None = None
    certificate: Path | None = None
    refused: bool = False


def verdict(proof: Proof, name: str, diagnoses: Sequence[Diagnosis]) -> str:
    """``proved``, ``violated`` (there is a run that gets there), ``not proved`` or ``unknown`` (a solver gave up)."""
    answer = proof.answer(name)
    if answer is Answer.PROVED:
        return "proved"
    if any(found.property == name and found.real for found in diagnoses):
        return "violated"
    return "unknown" if answer is Answer.UNKNOWN else "not proved"


def proof_lines(proof: Proof, details: Details, again: str, *, quiet: bool) -> Iterator[str]:
    """The report of a proof. again: the command that reproduces it."""
    diagnoses = details.diagnoses
    if quiet:
        for name in proof.properties:
            yield f"{name}: {verdict(proof, name, diagnoses)}"
        return
    off = [name for name, on in proof.config.switches.items() if not on]
    sorts = ", ".join(sort.size_name for sort in proof.model.sorts.values())
    size = f"for any number of {sorts}" if sorts else "without sorts: there is one size"
    yield style(proof.model.name, bold=True) + (f" without {', '.join(off)}" if off else "")
    given = "".join(f", with {name}={value}" for name, value in proof.config.parameters.items())
    yield f"{INDENT}{size}{given}"
    yield ""
    yield from table_lines(
        ("property", "verdict", "faults (any number of)", "queries"),
        [_row(proof, n, diagnoses) for n in proof.properties],
    )
    yield ""
    for line in _summary(proof):
        yield f"{INDENT}{line}"
    if left := _left_to_check(proof):
        names = ", ".join(f"{claim.name} ({claim.kind})" for claim in left)
        yield f"{INDENT}not proved here, and left to `onceproof check`: {names}"
    if details.invariant:
        yield from _invariant(proof)
    if details.minimal is not None:
        yield from _minimal(proof, details.minimal)
    if all(proof.config.switches.values()):
        yield from _wrong_conjuncts(proof)
    for diagnosis in diagnoses:
        yield ""
        yield from _diagnosis(proof, diagnosis, again)
    if details.refused:
        yield f"{INDENT}no certificate is written: there is nothing to certify"
    if details.certificate is not None:
        yield f"{INDENT}certificate: {details.certificate} (onceproof prove --verify {details.certificate})"
    yield ""
    yield _last_line(proof, off, diagnoses)


def _left_to_check(proof: Proof) -> list[Property]:
    """What the model claims, and no proof for any size is about."""
    known = proof.config.names()
    claims = [claim for claim in proof.model.properties.values() if not claim.is_provable and claim.kind != "ending"]
    return [claim for claim in claims if not claim.optional and claim.applies(known)]


def _row(proof: Proof, name: str, diagnoses: Sequence[Diagnosis]) -> tuple[str, str, str, str]:
    stage = proof.stage_of(name)
    asked = sum(outcome.query.subject == name for outcome in proof.outcomes)
    return name, verdict(proof, name, diagnoses), _faults(proof, stage) if stage else "", str(asked)


def _faults(proof: Proof, stage: Stage) -> str:
    allowed = stage.faults(proof.config)
    all_of_them = [name for name, left in proof.config.budgets.items() if left != 0]
    if not allowed:
        return "none"
    if not stage.without:
        whole = len(allowed) == len(proof.model.faults)
        return "all" if whole else ", ".join(allowed)
    start = "all" if len(all_of_them) == len(proof.model.faults) else ", ".join(all_of_them)
    return f"{start} except {', '.join(sorted(stage.without))}"


def _summary(proof: Proof) -> Iterator[str]:
    outcomes = proof.outcomes
    proved = [outcome for outcome in outcomes if outcome.answer is Answer.PROVED]
    conjuncts = [goal for stage in proof.stages for goal in stage.kept if goal.claim.invariant is not None]
    transitions = {name for stage in proof.stages for name in stage.encoding.transitions}
    yield f"{len(transitions)} actions; {len(conjuncts)} conjuncts of the invariant hold (--explain prints them)"
    if proof.axioms:
        yield f"assumed, and checked in every instance that is explored: the axioms {_names(proof.axioms)}"
    if proof.walked:
        yield f"the invariant was first tested in {proof.walked:,} states of random runs of a small instance"
    if outcomes:
        slowest = max(outcomes, key=lambda outcome: outcome.seconds)
        trivial = sum(stage.trivial for stage in proof.stages)
        yield (
            f"{len(proved)} of {len(outcomes)} queries proved (slowest: {slowest.query.name}, "
            f"{slowest.seconds * 1000:.0f} ms); {trivial:,} more need no query: the action writes nothing they read"
        )
        outside = [name for name, decidable in _decidable(proof) if not decidable]
        yield "all queries are in a decidable fragment" if not outside else f"not decidable: {', '.join(outside)}"
    impossible = proof.stages[0].impossible if proof.stages else []
    if impossible:
        yield f"never enabled in this configuration: {', '.join(impossible)}"
    if proof.proved and proof.dropped:
        yield f"not inductive in this configuration, and not needed: {', '.join(proof.dropped)}"
    if proof.proved:
        yield f"digest of the model and its invariant: {digest_of(model_files(proof))[:16]}"


def _names(laws: Sequence[Law]) -> str:
    return ", ".join(law.name for law in laws)


def _decidable(proof: Proof) -> Iterator[tuple[str, bool]]:
    for stage in proof.stages:
        for outcome in stage.outcomes:
            yield outcome.query.name, in_fragment(stage.encoding, outcome.query, stage.assumed(outcome))


def _last_line(proof: Proof, off: list[str], diagnoses: Sequence[Diagnosis]) -> str:
    good = [name for name in proof.properties if proof.answer(name) is Answer.PROVED]
    if proof.interrupted:
        return style("interrupted: what is not proved above is unknown", fg="yellow")
    if proof.proved:
        needless = f"; {_are(off)} not needed" if off else ""
        return style(f"proved in {proof.seconds:.1f} s{needless}", fg="green", bold=True)
    bad = [name for name in proof.properties if name not in good]
    why = f" without {', '.join(off)}" if off else ""
    if not bad:
        undefined = [o.query for o in proof.outcomes if o.query.kind == "defined" and o.answer is not Answer.PROVED]
        where = undefined[0].transition.name if undefined[0].transition else undefined[0].subject
        return style(f"not proved: `{where}` may fail: {undefined[0].message}", fg="red", bold=True)
    real = [found.property for found in diagnoses if found.real]
    text = f"violated{why}: {', '.join(real)}" if real else f"not proved{why}: {', '.join(bad)}"
    rest = f"; {_are(off)} not needed for {', '.join(good)}" if off and good else ""
    return style(text, fg="red", bold=True) + rest


def _are(names: Sequence[str]) -> str:
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}"


def _invariant(proof: Proof) -> Iterator[str]:
    used = needs(proof).actions
    if proof.axioms:
        yield ""
        yield style("axioms (assumed)", bold=True)
        for law in proof.axioms:
            yield f"{INDENT}{style(law.name, fg='cyan')}: {' '.join(law.doc.split())}"
    kept = [goal for stage in proof.stages for goal in stage.kept]
    for group in dict.fromkeys(goal.group for goal in kept):
        yield ""
        yield style(group, bold=True)
        for goal in (goal for goal in kept if goal.group == group):
            yield f"{INDENT}{style(goal.name, fg='cyan')}: {' '.join(goal.doc.split())}"
            actions = used.get(goal.name, {})
            if actions:
                yield f"{INDENT * 3}needed by {', '.join(actions)}"


def _minimal(proof: Proof, minimal: list[str]) -> Iterator[str]:
    kept = [goal.name for stage in proof.stages for goal in stage.kept]
    dropped = [name for name in kept if name not in minimal]
    yield ""
    yield f"{INDENT}a minimal inductive set: {len(minimal)} of {len(kept)} claims"
    yield f"{INDENT * 2}{', '.join(minimal)}"
    if dropped:
        yield f"{INDENT}not needed: {', '.join(dropped)}"


def _wrong_conjuncts(proof: Proof) -> Iterator[str]:
    """Conjuncts that a random run refutes with every mechanism on: the invariant itself is wrong."""
    for name in [name for name in proof.dropped if name in proof.refuted]:
        yield ""
        yield style(
            f"{name} is not an invariant: a random run reaches a state in which it is false", fg="red", bold=True
        )
        found = proof.refuted[name]
        yield from explanation_lines(explain(Counterexample(name, found.arguments, found.trace)), "")


def _diagnosis(proof: Proof, found: Diagnosis, again: str) -> Iterator[str]:
    if found.real is not None:
        yield from explanation_lines(explain(found.real), again)
    else:
        searched = found.searched
        sizes = ", ".join(f"{name}={number}" for name, number in searched.sizes.items())
        yield style(f"{found.property} is not proved", fg="yellow", bold=True)
        instances = "one small instance" if searched.instances == 1 else f"{searched.instances} small instances"
        yield (
            f"{INDENT}no reachable state violates it in {instances}, {searched.states:,} "
            f"states (up to {sizes}, {' and '.join(searched.faults) or 'no fault'}): the invariant needs strengthening"
        )
    lost = {name: action for action, name in reversed(found.causes)}
    for name in [name for name in lost if name in proof.refuted][:3]:
        walk = proof.refuted[name].trace
        yield f"{INDENT}conjunct {name} is false in a reachable state (a random run of {counted(len(walk), 'step')})"
    if lost:
        names = ", ".join(f"{name} (broken by {action})" for name, action in lost.items())
        yield f"{INDENT}conjuncts that are no longer inductive: {names}"
    if found.gave_up:
        yield f"{INDENT}the solver gave up on {', '.join(found.gave_up)}"
    if found.failure is not None:
        yield from cti_lines(found.failure)


def cti_lines(failure: CounterexampleToInduction) -> Iterator[str]:
    """A counterexample to induction: the state, the step, and why the claim is false after it."""
    trace = failure.trace
    layout = trace.system.layout
    sizes = ", ".join(f"{name}={number}" for name, number in failure.sizes.items())
    yield style(f"{INDENT}counterexample to induction (CTI)", bold=True) + f" with {sizes}"
    if not trace.steps:
        where = "in this initial state:" if trace.system.beginning else "in the initial state"
        yield f"{INDENT * 2}it is false {where}"
    else:
        yield f"{INDENT * 2}the invariant holds in this state (all other cells have their initial values):"
    if trace.steps or trace.system.beginning:
        for label, (_, value) in layout.changes(layout.initial, trace.states[0]).items():
            yield f"{INDENT * 3}{label}: {shown(value)}"
    if trace.steps:
        (step,) = explained_steps(trace)
        changes = ", ".join(f"{label}: {shown(a)} → {shown(b)}" for label, (a, b) in step.changed.items())
        yield f"{INDENT * 2}step {step.who}: {changes or 'nothing changes'}"
    explanation = explain(Counterexample(failure.claim, failure.arguments, trace))
    yield f"{INDENT * 2}after it, {failure.claim} is false: {'; '.join(explanation.because)}"


def proof_json(proof: Proof, details: Details) -> dict[str, Any]:
    """The same as JSON."""
    diagnoses = details.diagnoses
    found = {diagnosis.property: diagnosis for diagnosis in diagnoses}
    verdicts = {name: verdict(proof, name, diagnoses) for name in proof.properties}
    worst = next((v for v in ("violated", "not proved", "unknown") if v in verdicts.values()), "proved")
    document: dict[str, Any] = {
        "model": proof.model.name,
        "mechanisms_off": [name for name, on in proof.config.switches.items() if not on],
        **({"parameters": dict(proof.config.parameters)} if proof.config.parameters else {}),
        "verdict": worst if worst != "proved" or proof.proved else "not proved",
        "seconds": round(proof.seconds, 3),
        "walked_states": proof.walked,
        "properties": [_property_json(proof, name, verdicts[name], found.get(name)) for name in proof.properties],
        "left_to_check": [claim.name for claim in _left_to_check(proof)],
        "axioms": [{"name": law.name, "says": law.doc} for law in proof.axioms],
        "invariant": _invariant_json(proof),
        "dropped": proof.dropped,
        "impossible": proof.stages[0].impossible if proof.stages else [],
        "kept_trivially": sum(stage.trivial for stage in proof.stages),
        "queries": [_query_json(stage, outcome) for stage in proof.stages for outcome in stage.outcomes],
    }
    if proof.proved:
        document["digest"] = digest_of(model_files(proof))
    if details.minimal is not None:
        document["minimal"] = details.minimal
    if details.certificate is not None:
        document["certificate"] = str(details.certificate)
    return document


def _property_json(proof: Proof, name: str, said: str, found: Diagnosis | None) -> dict[str, Any]:
    stage = proof.stage_of(name)
    document: dict[str, Any] = {
        "name": name,
        "verdict": said,
        "faults": stage.faults(proof.config) if stage else [],
        "without_faults": sorted(stage.without) if stage else [],
    }
    if found is not None:
        document["counterexample"] = explain(found.real).as_json() if found.real else None
        document["induction_fails"] = _cti_json(found.failure) if found.failure else None
        document["searched"] = {"instances": found.searched.instances, "states": found.searched.states}
    return document


def _cti_json(failure: CounterexampleToInduction) -> dict[str, Any]:
    explanation = explain(Counterexample(failure.claim, failure.arguments, failure.trace))
    return {
        "sizes": dict(failure.sizes),
        "state": failure.trace.system.layout.show(failure.trace.states[0]),
        "steps": explanation.as_json()["steps"],
        "false_because": explanation.because,
    }


def _invariant_json(proof: Proof) -> list[dict[str, Any]]:
    used = needs(proof).actions
    return [
        {"name": goal.name, "group": goal.group, "why": goal.doc, "needed_by": sorted(used.get(goal.name, {}))}
        for stage in proof.stages
        for goal in stage.kept
    ]


def _query_json(stage: Stage, outcome: Outcome) -> dict[str, Any]:
    return {
        "kind": outcome.query.kind,
        "action": outcome.query.transition.name if outcome.query.transition else None,
        "claim": outcome.query.subject,
        "verdict": outcome.answer.value,
        "seconds": round(outcome.seconds, 5),
        "uses": sorted(outcome.core),
        "decidable": in_fragment(stage.encoding, outcome.query, stage.assumed(outcome)),
    }


def verification_lines(result: Verification) -> Iterator[str]:
    """What the check of a certificate found, for people."""
    yield from result.problems
    for query in result.unknown:
        yield f"{query}: {result.solver} gave up on it"
    if result.valid:
        yield f"{INDENT}{result.model}: {', '.join(result.properties)}"
        for name, says in result.axioms.items():
            yield f"{INDENT}assumes the axiom {name}: {says}"
        off = f", without {', '.join(result.mechanisms_off)}" if result.mechanisms_off else ""
        yield f"{INDENT}digest {result.digest[:16]}, is that of the given model{off}"
        text = f"valid: {result.solver} finds all {result.queries} queries unsatisfiable, in {result.seconds:.1f} s"
        yield style(text, fg="green", bold=True)
    elif result.problems:
        yield style(f"not valid: {counted(len(result.problems), 'problem')}", fg="red", bold=True)
    else:
        yield style(f"undecided: {result.solver} gave up on {len(result.unknown)} queries", fg="yellow")


def verification_json(result: Verification) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "valid": result.valid,
        "solver": result.solver,
        "model": result.model,
        "digest": result.digest,
        "properties": result.properties,
        "axioms": result.axioms,
        "queries": result.queries,
        "seconds": round(result.seconds, 3),
        "problems": result.problems,
        "unknown": result.unknown,
    }
