"""``onceproof.prove`` as a user of pytest calls it: proofs for any size, what fails, and certificates."""

from pathlib import Path

import pytest

import onceproof
from tests.paths import MODELS

LOCK = MODELS / "lock_service.py"


def test_a_model_is_proved_for_any_size(tmp_path: Path) -> None:
    report = onceproof.prove(LOCK, certificate=tmp_path / "certificate")
    assert report.proved and report.verdict is onceproof.Verdict.HOLDS
    assert all(found.proved and found.counterexample is None for found in report.properties.values())
    assert "proved in" in str(report) and "\x1b" not in str(report)
    assert report.to_json()["verdict"] == "proved"
    checked = onceproof.verify_certificate(tmp_path / "certificate", LOCK)
    assert checked.valid and checked.queries > 0
    assert onceproof.verify_certificate(tmp_path / "certificate").problems, "it is not a proof of the protocol"


def test_what_is_violated_comes_with_a_run() -> None:
    report = onceproof.prove(mechanisms={"receipt_fencing": False}, properties=["settled_by_holder"])
    assert not report.proved and report.verdict is onceproof.Verdict.VIOLATED
    found = report.properties["settled_by_holder"]
    assert found.outcome == "violated" and found.counterexample is not None
    assert found.counterexample.steps[-1].action in str(report)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"faults": ["agent_crsh"]}, "did you mean `agent_crash`?"),
        ({"mechanisms": {"receipt_fencin": False}}, "did you mean `receipt_fencing`?"),
        ({"properties": ["no_lost_task"]}, "none of its properties says `always` or `step`"),
    ],
)
def test_wrong_settings_name_what_was_meant(settings: dict[str, object], message: str) -> None:
    with pytest.raises(onceproof.InputError) as raised:
        onceproof.prove(**settings)  # type: ignore[arg-type]
    assert message in str(raised.value)
