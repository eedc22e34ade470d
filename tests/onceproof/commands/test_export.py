"""`export SPEC --to tla`."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from onceproof.api.export import module_name
from onceproof.commands.export import command
from onceproof.main import run
from tests.model.checker.tla.tla_grammar import check_module
from tests.model.checker.tla.tla_reader import Module
from tests.paths import SPECS


def test_export_writes_module_and_configuration_of_a_spec(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, [str(SPECS / "plain-day.yaml"), "--to", "tla", "--out", str(tmp_path / "new")])
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["plain_day.cfg", "plain_day.tla"]
    text = (tmp_path / "new" / "plain_day.tla").read_text()
    assert len(Module(text.split("\nvars == ")[0]).reachable()) == 160


def test_export_of_the_whole_library_is_valid_tla(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, [str(SPECS), "--to", "tla", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    modules = sorted(tmp_path.glob("*.tla"))
    assert len(list(tmp_path.glob("*.cfg"))) == len(list(SPECS.glob("*.yaml")))
    for path in modules:
        check_module(path.read_text())
        assert path.read_text().startswith(f"---- MODULE {path.stem} ----")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["export"], "missing argument"),
        (["export", "specs/none.yaml", "--to", "tla"], "none.yaml"),
        (["export", str(SPECS / "plain-day.yaml")], "missing option"),
        (["export", str(SPECS / "plain-day.yaml"), "--to", "promela"], "promela"),
        (["export", str(SPECS / "plain-day.yaml"), "--to", "tla", "--out", "/dev/null/x"], "cannot be made"),
    ],
)
def test_export_refuses_wrong_input(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    assert message in capsys.readouterr().err


def test_export_makes_module_names_of_spec_names() -> None:
    assert module_name("two-users") == "two_users"
    assert module_name("2024") == "spec_2024"
