"""Results of engines, asked for one property."""

from onceproof.model.checker.results import CheckResult, Counterexample, PropertyResult, Verdict
from tests.helpers.present import present


def result_of(result: CheckResult, name: str) -> PropertyResult:
    """Return what was found out of a property, which must have been asked for."""
    return present(result.property(name))


def violation(result: CheckResult, name: str) -> Counterexample:
    """Return the counterexample to a property, which must be violated."""
    found = result_of(result, name)
    assert found.verdict is Verdict.VIOLATED
    return present(found.counterexample)
