"""A model that fails while it runs: the shortest run that leads there, in every engine."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import onceproof
from onceproof.explain.failure import RunFailed

MODEL = '''
from onceproof import *

class Worker(Sort, default=2):
    """A worker."""

used = field(Worker, bool)
holder = field(Optional[Worker])
released = field(bool)

@action
def take(st, worker: Worker):
    require(st.holder is None)
    st.holder = worker

@action
def release(st):
    require(st.holder is not None)
    st.holder = None
    st.released = True

@action
def use(st):
    require(st.released)
    st.used[st.holder] = True

@always
def unused(st):
    return not st.released or not st.used[0]
'''


@pytest.mark.parametrize("engine", ["auto", "plain", "direct", "compiled"])
def test_the_shortest_run_to_a_failing_action(onceproof: Callable[..., Any], tmp_path: Path, engine: str) -> None:
    (tmp_path / "model.py").write_text(MODEL, encoding="utf-8")
    path = tmp_path / "spec.yaml"
    path.write_text("model: model.py\n", encoding="utf-8")
    ran = onceproof("check", path, "--engine", engine)
    assert (ran.status, ran.out) == (2, "")
    head, first, second, fails, error = ran.err.splitlines()[-5:]
    assert head == "the model fails after 2 steps"
    assert (first.split()[0], first.split()[2]) == ("1", "take(worker1)")
    assert second.split()[:3] == ["2", "model", "release()"]
    assert fails == "  step 3, model use(), fails: `used` is indexed by [Worker], found None"
    assert error == "onceproof: action `use`, model.py:25: `used` is indexed by [Worker], found None"


def test_a_failing_property_says_so(onceproof: Callable[..., Any], tmp_path: Path) -> None:
    model = MODEL.replace(
        "return not st.released or not st.used[0]", "return not st.released or not st.used[st.holder]"
    )
    (tmp_path / "model.py").write_text(model, encoding="utf-8")
    path = tmp_path / "spec.yaml"
    path.write_text("model: model.py\n", encoding="utf-8")
    ran = onceproof("check", path)
    assert (ran.status, ran.out) == (2, "")
    assert "the model fails after 2 steps" in ran.err
    assert "  then a property fails: `used` is indexed by [Worker], found None\n" in ran.err
    assert onceproof("walk", path).err == ran.err


def test_the_api_gives_the_trace(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(MODEL, encoding="utf-8")
    with pytest.raises(RunFailed, match="found None") as failed:
        onceproof.check(tmp_path / "model.py")
    assert [step.action for step in failed.value.steps] == ["take", "release"]
    assert failed.value.failing_step == "model use()"
