"""Spec files: what they mean, and that every mistake is one line with its place."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onceproof.inputs.specs import Expectation, load_spec, load_specs
from onceproof.model.protocol.system import PROTOCOL

Command = Callable[..., Any]  # of the fixtures in conftest.py
Written = Callable[..., Path]

DESIGN_NAMES = {
    "switches": """task_id_dedup atomic_admission idempotent_relay invisibility renewal receipt_fencing
        delete_after_result owner_epoch sticky_placement agent_dedup join_running retain_until_delete
        fail_on_agent_loss graceful_drain note_before_start""",
    "faults": """response_loss request_loss_at_api api_crash relay_crash scheduler_crash scheduler_pause
        scheduler_upgrade stale_owner lease_lapse request_loss request_duplication reply_loss
        broker_duplicate agent_crash agent_recycle
        function_failure""",
    "properties": """at_most_once delete_after_completion truthful_rejection truthful_acceptance single_holder
        settled_by_holder result_agreement no_needless_redelivery no_lost_task message_settled rejection_seen
        failover_redelivery_seen join_seen zombie_delete_seen second_result_seen""",
}


@pytest.mark.parametrize("kind", DESIGN_NAMES)
def test_every_name_of_the_design_is_modelled(kind: str) -> None:
    assert set(DESIGN_NAMES[kind].split()) <= set(getattr(PROTOCOL, kind))


def test_spec_with_every_key_is_read(spec: Written) -> None:
    read = load_spec(
        spec(
            """
name: slow-disks
about: >-
  The lease ends
  too early.
