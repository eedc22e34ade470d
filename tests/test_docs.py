"""What the pages of documentation name exists: paths, links, commands, options, modules and functions."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from onceproof.main import commands
from tests.paths import ROOT

# The change log speaks of what was removed, too.
PAGES = [
    path
    for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("[!.]*/*.md"), *ROOT.glob("tests/**/*.md")])
    if path.name != "CHANGELOG.md" and ".venv" not in path.parts and path.parts[-2] != "onceproof"
]
FOLDERS = "model|implementation|conformance|onceproof|specs|tests|bench|scripts|docs|\\.ci"
NAMED_PATH = re.compile(rf"`((?:{FOLDERS})/[\w./*{{}},-]*)(?::[\w.]+)?`")
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)(?:#[\w-]+)?\)")
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
MODULE = re.compile(r"python3? (?:-[PI] )?-m ((?:onceproof|bench|tests)[\w.]*)")


def ids(page: Path) -> str:
    return str(page.relative_to(ROOT))


def pages() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", PAGES, ids=ids)


@pages()
def test_every_path_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = LINK.findall(CODE.sub("", text))
    named = [(ROOT, name) for name in NAMED_PATH.findall(text)] + [(page.parent, name) for name in links]
    assert [name for folder, name in named if not list(folder.glob(name.rstrip("/")))] == []


@pages()
def test_names_that_a_page_places_in_a_file_are_there(page: Path) -> None:
    """As in "`ENGINES` in `model/checker/engines.py`"."""
    placed = re.findall(r"`(\w+)`\s(?:in|of)\s`([\w/]+\.py)`", page.read_text(encoding="utf-8"))
    missing = [(name, file) for name, file in placed if not re.search(rf"\b{name}\b", (ROOT / file).read_text())]
    assert missing == []


def command_lines(text: str) -> Iterator[str]:
    """What follows `onceproof` in the command lines of a page, in code spans and in code blocks."""
    for span in CODE.findall(text):
        for line in span.strip("`").splitlines():
            # In a sentence or a message any word may follow the name of the tool; a command line begins with it.
            found = re.match(r"(?:\$ |[A-Z_]+=\S+ )*\s*(?:\.venv/bin/)?onceproof ([a-z][^|;#]*)", line)
            if found:
                yield found[1].rstrip()


def unknown_in(line: str) -> list[str]:
    """The command, or the options, of a command line that do not exist."""
    command: click.Command = commands
    tokens = line.split()
    while isinstance(command, click.Group):
        if not tokens or tokens[0].startswith("-"):
            break
        word = tokens.pop(0)
        found = command.get_command(click.Context(command), word)
        if found is None:
            return [word]
        command = found
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    options = {token.split("=")[0] for token in tokens if re.match("--?[a-z]", token)}
    return sorted(options - known - {"--help", "-h", "--version"})


def unknown_commands(text: str) -> list[str]:
    """Every command and option that a page names and that does not exist, with its line."""
    return [f"{line}: {name}" for line in command_lines(text) for name in unknown_in(line)]


@pages()
def test_every_command_and_option_that_a_page_names_exists(page: Path) -> None:
    assert unknown_commands(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("`onceproof check specs --quiet`", []),
        ("`onceproof serv`", ["serv: serv"]),
        ("```\n$ onceproof check a.yaml --quite\n```", ["check a.yaml --quite: --quite"]),
        ("`onceproof task submit hello --wait --di x`", ["task submit hello --wait --di x: --di"]),
        ("onceproof proves things; `onceproof` is a tool", []),
    ],
)
def test_the_test_of_commands_finds(text: str, unknown: list[str]) -> None:
    assert unknown_commands(text) == unknown


@pytest.mark.parametrize("folder", ["model", "implementation", "conformance", "onceproof", "bench"])
def test_every_command_that_code_names_in_backquotes_exists(folder: str) -> None:
    unknown = {
        f"{path.relative_to(ROOT)}: {line}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line in re.findall(r"`onceproof ([a-z][^`|;#\n]*)`", path.read_text(encoding="utf-8"))
        if unknown_in(line)
    }
    assert unknown == set()


@pages()
def test_every_module_that_a_page_runs_exists(page: Path) -> None:
    named = {name.rstrip(".") for name in MODULE.findall(page.read_text(encoding="utf-8"))}
    assert [name for name in named if importlib.util.find_spec(name) is None] == []
