"""What was used of a budget, in properties: the same in all engines and in TLC, and refused where nothing counts it."""

from typing import Any

import pytest

from onceproof.model.checker import compiled
from onceproof.model.checker.explicit.engine import check
from onceproof.model.checker.prover.induction import prove, unbounded
from onceproof.model.checker.results import CheckResult, Verdict
from onceproof.model.checker.tla.export import export
from onceproof.model.language import (
    Count,
    Model,
    ModelError,
    Sort,
    System,
    action,
    always,
    build,
    eventually,
    fault,
    field,
    given,
    require,
    sometimes,
    step,
    used,
    within,
)
from tests.helpers.comparison import comparable
from tests.helpers.results import result_of, violation
from tests.model.checker.tla import tlc


class Lamp(Sort, default=2, symmetric=True):
    """A lamp."""


@fault
def burn(st: Any, lamp: Lamp) -> None:
    """A lamp burns out."""
    require(not st.dark[lamp])
    st.dark[lamp] = True


@fault(budget="burn")
def drop(st: Any, lamp: Lamp) -> None:
    """A lamp is dropped: that counts as one that burns out."""
    require(not st.dark[lamp])
    st.dark[lamp] = True


@action(budget="repairs")
def repair(st: Any, lamp: Lamp) -> None:
    """A lamp is replaced."""
    require(st.dark[lamp])
    st.dark[lamp] = False


@always
def bright_without_faults(st: Any, lamp: Lamp) -> bool:
    """Nothing is dark before something happens."""
    given(used(st, burn) == 0)
    return not st.dark[lamp]


@always
def balanced(st: Any) -> bool:
    """What is dark was burnt and not repaired."""
    return sum(st.dark[lamp] for lamp in Lamp) == used(st, drop) - used(st, repair)


@always
def one_at_most(st: Any) -> bool:
    """One may think so."""
    return used(st, burn) <= 1


@step
def counted(before: Any, after: Any) -> bool:
    """A step is one fault, or one repair."""
    return used(after, burn) + used(after, repair) == used(before, burn) + used(before, repair) + 1


@eventually
def repaired(st: Any) -> bool:
    """All repairs are made in the end, or nothing is dark."""
    return used(st, repair) == 2 or not any(st.dark[lamp] for lamp in Lamp)


@sometimes
def all_used(st: Any) -> bool:
    """All of it happens."""
    return used(st, burn) == 2 and used(st, repair) == 2


THREE: Any = 3
CLAIMS = (bright_without_faults, balanced, one_at_most, counted, repaired, all_used)


def lamps(faults: int | None = 2, *claims: Any, **more: Any) -> System:
    declared = {"dark": field(Lamp, bool), "spare": field(Count(1))}
    declared |= {one.name: one for one in (burn, drop, repair, *(claims or CLAIMS))}
    model = Model("lamps", {"__name__": "lamps", "Lamp": Lamp, **declared, **more})
    return build(model, model.configure({"repairs": 2}, {}, {"burn": faults}))


def engines(system: System) -> list[CheckResult]:
    return [check(system, engine="direct"), check(system), compiled.check(system)]


def test_all_engines_read_what_was_used() -> None:
    system = lamps()
    results = engines(system)
    assert comparable(results[0]) == comparable(results[1]) == comparable(results[2])
    for result in results:
        violated = [one.name for one in result.properties if one.verdict is Verdict.VIOLATED]
        assert violated == ["one_at_most", "deadlock"]
        assert violation(result, "one_at_most").trace.faults == 2
        assert not result_of(result, "all_used").vacuous
    safe = [claim for claim in system.properties() if not claim.is_liveness]
    reduced = compiled.check(system, safe, symmetry=True)
    assert reduced.states < results[0].states
    assert [one.name for one in reduced.properties if one.verdict is Verdict.VIOLATED] == ["one_at_most", "deadlock"]


def test_nothing_is_used_of_no_budget() -> None:
    for result in engines(lamps(0)):
        assert result_of(result, "bright_without_faults").verdict is Verdict.HOLDS
        assert result_of(result, "one_at_most").verdict is Verdict.HOLDS


def test_a_bound_may_speak_of_faults() -> None:
    """Exploration with few faults of many, without another configuration."""
    system = lamps(2, bright_without_faults, one_at_most, few=within(lambda st: used(st, burn) < 1))
    for result in engines(system):
        assert (result_of(result, "one_at_most").verdict, result.within) == (Verdict.HOLDS, "few")


@action
def plain(st: Any) -> None:
    """Nothing."""


@pytest.mark.parametrize(
    ("claim", "faults", "message"),
    [
        (lambda st: used(st, burn) <= 1, None, "its budget is `any`, which is not counted: give it a number"),
        (lambda st: used(st, plain) <= 1, 1, "another action with a budget: used\\(st, crash\\), not `plain`"),
        (lambda st: used(st, THREE) <= 1, 1, "`used` takes the state and a fault"),
    ],
)
def test_what_is_not_counted_is_refused(claim: Any, faults: int | None, message: str) -> None:
    system = lamps(faults, always(claim), claim=always(claim), plain=plain)
    declared = system.model.properties["claim"]
    with pytest.raises(ModelError, match=message):
        system.property_reading(declared)
    with pytest.raises(ModelError, match=message):
        system.holds(declared, system.initial, ())


@action
def cheat(st: Any, lamp: Lamp) -> None:
    """It looks at what may still happen."""
    require(used(st, burn) == 0)
    st.dark[lamp] = False


def test_an_action_must_not_ask() -> None:
    with pytest.raises(ModelError, match="what a model does must not depend on what it is still allowed"):
        lamps(1, cheat=cheat)


def test_a_proof_counts_no_budgets() -> None:
    model = lamps().model
    with pytest.raises(ModelError, match="a proof allows each fault any number of times"):
        prove(model, unbounded(model), ["one_at_most"])


@pytest.mark.skipif(bool(tlc.why_not()), reason=tlc.why_not())
def test_tlc_reads_the_same_numbers() -> None:
    system = lamps()
    runs = [export(system, "lamps", system.properties(names)) for names in (["balanced", "counted"], ["one_at_most"])]
    held, broken = tlc.checked(("lamps", one.module, one.configuration) for one in runs)
    result = compiled.check(system)
    assert (held.error, held.violated, held.states, held.transitions) == ("", "", result.states, result.transitions)
    assert (broken.error, broken.violated, broken.length) == ("", "one_at_most", 2)
