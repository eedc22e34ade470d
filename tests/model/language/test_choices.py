"""Choices: each is a step of its own, in every engine; enabledness and fairness are of the action, not of a choice."""

import functools
import itertools
import random
from collections.abc import Iterator
from typing import Any

import pytest

from onceproof.model.checker import compiled
from onceproof.model.checker.agreement.comparison import check_agreement
from onceproof.model.checker.explicit import engine as explicit
from onceproof.model.checker.prover.induction import prove
from onceproof.model.checker.results import CheckResult, Verdict
from onceproof.model.checker.tla.export import export
from onceproof.model.checker.walks import WalkOptions, walk
from onceproof.model.language import (
    Fairness,
    Fresh,
    Int,
    Model,
    ModelError,
    Optional,
    Seq,
    Sort,
    Step,
    System,
    action,
    always,
    build,
    choose,
    choose_from,
    eventually,
    exists,
    field,
    forall,
    require,
)
from tests.model.checker.tla import tlc
from tests.models.parliament import PARLIAMENT


class Node(Sort, default=2):
    """A node."""


MEMBERS, MOODS = range(2), range(3)
House = tuple[tuple[int | None, ...], int, int, bool, int]


def steps(house: House) -> Iterator[House]:
    """The steps of the parliament by hand: each choice of different values is one."""
    backed, mood, seats, is_open, sittings = house
    for member, other in itertools.product(MEMBERS, MEMBERS):
        if backed[member] is None and other != member and backed[other] is None:
            now = tuple(other if one == member else whom for one, whom in enumerate(backed))
            for turn in MOODS if is_open else [mood]:
                yield now, turn, seats, is_open, sittings
    if sittings < 2:
        for number in {1, 3, seats}:
            if number == 3:
                yield from ((backed, mood, number, one, sittings + 1) for one in (True, False))
            else:
                yield from ((backed, turn, number, is_open, sittings + 1) for turn in MOODS if turn != mood)
    for member in MEMBERS:
        yield tuple(None if one == member else whom for one, whom in enumerate(backed)), mood, seats, is_open, sittings
    for first in range(3) if seats == 1 else [seats]:
        for second in range(1, 3) if first == 2 else [first]:
            yield backed, mood, second, is_open, sittings


@functools.cache
def by_hand() -> tuple[int, int]:
    initial: House = ((None,) * len(MEMBERS), 0, 0, False, 0)
    seen, queue, transitions = {initial}, [initial], 0
    for house in queue:
        for after in steps(house):
            transitions += 1
            if after not in seen:
                seen.add(after)
                queue.append(after)
    return len(seen), transitions


@functools.cache
def parliament() -> System:
    return build(PARLIAMENT, PARLIAMENT.configure({"members": len(MEMBERS)}))


def results(system: System) -> list[CheckResult]:
    found = [explicit.check(system, engine=engine) for engine in ("plain", "direct")]
    return [*found, compiled.check(system), compiled.check(system, workers=2)]


def test_every_engine_counts_what_an_interpreter_by_hand_counts() -> None:
    system = parliament()
    check_agreement(system, system.properties())
    for found in results(system):
        assert (found.states, found.transitions) == by_hand()


@pytest.mark.skipif(bool(tlc.why_not()), reason=tlc.why_not())
def test_tlc_counts_the_same() -> None:
    exported = export(parliament(), "parliament", parliament().properties())
    (found,) = tlc.checked([("parliament", exported.module, exported.configuration)])
    assert (found.error, found.violated) == ("", "")
    assert (found.states, found.transitions) == by_hand()


def test_choices_are_exchanged_like_arguments() -> None:
    system = build(PARLIAMENT)
    reduced, whole = compiled.check(system, symmetry=True), compiled.check(system)
    assert reduced.symmetry == "member"
    assert whole.states // 6 <= reduced.states < whole.states // 3
    assert [one.verdict for one in reduced.properties] == [one.verdict for one in whole.properties]


def test_step_names_its_choices_and_is_parsed_again() -> None:
    system = parliament()
    state, draw, said = system.initial, random.Random(1), set()
    for _ in range(60):
        step, after = draw.choice(list(system.successors(state)))
        said.add(system.call(step))
        assert system.parse_step(step.action, system.named_arguments(step)) == step
        assert system.step(state, step) == after
        state = after
    assert {"back(member1, other=member2)", "sit(seats=3, open=False)", "leave(member2, now=none)", "shift()"} <= said
    with pytest.raises(ModelError, match="`seats` must be one of 0, 1, 2, 3, 4, 5, found '7'"):
        system.parse_step("sit", {"seats": "7"})
    with pytest.raises(ModelError, match="`sit` has no argument `seat`; did you mean `seats`"):
        system.parse_step("sit", {"seat": "3"})


def test_step_without_its_choice_or_with_another_is_not_enabled() -> None:
    system = parliament()
    assert system.step(system.initial, system.parse_step("sit", {})) is None
    assert system.step(system.initial, system.parse_step("sit", {"seats": "2"})) is None
    assert system.step(system.initial, system.parse_step("sit", {"seats": "1", "open": "True"})) is None
    assert system.step(system.initial, system.parse_step("sit", {"seats": "1", "turn": "LOUD"})) is not None


