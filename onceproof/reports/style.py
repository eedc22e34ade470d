"""Colours and bold type of terminal text, as ANSI escape sequences: put in here, and taken out for everything else."""

from __future__ import annotations

import re

COLORS = {"red": 31, "green": 32, "yellow": 33, "cyan": 36}
RESET = "\x1b[0m"
_ESCAPES = re.compile(r"\x1b\[[;?0-9]*[a-zA-Z]")


def style(text: str, fg: str | None = None, bold: bool = False) -> str:
    """The text in a colour (a key of ``COLORS``) and in bold type. Whoever prints it elsewhere takes them out again."""
    codes = [COLORS[fg]] if fg is not None else []
    codes += [1] if bold else []
    return "".join(f"\x1b[{code}m" for code in codes) + text + RESET if codes else text


def unstyle(text: str) -> str:
    """The text without any escape sequence."""
    return _ESCAPES.sub("", text)
