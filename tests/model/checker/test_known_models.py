"""Algorithms from the literature: as many states as an enumeration written by hand for each finds, by every engine."""

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from onceproof.model.checker import compiled
from onceproof.model.checker.explicit import engine as explicit
from onceproof.model.checker.results import CheckResult, Verdict
from onceproof.model.checker.tla.export import export
from onceproof.model.language import Model, build
from tests.model.checker.tla.tla_reader import Module
from tests.models.paxos import PAXOS
from tests.models.termination import TERMINATION

State = tuple[Any, ...]


def with_one(row: State, at: int, value: Any) -> State:
    """The row with one place changed."""
    return (*row[:at], value, *row[at + 1 :])


def paxos(state: State) -> Iterable[State]:
    """The steps of Paxos as Lamport's Paxos.tla has them: a set of messages, and quorums as sets of acceptors."""
    promised, ballots, values, sent = state
    for ballot in range(2):
        yield promised, ballots, values, sent | {("1a", ballot)}
    for one, message in itertools.product(range(3), sent):
        if message[0] == "1a" and message[1] > promised[one]:
            answer = ("1b", one, message[1], ballots[one], values[one])
            yield with_one(promised, one, message[1]), ballots, values, sent | {answer}
        if message[0] == "2a" and message[1] >= promised[one]:
            _, ballot, value = message
            rows = [with_one(row, one, new) for row, new in ((promised, ballot), (ballots, ballot), (values, value))]
            yield *rows, sent | {("2b", one, ballot, value)}
    open_ballots = [ballot for ballot in range(2) if not any(m[0] == "2a" and m[1] == ballot for m in sent)]
    for ballot, value in itertools.product(open_ballots, range(2)):
        for quorum in [(0, 1), (0, 2), (1, 2), (0, 1, 2)]:
            answers = [m for m in sent if m[0] == "1b" and m[1] in quorum and m[2] == ballot]
            votes = [m for m in answers if m[3] >= 0]
            free = not votes or any(m[4] == value and m[3] == max(v[3] for v in votes) for m in votes)
            if {m[1] for m in answers} == set(quorum) and free:
                yield promised, ballots, values, sent | {("2a", ballot, value)}


def termination(state: State) -> Iterable[State]:
    """The steps of EWD 840 for three nodes."""
    active, black, token, token_black = state
    if token == 0 and (token_black or black[0]):
        yield active, with_one(black, 0, False), 2, False
    if token != 0 and (not active[token] or black[token] or token_black):
        yield active, with_one(black, token, False), token - 1, token_black or black[token]
    for node in range(3):
        if active[node]:
            yield with_one(active, node, False), black, token, token_black
        for other in range(3):
            if active[node] and other != node:
                blamed = black if other < node else with_one(black, node, True)
                yield with_one(active, other, True), blamed, token, token_black


def count(initial: State, steps: Callable[[State], Iterable[State]]) -> int:
    seen, queue = {initial}, [initial]
    for state in queue:
        for after in steps(state):
            if after not in seen:
                seen.add(after)
                queue.append(after)
    return len(seen)


NOTHING = (-1, -1, -1)
CASES = [
    (PAXOS, 3921, lambda: count((NOTHING, NOTHING, NOTHING, frozenset()), paxos)),
    (TERMINATION, 110, lambda: count(((True,) * 3, (False,) * 3, 0, True), termination)),
]


def results(model: Model, **switches: bool) -> list[CheckResult]:
    """What every engine finds."""
    config = model.configure(switches=switches)
    found = [explicit.check(build(model, config), engine=engine) for engine in ("plain", "direct")]
    return [*found, *(compiled.check(build(model, config), workers=workers) for workers in (1, 2))]


@pytest.mark.parametrize(("model", "states", "by_hand"), CASES, ids=lambda value: getattr(value, "name", ""))
def test_every_engine_counts_the_states_of_a_hand_written_enumeration(
    model: Model, states: int, by_hand: Callable[[], int]
) -> None:
    assert by_hand() == states
    for found in results(model):
        assert (found.states, found.verdict) == (states, Verdict.HOLDS)
    system = build(model)
    assert len(Module(export(system, model.name, []).module).reachable()) == states


@pytest.mark.parametrize(
    ("model", "mechanism", "broken", "length"),
    [
        # Two promises, a proposal and two votes choose a value in each of two ballots, each begun by a 1a; only one
        # acceptor need be in both quorums, and it has voted before it promises again.
        (PAXOS, "highest_vote", "agreement", 12),
        (TERMINATION, "blame", "sound", 7),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_textbook_model_without_its_mechanism_is_violated(
    model: Model, mechanism: str, broken: str, length: int
) -> None:
    for found in results(model, **{mechanism: False}):
        violated = [one for one in found.properties if one.verdict is Verdict.VIOLATED]
        assert [one.name for one in violated] == [broken]
        assert violated[0].counterexample is not None
        assert len(violated[0].counterexample.trace) == length


def test_symmetry_reduces_the_states_of_paxos() -> None:
    """Neither quorums that are counted nor an order among ballots keep acceptors and values from being alike."""
    found = compiled.check(build(PAXOS), symmetry=True)
    assert (found.symmetry, found.verdict) == ("acceptor, value", Verdict.HOLDS)
    assert 3921 // 12 <= found.states < 3921 // 4