sizes: {workers: 3}
mechanisms: {fencing: off}
faults: {lease_ends: 2, store_burns: any}
properties: [never_spoiled, all_done]
expect: {violated: never_spoiled, length: 3}
"""
        )
    )
    assert (read.name, read.about) == ("slow-disks", "The lease ends too early.")
    assert dict(read.config.sizes) == {"workers": 3}
    assert dict(read.config.switches) == {"fencing": False}
    assert dict(read.config.budgets) == {"lease_ends": 2, "store_burns": None}
    assert [claim.name for claim in read.properties] == ["never_spoiled", "all_done"]
    assert read.expect == Expectation(("never_spoiled",), 3)


def test_spec_defaults(spec: Written) -> None:
    read = load_spec(spec("sizes: {workers: 2}", name="plain.yaml"))
    assert (read.name, read.expect, read.switched_off) == ("plain", Expectation(), [])
    assert [claim.name for claim in read.properties] == ["never_spoiled", "all_done", "lapse_seen", "deadlock"]


@pytest.mark.parametrize(
    ("said", "on"), [("off", False), ("on", True), ("no", False), ("true", True), ("'off'", False)]
)
def test_on_and_off_are_read_in_every_spelling(spec: Written, said: str, on: bool) -> None:
    assert load_spec(spec(f"mechanisms: {{fencing: {said}}}")).config.switches == {"fencing": on}


WRONG = [
    ("sizes: {worker: 2}", "2: sizes.worker: unknown size `worker`; did you mean `workers`?"),
    ("sizes: {workers: 0}", "2: sizes.workers: expected a whole number of at least 1, found `0`"),
    ("sizes: {workers: two}", "2: sizes.workers: expected a whole number of at least 1, found `two`"),
    ("sizes: {workers: on}", "2: sizes.workers: expected a whole number of at least 1, found `True`"),
    ("sizes: [workers]", "2: sizes: expected a mapping from size names, found a list"),
    ("\n\nsize: {workers: 1}", "4: size: unknown key `size`; did you mean `sizes`?"),
    ("mechanisms: {fence: off}", "2: mechanisms.fence: unknown mechanism `fence`; did you mean `fencing`?"),
    ("mechanisms:\n  fencing: maybe", "3: mechanisms.fencing: expected on or off, found `maybe`"),
    ("mechanisms: {fencing: 0}", "2: mechanisms.fencing: expected on or off, found `0`"),
    ("faults: {lease_end: 1}", "2: faults.lease_end: unknown fault `lease_end`; did you mean `lease_ends`?"),
    ("faults: {lease_ends: -1}", "2: faults.lease_ends: expected a budget (a whole number or `any`), found `-1`"),
    ("faults: {lease_ends: many}", "2: faults.lease_ends: expected a budget (a whole number or `any`), found `many`"),
    ("faults: {lease_ends: 1.5}", "2: faults.lease_ends: expected a budget (a whole number or `any`), found `1.5`"),
    ("faults: {lease_ends: }", "2: faults.lease_ends: expected a budget (a whole number or `any`), found nothing"),
    ("properties: [all_don]", "2: properties: unknown property `all_don`; did you mean `all_done`?"),
    ("properties: [finished]", "unknown property `finished`"),
    ("properties: []", "2: properties: expected a list of properties (leave the key out for all), found a list"),
    ("properties: all_done", "2: properties: expected a list of properties (leave the key out for all), found"),
    ("properties: [all_done, all_done]", "2: properties: `all_done` is listed twice"),
    (
        "expect: hold",
        "2: expect: expected `holds`, or {violated: PROPERTY, length: STEPS}, found `hold`; did you mean `holds`?",
    ),
    ("expect: {length: 3}", "2: expect: expected `holds`, or {violated: PROPERTY, length: STEPS}, found no `violated`"),
    ("expect: {violated: all_don}", "2: expect.violated: property `all_don` is not known; did you mean `all_done`?"),
    ("expect: {violated: all_done, length: long}", "2: expect.length: expected the number of steps"),
    (
        "properties: [all_done]\nexpect: {violated: never_spoiled}",
        "3: expect.violated: property `never_spoiled` is not checked",
    ),
    ("properties: [all_done]\nexpect: {violated: deadlock}", "3: expect.violated: property `deadlock` is not checked"),
    ("name: ", "2: name: expected text, found nothing"),
    ("name: [x]", "2: name: expected text, found a list"),
    ("name: a\nname: b", "3: name: duplicate key (first on line 2)"),
    ("faults: {lease_ends: 1, lease_ends: 2}", "2: faults.lease_ends: duplicate key (first on line 2)"),
    ("sizes: {workers: 2", "malformed YAML"),
    ("sizes: *nowhere", "2: malformed YAML"),
    ("? [a]\n: b", "2: malformed YAML: a key must be plain text"),
    ("---\nname: second", "malformed YAML"),
    ("model: lease.py", "2: model: duplicate key"),
]


@pytest.mark.parametrize(("text", "complaint"), WRONG)
def test_spec_mistake_is_one_line_with_its_place(onceproof: Command, spec: Written, text: str, complaint: str) -> None:
    path = spec(text)
    ran = onceproof("check", path)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"onceproof: {path}:")
    assert complaint in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", ":1: the file is empty"),
        ("# nothing\n", ":1: the file is empty"),
        ("just words", ":1: expected a spec: a mapping with `name`, `sizes`, `faults` and so on, found `just words`"),
        ("- a\n- b", ":1: expected a spec: a mapping with `name`, `sizes`, `faults` and so on, found a list"),
        ("model: nowhere.py", "model: no model file `nowhere.py`"),
        ("model: lease.py:LEASE", "model: `lease.py` has no model called `LEASE`"),
        ("model: no.such.module:M", "model: no model `no.such.module:M`"),
        ("[" * 600, "malformed YAML"),
        ("sizes: &a {workers: *a}", "malformed YAML"),
        ("faults: {relay_crash: any}\nmechanisms: {idempotent_relay: off}", "say how many: sizes.messages"),
    ],
)
def test_file_that_is_not_a_spec_is_refused(onceproof: Command, spec: Written, text: str, complaint: str) -> None:
    ran = onceproof("check", spec(text, model=False))
    assert (ran.status, ran.out) == (2, "")
    assert complaint in ran.err
    assert ran.err.count("\n") == 1


def test_model_in_several_files_is_loaded(onceproof: Command, spec: Written, tmp_path: Path) -> None:
    spec("", name="unused.yaml")
    (tmp_path / "whole.py").write_text("import lease\nfrom onceproof import Model\nWHOLE = Model('whole', lease)\n")
    for reference in ("whole.py", "whole.py:WHOLE", "whole:WHOLE"):
        path = spec(f"model: {reference}\nfaults: {{lease_ends: 1}}", name="whole.yaml", model=False)
        ran = onceproof("check", path, "--trace-out", tmp_path / "none.json")
        assert ran.status == 0, ran.err
        assert "22 states, 30 transitions, depth 7" in ran.out


def test_spec_that_is_not_text_is_refused(onceproof: Command, tmp_path: Path) -> None:
    path = tmp_path / "bytes.yaml"
    path.write_bytes(b"\xff\xfe\x00name")
    ran = onceproof("check", path)
    assert (ran.status, ran.err) == (2, f"onceproof: {path}:1: not a text file in UTF-8\n")


def test_model_that_cannot_be_loaded_is_reported_with_its_line(onceproof: Command, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import os\nx = 1 / 0\n", encoding="utf-8")
    (tmp_path / "syntax.py").write_text("def f(:\n", encoding="utf-8")
    (tmp_path / "empty.py").write_text("x = 1\n", encoding="utf-8")
    complaints = {"broken": "broken.py:2: the model cannot be loaded", "syntax": "syntax.py:1: not Python"}
    for name, complaint in {**complaints, "empty": "`empty.py` declares no model"}.items():
        (tmp_path / f"{name}.yaml").write_text(f"model: {name}.py\n", encoding="utf-8")
        ran = onceproof("check", tmp_path / f"{name}.yaml")
        assert ran.status == 2
        assert complaint in ran.err
        assert ran.err.count("\n") == 1


def test_folder_means_all_specs_below_it_in_order(spec: Written, tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    spec("sizes: {workers: 1}", name="b.yaml")
    spec("sizes: {workers: 2}", name="a.yaml")
    spec("model: ../lease.py\nsizes: {workers: 3}", name="deeper/c.yml", model=False)
    assert [one.path.name for one in load_specs([tmp_path])] == ["a.yaml", "b.yaml", "c.yml"]
    assert [one.path.name for one in load_specs([tmp_path / "b.yaml", tmp_path])] == ["b.yaml", "a.yaml", "c.yml"]


def test_folder_without_specs_is_refused(onceproof: Command, tmp_path: Path) -> None:
    ran = onceproof("check", tmp_path)
    assert ran.status == 2
    assert "the folder contains no specs" in ran.err


def test_spec_that_is_missing_is_refused_with_the_nearest_name(onceproof: Command, spec: Written) -> None:
    there = spec("sizes: {workers: 1}", name="slow-disk.yaml")
    ran = onceproof("check", there.parent / "slow-disks.yaml")
    assert ran.status == 2
    assert f"no such file or folder; did you mean `{there}`?" in ran.err
    assert onceproof("check", there.parent / "nope.yaml").err.endswith("nope.yaml: no such file or folder\n")


LAMP = """
from onceproof import *

