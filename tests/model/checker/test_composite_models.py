"""Models with sequences and records: every engine counts the same states, traces are read back, the prover is clear."""

from __future__ import annotations

import io
import json
import tokenize
from pathlib import Path
from typing import Any

import pytest

from onceproof import (
    Count,
    Model,
    ModelError,
    Optional,
    Seq,
    Set,
    Sort,
    action,
    always,
    build,
    check,
    field,
    prove,
    record,
    require,
)
from onceproof.inputs.itf.values import decoded, encoded
from onceproof.model.checker import compiled
from onceproof.model.checker.prover.encoding import encode
from onceproof.model.checker.results import Limits
from onceproof.model.checker.tla.export import export
from tests.models import alternating_bit, blocking_queue, raft_election
from tests.paths import ROOT

BIT: Any = {"faults": {"lose": "any", "lose_ack": "any"}}
RAFT: Any = {"faults": {"lose": 1}}
COUNTS = [
    ("alternating_bit", BIT, (211, 979, 15)),
    ("blocking_queue", {}, (22, 85, 8)),
    ("raft_election", RAFT, (2443, 5022, 10)),
]


def code_lines(path: Path) -> int:
    """Lines with code: no blank ones, comments or docstrings."""
    kept: set[int] = set()
    previous = tokenize.INDENT
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type in (tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT):
            previous = token.type
            continue
        alone = token.type == tokenize.STRING and previous in (tokenize.NEWLINE, tokenize.INDENT, tokenize.NL)
        if not alone and token.type != tokenize.ENDMARKER:
            kept.update(range(token.start[0], token.end[0] + 1))
        previous = token.type
    return len(kept)


@pytest.mark.parametrize("engine", ["direct", "plain", "compiled"])
@pytest.mark.parametrize(("name", "options", "counts"), COUNTS)
def test_every_engine_counts_the_same(name: str, options: Any, counts: tuple[int, ...], engine: str) -> None:
    found = check(ROOT / "tests" / "models" / f"{name}.py", engine=engine, symmetry=False, **options)
    assert (found.states, found.transitions, found.depth) == counts


def test_the_alternating_bit_protocol_keeps_its_promise() -> None:
    found = check(alternating_bit, **BIT)
    assert found.holds, str(found)


def test_a_blocking_queue_may_fall_asleep() -> None:
    assert not check(blocking_queue, properties=["someone_runs"]).holds
    assert check(blocking_queue, properties=["someone_runs"], mechanisms={"wake_all": True}).holds


def test_an_election_has_one_leader() -> None:
    found = check(raft_election, faults={"lose": 1})
    assert found.holds, str(found)


class Node(Sort, default=2):
    """A node."""


class Value(Sort, default=3, symmetric=True):
    """What is sent."""


@record
class Stamped:
    """A value, and how often it was passed on."""

    value: Value
    passed: Count(1)  # type: ignore[valid-type]


chan = field(Node, Seq(Stamped, 2))
last = field(Optional[Stamped])


@action
def send(st: Any, node: Node, value: Value) -> None:
    """A value is sent."""
    require(len(st.chan[node]) < 2)
    st.chan[node].append(Stamped(value, 0))


@action
def forward(st: Any, node: Node, to: Node) -> None:
    """The first value is passed on, or kept."""
    require(node != to)
    require(len(st.chan[node]) > 0 and len(st.chan[to]) < 2)
    first = st.chan[node].pop(0)
    if first.passed == 0:
        st.chan[to].append(Stamped(first.value, 1))
    else:
        st.last = first


NAMES = {"chan": chan, "last": last, "send": send, "forward": forward, "__name__": "relay"}


def test_symmetry_merges_states_that_differ_in_what_is_in_sequences_and_records() -> None:
    system = build(Model("relay", NAMES))
    whole = compiled.check(system, None, Limits(), symmetry=False)
    merged = compiled.check(system, None, Limits(), symmetry=True)
    assert merged.symmetry
    assert (whole.states, merged.states) == (6100, 1062)
    assert whole.complete and merged.complete


@pytest.mark.parametrize(("name", "most"), [("alternating_bit", 45), ("blocking_queue", 35), ("raft_election", 55)])
def test_models_are_short(name: str, most: int) -> None:
    assert code_lines(ROOT / "tests" / "models" / f"{name}.py") <= most


