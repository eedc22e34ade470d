"""Traces as ITF: written and read back the same, and every file that is no trace of the model refused in one line."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from onceproof.inputs.itf import read_trace, write_trace
from onceproof.inputs.specs import load_spec
from onceproof.model.checker.results import Counterexample, Trace
from tests.paths import MODELS, ROOT, SPECS

Command = Callable[..., Any]
Written = Callable[..., Path]
BREAKS = "faults: {lease_ends: 1}\nmechanisms: {fencing: off}\nexpect: {violated: never_spoiled}"


@pytest.fixture
def trace(onceproof: Command, spec: Written, tmp_path: Path) -> Path:
    """The counterexample of the lease model, as a file."""
    path = tmp_path / "trace.itf.json"
    assert onceproof("check", spec(BREAKS), "--trace-out", path).status == 0
    return path


def test_trace_file_is_itf(trace: Path) -> None:
    document = json.loads(trace.read_text(encoding="utf-8"))
    assert set(document) == {"#meta", "vars", "states"}
    meta = document["#meta"]
    assert (meta["format"], meta["model"], meta["property"], meta["elements"]) == ("ITF", "lease", "never_spoiled", [])
    assert meta["spec"]["mechanisms"] == {"fencing": False}
    assert meta["spec"]["faults"] == {"lease_ends": 1}
    assert meta["model_file"] == "lease.py"
    state = document["states"][3]
    assert set(state) == {"#meta", *document["vars"]}
    assert (state["#meta"], state["mbt::actionTaken"]) == ({"index": 3}, "write")
    assert state["mbt::nondetPicks"] == {"worker": {"tag": "Some", "value": "worker1"}}
    assert document["states"][2]["mbt::nondetPicks"] == {"worker": {"tag": "None", "value": {"#tup": []}}}
    assert document["states"][0]["mbt::actionTaken"] == "init"
    assert state["done"] == {"#map": [["worker1", True], ["worker2", False]]}
    assert document["states"][1]["holder"] == {"tag": "Some", "value": "worker1"}
    assert state["holder"] == {"tag": "None", "value": {"#tup": []}}
    assert state["left_of_lease_ends"] == {"#bigint": "0"}


def test_show_prints_what_check_printed(onceproof: Command, spec: Written, trace: Path) -> None:
    checked = onceproof("check", spec(BREAKS)).out
    shown = onceproof("show", trace)
    assert shown.status == 0
    story, again = shown.out.split("\nreproduce: ")
    assert story in checked
    assert again == f"onceproof show {trace}\n"
    report = json.loads(onceproof("check", spec(BREAKS), "--json").out)["specs"][0]["counterexample"]
    assert json.loads(onceproof("show", trace, "--json").out) == report


def test_trace_of_the_protocol_with_a_loop_is_shown(onceproof: Command, tmp_path: Path) -> None:
    path = tmp_path / "trace.itf.json"
    onceproof("check", ROOT / "specs" / "unrenewed-task-goes-round-forever.yaml", "--trace-out", path)
    document = json.loads(path.read_text(encoding="utf-8"))
    loop = document["loop"]
    fields = [name for name in document["vars"] if not name.startswith("mbt::")]
    assert [document["states"][loop][name] for name in fields] == [document["states"][-1][name] for name in fields]
    assert [{"#tup": ["task1", "submission1"]}, "UNSENT"] in document["states"][0]["call"]["#map"]
    shown = onceproof("show", path)
    assert shown.status == 0
    assert "the loop starts here" in shown.out
    assert f"the loop goes back to step {loop + 1}" in shown.out
    assert f"the loop goes back to step {loop + 1}" in onceproof("show", path, "--as", "sequence").out


def at(*keys: Any, value: Any) -> Callable[[Any], None]:
    """A change of a document: the value at a path of keys."""

    def change(document: Any) -> None:
        for key in keys[:-1]:
            document = document[key]
        if value is KeyError:
            del document[keys[-1]]
        else:
            document[keys[-1]] = value

    return change


STEP, PICKS = "mbt::actionTaken", "mbt::nondetPicks"
CHANGES = [
    (at("#meta", "model", value="task-dispatch"), "this is a trace of the model `task-dispatch`, not of `lease`"),
    (at("#meta", "model", value=KeyError), "this ITF trace was not written by onceproof: its `#meta` names no `model`"),
    (at("#meta", value=KeyError), "this ITF trace was not written by onceproof"),
    (at("#meta", "model_file", value="gone.py"), "no model file `gone.py`"),
    (at("#meta", "spec", value=[]), "`spec` of #meta: expected a mapping, found list"),
    (at("#meta", "spec", "sizes", value={"workers": 0}), "#meta.spec does not fit the model `lease`"),
    (at("#meta", "spec", "faults", value={"lease_end": 1}), "unknown fault `lease_end`; did you mean `lease_ends`?"),
    (at("#meta", "property", value="never_spoilt"), "no property `never_spoilt`; did you mean `never_spoiled`?"),
    (at("#meta", "property", value=7), "#meta.property"),
    (
        at("#meta", "property", value="all_done"),
        "expected the elements of `all_done` (worker), found []",
    ),
    (at("states", value=[]), "the trace has no states"),
    (at("states", 1, value=7), "state 1 is not a mapping"),
    (at("states", 1, STEP, value="aquire"), "step 1: unknown action `aquire`; did you mean `acquire`?"),
    (at("states", 1, STEP, value=KeyError), "`mbt::actionTaken` of state 1"),
    (at("states", 1, PICKS, "worker", "value", value="worker9"), "`worker` must be one of worker1, worker2"),
    (at("states", 1, PICKS, "worker", "value", value=["x"]), "`worker` must be one of worker1, worker2"),
    (at("states", 1, STEP, value="write"), "step 1, write(worker1), is not enabled in state 0"),
    (at("states", 3, STEP, value="give_up"), "step 3, give_up(worker1), is not enabled in state 2"),
    (at("states", 3, "spoiled", value=False), "does not lead to state 3: `spoiled` is False, expected True"),
    (at("states", 0, "spoiled", value=True), "state 0 is not the initial state: `spoiled` is True, expected False"),
    (at("states", 2, "spoiled", value="maybe"), "state 2: the state has no proper value for `spoiled`"),
    (at("states", 2, "holder", value={"#bigint": "x"}), "state 2: "),
    (at("states", 2, "done", value={"#map": [["worker1", True]]}), "no proper value for `done[worker2]`"),
    (at("states", 2, "done", value={"#map": 7}), "state 2: "),
    (at("states", 2, "done", value=KeyError), "state 2: the state has no `done`"),
    (at("states", 2, "dome", value=1), "state 2: the model has no field `dome`; did you mean `done`?"),
    (at("loop", value=9), "`loop` must be the index of a state, found 9"),
    (at("loop", value="x"), "`loop` must be the index of a state, found 'x'"),
    (at("loop", value=0), "`loop` says that the last state equals state 0, but it does not"),
]


@pytest.mark.parametrize(("change", "complaint"), CHANGES, ids=[complaint for _, complaint in CHANGES])
@pytest.mark.parametrize("form", ["text"])
def test_trace_that_is_not_of_the_model_is_refused(
    onceproof: Command, trace: Path, change: Callable[[Any], None], complaint: str, form: str
) -> None:
    document = json.loads(trace.read_text(encoding="utf-8"))
    change(document)
    trace.write_text(json.dumps(document), encoding="utf-8")
    ran = onceproof("show", trace, "--as", form)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"onceproof: {trace}: ")
    assert complaint in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.99])
def test_trace_file_that_was_cut_is_refused(onceproof: Command, trace: Path, share: float) -> None:
    text = trace.read_text(encoding="utf-8")
    trace.write_text(text[: int(len(text) * share)], encoding="utf-8")
    ran = onceproof("show", trace)
    assert (ran.status, ran.out) == (2, "")
    assert "not JSON, or cut short" in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("text", ["[]", "7", "{}", '{"states": 7}', "null"])
def test_json_that_is_not_a_trace_is_refused(onceproof: Command, tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    ran = onceproof("show", path)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.count("\n") == 1


def test_trace_that_is_missing_or_not_text_is_refused(onceproof: Command, tmp_path: Path) -> None:
    assert onceproof("show", tmp_path / "gone").err == f"onceproof: {tmp_path / 'gone'}: no such file\n"
    assert "cannot be read" in onceproof("show", tmp_path).err
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    assert "not JSON" in onceproof("show", tmp_path / "bytes").err


def test_show_draws_a_sequence_diagram(onceproof: Command, tmp_path: Path) -> None:
    path = tmp_path / "trace.itf.json"
    onceproof("check", ROOT / "specs" / "request-twice-started-twice.yaml", "--trace-out", path)
    lines = onceproof("show", path, "--as", "sequence").out.splitlines()
    by_action = {line.split()[1 + ("FAULT" in line)]: line for line in lines if line[:3].strip().isdigit()}
    assert "├─────────►┤" in by_action["submit"]
    assert by_action["request_duplication"].count("✗") == 1
    assert "FAULT" in by_action["request_duplication"]
    dispatched, started = (next(n for n, line in enumerate(lines) if word in line) for word in ("dispatch", "start"))
    # The agent notes in the store that it begins; on the next line is what lies between it and its scheduler.
    assert "├◄" in lines[started] and lines[started].index("├") == by_action["admit"].index("┤")
    assert lines[started + 1].index("├") == lines[dispatched].index("├")


def test_trace_page_needs_nothing_from_outside(onceproof: Command, trace: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    ran = onceproof("show", trace, "--as", "html", "--out", page)
    assert (ran.status, ran.out) == (0, "")
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert not any(word in text for word in ("http://", "https://", "src=", "@import", "url(http"))
    data = text.split('<script id="data" type="application/json">')[1].split("</script>")[0]
    read = json.loads(data)
    assert [step["title"] for step in read["steps"]][1] == "2. lease: lease_ends()"
    assert len(read["states"]) == 4


def test_trace_page_escapes_what_a_spec_says(onceproof: Command, spec: Written, tmp_path: Path) -> None:
    path = tmp_path / "trace.itf.json"
    onceproof("check", spec(f"name: <script>alert(1)</script>\n{BREAKS}"), "--trace-out", path)
    assert "<script>alert" not in onceproof("show", path, "--as", "html").out


def test_trace_can_be_moved_with_its_model(onceproof: Command, trace: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("trace.itf.json", "lease.py"):
        (tmp_path / name).rename(elsewhere / name)
    assert onceproof("show", elsewhere / "trace.itf.json").status == 0


@pytest.mark.parametrize("seed", range(5))
def test_trace_is_read_back_as_written(seed: int, tmp_path: Path) -> None:
    """Random runs of the protocol, with every kind of cell in use."""
    spec = load_spec(ROOT / "specs" / "bad-day.yaml")
    random = Random(seed)
    states, steps = [spec.system.initial], []
    for _ in range(40):
        possible = list(spec.system.successors(states[-1]))
        if not possible:
            break
        step, after = random.choice(possible)
        steps.append(step)
        states.append(after)
    path = tmp_path / "trace.itf.json"
    trace = Trace(spec.system, tuple(states), tuple(steps))
    write_trace(path, spec.source, spec.name, Counterexample("", (), trace))
    read = read_trace(path)
    assert (read.trace.states, read.trace.steps, read.trace.loop) == (tuple(states), tuple(steps), None)
    assert (read.spec_name, read.property) == ("bad-day", "")
    assert read.trace.system.config == spec.config


SPY = """
import pathlib
pathlib.Path({marker!r}).write_text("executed")
"""


@pytest.mark.parametrize(
    ("meta", "complaint"),
    [
        ({"model_file": "../evil.py"}, "the trace names the model `../evil.py`, which is outside the trace's folder"),
        ({"model_file": "{folder}/evil.py"}, "which is outside the trace's folder"),
        ({"model_file": "link.py"}, "the trace names the model `link.py`, which is outside the trace's folder"),
        ({"model_file": "sub/../../evil.py"}, "which is outside the trace's folder"),
        ({"model_file": "evil"}, "expected a file that ends in .py, found `evil`"),
        ({"model_module": "evil"}, "the trace names the Python module `evil`; if you trust it: --model evil"),
        ({"model_module": ["evil"]}, "`model_module` of #meta: expected text, found list"),
    ],
    ids=lambda value: str(value)[:40],
)
@pytest.mark.parametrize("command", ["show", "replay"])
def test_a_trace_executes_no_code_that_it_names(
    onceproof: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, meta: Any, complaint: str
) -> None:
    folder, marker = tmp_path / "traces", tmp_path / "executed"
    (folder / "sub").mkdir(parents=True)
    evil = tmp_path / "evil.py"
    evil.write_text(SPY.format(marker=str(marker)), encoding="utf-8")
    (folder / "link.py").symlink_to(evil)
    monkeypatch.syspath_prepend(tmp_path)
    text = json.dumps({"#meta": {"model": "evil", "spec": {}, **meta}, "vars": [], "states": [{}]})
    path = folder / "trace.itf.json"
    path.write_text(text.replace("{folder}", str(tmp_path)), encoding="utf-8")
    ran = onceproof(command, path)
    assert (ran.status, ran.out) == (2, "")
    assert complaint in ran.err
    assert ran.err.count("\n") == 1
    assert not marker.exists()


def test_a_model_that_lies_elsewhere_is_given_by_an_option(onceproof: Command, spec: Written, tmp_path: Path) -> None:
    path = tmp_path / "traces" / "trace.itf.json"
    path.parent.mkdir()
    said = onceproof("check", spec(BREAKS), "--trace-out", path).err
    model = tmp_path / "lease.py"
    assert f"its model is elsewhere: onceproof show {path} --model {model}" in said
    assert onceproof("show", path).status == 2
    shown = onceproof("show", path, "--model", model)
    assert shown.status == 0
    assert shown.out.endswith(f"reproduce: onceproof show {path} --model {model}\n")
    assert "not of `jugs`" in onceproof("show", path, "--model", MODELS / "jugs.py").err
    assert onceproof("show", path, "--model", tmp_path / "gone.py").status == 2


@pytest.mark.parametrize(
    ("meta", "says"),
    [
        ({}, "its `#meta` names no `model`\n"),
        (
            {"format": "ITF", "description": "Created by Apalache on Mon"},
            "its `#meta` names no `model` (`#meta` describes it as 'Created by Apalache on Mon')\n",
        ),
        (7, "its `#meta` names no `model`\n"),
    ],
)
def test_a_trace_of_another_tool_is_called_that(onceproof: Command, tmp_path: Path, meta: Any, says: str) -> None:
    path = tmp_path / "foreign.itf.json"
    path.write_text(json.dumps({"#meta": meta, "vars": ["x"], "states": [{"x": 1}]}), encoding="utf-8")
    for command in ("show", "replay"):
        ran = onceproof(command, path)
        assert (ran.status, ran.out) == (2, "")
        assert ran.err == f"onceproof: {path}: this ITF trace was not written by onceproof: {says}"


def test_a_folder_gets_a_trace_for_each_violated_property(onceproof: Command, tmp_path: Path) -> None:
    spec = SPECS / "unrenewed-task-goes-round-forever.yaml"
    ran = onceproof("check", spec, "--trace-out", f"{tmp_path}/traces/")
    assert ran.status == 0
    names = {f"unrenewed-task-goes-round-forever.{name}.itf.json" for name in ("no_lost_task", "message_settled")}
    assert {path.name for path in (tmp_path / "traces").iterdir()} == names
    for name in names:
        shown = onceproof("show", tmp_path / "traces" / name)
        assert shown.status == 0
        assert f"{name.split('.')[1]} is violated" in shown.out
    assert "also violated (--all shows these in full)\n  message_settled for message1, 9 steps" in ran.out
    in_full = onceproof("check", spec, "--all").out
    assert "message_settled is violated for message1" in in_full
    assert "also violated" not in in_full


def test_standard_output_gets_the_trace_and_nothing_else(onceproof: Command, spec: Written, tmp_path: Path) -> None:
    path = spec(BREAKS)
    ran = onceproof("check", path, "--trace-out", "-")
    assert json.loads(ran.out)["#meta"]["property"] == "never_spoiled"
    assert "never_spoiled is violated" in ran.err
    refused = onceproof("check", path, "--json", "--trace-out", "-")
    assert (refused.status, refused.out) == (2, "")
    assert "both write to standard output" in refused.err


def test_a_trace_is_read_from_standard_input(
    onceproof: Command, trace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(trace.read_text(encoding="utf-8")))
    monkeypatch.chdir(tmp_path)
    shown = onceproof("show", "-")
    assert shown.status == 0
    assert "never_spoiled is violated" in shown.out
