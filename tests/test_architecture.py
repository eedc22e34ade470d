"""ARCHITECTURE.md lists every module with what its own first line says. `SNAP_UPDATE=1` rewrites the lists."""

import ast
import os
import re

import pytest

from tests.paths import ROOT

PAGE = ROOT / "ARCHITECTURE.md"
PACKAGES = ("model", "implementation", "conformance", "onceproof", "bench")


def manifest(package: str) -> str:
    """The modules of a package, a line each, by folder."""
    lines = []
    for path in sorted((ROOT / package).rglob("*.py"), key=lambda path: (path.parent, path.name)):
        text = ast.get_docstring(ast.parse(path.read_text()))
        assert text, f"{path.relative_to(ROOT)} does not say what it is"
        first = re.split(r"\n\s*\n", text)[0].replace("\n", " ")
        if path.name == "__init__.py":
            lines.append(f"- **{path.parent.relative_to(ROOT)}/** {first}")
        else:
            lines.append(f"  - `{path.relative_to(ROOT / package)}` {first}")
    return "\n".join(lines)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_manifest_is_true(package) -> None:
    page = PAGE.read_text()
    begin, end = f"<!-- manifest of {package} -->\n", f"\n<!-- end of {package} -->"
    assert begin in page and end in page
    before, rest = page.split(begin)
    listed, after = rest.split(end)
    if os.environ.get("SNAP_UPDATE"):
        PAGE.write_text(before + begin + manifest(package) + end + after)
    else:
        assert listed == manifest(package), "SNAP_UPDATE=1 rewrites it (run with -n 0)"


def test_every_path_that_it_names_is_there() -> None:
    named = re.findall(
        r"`((?:model|implementation|conformance|onceproof|specs|tests|bench|scripts)/[\w./-]*)`", PAGE.read_text()
    )
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
