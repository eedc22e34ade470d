"""The models of docs/language.md have as many states as the page says, in the engines that are least alike."""

import re
import sys
import types

import pytest

from onceproof.model.checker import compiled
from onceproof.model.checker.explicit import engine as explicit
from onceproof.model.language import Model, build
from tests.paths import ROOT

PAGE = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n# (\w+)\.py: ([\d,]+) states\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_every_model_says_how_many_states_it_has() -> None:
    assert len(BLOCKS) == PAGE.count("```python") >= 3


@pytest.mark.parametrize(("name", "states", "text"), BLOCKS, ids=[name for name, _, _ in BLOCKS])
def test_model_has_as_many_states_as_it_says(
    name: str, states: str, text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("docs") / f"{name}.py"
    file.write_text(text, encoding="utf-8")
    module = types.ModuleType(f"docs_{name}")
    sys.modules[module.__name__] = module
    exec(compile(text, str(file), "exec"), module.__dict__)
    system = build(Model(name, module))
    for found in (explicit.check(system, engine="direct"), compiled.check(system)):
        assert (found.complete, f"{found.states:,}") == (True, states)
