"""Reads the plain TLA+ that ``export`` writes and explores it: an independent count, knowing nothing of our language.

It understands definitions of one expression each, with junction lists of one line a part, and the operators that such
modules use. What it does not know it refuses.
"""

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

TOKEN = re.compile(
    r'\s*("[^"]*"|\d+|\w+\'?|/\\|\\/|\\A|\\E|\\in\b|\\notin\b|\\cup\b|\|->|=>|>=|<=|<<|>>|\.\.|[-+*=#<>~()\[\]{},:!@])',
)
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {  # exports have brackets where two of them meet
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "..": lambda a, b: set(range(a, b + 1)),
    "\\cup": lambda a, b: a | b,
}
Env = dict[str, Any]
Node = Callable[[Env], Any]


class Module:
    """A module: its definitions, variables, initial state and steps."""

    def __init__(self, text: str) -> None:
        lines = [
            line for line in text.splitlines() if not line.startswith(("\\*", "----", "====", "EXTENDS", "CONSTANT"))
        ]
        self.variables: list[str] = []
        self.definitions: dict[str, tuple[list[str], list[str]]] = {}
        self._cache: dict[str, Node] = {}
        head: list[str] = []
        for line in lines:
            if line.startswith("VARIABLES "):
                self.variables = [name.strip() for name in line[10:].split(",")]
            elif match := re.match(r"(\w+)(?:\(([^)]*)\))? ==(.*)", line):
                head = []
                parameters = [name.strip() for name in match[2].split(",")] if match[2] else []
                self.definitions[match[1]] = (parameters, head)
                if match[3].strip():
                    head.append(match[3].strip())
            elif line.strip():
                head.append(line.strip())
        self._values: Env = {"None": None}

    def value(self, name: str) -> Any:
        """The value of a definition that depends on no state."""
        if name not in self._values:
            self._values[name] = self.node(name)({})
        return self._values[name]

    def node(self, name: str) -> Node:
        """The body of a definition; a junction list is a conjunction or a disjunction of its lines."""
        if name not in self._cache:
            lines = self.definitions[name][1]
            parts = [Reader(self, re.sub(r"^(/\\|\\/) ", "", line)).whole() for line in lines]
            if lines[0].startswith("\\/"):
                self._cache[name] = lambda env: any(part(env) for part in parts)
            else:
                self._cache[name] = lambda env: all(part(env) for part in parts)
            if len(parts) == 1 and not lines[0].startswith(("/\\", "\\/")):
                self._cache[name] = parts[0]
        return self._cache[name]

    # -- states: tuples of values in the order of the variables

    def initial(self) -> tuple[Any, ...]:
        """The only initial state."""
        found: Env = {}
        for line in self.definitions["Init"][1]:
            name, _, value = line.removeprefix("/\\ ").partition(" = ")
            if name != "TRUE":
                found[name] = Reader(self, value).whole()({})
        return tuple(freeze(found[name]) for name in self.variables)

    def environment(self, state: tuple[Any, ...]) -> Env:
        """The variables of a state by name."""
        return {name: thaw(value) for name, value in zip(self.variables, state, strict=True)}

    def successors(self, state: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        """The states after every step."""
        env = self.environment(state)
        for line in self.definitions["Next"][1]:
            match = re.fullmatch(r"\\/ (?:\\E (.*) : )?(\w+)(?:\((.*)\))?", line)
            assert match, line
            bounds = [pair.split(" \\in ") for pair in match[1].split(", ")] if match[1] else []
            for chosen in itertools.product(*(sorted(self.value(sort)) for _, sort in bounds)):
                after = self._taken(match[2], list(chosen), env)
                if after is not None:
                    yield after

    def _taken(self, name: str, arguments: list[Any], env: Env) -> tuple[Any, ...] | None:
        parameters, lines = self.definitions[name]
        inner = {**env, **dict(zip(parameters, arguments, strict=True))}
        after: Env = {}
        for line in lines:
            part = line.removeprefix("/\\ ")
            if match := re.match(r"(\w+)' = (.*)", part):
                after[match[1]] = self._read(match[2])(inner)
            elif part.startswith("UNCHANGED"):
                after.update({name: env[name] for name in re.findall(r"\w+", part)[1:]})
            elif not self._read(part)(inner):
                return None
        assert set(after) == set(self.variables), f"{name} does not say what {set(self.variables) - set(after)} become"
        return tuple(freeze(after[name]) for name in self.variables)

    def _read(self, text: str) -> Node:
        key = f"{text} as text"  # a name alone is not what it is defined as
        if key not in self._cache:
            self._cache[key] = Reader(self, text).whole()
        return self._cache[key]

    def reachable(self) -> set[tuple[Any, ...]]:
        """All reachable states."""
        seen = {self.initial()}
        queue = list(seen)
        for state in queue:
            for after in self.successors(state):
                if after not in seen:
                    seen.add(after)
                    queue.append(after)
        return seen

    def true_in(self, name: str, state: tuple[Any, ...]) -> bool:
        """Whether a definition is true in a state."""
        return bool(self.node(name)(self.environment(state)))


def freeze(value: Any) -> Any:
    """A function as something that can be hashed."""
    if isinstance(value, dict):
        return frozenset((key, freeze(inner)) for key, inner in value.items())
    return value


def thaw(value: Any) -> Any:
    """What ``freeze`` froze."""
    return {key: thaw(inner) for key, inner in value} if isinstance(value, frozenset) else value


class Reader:
    """Recursive descent over one expression."""

    def __init__(self, module: Module, text: str) -> None:
        self.module = module
        self.tokens = TOKEN.findall(text)
        assert "".join(self.tokens) == re.sub(r"\s+", "", text), text
        self.at = 0

    def whole(self) -> Node:
        node = self.expression()
        assert self.at == len(self.tokens), self.tokens[self.at :]
        return node

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        assert not wanted or token == wanted, f"expected {wanted}, found {token} in {' '.join(self.tokens)}"
        self.at += 1
        return token

    def expression(self) -> Node:
        left = self.disjunction()
        if self.peek() == "=>":
            self.take()
            right = self.expression()
            return lambda env: not left(env) or right(env)
        return left

    def disjunction(self) -> Node:
        parts = [self.conjunction()]
        while self.peek() == "\\/":
            self.take()
            parts.append(self.conjunction())
        return parts[0] if len(parts) == 1 else lambda env: any(part(env) for part in parts)

    def conjunction(self) -> Node:
        parts = [self.comparison()]
        while self.peek() == "/\\":
            self.take()
            parts.append(self.comparison())
        return parts[0] if len(parts) == 1 else lambda env: all(part(env) for part in parts)

    def comparison(self) -> Node:
        left = self.sum()
        token = self.peek()
        tests: dict[str, Callable[[Any, Any], bool]] = {
            "=": lambda a, b: a == b,
            "#": lambda a, b: a != b,
            "<": lambda a, b: a < b,
            ">": lambda a, b: a > b,
            ">=": lambda a, b: a >= b,
            "<=": lambda a, b: a <= b,
            "\\in": lambda a, b: a in b,
            "\\notin": lambda a, b: a not in b,
        }
        if token not in tests:
            return left
        self.take()
        right = self.sum()
        return lambda env: tests[token](left(env), right(env))

    def sum(self) -> Node:
        left = self.prefix()
        while self.peek() in OPERATORS:
            left = self._applied(left, OPERATORS[self.take()], self.prefix())
        return left

    def _applied(self, left: Node, operator: Callable[[Any, Any], Any], right: Node) -> Node:
        return lambda env: operator(left(env), right(env))

    def prefix(self) -> Node:
        if self.peek() == "~":
            self.take()
            inner = self.prefix()
            return lambda env: not inner(env)
        return self.applied(self.primary())

    def applied(self, node: Node) -> Node:
        while self.peek() == "[":
            self.take()
            node = self._cell(node, self.expression())
            self.take("]")
        return node

    def _cell(self, node: Node, index: Node) -> Node:
        return lambda env: node(env)[index(env)]

    def arguments(self, end: str) -> list[Node]:
        found = []
        while self.peek() != end:
            found.append(self.expression())
            if self.peek() == ",":
                self.take()
        self.take(end)
        return found

    def bounds(self) -> list[tuple[str, Node]]:
        found = []
        while True:
            name = self.take()
            self.take("\\in")
            found.append((name, self.sum()))
            if self.peek() != ",":
                return found
            self.take()

    def primary(self) -> Node:
        token = self.take()
        if token == "(":
            inner = self.expression()
            self.take(")")
            return inner
        if token == "IF":
            return self.choice()
        if token in ("\\A", "\\E"):
            return self.quantifier(token)
        if token == "[":
            return self.function()
        if token == "{" and self.tokens[self.at + 1 : self.at + 2] == ["\\in"]:
            return self.subset()
        if token == "{":
            elements = self.arguments("}")
            return lambda env: {element(env) for element in elements}
        if token in ("TRUE", "FALSE") or token.isdigit() or token.startswith('"'):
            value = {"TRUE": True, "FALSE": False}.get(token, int(token) if token.isdigit() else token.strip('"'))
            return lambda _: value
        assert re.fullmatch(r"\w+|@", token), token
        return self.name(token)

    def name(self, token: str) -> Node:
        if token == "Cardinality":
            self.take("(")
            (members,) = self.arguments(")")
            return lambda env: len(members(env))
        if self.peek() == "(":
            self.take()
            arguments, module = self.arguments(")"), self.module

            def call(env: Env) -> Any:
                values = [argument(env) for argument in arguments]
                return module.node(token)({**env, **dict(zip(module.definitions[token][0], values, strict=True))})

            return call
        if token.startswith("Can_"):  # a guard that has no parameters: it depends on the state all the same
            return lambda env: self.module.node(token)(env)
        return lambda env: env[token] if token in env else self.module.value(token)

    def subset(self) -> Node:
        """``{x \\in S : condition}``."""
        ((name, values),) = self.bounds()
        self.take(":")
        body = self.expression()
        self.take("}")
        return lambda env: {one for one in values(env) if body({**env, name: one})}

    def choice(self) -> Node:
        test = self.expression()
        self.take("THEN")
        then = self.expression()
        self.take("ELSE")
        other = self.expression()
        return lambda env: then(env) if test(env) else other(env)

    def quantifier(self, token: str) -> Node:
        bounds = self.bounds()
        self.take(":")
        body = self.expression()
        fold = all if token == "\\A" else any

        def truth(env: Env) -> bool:
            names = [name for name, _ in bounds]
            sets = [values(env) for _, values in bounds]
            assert not any(name in env for name in names), f"{names} is bound twice"
            return fold(body({**env, **dict(zip(names, chosen, strict=True))}) for chosen in itertools.product(*sets))

        return truth

    def function(self) -> Node:
        if self.tokens[self.at + 1] == "\\in":
            ((name, values),) = self.bounds()
            self.take("|->")
            body = self.expression()
            self.take("]")
            return lambda env: {key: body({**env, name: key}) for key in sorted(values(env))}
        base = self.expression()
        self.take("EXCEPT")
        changes: list[tuple[list[Node], Node]] = []
        while self.peek() != "]":
            if self.peek() == ",":
                self.take()
            self.take("!")
            path = []
            while self.peek() == "[":
                self.take()
                path.append(self.expression())
                self.take("]")
            self.take("=")
            changes.append((path, self.expression()))
        self.take("]")

        def changed(env: Env) -> Any:
            result = base(env)
            for path, value in changes:
                keys = [index(env) for index in path]
                result = with_change(result, keys, value({**env, "@": at_path(result, keys)}))
            return result

        return changed


def at_path(function: dict[Any, Any], path: list[Any]) -> Any:
    """The value at the end of a path."""
    for key in path:
        function = function[key]
    return function


def with_change(function: dict[Any, Any], path: list[Any], value: Any) -> dict[Any, Any]:
    """The function with another value at the end of a path, which must be there."""
    old = function[path[0]]
    return {**function, path[0]: with_change(old, path[1:], value) if path[1:] else value}
