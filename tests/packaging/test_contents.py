"""What the wheel and the source distribution contain."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.helpers.installed import build
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


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# What may need the extra `platform`; all else works with the plain dependencies.
PLATFORM = ("implementation/platform/", "implementation/stores/", "implementation/queues/")
# What runs in an environment of its own, with the task queue or the server that it is about.
ELSEWHERE = ("conformance/examples/", "conformance/storms/queues/", "conformance/storms/brokers/")
# `prove --verify --solver cvc5` and `check --ray` say that these are not there.
OPTIONAL = {"cvc5", "ray"}
# Under TYPE_CHECKING alone; every type checker brings it.
FOR_CHECKERS = {"typing_extensions"}
# Parts of the interface of a library that is declared: Starlette of FastAPI, MarkupSafe of Jinja2.
BROUGHT = {"fastapi": "starlette", "jinja2": "markupsafe"}


def distribution_names(requirements: list[str]) -> set[str]:
    names = {re.split(r"[\[<>=;~! ]", requirement)[0].lower() for requirement in requirements}
    return names | {brought for name, brought in BROUGHT.items() if name in names}


def imported_modules(source: str) -> Iterator[str]:
    """The top-level names of all that a module imports, at its top or inside functions."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.split(".")[0]


@cache
def distributions() -> dict[str, set[str]]:
    """Which distributions bring a module, by their normalised names."""
    return {
        module: {name.lower().replace("_", "-") for name in names}
        for module, names in importlib.metadata.packages_distributions().items()
    }


def undeclared(source: str, declared: set[str]) -> set[str]:
    """The modules that a source imports and that no declared distribution brings."""
    others = set(imported_modules(source)) - sys.stdlib_module_names - {"onceproof", *OPTIONAL, *FOR_CHECKERS}
    return {module for module in others if not distributions().get(module, set()) & declared}


def test_every_library_that_the_package_imports_is_declared() -> None:
    core = distribution_names(PROJECT["dependencies"])
    extra = core | distribution_names(PROJECT["optional-dependencies"]["platform"])
    found = {}
    for folder in ("model", "implementation", "conformance", "onceproof"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            allowed = extra if name.startswith(PLATFORM) else core
            # pytest itself imports what is there for it.
            allowed = allowed | {"pytest"} if name.startswith("onceproof/testing/") else allowed
            missing = undeclared(path.read_text(encoding="utf-8"), allowed)
            if missing and not name.startswith(ELSEWHERE):
                found[name] = missing
    assert found == {}


def test_a_library_that_is_not_declared_is_found() -> None:
    core = distribution_names(PROJECT["dependencies"])
    source = "import json, yaml\ndef late():\n    from psycopg.rows import dict_row\n    import nowhere"
    assert undeclared(source, core) == {"psycopg", "nowhere"}
