"""A small interpreter of TLA+, to count the states of an exported module without anything of ours.

The text is parsed by the grammar that editors use (tree-sitter-tlaplus), and evaluated as TLC does: a step fixes each
primed variable once, by an equation; functions applied outside their domain are errors, never silently false.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from typing import Any

import tree_sitter
import tree_sitter_tlaplus

INFIX = {
    "plus": lambda a, b: a + b,
    "minus": lambda a, b: a - b,
    "lt": lambda a, b: a < b,
    "gt": lambda a, b: a > b,
    "leq": lambda a, b: a <= b,
    "geq": lambda a, b: a >= b,
    "neq": lambda a, b: a != b,
    "eq": lambda a, b: a == b,
    "dots_2": lambda a, b: range(a, b + 1),
}


def parse(text: str) -> tree_sitter.Node:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        language = tree_sitter.Language(tree_sitter_tlaplus.language())
    root = tree_sitter.Parser(language).parse(text.encode()).root_node
    assert not root.has_error, "not TLA+"
    return root


class Module:
    """The definitions of a module; states are tuples of the values of its variables, functions tuples of pairs."""

    def __init__(self, text: str) -> None:
        module = next(child for child in parse(text).children if child.type == "module")
        self.variables: list[str] = []
        self.definitions: dict[str, tuple[list[str], tree_sitter.Node]] = {}
        for unit in module.children:
            if unit.type == "variable_declaration":
                self.variables = [_text(child) for child in unit.children if child.type == "identifier"]
            elif unit.type == "operator_definition":
                names = [_text(child) for child in unit.children if child.type == "identifier"]
                body = next(child for child in reversed(unit.named_children) if child.type != "comment")
                assert names[0] not in self.definitions, f"{names[0]} is defined twice"
                assert not {*names} & {*self.variables}, f"{names} redefine a variable"
                assert not {*names[1:]} & {*self.definitions}, f"{names} redefine an operator"
                self.definitions[names[0]] = (names[1:], body)

    def initial(self) -> dict[str, Any]:
        """The only initial state."""
        states = list(self.steps(self.definitions["Init"][1], {}, {}, {}, primed=False))
        assert len(states) == 1
        return states[0]

    def explore(self, invariants: list[str]) -> tuple[int, int, int, set[str]]:
        """Distinct states, steps taken, depth, and which of the invariants are false somewhere."""
        first = self.initial()
        seen = {self.key(first)}
        frontier, depth, taken, broken = [first], 0, 0, set()
        while frontier:
            following = []
            for state in frontier:
                broken |= {name for name in invariants if not self.value(self.definitions[name][1], {}, state)}
                for after in self.steps(self.definitions["Next"][1], {}, state, {}):
                    assert set(after) == set(self.variables), "a step leaves a variable open"
                    taken += 1
                    if self.key(after) not in seen:
                        seen.add(self.key(after))
                        following.append(after)
            frontier, depth = following, depth + bool(following)
        return len(seen), taken, depth, broken

    def key(self, state: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(
            tuple(value.items()) if isinstance(value, dict) else value
            for value in (state[name] for name in self.variables)
        )

    # -- steps: what an action allows, given what is fixed of the next state so far

    def steps(self, node, scope, state, after, primed=True) -> Iterator[dict[str, Any]]:
        match node.type:
            case "conj_list":
                yield from self._all(_items(node), scope, state, after, primed)
            case "disj_list":
                for item in _items(node):
                    yield from self.steps(item, scope, state, after, primed)
            case "parentheses":
                yield from self.steps(node.named_children[0], scope, state, after, primed)
            case "bounded_quantification" if node.named_children[0].type == "exists":
                for inner in self._bindings(node, scope, state):
                    yield from self.steps(node.named_children[-1], inner, state, after, primed)
            case "bound_infix_op" if node.named_children[1].type == "land":
                yield from self._all([node.named_children[0], node.named_children[2]], scope, state, after, primed)
            case "bound_op" | "identifier_ref" if _name(node) in self.definitions:
                body, inner = self._call(node, scope, state)
                yield from self.steps(body, inner, state, after, primed)
            case "bound_prefix_op" if node.named_children[0].type == "unchanged":
                names = [
                    _text(child) for child in node.named_children[1].named_children if child.type == "identifier_ref"
                ]
                if not names:
                    names = [_text(node.named_children[1])]
                assert not set(names) & set(after), "a variable is fixed twice"
                yield {**after, **{name: state[name] for name in names}}
            case "bound_infix_op" if (name := self._fixed(node, primed)) is not None:
                assert name not in after, f"{name} is fixed twice"
                yield {**after, name: self.value(node.named_children[2], scope, state)}
            case _:
                if self.value(node, scope, state):
                    yield after

    def _all(self, parts, scope, state, after, primed):
        if not parts:
            yield after
            return
        for fixed in self.steps(parts[0], scope, state, after, primed):
            yield from self._all(parts[1:], scope, state, fixed, primed)

    def _fixed(self, node, primed) -> str | None:
        left, operator, _ = node.named_children
        if operator.type != "eq":
            return None
        if primed and left.type == "bound_postfix_op":
            return _text(left.named_children[0])
        return _text(left) if not primed and _text(left) in self.variables else None

    # -- values

    def value(self, node, scope, state, at=None) -> Any:
        def again(inner, more=scope):
            return self.value(inner, more, state, at)

        parts = [child for child in node.named_children if child.type != "comment"]
        match node.type:
            case "nat_number":
                return int(_text(node))
            case "string":
                return _text(node).strip('"')
            case "boolean":
                return _text(node) == "TRUE"
            case "parentheses":
                return again(parts[0])
            case "prev_func_val":
                return at
            case "identifier_ref" if _text(node) in scope:
                return scope[_text(node)]
            case "identifier_ref" if _text(node) in state:
                return state[_text(node)]
            case "identifier_ref" | "bound_op":
                body, inner = self._call(node, scope, state)
                return self.value(body, inner, state, at)
            case "function_evaluation":
                keys = [again(part) for part in parts[1:]]
                return again(parts[0])[tuple(keys) if len(keys) > 1 else keys[0]]
            case "bound_prefix_op":
                assert parts[0].type == "lnot"
                return not again(parts[1])
            case "bound_infix_op":
                match parts[1].type:
                    case "land":
                        return again(parts[0]) and again(parts[2])
                    case "lor":
                        return again(parts[0]) or again(parts[2])
                    case kind:
                        return INFIX[kind](again(parts[0]), again(parts[2]))
            case "conj_list":
                return all(again(item) for item in _items(node))
            case "if_then_else":
                return again(parts[1]) if again(parts[0]) else again(parts[2])
            case "bounded_quantification":
                truths = (again(parts[-1], inner) for inner in self._bindings(node, scope, state))
                return all(truths) if parts[0].type == "forall" else any(truths)
            case "function_literal":
                names = [_text(part.named_children[0]) for part in parts if part.type == "quantifier_bound"]
                made = {}
                for inner in self._bindings(node, scope, state):
                    key = tuple(inner[name] for name in names)
                    made[key if len(key) > 1 else key[0]] = again(parts[-1], inner)
                return made
            case "except":
                result = dict(again(parts[0]))
                for update in parts[1:]:
                    keys = [again(part) for part in update.named_children[0].named_children[0].named_children]
                    key = tuple(keys) if len(keys) > 1 else keys[0]
                    if key in result:
                        result[key] = self.value(update.named_children[-1], scope, state, result[key])
                return result
            case "tuple_literal":
                return tuple(again(part) for part in parts if part.type not in ("langle_bracket", "rangle_bracket"))
        raise NotImplementedError(node.type, _text(node))

    def _bindings(self, node, scope, state) -> Iterator[dict[str, Any]]:
        bounds = [part for part in node.named_children if part.type == "quantifier_bound"]
        names = [_text(bound.named_children[0]) for bound in bounds]
        for name in names:
            assert name not in scope and name not in state, f"{name} is bound twice"
        sets = [self.value(bound.named_children[-1], scope, state) for bound in bounds]
        for values in itertools.product(*sets):
            yield {**scope, **dict(zip(names, values, strict=True))}

    def _call(self, node, scope, state):
        name = _name(node)
        parameters, body = self.definitions[name]
        arguments = [self.value(part, scope, state) for part in node.named_children[1:]] if parameters else []
        return body, dict(zip(parameters, arguments, strict=True))


def _name(node: tree_sitter.Node) -> str:
    return _text(node.named_children[0]) if node.type == "bound_op" else _text(node)


def _items(node: tree_sitter.Node) -> list[tree_sitter.Node]:
    return [item.named_children[-1] for item in node.named_children if item.type in ("conj_item", "disj_item")]


def _text(node: tree_sitter.Node) -> str:
    assert node.text is not None
    return node.text.decode()
