"""The command `prove`: what it prints, its exit statuses, certificates, and one line for every wrong input."""

import json
from pathlib import Path

import pytest

from tests.helpers.fixture_types import Command
from tests.paths import MODELS, ROOT


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A spec of the lock service."""
    path = tmp_path / "lock.yaml"
    path.write_text(f"name: lock\nmodel: {MODELS / 'lock_service.py'}\n")
    return path


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """The lock service with a server that gives away what it has not."""
    text = (MODELS / "lock_service.py").read_text().replace("st.asks[client] and st.free", "st.asks[client]")
    (tmp_path / "broken.py").write_text(text)
    path = tmp_path / "broken.yaml"
    path.write_text("name: broken\nmodel: broken.py\n")
    return path


def test_prove_of_a_model_of_ones_own(onceproof: Command, lock: Path) -> None:
    ran = onceproof("prove", lock, "--explain", "--minimise")
    assert ran.status == 0
    assert "mutual_exclusion  proved" in ran.out
    assert "for any number of clients" in ran.out
    assert "23 of 23 queries proved" in ran.out
    assert "there is one lock\n" in ran.out and "needed by" in ran.out
    assert "a minimal inductive set: 5 of 5 claims" in ran.out
    assert "all queries are in a decidable fragment" in ran.out


def test_prove_json_is_one_document(onceproof: Command, lock: Path) -> None:
    ran = onceproof("prove", lock, "--json")
    document = json.loads(ran.out)
    assert document["verdict"] == "proved"
    assert [p["name"] for p in document["properties"]] == ["mutual_exclusion"]
    assert len(document["queries"]) == 23
    assert all(query["verdict"] == "proved" and query["decidable"] for query in document["queries"])
    assert len(document["digest"]) == 64


def test_prove_of_a_violated_property_names_the_run_and_the_step(onceproof: Command, broken: Path) -> None:
    ran = onceproof("prove", broken)
    assert ran.status == 1
    assert "mutual_exclusion is violated for client" in ran.out
    assert "counterexample to induction (CTI)" in ran.out
    assert "violated: mutual_exclusion" in ran.out
    document = json.loads(onceproof("prove", broken, "--json").out)
    assert document["verdict"] == "violated"
    assert document["properties"][0]["counterexample"]["length"] == 6


def test_prove_without_counterexample_is_undecided(onceproof: Command, lock: Path, tmp_path: Path) -> None:
    text = (MODELS / "lock_service.py").read_text().replace('@always(invariant="there is one lock")\n', "")
    (tmp_path / "bare.py").write_text(text)
    (tmp_path / "bare.yaml").write_text("name: bare\nmodel: bare.py\n")
    ran = onceproof("prove", tmp_path / "bare.yaml", "--search", "20")
    assert ran.status == 3
    assert "mutual_exclusion is not proved" in ran.out
    assert "the invariant needs strengthening" in ran.out


def test_prove_writes_and_verifies_a_certificate(onceproof: Command, lock: Path, tmp_path: Path) -> None:
    folder = tmp_path / "certificate"
    assert onceproof("prove", lock, "--certificate", folder).status == 0
    ran = onceproof("prove", lock, "--verify", folder)
    assert ran.status == 0
    assert "valid: z3 finds all 23 queries unsatisfiable" in ran.out
    assert onceproof("prove", lock, "--verify", folder, "--solver", "cvc5").status == 0
    (folder / "actions" / "take.smt2").write_text("")
    ran = onceproof("prove", lock, "--verify", folder)
    assert ran.status == 1
    assert "actions/take.smt2: was changed" in ran.out


def test_prove_refuses_a_certificate_of_another_model(
    onceproof: Command, lock: Path, broken: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "certificate"
    onceproof("prove", lock, "--certificate", folder)
    assert onceproof("prove", "--verify", folder).status == 1
    (tmp_path / "lock_service.py").write_text((tmp_path / "broken.py").read_text())
    (tmp_path / "changed.yaml").write_text("name: changed\nmodel: lock_service.py\n")
    ran = onceproof("prove", tmp_path / "changed.yaml", "--verify", folder)
    assert ran.status == 1
    assert "actions/grant.smt2: the model at hand says otherwise" in ran.out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--without", "receipt_fencin"), "unknown mechanism `receipt_fencin`; did you mean `receipt_fencing`?"),
        (("--with-faults", "agent_crsh"), "unknown fault `agent_crsh`; did you mean `agent_crash`?"),
        (("--verify", "nowhere"), "nowhere: no certificate here"),
        (("nowhere.yaml",), "nowhere.yaml: cannot be read"),
        (("--solver", "cvc5"), "prove: --solver cvc5 goes with --verify"),
    ],
)
def test_prove_reports_wrong_input_in_one_line(onceproof: Command, arguments: tuple[str, ...], line: str) -> None:
    ran = onceproof("prove", *arguments)
    assert ran.status == 2
    assert ran.err.startswith(f"onceproof: {line}")
    assert len(ran.err.splitlines()) == 1


def test_prove_refuses_a_spec_without_an_always(onceproof: Command, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text("name: spec\nproperties: [no_lost_task]\n")
    ran = onceproof("prove", path)
    assert ran.status == 2
    assert "none of its properties says `always` or `step`" in ran.err


def test_prove_refuses_what_cannot_be_read_for_any_size(onceproof: Command, lock: Path, tmp_path: Path) -> None:
    model = tmp_path / "counting.py"
    model.write_text(
        "from onceproof import *\n\n\n"
        'class Thing(Sort):\n    """A thing."""\n\n\n'
        "seen = field(Thing, Count(2, saturate=True))\n\n\n"
        '@action\ndef see(st: State, thing: Thing) -> None:\n    """Seen."""\n    st.seen[thing] += 1\n\n\n'
        '@always\ndef few(st: State, thing: Thing) -> bool:\n    """Few."""\n    return st.seen[thing] < 7\n'
    )
    (tmp_path / "counting.yaml").write_text("name: counting\nmodel: counting.py\n")
    ran = onceproof("prove", tmp_path / "counting.yaml")
    assert ran.status == 2
    assert "property `few`, counting.py:17: `seen` counts no further than 2 (many): 7 cannot be told apart" in ran.err


def test_prove_drops_a_wrong_conjunct_and_shows_its_run(onceproof: Command, tmp_path: Path) -> None:
    wrong = (
        '\n\n@always(invariant="wrong")\ndef nobody_holds(st: State, client: Client) -> bool:\n'
        '    """Nobody ever holds it."""\n    return not st.holds[client]\n'
    )
    (tmp_path / "wrong.py").write_text((MODELS / "lock_service.py").read_text() + wrong)
    (tmp_path / "wrong.yaml").write_text("name: wrong\nmodel: wrong.py\n")
    ran = onceproof("prove", tmp_path / "wrong.yaml")
    assert ran.status == 0  # the property is proved without it
    assert "nobody_holds is not an invariant: a random run reaches a state in which it is false" in ran.out
    assert "take(client" in ran.out
    assert "not inductive in this configuration, and not needed: nobody_holds" in ran.out


def test_prove_writes_no_certificate_of_what_is_not_proved(onceproof: Command, broken: Path, tmp_path: Path) -> None:
    ran = onceproof("prove", broken, "--certificate", tmp_path / "certificate")
    assert ran.status == 1
    assert "no certificate is written" in ran.out
    assert not (tmp_path / "certificate").exists()


def test_prove_with_a_solver_that_gives_up_is_undecided(
    onceproof: Command, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onceproof.model.checker.prover import solver
    from onceproof.model.checker.prover.solver import Answer

    monkeypatch.setattr(solver, "_answer", lambda found: Answer.UNKNOWN)
    ran = onceproof("prove", lock, "--search", "0")
    assert ran.status == 3
    assert "unknown" in ran.out and "the solver gave up on" in ran.out
    assert json.loads(onceproof("prove", lock, "--search", "0", "--json").out)["verdict"] == "unknown"


INVARIANT_ALONE = """
from onceproof import Sort, action, always, field, require


