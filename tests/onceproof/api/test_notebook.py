"""What results are in a notebook: HTML without scripts and outside resources, that says what the text says."""

import json
import re
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import onceproof
from tests.models import jugs, lease, philosophers

SETTINGS: dict[str, Any] = {"faults": {"lease_ends": 1}, "mechanisms": {"fencing": False}}
VOID = {"br", "hr"}


class Balance(HTMLParser):
    """Checks that every element is closed, and nothing is loaded or run."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "link", "img", "iframe", "style")
        assert {name for name, _ in attrs} <= {"style", "colspan", "open"}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def shown(result: Any) -> str:
    """The text of the HTML of a result, which is well formed."""
    html: str = result._repr_html_()
    balance = Balance()
    balance.feed(html)
    balance.close()
    assert not balance.open and "url(" not in html and "http" not in html
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def test_a_violated_check_shows_verdicts_and_the_run() -> None:
    result = onceproof.check(lease, **SETTINGS)
    text = shown(result)
    assert "lease violated" in text and f"{result.states} states" in text
    assert "never_spoiled always violated in 3 steps, 1 fault" in text
    assert "2 FAULT lease lease_ends()" in text
    assert "and it is false because" in text
    assert all(line.strip() in text for line in str(result).splitlines()[-1:])
    assert "never_spoiled is violated in 3 steps, 1 fault" in shown(result.counterexample)


def test_a_check_that_holds_vacuously_is_not_shown_as_holding() -> None:
    result = onceproof.check(lease)
    assert result.vacuous and not result.holds
    assert "lapse_seen" in shown(result)
    assert "background: #1a7f37" not in result._repr_html_()
    holding = onceproof.check(lease, faults={"lease_ends": 1})
    assert "holds, complete" in shown(holding) and "background: #1a7f37" in holding._repr_html_()


def test_a_limit_is_shown_as_a_limit() -> None:
    result = onceproof.check(lease, max_states=3, engine="plain")
    assert "background: #9a6700" in result._repr_html_() and "holds" not in shown(result)


def test_proofs_and_walks_are_shown() -> None:
    assert "14 distinct states" not in shown(onceproof.walk(jugs, seed=3)).split("the report")[0]
    assert "never_four is violated in 6 steps, no faults" in shown(onceproof.walk(jugs, seed=3))
    proof = onceproof.prove(lease, properties=["never_spoiled"])
    assert f"never_spoiled always {proof.properties['never_spoiled'].outcome}" in shown(proof)


def test_judgements_and_validations_are_shown_with_their_text_open(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.ndjson"
    lines = [{"t": number, "what": what, "task": "<b>"} for number, what in enumerate(("start", "start", "finish"))]
    ledger.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    judged = onceproof.judge(ledger)
    text = shown(judged)
    assert '<details style="margin-top: 6px" open>' in judged._repr_html_()
    assert "1 tasks" in text and "<b>" in text and "<b>" not in judged._repr_html_().split("<pre")[1]


def test_no_template_library_is_loaded_before_a_notebook_asks() -> None:
    code = "import sys, onceproof; onceproof.check; onceproof.prove; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_run_that_never_ends_is_shown_as_one() -> None:
    found = onceproof.check(philosophers, mechanisms={"polite": False}).properties["fed"].counterexample
    assert found is not None
    text = shown(found)
    assert "after that nothing more happens, forever" in text
    assert "the obligation fed arises because" in text and "and it is never met" in text
