"""Small models of which false claims were proved once, each for a reason of its own; and names of equal text."""

import typing
from enum import Enum

import pytest

from onceproof.model.checker.prover.diagnosis import diagnose
from onceproof.model.checker.prover.induction import prove, unbounded
from onceproof.model.checker.prover.names import Names, state_symbol
from onceproof.model.checker.prover.sexpr import parse, render, substitute
from onceproof.model.checker.prover.verification_conditions import declarations
from onceproof.model.language import ConfigError, Model, Sort, field
from onceproof.model.language.sorts import Choice
from tests.helpers.written_models import written_model
from tests.models import lock_service

NODE = """
from enum import Enum
from onceproof import *


class Node(Sort, default=2):
    "Who is there."


"""
# Each is false after so many steps, and was proved.
MODELS = {
    "a substituted variable was captured": (
        """
edge = field(Node, Node, bool)
live = field(Node, bool, init=True)
has = field(Node, bool)
bad = field(bool)


@action
def connect(st, p: Node, q: Node):
    "An edge."
    require(p != q)
    st.edge[p, q] = True


@action
def count(st):
    "Whoever has an edge."
    for e in Node:
        st.has[e] = exists(Node, lambda a: exists(Node, lambda b: st.edge[e, b]) if st.live[a] else False)
    st.bad = exists(Node, lambda c: st.has[c])


@always
def never(st):
    "False after an edge and a count."
    return not st.bad


@always(invariant="edges")
def no_loops(st, n: Node):
    "True."
    return not st.edge[n, n]
""",
        2,
    ),
    "a sort in lower case was taken for a variable": (
        """
class node(Sort, default=2, size="others"):
    "What is owned."


owner = field(node, node)


@action
def nothing(st, a: node):
    "Never possible."
    require(st.owner[a] != a)


@always
def injective(st, a: node, b: node):
    "False at the start: all are owned by the first."
    return a == b or st.owner[a] != st.owner[b]
""",
        0,
    ),
    "two enums of one name were one": (
        """
class Lamp:
    class Status(Enum):
        OPEN, CLOSED, BROKEN = range(3)


class Door:
    class Status(Enum):
        OPEN, CLOSED = range(2)


lamp = field(Node, Lamp.Status)
door = field(Node, Door.Status)
bad = field(bool)


@action
def shut(st, n: Node):
    "It breaks when it is shut a second time."
    st.lamp[n] = Lamp.Status.CLOSED if st.lamp[n] == Lamp.Status.OPEN else Lamp.Status.BROKEN


@action
def third(st, n: Node):
    "Neither of the two that both enums have."
    require(st.lamp[n] not in (Lamp.Status.OPEN, Lamp.Status.CLOSED))
    st.bad = True


@always
def never(st):
    "False after shut, shut, third."
    return not st.bad
""",
        3,
    ),
    "a parameter was called as a variable of the reader": (
        """
mark = field(Node, bool)


@action
def set_mark(st, node: Node):
    "A mark."
    st.mark[node] = True


@always
def at_most_one(st, node_1: Node):
    "False after two steps."
    return not st.mark[node_1] or not exists(Node, lambda x: x != node_1 and st.mark[x])
""",
        2,
    ),
    "a parameter of an action was called so": (
        """
mark = field(Node, bool)
bad = field(bool)


@action
def set_mark(st, n: Node):
    "A mark."
    st.mark[n] = True


@action
def other_is_marked(st, node_2: Node):
    "Another one has a mark."
    require(exists(Node, lambda x: exists(Node, lambda y: st.mark[y] and y != node_2)))
    st.bad = True


@always
def never(st):
    "False after two steps."
    return not st.bad
""",
        2,
    ),
    "an element used anew kept what it was": (
        """
used = field(Node, bool)
seen = field(Node, bool)


@action
def use(st, n: Node):
    "Used, for good."
    st.used[n] = True


@action(reuse=True)
def renew(st, n: Node):
    "It stands for a new thing."
    require(st.used[n])
    st.used[n] = False
    st.seen[n] = True


@always
def used_when_seen(st, n: Node):
    "False after use, renew."
    return not st.seen[n] or st.used[n]
""",
        2,
    ),
}


