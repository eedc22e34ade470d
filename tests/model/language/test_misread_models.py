"""Models that were once judged wrongly, since they were misread: what is true of each."""

from __future__ import annotations

import linecache
import sys
import textwrap
import types

import pytest

from onceproof.model.checker import compiled
from onceproof.model.checker.explicit import engine as explicit
from onceproof.model.checker.prover.induction import prove
from onceproof.model.checker.results import Verdict
from onceproof.model.language import Model, ModelError, build

HEADER = """
import random
from onceproof import *


class Node(Sort, default=2):
    \"\"\"A node.\"\"\"


mark = field(Node, bool)
bad = field(bool)
n = field(Count(3))
"""

SET_MARK = """
@action
def set_mark(st, node: Node):
    st.mark[node] = True
"""

NEVER = """
@always
def never(st):
    return not st.bad
"""

VIOLATED = {
    "a parameter called as a variable of a quantifier might be": (
        SET_MARK
        + """
@always
def at_most_one(st, node_1: Node):
    return not st.mark[node_1] or not exists(Node, lambda x: x != node_1 and st.mark[x])
""",
        2,
    ),
    "a parameter called as the variable of an inner quantifier might be": (
        SET_MARK
        + """
@action
def other_is_marked(st, node_2: Node):
    require(exists(Node, lambda x: exists(Node, lambda y: st.mark[y] and y != node_2)))
    st.bad = True
"""
        + NEVER,
        2,
    ),
    "case True": (
        SET_MARK
        + """
@always
def never(st, node: Node):
    match st.mark[node]:
        case True:
            return False
        case _:
            return True
""",
        1,
    ),
    "a local that a loop carries": (
        """
first = field(Node, bool, init=lambda n: n == 0, constant=True)
left = field(Node, Optional[Node])

@action
def link(st):
    for n in Node:
        if not st.first[n]:
            st.left[n] = before
        before = n

@always
def no_link_to_another(st, n: Node):
    return st.left[n] is None or st.left[n] == n
""",
        1,
    ),
    "a list that a helper changes": (
        SET_MARK
        + """
def push(st, found, node):
    if st.mark[node]:
        found.append(node)

@action
def count(st):
    found, other = [], []
    for node in Node:
        push(st, found, node)
    if len(found) == 1:
        st.bad = True
"""
        + NEVER,
        2,
    ),
    "a count that a guard does not keep": (
        """
sold = field(Count(3))

@action
def sell(st):
    require(st.sold < 3)
    st.sold += 1

@always
def no_overbooking(st):
    return st.sold <= 2
""",
        3,
    ),
}

REFUSED = {
    "try": ("try:\n    st.n = st.n + 1\nexcept Exception:\n    st.n = 0", "`try`"),
    "random": ("st.n = random.choice([0, 1])", "which cannot be read"),
    "an attribute of a class": ("Found.n += 1\nst.bad = Found.n == 1", "what an action changes is a field"),
}


def model_of(text: str) -> Model:
    file = "<misread>"
    module = types.ModuleType("misread")
    sys.modules["misread"] = module
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(compile(text, file, "exec"), module.__dict__)
    return Model("misread", module)


@pytest.mark.parametrize(("text", "length"), VIOLATED.values(), ids=VIOLATED)
def test_every_engine_finds_the_violation(text: str, length: int) -> None:
    model = model_of(HEADER + text)
    for check in (explicit.check, compiled.check, lambda system: explicit.check(system, engine="direct")):
        result = check(build(model))
        found = [one.counterexample for one in result.properties if one.verdict is Verdict.VIOLATED]
        assert [len(one.trace) for one in found if one is not None and one.property != "deadlock"] == [length]
    try:
        assert not prove(model, model.configure()).proved
    except ModelError as refused:  # a loop that carries a local has no meaning for any number of elements
        assert "any number of elements" in str(refused) or "inside a loop" in str(refused)


@pytest.mark.parametrize(("body", "message"), REFUSED.values(), ids=REFUSED)
def test_what_a_model_cannot_mean_is_refused(body: str, message: str) -> None:
    text = f"class Found:\n    n = 0\n\n\n@action\ndef step(st, node: Node):\n{textwrap.indent(body, '    ')}\n"
    with pytest.raises(ModelError, match=message):
        build(model_of(HEADER + text))


def test_two_definitions_of_one_name_are_refused() -> None:
    with pytest.raises(ModelError, match=r"`set_mark` is defined more than once, in the lines \d+ and \d+"):
        model_of(HEADER + SET_MARK + SET_MARK)


def test_two_fields_of_one_name_are_refused() -> None:
    with pytest.raises(ModelError, match=r"`mark` is defined more than once, in the lines 10 and \d+ of <misread>"):
        model_of(HEADER + SET_MARK + "mark = field(\n    Node,\n    bool,\n)\n")
    twice = "class Lock(State):\n    held = field(bool)\n    held: bool = field(bool, init=True)\n"
    with pytest.raises(ModelError, match=r"`held` is defined more than once, in the lines \d+ and \d+ of <misread>"):
        model_of(HEADER + SET_MARK + twice)
    model_of(HEADER + SET_MARK + "other = field(bool)\n")


def test_an_initial_value_beyond_the_last_element_is_refused() -> None:
    after = "after = field(Node, Optional[Node], init=lambda n: n + 1, constant=True)\n"
    with pytest.raises(ModelError, match=r"field `after`, its init: 2 is out of range \(there are 2: the last is 1\)"):
        build(model_of(HEADER + after + SET_MARK))
    with pytest.raises(ModelError, match=r"field `seats`, its init: 4 is not within 0 to 3"):
        build(model_of(HEADER + "seats = field(Count(3), init=4)\n" + SET_MARK))


def test_a_literal_beyond_the_range_of_a_count_is_refused() -> None:
    with pytest.raises(ModelError, match=r"action `sell`, <misread>:\d+:\d+: `n`: 4 is not within 0 to 3"):
        build(model_of(HEADER + "@action\ndef sell(st):\n    st.n = 4\n"))


def test_an_action_whose_guard_is_never_true_is_told_as_never_fired() -> None:
    dead = "@action\ndef typo(st):\n    require(st.bad and not st.bad)\n    st.bad = False\n"
    system = build(model_of(HEADER + SET_MARK + dead))
    for result in (explicit.check(system), compiled.check(system), explicit.check(system, engine="direct")):
        assert result.never_fired == ["typo"]
