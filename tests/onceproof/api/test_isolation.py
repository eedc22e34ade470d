"""The API beside files of a user's that are called like modules of the standard library."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import MODELS

# `colorsys` is imported by the models below and by nothing else: it shows where modules are looked up during a call.
HOSTILE = ("json", "queue", "types", "enum", "typing", "random", "model", "click", "numpy", "colorsys")
CALLS = {
    "load_model": "assert onceproof.load_model('jugs.py').actions",
    "load_spec": "assert onceproof.load_spec('plain.yaml').name == 'plain'",
    "check": "assert not onceproof.check('jugs.py', engine='compiled').holds",
    "walk": "assert onceproof.walk('jugs.py', engine='compiled').violated",
    "prove": "assert not onceproof.prove('jugs.py', search=1).proved",
    "cover": "assert onceproof.cover('plain.yaml', max_steps=5).steps == 5",
    "state_machine": "assert onceproof.state_machine('jugs.py', 'core').TestCase",
    "matrix": "assert onceproof.matrix('jugs.py', processes=1).complete",
    "export_tla": "assert onceproof.export_tla('jugs.py').text",
}


@pytest.mark.parametrize("name", CALLS)
def test_files_of_the_user_do_not_stand_in_for_libraries(name: str, tmp_path: Path) -> None:
    for module in HOSTILE:
        (tmp_path / f"{module}.py").write_text(f"raise SystemExit('{module}.py of the user was imported')\n")
    jugs = (MODELS / "jugs.py").read_text(encoding="utf-8")
    (tmp_path / "jugs.py").write_text(f"import colorsys\n{jugs}", encoding="utf-8")
    (tmp_path / "protocol.py").write_text(
        "import colorsys\nfrom onceproof.model.protocol.system import PROTOCOL\n", encoding="utf-8"
    )
    (tmp_path / "plain.yaml").write_text("model: protocol.py\nsizes: {tasks: 1}\n")
    (tmp_path / "script.py").write_text(f"import onceproof\n{CALLS[name]}\n")
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_model_beside_the_running_script_leaves_the_path_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "jugs.py").write_text((MODELS / "jugs.py").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "script.py").write_text(
        "import sys\nbefore = sys.path[:]\nfrom onceproof.inputs.models import resolve\nfrom pathlib import Path\n"
        "resolve('jugs.py', Path())\nassert sys.path == before, sys.path\n"
    )
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
