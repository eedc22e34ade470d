"""What the wheel and the source distribution contain."""

import subprocess
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from tests.packaging.conftest import build
from tests.paths import ROOT

LINKED = ("model", "implementation", "conformance", "specs")


def package_files() -> set[str]:
    """Every file of the repository that belongs into the package, by its name in a wheel."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *LINKED, "onceproof"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("this tree is not a git checkout")
    links = {f"onceproof/{name}" for name in LINKED}
    there = [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    return {name if name.startswith("onceproof/") else f"onceproof/{name}" for name in there} - links


def test_wheel_has_one_top_level_name_and_each_file_of_the_package_once(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert [name for name, times in Counter(names).items() if times > 1] == []
    information = next(name.split("/")[0] for name in names if name.endswith(".dist-info/METADATA"))
    assert {name.split("/")[0] for name in names} == {"onceproof", information}
    assert {name for name in names if name.startswith("onceproof/")} == package_files()
    assert {"onceproof/py.typed", "onceproof/specs/plain-day.yaml"} <= set(names)
    assert any(name.startswith("onceproof/reports/templates/") for name in names)


def test_metadata_has_the_readme_and_the_license(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        metadata = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        text = archive.read(metadata).decode()
        assert any(name.endswith("licenses/LICENSE") for name in archive.namelist())
    assert (ROOT / "README.md").read_text(encoding="utf-8") in text
    assert "License-Expression: Apache-2.0\n" in text


def contents(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel, but for the list that names them all."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/RECORD")}


def test_wheel_built_from_the_source_distribution_is_the_same(wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(build("sdist", ROOT, tmp_path / "sdist")) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.glob("onceproof-*")
    assert contents(build("wheel", source, tmp_path / "wheel")) == contents(wheel)