@pytest.mark.parametrize("reason", MODELS)
def test_what_was_proved_wrongly_is_refuted(reason: str) -> None:
    text, steps = MODELS[reason]
    model = written_model(NODE + text)
    proof = prove(model, unbounded(model), walks=0)
    assert not proof.proved
    (found,) = diagnose(proof)
    assert found.real is not None and len(found.real.trace) == steps


def test_a_constant_keeps_its_initial_value() -> None:
    """What holds of a constant at the start holds of it ever after, and a proof knows that."""
    text = """
class Mode(Enum):
    OFF, ON = range(2)


mode = field(Node, Mode, init=Mode.{value}, constant=True)
boss = field(Optional[Node], constant=True)
ran = field(Node, bool)


@action
def run(st, n: Node):
    "Only what is on runs."
    require(st.mode[n] == Mode.ON or st.boss == n)
    st.ran[n] = True


@always
def never_runs(st, n: Node):
    "Nothing is on."
    return not st.ran[n]
"""
    model, other = (written_model(NODE + text.format(value=value)) for value in ("OFF", "ON"))
    assert prove(model, unbounded(model)).proved
    assert not prove(other, unbounded(other)).proved


class Lamp:
    class Status(Enum):
        """Three."""

        OPEN, CLOSED, BROKEN = range(3)


class Door:
    class Status(Enum):
        """Two."""

        OPEN, CLOSED = range(2)


def test_types_of_equal_names_have_names_of_their_own() -> None:
    made = [type("Node", (Sort,), {"__doc__": "Alike in name."}) for _ in range(2)]
    one, other = (typing.cast("type[Sort]", sort) for sort in made)
    fields: list[typing.Any] = [field(one, Lamp.Status), field(other, Door.Status)]
    names = Names(fields)
    assert [names.sort(one), names.sort(other)] == ["|sort Node|", "|sort Node #2|"]
    kinds = Choice(Lamp.Status), Choice(Door.Status)
    assert [names.kind(kind) for kind in kinds] == ["|enum Status|", "|enum Status #2|"]
    assert names.value(kinds[0], 2) == "|Status: BROKEN|" and names.value(kinds[1], 1) == "|Status #2: CLOSED|"


def test_no_two_names_are_equal_and_none_is_an_identifier() -> None:
    """Fields, sorts, enums and variables of one text, and texts that would end a quoted symbol."""
    model = written_model(
        NODE
        + """
class first(Enum):
    Node, st, enum = range(3)


st = field(Node, first)
enum = field(Node, Optional[Node])
enabled = field(Node, Count(2))
Node_1 = field(bool)


@action
def step(s, st: Node):
    "A step."
    s.Node_1 = True


@always
def claim(s, first: Node, enum: Node):
    "True."
    return s.enabled[first] == s.enabled[enum]
"""
    )
    proof = prove(model, unbounded(model))
    assert proof.proved
    commands = declarations(proof.stages[0].encoding.vocabulary)
    declared = [command[1] for command in commands if command[0] != "declare-datatypes"]
    for command in commands:
        if command[0] == "declare-datatypes":
            declared += [command[1][0][0], *(value for (value,) in command[2][0])]
    assert len(set(declared)) == len(declared) == 2 + 2 + 3 + 4 + 4
    assert all(name.startswith("|") and name.endswith("|") and " " in name for name in declared)
    assert state_symbol("a|b\\c d\u00e9") == "|st a{7c}b{5c}c{20}d{e9}|"


def test_substitution_renames_what_would_be_captured() -> None:
    (body,) = parse("(and p (forall ((|b in N| |sort N|)) (edge |a in N| |b in N|)))")
    put = substitute(body, {"|a in N|": "|b in N|", "p": "q"})
    assert render(put) == "(and q (forall ((|b in N'| |sort N|)) (edge |b in N| |b in N'|)))"


def test_a_claim_of_no_such_kind_is_refused_by_name() -> None:
    """What a proof for any size does not speak of, and a name that is near to one that it does."""
    model = Model("lock", lock_service)
    for name, message in (
        ("held", "`held` says `sometimes`: what is proved for any size says `always`"),
        ("mutual_exclusoin", "`mutual_exclusoin` is not a property; did you mean `mutual_exclusion`?"),
    ):
        with pytest.raises(ConfigError) as caught:
            prove(model, unbounded(model), [name])
        assert message in str(caught.value)
