"""Tables: styled by rich on a terminal, plain aligned columns elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

STYLES = {"as expected": "green", "holds, complete": "green", "NOT AS EXPECTED": "bold red", "undecided": "yellow"}


def _style_of(text: str) -> str:
    return "green" if text.startswith("holds within ") else STYLES.get(text, "")


def colored() -> bool:
    """Whether stdout is a terminal that wants colours (https://no-color.org)."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def table_lines(
    headers: Sequence[str], rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()
) -> list[str]:
    """The lines of a table, styled where stdout is a terminal.

    right: which columns (from 0) are numbers, aligned to the right.
    """
    if colored():
        return _rich(headers, rows, right)
    return plain(headers, rows, right)


def plain(headers: Sequence[str], rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> list[str]:
    """The lines of a table in plain columns, two spaces apart."""
    table = [list(headers), *map(list, rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(headers))]

    def cell(column: int, text: str) -> str:
        return text.rjust(widths[column]) if column in right else text.ljust(widths[column])

    return ["  ".join(cell(column, text) for column, text in enumerate(row)).rstrip() for row in table]


def _rich(headers: Sequence[str], rows: Sequence[Sequence[str]], right: frozenset[int]) -> list[str]:
    # Imported here: it costs a tenth of a second, which only a terminal should pay.
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column, header in enumerate(headers):
        # Prose is wrapped between words; names and numbers stay whole as long as possible.
        whole = column in right or column in (0, len(headers) - 1)
        table.add_column(header, justify="right" if column in right else "left", overflow="fold", no_wrap=whole)
    for row in rows:
        table.add_row(*(Text(text, style=_style_of(text)) for text in row))
    console = Console()
    with console.capture() as captured:
        console.print(table)
    return captured.get().rstrip("\n").split("\n")
