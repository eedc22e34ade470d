"""The formulas mean what the model does: step by step, on random states, and along runs of the unbounded encoding."""

import random

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
from onceproof.model.language.layout import State as PackedState
from onceproof.model.protocol.system import PROTOCOL
from tests.helpers.present import present
from tests.helpers.random_models import random_system
from tests.models import lock_service, two_phase_commit

LOCK = Model("lock-service", lock_service)
COMMIT = Model("two-phase-commit", two_phase_commit)
MECHANISMS = sorted(PROTOCOL.switches)
ALL_FAULTS = dict.fromkeys(PROTOCOL.faults)
SMALL = {"submissions": 2, "attempts": 2, "messages": 2, "stops": 1, "expiries": 1}


def always(model: Model) -> list[Property]:
    return [claim for claim in model.properties.values() if claim.kind == "always"]


def kept_on_the_wire(system: System, before: PackedState, after: PackedState) -> PackedState:
    """A step's outcome as the unbounded encoding has it: what a network cell held stays in it."""
    network = {place.name for place in system.layout.places.values() if place.field and place.field.network}
    cells = zip(system.layout.labels, before, after, strict=True)
    return tuple(was if place.name in network and not new else new for (place, _), was, new in cells)


def assert_formulas_agree(system: System, encoding: Encoding, state: PackedState) -> None:
    """Every action with all arguments, and every claim, is the same run and as a formula."""
    structure = structure_of(system.layout, state)
    assert state_of(system.layout, structure) == state
    for name, action in system.actions.items():
        if action.reuse:
            assert name not in encoding.transitions
            continue
        for group in system.candidates(name):
            for arguments in group:
                ran = system._run(name, state, arguments)
                after = step(encoding.transitions[name], structure, arguments)
                assert (ran is None) == (after is None), (name, arguments)
                if ran is not None:
                    assert state_of(system.layout, present(after)) == kept_on_the_wire(system, state, ran), (
                        name,
                        arguments,
                    )
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


def test_properties_read_only_what_the_simulation_keeps() -> None:
    """Not of the wire, and not of what an agent may have forgotten: what holds of one side holds of the other."""
    network = {name for name, declared in PROTOCOL.fields.items() if declared.network}
    encoding = encode(PROTOCOL, unbounded(PROTOCOL), [p for p in always(PROTOCOL) if not p.invariant])
    for conjunct in encoding.conjuncts.values():
        names = {symbol.removeprefix("st.").removesuffix(".none") for symbol in conjunct.reads}
        assert not names & (network | {"memory", "asked"}), conjunct.name


@settings(max_examples=12, deadline=None, derandomize=True)
@given(draw.integers(0, 10**6), draw.sets(draw.sampled_from(MECHANISMS), max_size=1))
def test_every_explored_step_is_a_step_of_the_encoding(seed: int, off: set[str]) -> None:
    """The simulation, along runs under every fault, with a mechanism off or none; the full design keeps its claims."""
    sizes, switches = {"submissions": 2, "attempts": 2, "messages": 2}, dict.fromkeys(off, False)
    system = build(PROTOCOL, PROTOCOL.configure(sizes, switches, ALL_FAULTS))
    encoding = encode(PROTOCOL, unbounded(PROTOCOL, switches), always(PROTOCOL))
    follower = Simulation(encoding, system, spare=3, instead={"agent_recycle": "agent_crash"})
    claims = [c for c in encoding.conjuncts.values() if not c.claim.broken_by]
    before, spare = system.initial, 3
    for taken, state in walk(system, 50, random.Random(seed)):
        if taken is not None:
            spare -= PROTOCOL.actions[taken.action].reuse
            if spare < 0:
                break
            follower.follow(before, taken, state)
        before = state
    for conjunct in claims if not off else []:
        assert follower.state.value(conjunct.formula, {}), conjunct.name


def test_step_that_the_encoding_lacks_is_reported() -> None:
    config = PROTOCOL.configure({}, {}, ALL_FAULTS)
    system, encoding = build(PROTOCOL, config), encode(PROTOCOL, unbounded(PROTOCOL), [])
    del encoding.transitions["admit"]
    follower = Simulation(encoding, system)
    submit, admit = Step("submit", (0, 0)), Step("admit", (0, 0))
    posted = present(system.step(system.initial, submit))
    follower.follow(system.initial, submit, posted)
    with pytest.raises(Unrelated, match="admit is not possible, and does more than forget"):
        follower.follow(posted, admit, present(system.step(posted, admit)))
