"""The library of specs: each finds what it expects, with exact numbers, and its page tells the truth."""

import pytest

from onceproof.inputs.specs import Spec, load_specs
from onceproof.reports.spec_library import checked, faults, mechanisms, section
from tests.paths import SPECS

LIBRARY = load_specs([SPECS])
PAGE = (SPECS / "README.md").read_text()
AGAIN = "python -m onceproof.reports.spec_library specs > specs/README.md"


@pytest.mark.parametrize("spec", LIBRARY, ids=lambda spec: spec.name)
def test_spec_finds_what_it_expects_and_its_page_says_so(spec: Spec) -> None:
    outcome = checked(spec)
    assert not outcome.disagreement
    assert outcome.as_expected
    assert outcome.result.complete
    assert section(outcome, LIBRARY) in PAGE, f"specs/README.md is out of date; to write it: {AGAIN}"


def test_spec_page_has_the_indexes_of_mechanisms_and_faults() -> None:
    assert mechanisms(LIBRARY) in PAGE
    assert faults(LIBRARY) in PAGE


def test_spec_page_has_every_spec_and_nothing_else() -> None:
    report = [line.split("(")[1].rstrip(")") for line in PAGE.splitlines() if line.startswith("### ")]
    assert report == [spec.path.name for spec in LIBRARY]
    assert len(report) >= 45


def test_every_mechanism_has_a_spec_without_it() -> None:
    """Switched off alone it breaks a property; of two mechanisms the spec says that nothing breaks."""
    without = {name: [s for s in LIBRARY if s.switched_off == [name]] for name in LIBRARY[0].model.switches}
    assert [name for name, found in without.items() if not found] == []
    harmless = {name for name, found in without.items() if not any(s.expect.violated for s in found)}
    assert harmless == {"owner_epoch", "graceful_drain"}


def test_every_fault_has_a_spec_of_the_full_design() -> None:
    for name in LIBRARY[0].model.faults:
        alone = [s for s in LIBRARY if not s.switched_off and [n for n, b in s.config.budgets.items() if b] == [name]]
        assert alone, f"no spec tells of {name}"


def test_spec_names_are_file_names() -> None:
    assert all(spec.name == spec.path.stem for spec in LIBRARY)
