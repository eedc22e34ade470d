"""The formulas mean what the model does: step by step, on random states, and along runs of the unbounded encoding."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as draw

from onceproof.model.checker.prover.concrete_search import walk
from onceproof.model.checker.prover.encoding import Encoding, encode
from onceproof.model.checker.prover.finite import state_of, step, structure_of
from onceproof.model.checker.prover.induction import unbounded
from onceproof.model.checker.prover.soundness import Simulation, Unrelated
from onceproof.model.language import Model, ModelError, Step, System, build
from onceproof.model.language.declare import Property
from onceproof.model.language.layout import State
from onceproof.model.protocol.system import PROTOCOL
from tests.helpers.random_models import random_system
from tests.models import lock_service, two_phase_commit

LOCK = Model("lock-service", lock_service)
COMMIT = Model("two-phase-commit", two_phase_commit)
MECHANISMS = sorted(PROTOCOL.switches)
ALL_FAULTS = dict.fromkeys(PROTOCOL.faults)
SMALL = {"submissions": 2, "attempts": 2, "messages": 2, "stops": 1, "expiries": 1}


def always(model: Model) -> list[Property]:
    return [claim for claim in model.properties.values() if claim.kind == "always"]


def is_covered(system: System, before: State, after: State, unbounded: State) -> bool:
    """Whether a step's outcome is that of the unbounded encoding, but for messages that stay in flight there."""
    cells = zip(system.layout.labels, before, after, unbounded, strict=True)
    return all(
        big == new or (place.field is not None and place.field.network and not new and big == old)
        for (place, _), old, new, big in cells
    )


def assert_formulas_agree(system: System, encoding: Encoding, state: State) -> None:
    """Every action with all arguments, and every claim, is the same run and as a formula."""
    names, layout = encoding.names, system.layout
    structure = structure_of(names, layout, state)
    assert state_of(names, layout, structure) == state
    for name in system.actions:
        for group in system.candidates(name):
            for arguments in group:
                ran = system._run(name, state, arguments)
                # An action whose guard is false whatever happens has no transition, and must never be possible.
                transition = encoding.transitions.get(name)
                after = None if transition is None else step(transition, structure, arguments)
                assert (ran is None) == (after is None), (name, arguments)
                if ran is not None and after is not None:
                    assert is_covered(system, state, ran, state_of(names, layout, after)), (name, arguments)
    for name, conjunct in encoding.conjuncts.items():
        claim = system.model.properties[name]
        truths = [system.holds(claim, state, arguments) for arguments in system.instances(claim)]
        assert structure.value(conjunct.formula, {}) == (False not in truths), name


@settings(max_examples=12, deadline=None, derandomize=True)
@given(draw.integers(0, 10**6), draw.sets(draw.sampled_from(MECHANISMS), max_size=3), draw.integers(5, 60))
def test_formula_and_run_take_the_same_step(seed: int, off: set[str], length: int) -> None:
    """Random reachable states of random designs, and in each of them every step that there is."""
    config = PROTOCOL.configure(SMALL, dict.fromkeys(off, False), ALL_FAULTS)
    system, encoding = build(PROTOCOL, config), encode(PROTOCOL, config, always(PROTOCOL))
    *_, (_, state) = walk(system, length, random.Random(seed))
    # how often a user may stop a task is counted in explored states alone: not when formulas are compared
    system._left = {}
    full = tuple(
        1 if place.field is None else code for (place, _), code in zip(system.layout.labels, state, strict=True)
    )
    assert_formulas_agree(system, encoding, full)


@pytest.mark.parametrize("model", [LOCK, COMMIT])
@settings(max_examples=20, deadline=None, derandomize=True)
@given(draw.integers(0, 10**6))
def test_formula_and_run_agree_on_textbook_protocols(model: Model, seed: int) -> None:
    config = model.configure({}, {}, dict.fromkeys(model.faults))
    system, encoding = build(model, config), encode(model, config, always(model))
    for _, state in walk(system, 8, random.Random(seed)):
        assert_formulas_agree(system, encoding, state)


def test_formula_and_run_agree_on_random_models() -> None:
    """Of models that nobody wrote: what is not refused means the same."""
    compared = 0
    for seed in range(60):
        system = random_system(seed)
        try:
            encoding = encode(system.model, system.config, always(system.model))
        except ModelError:
            continue  # a loop that writes one cell in every pass, a count compared beyond its end
        system._left = {}
        compared += 1
        for _, state in walk(system, 6, random.Random(seed)):
            assert_formulas_agree(system, encoding, state)
    assert compared >= 15


@settings(max_examples=12, deadline=None, derandomize=True)
@given(draw.integers(0, 10**6), draw.sets(draw.sampled_from(MECHANISMS), max_size=1))
def test_every_explored_step_is_a_step_of_the_unbounded_encoding(seed: int, off: set[str]) -> None:
    """The simulation, along runs under every fault, with a mechanism off or none; the full design keeps its claims."""
    sizes, switches = {"submissions": 2, "attempts": 2, "messages": 2}, dict.fromkeys(off, False)
    system = build(PROTOCOL, PROTOCOL.configure(sizes, switches, ALL_FAULTS))
    encoding = encode(PROTOCOL, unbounded(PROTOCOL, switches), always(PROTOCOL))
    simulation = Simulation(encoding, system)
    claims = [c for c in encoding.conjuncts.values() if not c.claim.broken_by]
    before = system.initial
    for taken, state in walk(system, 50, random.Random(seed)):
        if taken is not None:
            simulation.follow(before, taken, state)
        before = state
    for conjunct in claims if not off else []:
        assert simulation.structure.value(conjunct.formula, {}), conjunct.name


def test_simulation_complains_of_a_step_that_the_encoding_lacks() -> None:
    config = PROTOCOL.configure({}, {}, ALL_FAULTS)
    system, encoding = build(PROTOCOL, config), encode(PROTOCOL, unbounded(PROTOCOL), [])
    del encoding.transitions["admit"]
    simulation = Simulation(encoding, system)
    submit, admit = Step("submit", (0, 0)), Step("admit", (0, 0))
    posted = system.step(system.initial, submit)
    assert posted is not None
    simulation.follow(system.initial, submit, posted)
    admitted = system.step(posted, admit)
    assert admitted is not None
    with pytest.raises(Unrelated, match="admit is not an action of the unbounded encoding"):
        simulation.follow(posted, admit, admitted)


def test_simulation_complains_of_a_wrong_formula() -> None:
    """An update that the encoding got wrong is noticed at the first step that takes it."""
    system, encoding = build(LOCK), encode(LOCK, unbounded(LOCK), [])
    ask = encoding.transitions["ask"]
    (update,) = ask.updates
    encoding.transitions["ask"] = replace(ask, updates=(replace(update, value="false"),))
    first = Step("ask", (0,))
    asked = system.step(system.initial, first)
    assert asked is not None
    with pytest.raises(Unrelated, match=r"after ask, asks\[client1\] is not as in the unbounded run"):
        Simulation(encoding, system).follow(system.initial, first, asked)
