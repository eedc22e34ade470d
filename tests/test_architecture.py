"""docs/modules.md lists every module with what its own first line says. `SNAP_UPDATE=1` rewrites the lists."""

import ast
import os
import re

import pytest

from tests.paths import ROOT

PAGE = ROOT / "docs" / "modules.md"
PACKAGES = ("model", "implementation", "conformance", "onceproof", "bench")


def manifest(package: str) -> str:
    """The modules of a package, a line each, by folder."""
    lines = []
    for path in sorted((ROOT / package).rglob("*.py"), key=lambda path: (path.parent, path.name)):
        if path.parent.name == "queues":
            continue  # files as users write them, no modules of ours
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert text, f"{path.relative_to(ROOT)} does not say what it is"
        first = re.split(r"\n\s*\n", text)[0].replace("\n", " ")
        if path.name == "__init__.py":
            lines.append(f"- **{path.parent.relative_to(ROOT)}/** {first}")
        else:
            lines.append(f"  - `{path.relative_to(ROOT / package)}` {first}")
    return "\n".join(lines)


@pytest.mark.parametrize("package", PACKAGES)
def test_list_of_modules_says_what_their_first_lines_say(package: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    begin, end = f"<!-- manifest of {package} -->\n", f"\n<!-- end of {package} -->"
    assert begin in page and end in page
    before, rest = page.split(begin)
    listed, after = rest.split(end)
    if os.environ.get("SNAP_UPDATE"):
        PAGE.write_text(before + begin + manifest(package) + end + after, encoding="utf-8")
    else:
        assert listed == manifest(package), "SNAP_UPDATE=1 rewrites it (run with -n 0)"
