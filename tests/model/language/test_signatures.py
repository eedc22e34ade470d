"""What mypy and pyright, strict, say of models: nothing of correct ones, and of mistakes that they are mistakes."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from onceproof.main import run
from tests.paths import ROOT

GALLERY = sorted((ROOT / "docs" / "models").glob("*.py"))
WELL_TYPED = Path(__file__).parent / "typed_models" / "work.py.in"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# Each is a line of a function of st: System, worker: Worker, job: Job.
MISTAKES = {
    "field that is not there": "require(st.onn)",
    "write to a field that is not there": "st.lokced = True",
    "text for a bool": 'st.locked = "x"',
    "none for a bool": "st.locked = None",
    "number for a bool": "st.locked = 1",
    "write to a whole array": "st.busy = True",
    "none for a bool in a cell": "st.busy[worker] = None",
    "element of another sort as index": "st.busy[job] = True",
    "number as index": "st.busy[0] = True",
    "element or none as index": "st.busy[st.holder[job]] = True",
    "element of another sort in a cell": "st.holder[job] = job",
    "number for an element": "st.holder[job] = 0",
    "none where none may be": "st.last[worker] = None",
    "element or none where none may be": "st.busy[worker] = st.last[worker] == st.chief",
    "member of another enum": "st.stage[job] = Mode.UP",
    "number for a member": "st.stage[job] = 1",
    "text for a member": 'st.stage[job] = "TAKEN"',
    "member of another enum compared": "require(st.stage[job] == Mode.UP)",
    "number compared with a member": "require(st.stage[job] == 1)",
    "elements of two sorts compared": "require(worker == job)",
    "element or none of another sort compared": "require(st.holder[job] == job)",
    "number compared with an element": "require(worker == 0)",
    "indices in the wrong order": "require(st.does[job, worker])",
    "an index too few": "require(st.does[worker])",
    "an index too many": "require(st.busy[worker, job])",
    "write to a switch": "st.fenced = False",
    "text for a count": 'st.tries[job] = "many"',
    "none added to a count": "st.tries[job] += None",
    "truth of an element or none": "require(st.holder[job])",
    "truth of a member": "require(st.stage[job])",
    "truth of a number": "require(st.tries[job])",
    "truth of an array": "require(st.busy)",
    "truth of an element": "require(worker)",
    "arguments in the wrong order": "take(st, job, worker)",
    "an argument too few": "take(st, worker)",
    "quantified element of another sort": "require(forall(Worker, lambda w: st.stage[w] == Stage.FREE))",
    "quantified elements in the wrong order": "require(exists(Worker, Job, lambda w, j: st.does[j, w]))",
    "quantified truth of an element or none": "require(forall(Job, lambda j: st.holder[j]))",
    "loop over an array": "print([one for one in st.busy])",
    "loop over an element": "print([one for one in worker])",
    "loop over another sort": "print([st.stage[one] for one in Worker])",
    "element in an array": "require(worker in st.busy)",
    "member that is not there": "require(st.stage[job] == Stage.TAKN)",
    "field of another component": "require((lambda part: part.locked)(queue))",
    "state without the field's component": "require(idle(queue, worker))",
    "element of another sort in a list": "st.log[job].append(job)",
    "element of another sort in a set": "st.idle.add(job)",
    "element for a record on a wire": "st.wire.send(worker)",
    "part of a record of another sort": "st.wire.send(Note(worker, True))",
    "part that a record has not": "require(choose_from(st.wire).worker == worker)",
    "choice of another sort": "st.busy[choose(Job)] = True",
    "method of an array": "st.busy.append(worker)",
    "bool compared with an element": "require(st.locked == worker)",
    "initial value that no cell holds": 'print(field(Worker, bool, init="free"))',
    "initial value of too many indices": "print(field(Worker, bool, init=lambda one, other: True))",
    "option that is not there": "print(field(Worker, bool, gost=True))",
    "kind that is no type": "print(field(Worker, 3))",
    "index that is no sort": "print(field(bool, bool))",
    "switch without an off": 'print(switch(on="on"))',
}
# What each of them does not see: the rest of what is well typed in Python, where any two objects can be compared.
UNSEEN_BY_MYPY = set[str]()
UNSEEN_BY_PYRIGHT = {"bool compared with an element"}


@dataclass
class Files:
    """A folder of models: the well-typed one, one with a mistake in each line, those of the docs and of `new`."""

    folder: Path
    lines: dict[str, int]  # where each mistake stands in mistakes.py

    def flagged(self, errors: set[tuple[str, int]]) -> set[str]:
        return {mistake for mistake, line in self.lines.items() if ("mistakes.py", line) in errors}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("typed")
    text = WELL_TYPED.read_text(encoding="utf-8")
    (folder / "work.py").write_text(text, encoding="utf-8")
    lines = {}
    for number, (mistake, line) in enumerate(MISTAKES.items()):
        text += f"\n\ndef mistake_{number}(st: System, queue: Queue, worker: Worker, job: Job) -> None:\n    {line}\n"
        lines[mistake] = text.count("\n")
    (folder / "mistakes.py").write_text(text, encoding="utf-8")
    for page, name in (("README.md", "lease.py"), ("docs/python.md", "lock.py")):
        blocks = BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
        (model,) = (block for block in blocks if block.startswith(f"# {name}\n"))
        (folder / name).write_text(model, encoding="utf-8")
    assert run(["new", "fresh", "--in", str(folder)]) == 0  # what newcomers start from
    return Files(folder, lines)


def errors_of_mypy(files: Files) -> set[tuple[str, int]]:
    command = [sys.executable, "-m", "mypy", "--strict", "--output", "json", "--config-file", os.devnull]
    command += ["--cache-dir", str(files.folder / "cache"), "--follow-imports", "silent", ".", *map(str, GALLERY)]
    environment = {**os.environ, "MYPYPATH": str(ROOT)}
    run = subprocess.run(command, cwd=files.folder, env=environment, capture_output=True, text=True, check=False)
    found = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    assert found, run.stdout + run.stderr
    return {(Path(one["file"]).name, one["line"]) for one in found if one["severity"] == "error"}


def errors_of_pyright(files: Files, *more: str) -> set[tuple[str, int]]:
    paths = [str(ROOT), str(GALLERY[0].parent)]  # as for its authors: a model of the gallery imports another one
    settings = {"typeCheckingMode": "strict", "extraPaths": paths, "include": [".", *more]}
    (files.folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable, "-p", "."]
    run = subprocess.run(command, cwd=files.folder, capture_output=True, text=True, check=False)
    found = json.loads(run.stdout)
    assert found["summary"]["filesAnalyzed"] > 6 + len(more), run.stdout
    wrong = [one for one in found["generalDiagnostics"] if one["severity"] == "error"]
    return {(Path(one["file"]).name, one["range"]["start"]["line"] + 1) for one in wrong}


def test_mypy_accepts_correct_models_and_flags_mistakes(files: Files) -> None:
    errors = errors_of_mypy(files)
    assert {name for name, _ in errors} == {"mistakes.py"}
    assert set(MISTAKES) - files.flagged(errors) == UNSEEN_BY_MYPY
    assert {line for _, line in errors} <= set(files.lines.values())


def test_pyright_accepts_correct_models_and_flags_mistakes(files: Files) -> None:
    errors = errors_of_pyright(files, str(ROOT / "model" / "protocol"), *map(str, GALLERY))
    assert {name for name, _ in errors} == {"mistakes.py"}
    assert set(MISTAKES) - files.flagged(errors) == UNSEEN_BY_PYRIGHT
    assert {line for _, line in errors} <= set(files.lines.values())
