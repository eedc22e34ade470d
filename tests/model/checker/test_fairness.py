"""Fairness of several actions together, and of some parameters: against brute force, in all engines and in TLC."""

import random
from typing import Any

import pytest

from onceproof.model.checker import compiled
from onceproof.model.checker.explicit.engine import check
from onceproof.model.checker.results import CheckResult, Verdict
from onceproof.model.checker.tla.export import export
from onceproof.model.language import (
    Count,
    Fairness,
    Model,
    ModelError,
    Sort,
    System,
    action,
    build,
    eventually,
    field,
    require,
)
from onceproof.model.language import given as presuppose
from onceproof.model.language.system import Step
from tests.helpers.fair_graphs import NODES, Edge, any_of, declared, least_stem_by_brute_force
from tests.helpers.results import result_of, violation
from tests.model.checker.tla import tlc

TOGETHER = (0, 1, 2)


def graph_of(edges: list[Edge], kinds: list[str], incurred: set[int], fulfilled: set[int]) -> System:
    names: dict[str, object] = {"__name__": "graph", "at": field(Count(NODES))}
    targets: dict[int, dict[int, int]] = {}
    for source, target, number in edges:
        targets.setdefault(number, {}).setdefault(source, target)
    for number, leads in targets.items():
        shared = "group" if number in TOGETHER else None
        names[f"move{number}"] = declared(number, leads, kinds[number], shared)

    @eventually
    def arrives(st: Any) -> bool:
        presuppose(any_of(st, incurred))
        return any_of(st, fulfilled)

    model = Model("graph", {**names, "arrives": arrives})
    return build(model, model.configure({}, {}, dict.fromkeys(model.faults)))


@pytest.mark.parametrize("seed", range(60))
def test_actions_that_are_fair_together_on_random_graphs(seed: int) -> None:
    chance = random.Random(seed)
    places = range(NODES)
    edges = [(chance.choice(places), chance.choice(places), chance.randrange(5)) for _ in range(chance.randint(6, 14))]
    shared = chance.choice(["weak", "strong"])
    kinds = [shared, shared, shared, *(chance.choice(["none", "weak", "strong", "fault"]) for _ in range(2))]
    incurred, fulfilled = set(chance.sample(places, 3)), set(chance.sample(places, chance.randint(0, 2)))
    system = graph_of(edges, kinds, incurred, fulfilled)
    least = least_stem_by_brute_force(edges, kinds, incurred, fulfilled, TOGETHER)
    results = [check(system, engine="direct"), check(system)]
    if seed < 12:
        results.append(compiled.check(system, workers=1))
    for result in results:
        found = result_of(result, "arrives")
        assert (found.verdict is Verdict.VIOLATED) == (least is not None)
        if found.counterexample is not None:
            trace = found.counterexample.trace
            stem = trace.steps[: trace.loop]
            assert (sum(system.actions[step.action].fault for step in stem), len(stem)) == least


class Worker(Sort, default=2):
    """A worker."""


class Task(Sort, default=2):
    """A kind of task."""


def take(st: Any, worker: Worker, task: Task) -> None:
    """A worker takes a task of a kind, and works."""
    require(not st.busy[worker])
    st.busy[worker] = True
    st.last[worker] = task
    st.took[worker] = True


def rest(st: Any, worker: Worker) -> None:
    """A worker is free again."""
    require(st.busy[worker])
    st.busy[worker] = False


@eventually
def takes_some(st: Any, worker: Worker) -> bool:
    """Each worker takes something."""
    return bool(st.took[worker])


@eventually
def takes_the_second(st: Any, worker: Worker) -> bool:
    """And something of the second kind."""
    return bool(st.took[worker] and st.last[worker] == st.second)


def shop(**options: Any) -> System:
    names: dict[str, Any] = {
        "busy": field(Worker, bool),
        "last": field(Worker, Task),
        "took": field(Worker, bool),
        "second": field(Task, init=1, constant=True),
        "take": action(**options)(take),
        "rest": action(rest),
        "takes_some": takes_some,
        "takes_the_second": takes_the_second,
    }
    return build(Model("shop", {"__name__": "shop", **names}))


