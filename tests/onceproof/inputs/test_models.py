"""Models in files: what lies beside a model is its own."""

import sys
from pathlib import Path

import onceproof
from onceproof.inputs.models import resolve

MODEL = """
from onceproof import Int, State, action, always, field
from {helper} import MOST


class Log(State):
    "A number."
    n = field(Int(0, 9))


@action
def up(st: Log) -> None:
    "More."
    if st.n < MOST:
        st.n += 1


@always
def small(st: Log) -> bool:
    "It is small."
    return st.n <= MOST
"""


def written(folder: Path, most: int, helper: str) -> Path:
    """A model whose helper, a module or a package beside it, says how far it goes."""
    folder.mkdir()
    (folder / "model.py").write_text(MODEL.format(helper=helper))
    file = folder / f"{helper.replace('.', '/')}.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"MOST = {most}\n")
    return folder / "model.py"


def test_each_model_imports_what_lies_beside_it(tmp_path: Path) -> None:
    for number, helper in enumerate(("helper_of_model", "helpers_of_model.most")):
        one, other = (written(tmp_path / f"{name}{number}", most, helper) for name, most in (("a", 3), ("b", 5)))
        assert [onceproof.check(path).states for path in (one, other, one)] == [4, 6, 4]


def test_module_of_a_reference_is_that_of_its_folder(tmp_path: Path) -> None:
    for name, most in (("a", 3), ("b", 5)):
        folder = tmp_path / name
        written(folder, most, "helper_of_named").rename(folder / "named_model.py")
    models = [resolve("named_model", tmp_path / name).model for name in ("a", "b", "a")]
    assert [onceproof.check(model).states for model in models] == [4, 6, 4]
    assert models[0] is not models[1]


def test_installed_modules_are_not_loaded_again(tmp_path: Path) -> None:
    before = sys.modules["onceproof"]
    path = written(tmp_path / "a", 3, "yet_another_helper")
    path.write_text("import onceproof, yaml\n" + path.read_text())
    yaml = sys.modules.get("yaml")
    assert onceproof.check(path).states == 4
    assert sys.modules["onceproof"] is before and sys.modules["yaml"] is (yaml or sys.modules["yaml"])
    assert "yet_another_helper" in sys.modules


def test_edited_model_is_loaded_again_with_what_lies_beside_it(tmp_path: Path) -> None:
    path = written(tmp_path / "a", 3, "helper_that_changes")
    assert onceproof.check(path).states == 4
    path.write_text(path.read_text().replace("st.n < MOST", "st.n + 1 < MOST"))
    (path.parent / "helper_that_changes.py").write_text("MOST = 6  # edited\n")
    assert onceproof.check(path).states == 6