class Node(Sort, default=2):
    \"\"\"A node.\"\"\"


used = field(Node, bool)
asked = field(Node, bool)


@action
def use(st, node: Node):
    require(st.asked[node])
    st.used[node] = True


@always(invariant="use")
def used_when_asked(st, node: Node):
    return not st.used[node] or st.asked[node]


@always(invariant="use")
def never_used(st, node: Node):
    return not st.used[node]
"""


def test_prove_of_a_model_that_has_only_an_invariant_proves_that(onceproof: Command, tmp_path: Path) -> None:
    (tmp_path / "uses.py").write_text(INVARIANT_ALONE)
    ran = onceproof("prove", tmp_path / "uses.py")
    assert ran.status == 3
    assert "used_when_asked  proved" in ran.out and "never_used       not proved" in ran.out
    assert ran.out.splitlines()[-1].startswith("not proved: never_used")
    (tmp_path / "nothing.py").write_text(INVARIANT_ALONE.split("@always")[0])
    nothing = onceproof("prove", tmp_path / "nothing.py")
    assert (nothing.status, nothing.err) == (
        2,
        "onceproof: the model has no property that says `always` or `step`: nothing to prove\n",
    )


def test_prove_refuses_numbers_of_too_many_values(onceproof: Command, tmp_path: Path) -> None:
    model = (
        "from onceproof import Count, State, action, always, field\n\n\nclass Counter(State):\n"
        "    n = field(Count(1000))\n\n\n@action\ndef up(st: Counter) -> None:\n    st.n += 1\n\n\n"
        "@always\ndef few(st: Counter) -> bool:\n    return st.n < 1000\n"
    )
    (tmp_path / "counter.py").write_text(model)
    ran = onceproof("prove", tmp_path / "counter.py")
    assert (ran.status, ran.err.count("\n")) == (2, 1)
    assert "counter.py:5: `n` holds numbers from 0 to 1,000, and a proof has a case for each" in ran.err


def test_prove_of_a_model_without_sorts_says_that_it_has_one_size(onceproof: Command, tmp_path: Path) -> None:
    model = (
        "from onceproof import State, action, always, field\n\n\nclass Lamp(State):\n    on = field(bool)\n\n\n"
        "@action\ndef press(st: Lamp) -> None:\n    st.on = not st.on\n\n\n"
        "@always\ndef lit_or_dark(st: Lamp) -> bool:\n    return st.on or not st.on\n"
    )
    (tmp_path / "lamp.py").write_text(model)
    ran = onceproof("prove", tmp_path / "lamp.py")
    assert ran.status == 0 and "without sorts: there is one size" in ran.out


def test_prove_names_what_it_leaves_to_check(onceproof: Command) -> None:
    model = ROOT / "docs" / "models" / "two_phase_commit.py"
    ran = onceproof("prove", model)
    assert "not proved here, and left to `onceproof check`: commits_as_one (refines)" in ran.out
    assert json.loads(onceproof("prove", model, "--json").out)["left_to_check"] == ["commits_as_one"]
    asked = onceproof("prove", model, "--properties", "commits_as_one")
    assert asked.status == 2 and "and `onceproof check` judges the others" in asked.err