class Lamp(State):
    "A lamp."
    tries = parameter(default=2, least=1)
    used = field(Count(tries))

@action
def press(st: Lamp) -> None:
    "It is pressed."
    require(st.used < st.tries)
    st.used += 1

@always
def bounded(st: Lamp) -> bool:
    "It is pressed seldom."
    return st.used <= 3

@ending
def used_up(st: Lamp) -> bool:
    return st.used == st.tries
"""


def test_spec_sets_the_parameters_of_its_model(onceproof: Command, tmp_path: Path) -> None:
    (tmp_path / "lamp.py").write_text(LAMP, encoding="utf-8")
    spec = tmp_path / "lamp.yaml"
    spec.write_text("model: lamp.py\nparameters: {tries: 3}\n", encoding="utf-8")
    assert dict(load_spec(spec).config.parameters) == {"tries": 3}
    trace = tmp_path / "trace.json"
    for asked, tries in ((str(spec), 3), (str(tmp_path / "lamp.py"), 2), (f"{spec} --parameters tries=5", 5)):
        ran = onceproof("check", *asked.split(), "--json", "--trace-out", str(trace))
        (found,) = json.loads(ran.out)["specs"]
        assert (found["parameters"], found["states"]) == ({"tries": tries}, tries + 1)
        assert found["verdict"] == ("violated" if tries > 3 else "holds")
    assert onceproof("show", str(trace)).out.count("press()") == 4
    assert "with tries=5" in (text := onceproof("check", str(spec), "--parameters", "tries=5").out)
    assert f"reproduce: onceproof check {spec} --parameters tries=5" in text
    refuted = onceproof("prove", str(tmp_path / "lamp.py"), "--parameters", "tries=5")
    assert (refuted.status, "with tries=5" in refuted.out) == (1, True), refuted.out


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{trise: 3}", "lamp.yaml:2: parameters.trise: unknown parameter `trise`; did you mean `tries`?"),
        (
            "{tries: 0}",
            "lamp.yaml:2: parameters.tries: parameter `tries` must be a whole number of at least 1, found 0",
        ),
        ("{tries: many}", "lamp.yaml:2: parameters.tries: expected a whole number, found `many`"),
    ],
)
def test_wrong_parameter_is_one_line_with_its_place(
    onceproof: Command, tmp_path: Path, text: str, complaint: str
) -> None:
    (tmp_path / "lamp.py").write_text(LAMP, encoding="utf-8")
    (tmp_path / "lamp.yaml").write_text(f"model: lamp.py\nparameters: {text}\n", encoding="utf-8")
    ran = onceproof("check", str(tmp_path / "lamp.yaml"))
    assert (ran.status, ran.err.strip().endswith(complaint)) == (2, True), ran.err