def test_walk_draws_choices() -> None:
    for engine in ("plain", "compiled"):
        found = walk(parliament(), None, WalkOptions(engine=engine, runs=50, depth=20, seed=3))
        assert found.violation is None
        assert found.steps > 50
        if engine == "plain":  # the other one counts no actions
            assert set(found.fired) == {"back", "sit", "leave", "shift"}
            assert min(found.fired.values()) > 0


def put(st: Any, node: Node) -> None:
    require(len(st.line) < 2)
    st.line.append(node)


def take(st: Any) -> None:
    taken = choose_from(st.line)
    st.taken = taken
    st.line = []


def test_member_of_a_sequence_is_chosen_once_however_often_it_is_there() -> None:
    members = {"line": field(Seq(Node, 2)), "taken": field(Optional[Node]), "put": action(put), "take": action(take)}
    system = game(**members)
    check_agreement(system)
    # A line is empty, or has one node, or two; of two different ones either is taken, of two alike there is one choice.
    for found in results(system):
        assert (found.states, found.transitions) == (7 * 3, (7 - 4) * 2 * 3 + (2 * 1 + 2 * 1 + 2 * 2) * 3)


def nothing(st: Any) -> None:
    st.side = choose_from([])


def test_choice_from_nothing_means_that_the_action_cannot_happen() -> None:
    system = game(side=field(Int(0, 1)), tick=action(tick), nothing=action(nothing))
    for found in results(system):
        assert (found.states, found.transitions, found.never_fired) == (2, 2, ["nothing"])


# -- fairness


def game(**members: Any) -> System:
    return build(Model("game", {"__name__": "game", **members}))


def tick(st: Any) -> None:
    st.side = (st.side + 1) % 2


def score(st: Any) -> None:
    side = choose_from(range(2))
    require(side == st.side)
    st.scored = True


def toss(st: Any) -> None:
    side = choose_from([one for one in range(3) if one != st.side])
    st.side = side
    st.scored = side == 2


def is_scored(st: Any) -> bool:
    return bool(st.scored)


@pytest.mark.parametrize(
    ("rules", "verdict"),
    [
        # In each state another choice is possible, but the action always is: it must be taken at some time.
        ({"tick": action(tick), "score": action(score)}, Verdict.HOLDS),
        ({"tick": action(tick), "score": action(fairness=Fairness.NONE)(score)}, Verdict.VIOLATED),
        # Nobody says which side a coin must show, however often it is tossed.
        ({"toss": action(fairness=Fairness.STRONG)(toss)}, Verdict.VIOLATED),
    ],
    ids=["any choice counts", "unfair", "no choice is owed"],
)
def test_fairness_is_of_the_action_whatever_it_chooses(rules: dict[str, Any], verdict: Verdict) -> None:
    system = game(side=field(Int(0, 2)), scored=field(bool), scores=eventually(is_scored), **rules)
    for found in results(system):
        assert [one.verdict for one in found.properties if one.name == "scores"] == [verdict]
    if not tlc.why_not():
        exported = export(system, "game", system.properties(["scores"]))
        (judged,) = tlc.checked([("game", exported.module, exported.configuration)])
        assert (judged.error, judged.violated) == ("", "temporal" if verdict is Verdict.VIOLATED else "")


# -- proofs


def hand_over(st: Any) -> None:
    to = choose(Node, lambda node: node != st.owner)
    st.last, st.owner = st.owner, to


def grab(st: Any) -> None:
    to = choose(Node)
    st.last, st.owner = st.owner, to


def another(st: Any) -> bool:
    return bool(st.last is None or st.last != st.owner)


def coloured(st: Any) -> None:
    st.side = choose_from(range(2))


def test_proof_takes_a_choice_of_elements_as_any_of_them() -> None:
    fields = {"owner": field(Node), "last": field(Optional[Node])}
    right = Model("right", {"__name__": "right", **fields, "hand": action(hand_over), "another": always(another)})
    assert prove(right, right.configure()).proved
    wrong = Model("wrong", {"__name__": "wrong", **fields, "grab": action(grab), "another": always(another)})
    assert not prove(wrong, wrong.configure()).proved
    numbers = Model(
        "n", {"__name__": "n", "side": field(Int(0, 1)), "c": action(coloured), "a": always(lambda st: True)}
    )
    with pytest.raises(ModelError, match="a proof for any size takes elements only"):
        prove(numbers, numbers.configure())


# -- what is refused


def takes_fresh(st: Any, node: Fresh[Node]) -> None:
    st.owner = choose(Node, lambda other: other != node)


def claims(st: Any) -> bool:
    return bool(choose(Node) == st.owner)


def in_quantifier(st: Any) -> None:
    require(exists(Node, lambda node: choose(Node) == node) or forall(Node, lambda node: False))


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"takes": action(takes_fresh)}, "`node` is Fresh, and `owner` is chosen: take `node` as a plain parameter"),
        ({"claims": always(claims)}, "a choice is part of an action"),
        ({"asks": action(in_quantifier)}, "a choice inside a quantifier or another choice"),
    ],
)
def test_choice_in_the_wrong_place_is_refused(declared: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError) as caught:
        system = game(owner=field(Node), **declared)
        for claim in system.properties():
            system.property_reading(claim)
    assert message in str(caught.value)


def test_step_with_too_few_arguments_is_refused() -> None:
    with pytest.raises(ModelError, match="`sit` takes 3 arguments, found 0"):
        parliament().step(parliament().initial, Step("sit", ()))
