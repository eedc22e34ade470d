"""YAML with the line of every key and value, so that error messages can name the place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from onceproof.errors import InputError


@dataclass(frozen=True)
class Located:
    """A value of a YAML file: a mapping (by key), a list, or a scalar; and the line (from 1) where it stands."""

    value: Any
    line: int
    key_lines: dict[str, int]
    path: Path
    key: str  # where in the document: "faults.scheduler_crash"; "" at its top

    def error(self, problem: str, line: int | None = None) -> InputError:
        """An InputError about this place: file, line, key, and the problem."""
        where = f"{self.key}: " if self.key else ""
        return InputError(f"{self.path}:{line or self.line}: {where}{problem}")

    def at(self, name: str) -> Located:
        """A part of a mapping."""
        part = self.value[name]
        assert isinstance(part, Located)
        return part

    def mapping(self, expected: str) -> dict[str, Located]:
        """The parts of a mapping; InputError where it is something else."""
        if not isinstance(self.value, dict):
            raise self.error(f"expected {expected}, found {self.shown()}")
        return self.value

    def shown(self) -> str:
        """The value as error messages quote it."""
        if isinstance(self.value, dict):
            return "a mapping"
        if isinstance(self.value, list):
            return "a list"
        return "nothing" if self.value is None else f"`{self.value}`"


def load(path: Path) -> Located:
    """The one document of a YAML file; InputError (with the line) where it is empty or malformed."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{path}:1: not a text file in UTF-8") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from None
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                # A few lines of aliases can stand for more than any memory holds.
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise InputError(
                    f"{path}:{line}: malformed YAML: aliases (*{event.anchor}) are not supported; write the value out"
                )
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except RecursionError:
        raise InputError(f"{path}:1: malformed YAML: nested too deeply") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise InputError(f"{path}:{line}: malformed YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise InputError(f"{path}:1: malformed YAML: {' '.join(str(error).split())}") from None
    if node is None:
        raise InputError(f"{path}:1: the file is empty, expected a mapping with `name`, `sizes`, `faults` and so on")
    return _located(node, path, "")


def _located(node: yaml.Node, path: Path, key: str) -> Located:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        parts: dict[str, Located] = {}
        key_lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            key_line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise InputError(f"{path}:{key_line}: malformed YAML: a key must be plain text")
            name = str(key_node.value)
            inner = f"{key}.{name}" if key else name
            if name in parts:
                raise InputError(f"{path}:{key_line}: {inner}: duplicate key (first on line {key_lines[name]})")
            parts[name], key_lines[name] = _located(value_node, path, inner), key_line
        return Located(parts, line, key_lines, path, key)
    if isinstance(node, yaml.SequenceNode):
        return Located([_located(part, path, key) for part in node.value], line, {}, path, key)
    return Located(_scalar(node, path, key, line), line, {}, path, key)


def _scalar(node: yaml.Node, path: Path, key: str, line: int) -> Any:
    try:
        return yaml.constructor.SafeConstructor().construct_object(node)
    except (yaml.YAMLError, ValueError, OverflowError):
        raise InputError(f"{path}:{line}: {key}: malformed YAML: `{node.value}` is not a valid value") from None