def verdicts(result: CheckResult) -> list[bool]:
    return [result_of(result, name).verdict is Verdict.HOLDS for name in ("takes_some", "takes_the_second")]


# What fairness is of, and whether each worker takes something, and something of the second kind.
EXPECTED: list[tuple[dict[str, Any], list[bool]]] = [
    ({"fairness": Fairness.STRONG}, [True, True]),  # of each kind, by each worker
    ({"fairness": Fairness.STRONG, "fair_for": ["worker"]}, [True, False]),  # of any kind, by each worker
    ({"fairness": Fairness.STRONG, "fair_for": ["task"]}, [False, False]),  # of each kind, by any worker
    ({"fairness": Fairness.STRONG, "fair_for": []}, [False, False]),  # of anything, by any worker
    ({"fairness": Fairness.NONE}, [False, False]),
]


@pytest.mark.parametrize(("options", "expected"), EXPECTED)
def test_fairness_tells_apart_what_it_is_asked_for(options: dict[str, Any], expected: list[bool]) -> None:
    system = shop(**options)
    for result in (check(system, engine="direct"), check(system), compiled.check(system)):
        assert verdicts(result) == expected
    if not expected[0]:
        loop = violation(check(system), "takes_some").trace
        assert loop.loop is not None


@pytest.mark.skipif(bool(tlc.why_not()), reason=tlc.why_not())
def test_tlc_comes_to_the_same_verdicts() -> None:
    runs, expected = [], []
    for options, verdicts_expected in EXPECTED:
        system = shop(**options)
        for name, holds in zip(("takes_some", "takes_the_second"), verdicts_expected, strict=True):
            exported = export(system, "shop", system.properties([name]))
            runs.append(("shop", exported.module, exported.configuration))
            expected.append("" if holds else "temporal")
    chance = random.Random(5)
    for _ in range(6):
        edges = [(chance.randrange(NODES), chance.randrange(NODES), chance.randrange(5)) for _ in range(10)]
        kinds = ["weak", "weak", "weak", "none", "strong"]
        system = graph_of(edges, kinds, {0, 1}, {3, 4})
        exported = export(system, "graph", system.properties(["arrives"]))
        runs.append(("graph", exported.module, exported.configuration))
        violated = result_of(check(system), "arrives").verdict is Verdict.VIOLATED
        expected.append("temporal" if violated else "")
    found = list(tlc.checked(runs))
    assert [one.error for one in found] == [""] * len(runs)
    assert [one.violated for one in found] == expected
    assert "temporal" in expected[10:]


def test_instances_of_fairness() -> None:
    step = Step("take", (1, 0))
    assert shop().instance(step) == step
    assert shop(fair_for=["task"]).instance(step) == Step("take", (0,))
    assert shop(fair_with="all").instance(step) == Step("take", ())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fair_for": ["wroker"]}, "`take` is fair for an unknown parameter `wroker`; did you mean `worker`?"),
        ({"fairness": Fairness.NONE, "fair_with": "x"}, "`take` has no fairness"),
    ],
)
def test_mistakes_are_told(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError) as error:
        shop(**options)
    assert message in str(error.value)


def test_actions_that_are_fair_together_are_alike() -> None:
    def other(st: Any, worker: Worker) -> None:
        require(st.busy[worker])

    def model(**options: Any) -> Model:
        names = {"busy": field(Worker, bool), "rest": action(fair_with="x", fair_for=["worker"])(rest)}
        return Model("pair", {"__name__": "pair", **names, "other": action(fair_with="x", **options)(other)})

    assert model(fair_for=["worker"])
    with pytest.raises(ModelError, match="give both the same `fair_for`"):
        model()
    with pytest.raises(ModelError, match="are fair together"):
        model(fair_for=["worker"], fairness=Fairness.STRONG)
