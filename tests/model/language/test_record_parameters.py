"""Records as parameters of actions and properties, and in ``forall``, ``exists`` and ``choose``, in every engine."""

from __future__ import annotations

from enum import Enum
from typing import Any

import pytest

from onceproof import (
    Fresh,
    Int,
    Model,
    ModelError,
    Optional,
    Ordered,
    Set,
    Sort,
    action,
    always,
    build,
    choose,
    exists,
    field,
    first,
    forall,
    record,
    require,
)
from onceproof.model.checker import compiled
from onceproof.model.checker.explicit import engine as explicit
from onceproof.model.checker.prover.encoding import encode
from onceproof.model.checker.results import Verdict
from onceproof.model.checker.tla.export import export
from onceproof.model.language import System
from tests.model.checker.tla import tlc
from tests.model.checker.tla.tlc_comparison import counting


class Node(Sort, default=2, symmetric=True):
    """A node."""


class Term(Ordered, default=2):
    """A term."""


class Mood(Enum):
    """How a vote is meant."""

    GOOD, BAD = range(2)


@record
class Vote:
    """A vote of one node for another."""

    voter: Node
    whom: Node


@record
class Letter:
    """A vote, and all that is no element of a plain sort."""

    vote: Vote
    term: Term
    mood: Mood
    copy: Int(1, 2)  # type: ignore[valid-type]
    back: Optional[Node]
    sealed: bool


def cast(st: Any, vote: Vote) -> None:
    require(vote.voter != vote.whom)
    require(forall(Vote, lambda one: one not in st.votes or one.voter != vote.voter))
    st.votes.add(vote)


def withdraw(st: Any) -> None:
    vote = choose(Vote, lambda one: one in st.votes)
    st.votes.receive(vote)


def votes_once(st: Any) -> bool:
    same = exists(Vote, Vote, lambda a, b: a != b and a.voter == b.voter and a in st.votes and b in st.votes)
    return not same


def never_for_itself(st: Any, vote: Vote) -> bool:
    return vote not in st.votes or vote.voter != vote.whom


def write(st: Any, letter: Letter) -> None:
    require(letter.sealed and letter.vote.voter == letter.back and letter.term == first(Term))
    st.letter = letter


def sealed(st: Any, letter: Letter) -> bool:
    return st.letter != letter or letter.sealed


def election(**more: Any) -> System:
    names = {
        "votes": field(Set(Vote)),
        "cast": action(cast),
        "withdraw": action(withdraw),
        "votes_once": always(votes_once),
        "never_for_itself": always(never_for_itself),
    }
    return build(Model("election", {"__name__": "election", **names, **more}))


def post() -> System:
    names = {"letter": field(Optional[Letter]), "write": action(write), "sealed": always(sealed)}
    return build(Model("post", {"__name__": "post", **names}))


@pytest.mark.parametrize(("system", "counts"), [(election(), (4, 8)), (post(), (17, 272))], ids=["election", "post"])
def test_every_engine_takes_a_record_as_all_its_parts(system: System, counts: tuple[int, int]) -> None:
    for engine in ("direct", "plain"):
        found = explicit.check(system, engine=engine)
        assert (found.states, found.transitions, found.verdict) == (*counts, Verdict.HOLDS)
    found = compiled.check(system, symmetry=False)
    assert (found.states, found.transitions) == counts


def test_arguments_are_named_and_read_by_the_parts_of_the_record() -> None:
    system = post()
    names = [one.name for one in system.parameters_of("write")]
    assert names == [f"letter_{part}" for part in ("vote_voter", "vote_whom", "term", "mood", "copy", "back", "sealed")]
    values = ("node1", "node2", "term1", "BAD", "2", "node1", "True")
    step = system.parse_step("write", dict(zip(names, values, strict=True)))
    after = system.step(system.initial, step)
    assert after is not None
    shown = system.layout.show(after)["letter"]
    assert (shown["vote"], shown["copy"], shown["mood"]) == ({"voter": "node1", "whom": "node2"}, 2, "BAD")


def test_elements_in_records_that_are_arguments_stay_alike() -> None:
    found = compiled.check(election(), symmetry=True)
    assert found.symmetry and found.states == 3


@pytest.mark.skipif(bool(tlc.why_not()), reason=tlc.why_not())
def test_tlc_counts_the_same_with_records_as_arguments() -> None:
    systems = election(), post()
    modules = [export(system, "records", system.properties()) for system in systems]
    runs = [("records", one.module, one.configuration) for one in modules]
    runs += [("records", one.module, counting(one)) for one in modules]
    found = list(tlc.checked(runs))
    assert [(one.states, one.transitions, one.violated, one.error) for one in found] == [
        (4, 8, "", ""),
        (17, 272, "", ""),
    ] * 2


@record
class Marked:
    """A node, and a mark on it."""

    node: Node
    mood: Mood


def put(st: Any, mark: Marked) -> None:
    st.mark = mark


def encoded(system: System) -> None:
    every = [claim for claim in system.properties() if claim.kind == "always"]
    encode(system.model, system.config, every)


def test_a_proof_takes_records_of_elements_and_says_what_to_write_for_others() -> None:
    encoded(election())
    with pytest.raises(ModelError, match=r"`mood` of Marked is no element of a sort.*write an action for each"):
        encoded(build(Model("marks", {"__name__": "marks", "mark": field(Optional[Marked]), "put": action(put)})))


@record
class Missing:
    """A record with a part that may be missing."""

    mood: Optional[Mood]


def test_records_that_cannot_be_arguments_are_refused_in_one_line() -> None:
    def marked(st: Any, mark: Missing) -> None: ...

    def fresh(st: Any, vote: Fresh[Vote]) -> None: ...  # type: ignore[type-var]

    def twice(st: Any, vote: Vote, vote_whom: Node) -> None: ...

    for function, message in (
        (marked, "parameter `mark` of `marked`: `mood` of Missing is Optional"),
        (fresh, "is Fresh, but a record is never alike"),
        (twice, "`twice` has two arguments `vote_whom`"),
    ):
        function.__annotations__ = {name: eval(hint) for name, hint in function.__annotations__.items() if name != "st"}
        with pytest.raises(ModelError, match=message):
            action(function)