def test_values_are_written_to_traces_and_read_back() -> None:
    system = build(Model("bit", alternating_bit))
    state = system.initial
    for name in ("send", "send", "receive"):
        after = system.step(state, system.parse_step(name, {}))
        assert after is not None
        state = after
    written = {name: encoded(system.layout, name, state) for name in system.layout.cells}
    assert written["data"] == [{"value": "value1", "bit": False}]
    read = {name: decoded(value) for name, value in json.loads(json.dumps(written)).items()}
    assert system.layout.parse(read) == state


def test_lists_and_records_are_what_they_are_in_tla() -> None:
    system = build(Model("bit", alternating_bit))
    lines = export(system, "Bit", system.properties()).module.splitlines()
    assert lines[1] == "EXTENDS Integers, Sequences"
    assert "Packet == [value : Value, bit : BOOLEAN]" in lines
    assert "VARIABLES value, bit, expected, received, data, acks" in lines
    assert "  /\\ data' = Tail(data)" in lines
    assert "  /\\ data' = IF Len(data) < 2 THEN Append(data, [value |-> value, bit |-> bit]) ELSE data" in lines


def test_a_set_is_a_set_in_traces_and_is_read_back() -> None:
    system = build(Model("raft", raft_election))
    state = system.initial
    for name, arguments in (("stand", {"node": "node1"}), ("vote", {"node": "node2", "candidate": "node1"})):
        after = system.step(state, system.parse_step(name, arguments))
        assert after is not None
        state = after
    written = json.loads(json.dumps({name: encoded(system.layout, name, state) for name in system.layout.cells}))
    ballot = {"term": {"#bigint": "1"}, "voter": "node2", "candidate": "node1"}
    assert written["wire"] == {"#set": [ballot]}
    assert system.layout.parse({name: decoded(value) for name, value in written.items()}) == state


def test_the_model_of_the_page_about_them_is_as_it_says(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "collections.md").read_text(encoding="utf-8")
    file = tmp_path / "wire.py"
    file.write_text(page.split("```python\n")[1].split("```")[0], encoding="utf-8")
    for engine in ("direct", "plain", "compiled"):
        found = check(file, faults={"lose": 1}, engine=engine, symmetry=False)
        assert found.holds, str(found)
        assert (found.states, found.transitions) == (2472, 10_700)


def test_a_set_of_records_is_a_relation_in_a_proof() -> None:
    names = {"sent": field(Set(Ballot)), "cast": cast, "ballot": ballot, "safe": cast_once, "__name__": "ballots"}
    model = Model("ballots", names)
    proof = prove(model)
    assert proof.proved, str(proof)


class Server(Sort, default=2):
    """Who votes."""


@record
class Ballot:
    """A vote."""

    voter: Server
    choice: Server


@record
class Term:
    """A term that a server is in."""

    term: Count(2)  # type: ignore[valid-type]
    server: Server


cast = field(Server, Optional[Ballot])


@action
def ballot(st: Any, one: Server, other: Server) -> None:
    """Someone votes, once."""
    require(st.cast[one] is None)
    st.cast[one] = Ballot(one, other)
    st.sent.send(Ballot(one, other))


@always
def cast_once(st: Any, one: Server, other: Server) -> bool:
    """What is on the wire was cast."""
    return Ballot(one, other) not in st.sent or st.cast[one] == Ballot(one, other)


term = field(Server, Count(2))
stamped = field(Set(Term))


@action
def grow(st: Any, server: Server) -> None:
    """A server begins a new term, and says so."""
    require(st.term[server] < 2)
    st.term[server] += 1
    st.stamped.send(Term(st.term[server], server))


@always
def not_ahead(st: Any) -> bool:
    """What is on the wire is not ahead of who sent it."""
    return all(sent.term <= st.term[sent.server] for sent in st.stamped)


def test_a_proof_goes_through_a_set_with_all_and_any() -> None:
    names = {"term": term, "stamped": stamped, "grow": grow, "not_ahead": not_ahead, "__name__": "terms"}
    proof = prove(Model("terms", names))
    assert proof.proved, str(proof)


def test_a_proof_refuses_sequences_in_one_line() -> None:
    model = Model("bit", alternating_bit)
    with pytest.raises(ModelError, match=r"field `received`, alternating_bit.py:.*: `received` is a sequence"):
        encode(model, model.configure(), [])
