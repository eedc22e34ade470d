"""The table of storms in README.md is that of the page, docs/storms.html, which `./scripts/storms` writes.

ONCEPROOF_UPDATE=1 writes the table of the page, and its date, into README.md.
"""

import html
import os
import re

from onceproof.reports.storm_overview import COLUMNS
from tests.paths import ROOT

README = ROOT / "README.md"
TABLE = re.compile(r"\| queue \| long task .*?\n\n", re.DOTALL)
SEEN = re.compile(r"Seen on \d{4}-\d\d-\d\d")


def cells(row: str, kind: str) -> list[str]:
    return [html.unescape(re.sub(r"<[^>]+>", "", cell)) for cell in re.findall(rf"<{kind}>(.*?)</{kind}>", row)]


def test_readme_has_the_table_of_the_page() -> None:
    page = (ROOT / "docs" / "storms.html").read_text(encoding="utf-8")
    (table,) = re.findall(r'<table id="overview">(.*?)</table>', page, re.DOTALL)
    header, *rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    assert cells(header, "th") == ["queue", *COLUMNS, "verdict"]
    lines = [cells(header, "th")[:-1], ["---"] * (1 + len(COLUMNS)), *(cells(row, "td")[:-1] for row in rows)]
    shown = "".join("| " + " | ".join(line) + " |\n" for line in lines)
    shown = re.sub(r"\b(twice|lost|stuck)\b(?= \d)", r"**\1**", shown) + "\n"
    (date,) = re.findall(r'<p class="soft">(\d{4}-\d\d-\d\d), ', page)
    text = README.read_text(encoding="utf-8")
    if os.environ.get("ONCEPROOF_UPDATE"):
        text = SEEN.sub(f"Seen on {date}", TABLE.sub(lambda _: shown, text))
        README.write_text(text, encoding="utf-8")
    assert TABLE.findall(text) == [shown] and SEEN.findall(text) == [f"Seen on {date}"]
    assert len(rows) == 11
