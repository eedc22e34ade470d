"""TLC says of refinements what we say: of two-phase commit, of the protocol's promise, and of random models."""

import pytest

from onceproof.inputs.models import resolve
from onceproof.inputs.specs import load_specs
from onceproof.model.checker.explicit import engine
from onceproof.model.checker.results import CheckResult, Limits
from onceproof.model.checker.tla.export import export
from onceproof.model.language import System, build
from tests.helpers.refinements import seen_from_afar
from tests.model.checker.tla import tlc
from tests.models.letters import POST
from tests.paths import ROOT, SPECS

pytestmark = pytest.mark.skipif(bool(tlc.why_not()), reason=tlc.why_not())

MODELS, MOST = 30, 300
SPECS_NAMED = ("plain-day", "request-twice-started-twice")


def compare(cases: list[tuple[str, System, str]]) -> list[bool]:
    """Holds what TLC says of a refinement of each system against what we say; which of them hold."""
    runs, instances, results = [], dict[str, str](), list[CheckResult]()
    for module, system, name in cases:
        claims = system.properties([name])
        exported = export(system, module, claims)
        runs.append((module, exported.module, exported.configuration))
        instances |= exported.instances
        results.append(engine.check(system, claims))
    kept = []
    for (module, _, name), result, found in zip(cases, results, tlc.checked(runs, instances=instances), strict=True):
        (judged,) = (one for one in result.properties if one.name == name)
        assert not found.error, (module, found.error)
        kept.append(not found.violated)
        if judged.counterexample is None:
            assert (found.violated, found.states, found.transitions) == ("", result.states, result.transitions), module
        else:
            assert found.violated in (f"{module}_{name}", f"{name}_has_image"), (module, found)
    return kept


def test_tlc_says_the_same_of_known_models() -> None:
    model = resolve("two_phase_commit.py", ROOT / "docs" / "models").model
    cases = [
        (f"two_phase_{on}".lower(), build(model, model.configure(switches={"hears_all": on})), "commits_as_one")
        for on in (True, False)
    ]
    specs = [spec for spec in load_specs([SPECS]) if spec.name in SPECS_NAMED]
    cases += [(spec.name.replace("-", "_"), spec.system, "keeps_its_promise") for spec in specs]
    letters = build(POST, POST.configure(budgets={"fire": 1}))
    cases += [(f"letters_{name}", letters, name) for name in ("delivers", "delivers_backwards", "overflows")]
    assert compare(cases) == [True, False, True, False, True, False, False]


def test_tlc_says_the_same_of_random_models() -> None:
    systems = {f"seen{seed}": seen_from_afar(seed) for seed in range(MODELS)}
    small = {
        name: system
        for name, system in systems.items()
        if engine.check(system, [], Limits(max_states=MOST)).complete
        and not any(result.kind == "range" for result in engine.check(system, []).properties)
    }
    kept = compare([(name, system, "seen") for name, system in small.items()])
    assert len(kept) > 15 and any(kept) and not all(kept)
