"""Specs compared with what TLC says of their exported modules."""

from onceproof.inputs.specs import Spec
from onceproof.model.checker import compiled
from onceproof.model.checker.results import CheckResult, Limits, Verdict
from onceproof.model.checker.tla.export import Exported, export
from onceproof.model.language.declare import LIVENESS
from tests.model.checker.tla import tlc

MOST = 20_000  # states; `python -m bench.tla` has the larger specs counted, too


def counting(module: Exported) -> str:
    """A .cfg that has the states of a module counted, and nothing else judged but what its variables hold."""
    constants = [line for line in module.configuration.splitlines() if line.startswith("CONSTANT ")]
    return "\n".join([*constants, "INIT Init", "NEXT Next", "INVARIANT TypeOK", ""])


def exported(spec: Spec, *, liveness: bool = True) -> Exported:
    claims = [claim for claim in spec.properties if claim.kind != "refines" and (liveness or not claim.is_liveness)]
    return export(spec.system, "counted", claims)


def explored(spec: Spec, most: int = MOST) -> CheckResult:
    return compiled.check(spec.system, spec.properties, Limits(max_states=most), symmetry=False)


def violated(result: CheckResult) -> set[str]:
    """The names that TLC has for what is violated; it looks at invariants before it looks at runs."""
    found = [(claim.kind, claim.name) for claim in result.properties if claim.verdict is Verdict.VIOLATED]
    if any(kind == "range" for kind, _ in found):
        return {"RangesKept"}
    invariants = {
        "NoDeadlock" if kind == "deadlock" else name for kind, name in found if kind in ("always", "step", "deadlock")
    }
    return invariants or {"temporal" for kind, _ in found if kind in LIVENESS} or {""}


def steps_to(result: CheckResult, name: str) -> int:
    if name == "RangesKept":  # TLC shows the state before the step that leaves a range
        return min(len(p.counterexample.trace) for p in result.properties if p.kind == "range" and p.counterexample) - 1
    found = result.property("deadlock" if name == "NoDeadlock" else name)
    assert found is not None and found.counterexample is not None
    return len(found.counterexample.trace)


def differences(result: CheckResult, judged: tlc.Found, counted: tlc.Found) -> str:
    """What TLC says otherwise than we do, of a module with all its properties and with none; "" for nothing."""
    if judged.error or counted.error:
        return judged.error or counted.error
    found = (counted.states, counted.transitions, counted.complete)
    expected = (result.states, result.transitions, True)
    if found != expected:
        return f"{found}, expected {expected}"
    if judged.violated not in violated(result):
        return f"violated: {judged.violated or 'nothing'}, expected {' or '.join(sorted(violated(result)))}"
    if judged.violated not in ("", "temporal") and judged.length != steps_to(result, judged.violated):
        return f"{judged.violated} after {judged.length} steps, expected {steps_to(result, judged.violated)}"
    return ""
