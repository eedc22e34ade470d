"""The pytest plugin, as pytest runs it: specs as tests, and the fixture for models."""

import subprocess
import sys
from pathlib import Path

import pytest

from onceproof.main import run

TESTS = """
import lease

SETTINGS = {"faults": {"lease_ends": 1}, "mechanisms": {"fencing": False}}

def test_holds(onceproof):
    assert onceproof.holds(lease, faults={"lease_ends": 1}).states == 10

def test_does_not_hold(onceproof):
    onceproof.holds(lease, **SETTINGS)

def test_is_violated(onceproof):
    onceproof.violates(lease, "one_writer", steps=5, **SETTINGS)

def test_is_violated_later(onceproof):
    onceproof.violates(lease, "one_writer", steps=4, **SETTINGS)

def test_is_not_violated(onceproof):
    onceproof.violates(lease, "one_writer", faults={"lease_ends": 1})

def test_unknown(onceproof):
    onceproof.violates(lease, "one_writr", **SETTINGS)
"""


def pytest_of(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:schemathesis", "-n", "0", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, its spec, one that is not as expected, and one with a slip."""
    folder = tmp_path_factory.mktemp("plugin")
    assert run(["new", "lease", "--in", str(folder)]) == 0
    spec = (folder / "lease.yaml").read_text(encoding="utf-8")
    (folder / "unfenced.yaml").write_text(spec.replace("# mechanisms", "mechanisms"), encoding="utf-8")
    (folder / "slip.yml").write_text("model: lease.py\nsiezs: {workers: 2}\n", encoding="utf-8")
    (folder / "test_lease.py").write_text(TESTS, encoding="utf-8")
    return folder


def test_specs_are_tests_whose_failures_are_counterexamples(folder: Path) -> None:
    ran = pytest_of(folder, "--onceproof", "--deselect", "test_lease.py", ".")
    assert ran.returncode == 1
    assert "2 failed, 1 passed" in ran.stdout
    assert "reproduce: onceproof check" in ran.stdout
    assert "  5        lease  write(worker2)       writing[worker2]: no → yes" in ran.stdout
    assert f"{folder / 'slip.yml'}:2: siezs: unknown key `siezs`; did you mean `sizes`?" in ran.stdout
    assert "Traceback" not in ran.stdout and "plugin.py" not in ran.stdout
    assert "FAILED unfenced.yaml::unfenced" in ran.stdout


def test_fixture_checks_models_and_without_the_option_no_yaml_is_collected(folder: Path) -> None:
    ran = pytest_of(folder, ".")
    assert "4 failed, 2 passed" in ran.stdout
    assert "expected that one_writer is violated in 4 steps\n" in ran.stdout
    assert "expected that one_writer is violated\n" in ran.stdout
    assert "one_writer is violated for worker1, worker2" in ran.stdout
    assert "property `one_writr` is not checked; those are: one_writer, somebody_writes, deadlock" in ran.stdout
    assert "checks.py" not in ran.stdout
    assert "yaml" not in ran.stdout and "slip" not in ran.stdout


def test_plugin_imports_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "test_nothing.py").write_text(
        "import sys\n\ndef test_nothing():\n    heavy = ('numpy', 'z3', 'llvmlite', 'hypothesis.core')\n"
        "    ours = [name for name in sys.modules if name.startswith('onceproof.')]\n"
        "    assert 'onceproof.testing.plugin' in ours and not set(heavy) & set(sys.modules)\n"
        "    assert set(ours) == {'onceproof.isolation', 'onceproof.testing', 'onceproof.testing.plugin'}\n",
        encoding="utf-8",
    )
    ran = pytest_of(tmp_path, "-p", "no:hypothesispytest", ".")
    assert ran.returncode == 0, ran.stdout
