"""The grammar of TLA+ that editors use, and the rules of names that TLC enforces: what is exported must keep both."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import tree_sitter
import tree_sitter_tlaplus


def check_module(text: str) -> None:
    """AssertionError where a text is no TLA+ module, or gives a name two meanings that see each other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        language = tree_sitter.Language(tree_sitter_tlaplus.language())
    root = tree_sitter.Parser(language).parse(text.encode()).root_node
    assert not root.has_error, "not TLA+"
    module = next(child for child in root.children if child.type == "module")
    known: set[str] = set()
    for unit in module.children:
        if unit.type == "variable_declaration":
            known |= {_text(child) for child in unit.children if child.type == "identifier"}
        elif unit.type == "operator_definition":
            name, *parameters = [_text(child) for child in unit.children if child.type == "identifier"]
            assert name not in known, f"{name} is defined twice"
            for scope in _scopes(unit, frozenset(parameters)):
                assert not scope & known, f"{sorted(scope & known)} in {name} have another meaning already"
            known.add(name)


def _scopes(node: tree_sitter.Node, names: frozenset[str]) -> Iterator[frozenset[str]]:
    """The names that are bound at every place of a definition; AssertionError where one is bound again inside."""
    bound = [child.children[0] for child in node.children if child.type == "quantifier_bound"]
    fresh = frozenset(_text(child) for child in bound)
    assert not fresh & names, f"{sorted(fresh & names)} are bound twice"
    yield names | fresh
    for child in node.children:
        yield from _scopes(child, names | fresh)


def _text(node: tree_sitter.Node) -> str:
    assert node.text is not None
    return node.text.decode()
