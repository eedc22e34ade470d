"""A YAML file of settings with the line of every key, so that a message can name the place."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEPTH_MAX = 20


class BadFile(Exception):
    """The file cannot be read as settings: one line that begins with the file and, where there is one, the line."""


@dataclass
class Placed:
    """What the file says, and the line (from 1) of each key by its path."""

    path: Path
    values: dict[Any, Any] = field(default_factory=dict)
    lines: dict[tuple[str, ...], int] = field(default_factory=dict)

    def where(self, path: tuple[str, ...]) -> str:
        """The file, the line and the key of a place, for the beginning of a message."""
        known = path
        while known and known not in self.lines:
            known = known[:-1]
        return f"{self.path}:{self.lines.get(known, 1)}: {'.'.join(path)}"


def read(path: Path) -> Placed:
    """Read a file of settings; BadFile where it is missing, malformed, or no mapping."""
    import yaml  # by the one process that reads the file; the others need not carry it

    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadFile(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadFile(f"{path}:1: not a text file in UTF-8") from None
    placed = Placed(path)
    line = 1
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            return placed
        if not isinstance(node, yaml.MappingNode):
            kind = "a list" if isinstance(node, yaml.SequenceNode) else repr(node.value)
            raise BadFile(f"{path}:1: found {kind}, expected settings as `name: value` lines")
        _note_lines(node, (), placed, set())
        for key, value in node.value:
            line = key.start_mark.line + 1
            placed.values[loader.construct_object(key)] = loader.construct_object(value, deep=True)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BadFile(f"{path}:{mark.line + 1 if mark else 1}: not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise BadFile(f"{path}:1: not YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise BadFile(f"{path}:1: nested too deeply") from None
    except (ValueError, OverflowError) as error:
        raise BadFile(f"{path}:{line}: the value cannot be read: {error}") from None
    return placed


def _note_lines(node: Any, path: tuple[str, ...], placed: Placed, seen: set[int]) -> None:
    """Note the line of each key; BadFile for a key that is there twice, and for aliases, which may never end."""
    import yaml

    line = node.start_mark.line + 1
    if id(node) in seen:
        raise BadFile(f"{placed.path}:{line}: aliases (*name) are not supported; write the value out")
    if len(path) > DEPTH_MAX:
        raise BadFile(f"{placed.path}:{line}: nested too deeply")
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _note_lines(item, (*path, "-"), placed, seen)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            key_line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise BadFile(f"{placed.path}:{key_line}: a key must be a text")
            here = (*path, key.value)
            if here in placed.lines and "-" not in path:
                raise BadFile(f"{placed.path}:{key_line}: {'.'.join(here)} is there twice")
            placed.lines[here] = key_line
            _note_lines(value, here, placed, seen)
