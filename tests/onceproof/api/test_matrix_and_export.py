"""``matrix`` and ``export_tla`` as a user of Python calls them."""

from pathlib import Path

import pytest

import onceproof
from tests.models import jugs, lease


def test_a_matrix_has_cells_and_sets() -> None:
    report = onceproof.matrix(lease, faults=["lease_ends"], processes=1)
    assert report.complete
    broken = [cell.case for cell in report.cells for found in cell.findings.values() if found.broken]
    assert [(case.off, case.faults) for case in broken] == [(("fencing",), ("lease_ends",))]
    assert [found.sets for found in report.sufficient_mechanisms if found.property == "never_spoiled"] == [
        [("fencing",)]
    ]
    assert "\x1b" not in str(report) and "never_spoiled" in str(report)
    assert report.to_json()["complete"] is True


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"faults": ["lease_end"]}, "unknown fault `lease_end`; did you mean `lease_ends`?"),
        ({"mechanisms": ["fencin"]}, "unknown mechanism `fencin`; did you mean `fencing`?"),
        ({"properties": ["never_spoilt"]}, "unknown property `never_spoilt`; did you mean `never_spoiled`?"),
        ({"engine": "plane"}, "unknown engine `plane`; did you mean `plain`?"),
    ],
)
def test_wrong_settings_name_what_was_meant(settings: dict[str, object], message: str) -> None:
    with pytest.raises(onceproof.InputError) as raised:
        onceproof.matrix(lease, **settings)  # type: ignore[arg-type]
    assert message in str(raised.value)


def test_a_model_is_exported_and_written(tmp_path: Path) -> None:
    module = onceproof.export_tla(jugs)
    assert module.name == "jugs" and module.text.startswith("-")
    assert "fill_big" in str(module)
    written, configuration = module.write(tmp_path)
    assert (written.name, configuration.name) == ("jugs.tla", "jugs.cfg")
    assert written.read_text(encoding="utf-8") == module.text
