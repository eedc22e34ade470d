"""The interpreter of syntax trees over symbolic values: the world it is in, branches and how they meet again, names.

What each construct means is said in the modules beside this one, which register themselves by the type of node.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from pathlib import Path
from types import FunctionType
from typing import Any

from onceproof.model.language import wholes
from onceproof.model.language.composites import CompositeField
from onceproof.model.language.declare import Field
from onceproof.model.language.errors import ModelError
from onceproof.model.language.index_sets import size_of
from onceproof.model.language.model import Config, Model
from onceproof.model.language.reading.facts import NOTHING_KNOWN
from onceproof.model.language.reading.outside import from_outside
from onceproof.model.language.reading.result import Chosen, Obligation, Write, overwritten
from onceproof.model.language.reading.sources import Source, source_of
from onceproof.model.language.reading.values import (
    UNSET,
    Cases,
    Iterator,
    Poisoned,
    Scope,
    Symbol,
    Unset,
    Value,
    element_in,
    value_of,
)
from onceproof.model.language.reading.world import Frame, HeapObject, World, joined
from onceproof.model.language.sorts import Maybe, Sort
from onceproof.model.language.terms import FALSE, TRUE, Read, Term, Var, and_, is_none, not_, or_, parts_of

GOOD_ONCE = (
    "`enumerate`, `zip`, `reversed` and the `.items()` of a dictionary are good only where they are gone through at "
    "once: keep list(...) of them"
)


class Ended(Exception):
    """The way that is read ends here: by a guard, a failure, a ``return``, a ``break`` or a ``continue``."""


@dataclass
class Exits:
    """Where ways leave a function or a pass of a loop, with what they return."""

    returns: list[tuple[World, Value]] = attribute(default_factory=list)
    breaks: list[tuple[World, Value]] = attribute(default_factory=list)
    continues: list[tuple[World, Value]] = attribute(default_factory=list)


Evaluate = Callable[["Interpreter", Any], Value]
Execute = Callable[["Interpreter", Any], None]
Call = Callable[["Interpreter", Any, list[Value], dict[str, Value]], Value]


class Interpreter:
    """Reads one function at a time: ``world`` is where it is, ``guard`` and ``obligations`` what it gathers."""

    def __init__(
        self,
        model: Model,
        config: Config,
        unbounded: bool,
        whole: bool,
        expressions: Mapping[type[ast.expr], Evaluate],
        statements: Mapping[type[ast.stmt], Execute],
        call: Call,
    ) -> None:
        self.model, self.config, self.unbounded, self.whole = model, config, unbounded, whole
        self.sizes = {name: size_of(sort, config.sizes) for name, sort in (model.sorts | model.index_sets).items()}
        self.any_size = unbounded and not whole  # an export knows the sizes, and keeps quantifiers nevertheless
        self._expressions, self._statements, self._call = expressions, statements, call
        self.sources: dict[FunctionType, Source] = {}
        self.guard_word, self.skips_given = "require", False
        self.gives = ""  # of a mapping: how the names of the fields start that it may write
        self.presupposes = False  # whether the last property read says `given`
        self.begin("", ())

    def begin(self, what: str, variables: Sequence[Var]) -> None:
        """Makes ready for another function."""
        self.what, self.calls = what, list[str]()
        self.world = World({}, (), (), NOTHING_KNOWN)
        self.guard: list[Term] = []
        self.obligations: list[Obligation] = []
        self.ordered: set[str] = set()
        self.quantifiers = 0  # how many quantifiers the reader is inside of
        self.open_loops = 0  # and how many loops that are read once for all elements
        self.switches_asked: set[str] = set()
        self.parameters_asked: set[str] = set()
        self.clock = 0  # counts what is read from cells of composite kinds and written to them, in the order of reading
        self.assigned: dict[str, int] = {}  # when a cell of a field was given another value
        self.changed: dict[str, int] = {}  # and when a part of its value was changed
        self.changed_attributes: dict[str, int] = {}  # and an attribute of the record that it is
        self.shared: set[str] = set()  # fields of which one cell was given the very value of another one
        self.stored: set[int] = set()  # lists that were put into a cell
        self.choices: list[Chosen] = []
        self.choosing = False  # whether the condition of a choice is read
        self.naming = ""  # the local or the field that what is read now is assigned to
        self.pending = 0  # ways that have left by `return`, `break` or `continue` and are still to be joined
        self._bound = 0
        self._made = 0
        self._outside: dict[int, tuple[Any, Value]] = {}
        self._outer_heap: dict[int, HeapObject] = {}
        self.scope = Scope(frozenset(), -1, None, "", None)
        self.exits = Exits()
        self._names = {variable.name for variable in variables}

    # -- nodes

    def evaluate(self, node: ast.expr) -> Value:
        """The value of an expression; ModelError with its place for what the reader does not know."""
        value = self.gone_through(node)
        if isinstance(value, Iterator):
            raise self.placed(ModelError(GOOD_ONCE), node)
        return value

    def gone_through(self, node: ast.expr) -> Value:
        """The same of an expression that is gone through at once: an iterator will do."""
        try:
            known = self._expressions.get(type(node))
            if known is None:
                raise ModelError(f"a model function cannot use {_construct(node)}")
            return known(self, node)
        except ModelError as error:
            raise self.placed(error, node) from None

    def execute(self, statements: Sequence[ast.stmt]) -> None:
        """Goes through statements; Ended where no way goes on."""
        for node in statements:
            try:
                known = self._statements.get(type(node))
                if known is None:
                    raise ModelError(f"a model function cannot use {_construct(node)}")
                known(self, node)
            except ModelError as error:
                raise self.placed(error, node) from None

    def placed(self, error: ModelError, node: ast.AST) -> ModelError:
        """The error with the place of a node, unless it has one, and with the calls that led there."""
        if error.place is None:
            error.place = f"{self.what}, {self.position(node)}" + "".join(
                f", called at {c}" for c in reversed(self.calls)
            )
        return error

    def position(self, node: ast.AST) -> str:
        """File, line and column (from 1) of a node."""
        line, column = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
        return f"{Path(self.scope.file).name}:{line}:{column + 1}"

    def source(self, function: FunctionType) -> Source:
        """The source of a function, looked for once."""
        found = self.sources.get(function)
        if found is None:
            found = self.sources[function] = source_of(function)
        return found

    def call(self, function: Any, arguments: list[Value]) -> Value:
        """What a function whose source is read returns."""
        return self._call(self, function, arguments, {})

    # -- branches

    def branch(self, condition: Term, yes: Callable[[], Value], no: Callable[[], Value]) -> Value:
        """Reads ``yes`` where the condition holds and ``no`` where it does not, and puts both together again.

        A way that ends the run (a guard, a failure) leaves the other one alone: whoever goes on knows that it is there.
        """
        condition = self.world.facts.simpler(condition)
        if condition is TRUE:
            return yes()
        if condition is FALSE:
            return no()
        base = self.world
        ends: list[tuple[World, Value]] = []
        left = self.pending
        for test, part in ((condition, yes), (not_(condition), no)):
            self.world = base.under(test)
            try:
                value = part()
            except Ended:
                continue
            ends.append((self.world, value))
        if not ends:
            raise Ended
        self.world, value = joined(base, ends, complete=self.pending == left)
        return value

    def split(self, value: Value, operation: Callable[[Value], Value]) -> Value:
        """What an operation makes of a value, whichever of its cases it is."""
        if not isinstance(value, Cases):
            return operation(value)
        (condition, first), *rest = value.alternatives
        if not rest:
            return self.split(first, operation)
        others = Cases(tuple(rest))
        return self.branch(condition, lambda: self.split(first, operation), lambda: self.split(others, operation))

    def here(self) -> Term:
        """The condition under which the reader's place is reached, of all branches taken."""
        return and_(*self.world.path)

    def guard_by(self, condition: Term) -> None:
        """The run goes on only where the condition holds."""
        condition = self.world.facts.simpler(condition)
        if not self.quantifiers and not self.open_loops:
            needed = or_(*(not_(part) for part in self.world.path), condition)
            self.guard += [part for part in parts_of(needed) if part is not TRUE]
        self.world = self.world.assuming(condition)
        if condition is FALSE:
            raise Ended

    def fail(self, message: str) -> None:
        """Notes that the function itself fails here, and ends the way."""
        self.fail_where(TRUE, message)

    def leave_where(self, condition: Term, message: str) -> None:
        """Notes that a step leaves the range of a field here if the condition holds, and goes on where it does not.

        A run of the function must raise OutOfRange there.
        """
        self.fail_where(condition, message, leaves=True)

    def fail_where(self, condition: Term, message: str, *, leaves: bool = False) -> None:
        """Notes that the function itself fails here if the condition holds, and goes on where it does not."""
        condition = self.world.facts.simpler(condition)
        if condition is FALSE:
            return
        if self.open_loops:
            raise ModelError(f"{message}, inside a loop: test it first")
        guard = [*self.guard, *self.world.path, *parts_of(condition)]
        parts = tuple(dict.fromkeys(part for part in guard if part is not TRUE))
        self.obligations.append(Obligation(parts, message, leaves))
        self.guard_by(not_(condition))

    # -- variables of quantifiers and loops

    def variable(self, sort: type[Sort]) -> Var:
        """A variable for an element, with a name that no identifier can be: two alike quantifiers have the same."""
        self._bound += 1
        return Var(f"{sort.__name__}.{self._bound}", sort)

    def choice_variable(self, sort: type[Sort]) -> Var:
        """A variable for a choice, called as the local that it is assigned to; no other is called so."""
        taken = self._names | {one.name for one in self.choices}
        name, number = self.naming or "choice", 2
        while name in taken:
            name, number = f"{self.naming or 'choice'}_{number}", number + 1
        return Var(name, sort)

    @property
    def bound(self) -> int:
        """How many variables of quantifiers and loops there are around the reader's place."""
        return self._bound

    def release(self, number: int) -> None:
        """Ends the scope of the last variables."""
        self._bound -= number

    # -- the heap and names

    def allocate(self, content: HeapObject) -> int:
        """The number of a new object in the heap."""
        self._made += 1
        self.world = self.world.holding(self._made, content)
        return self._made

    def content(self, identity: int) -> HeapObject:
        """What an object of the heap holds."""
        found = self.world.heap.get(identity)
        return self._outer_heap[identity] if found is None else found

    def put(self, identity: int, content: HeapObject) -> None:
        """Changes an object of the heap."""
        self.world = self.world.holding(identity, content)

    def release_frame(self, identity: int) -> None:
        """Forgets a frame that nothing refers to any more."""
        if identity in self.world.heap:
            self.world = replace(self.world, heap={k: v for k, v in self.world.heap.items() if k != identity})

    def assign(self, name: str, value: Value) -> None:
        """Assigns a local name."""
        scope: Scope | None = self.scope
        while scope is not None:
            if name in scope.names:
                frame: Frame = self.content(scope.frame)
                self.put(scope.frame, {**frame, name: value})
                return
            scope = scope.parent
        raise ModelError(
            f"`{name}` is a name outside the function: what an action changes is a field of the state, st.{name} = ..."
        )

    def name(self, name: str) -> Value:
        """What a name means here: a local, one of a scope around, or one of the module where it was loaded."""
        scope: Scope | None = self.scope
        while scope is not None:
            if name in scope.names:
                return self._local(name, self.content(scope.frame).get(name, UNSET))
            if scope.parent is None:
                break
            scope = scope.parent
        assert scope is not None
        return self._global(name, scope.function)

    def local(self, name: str) -> Value:
        """What a local holds here, be it set or not; UNSET for a name that is none."""
        scope: Scope | None = self.scope
        while scope is not None and name not in scope.names:
            scope = scope.parent
        return UNSET if scope is None else self.content(scope.frame).get(name, UNSET)

    def _local(self, name: str, value: Value) -> Value:
        def read(one: Value) -> Value:
            if isinstance(one, Unset):
                self.fail(f"the local `{name}` is not set here")
            if isinstance(one, Poisoned):
                raise ModelError(one.reason)
            return one

        return self.narrowed(self.split(value, read) if isinstance(value, Cases | Unset | Poisoned) else value)

    def narrowed(self, value: Value) -> Value:
        """An element or None as what it is known to be here."""
        if isinstance(value, Symbol) and isinstance(value.kind, Maybe):
            none = self.world.facts.simpler(is_none(value.term))
            if none is TRUE:
                return None
            return element_in(value) if none is FALSE else value
        return value

    def _global(self, name: str, function: FunctionType | None) -> Value:
        if function is not None:
            closed = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
            if name in closed:
                try:
                    return self.outside(name, closed[name].cell_contents)
                except ValueError:
                    raise ModelError(f"`{name}` has no value yet") from None
            if name in function.__globals__:
                return self.outside(name, function.__globals__[name])
        if hasattr(builtins, name):
            found = getattr(builtins, name)
            if isinstance(found, FunctionType):  # another one has taken its place, as libraries do with `print`
                other = f"{found.__module__}.{found.__qualname__}"
                raise ModelError(f"`{name}` is called, which cannot be read: {other} was put in its place")
            return found
        raise ModelError(f"`{name}` is not defined")

    def outside(self, name: str, found: Any) -> Value:
        """An object from outside the function as a value: constants, and lists and dictionaries as they are now."""
        known = self._outside.get(id(found))
        if known is not None and known[0] is found:
            return known[1]
        value = from_outside(name, found, self.allocate_outside)
        if isinstance(found, list | dict | set):
            self._outside[id(found)] = found, value
        return value

    def allocate_outside(self, content: HeapObject) -> int:
        """The number of an object from outside, which is the same in every world."""
        self._made += 1
        self._outer_heap[self._made] = content
        return self._made

    # -- the state

    def read(self, declared: Field, indices: tuple[Term, ...]) -> Value:
        """The value of a cell, with what the function itself wrote before."""
        return self.narrowed(value_of(self.cell_term(declared, indices)))

    def cell_term(self, declared: Field | CompositeField, indices: tuple[Term, ...]) -> Term:
        """The same as a term; of a composite kind, where values are read as wholes."""
        facts = self.world.facts
        term: Term
        if isinstance(declared, CompositeField):
            term = wholes.cell(declared.name, indices)
        else:
            term = Read(declared.name, indices, declared.kind)
        for write in self.world.writes:
            if write.field == declared.name:
                term = facts.simpler(overwritten(write, indices, term))
        return facts.simpler(term)

    def write(
        self, declared: Field | CompositeField, indices: tuple[Term, ...], value: Term, condition: Term = TRUE
    ) -> None:
        """Notes a write; ModelError in a mapping that writes the state of its own model."""
        if not declared.name.startswith(self.gives):
            raise ModelError(
                f"a mapping does not change the state of its model: `{declared.name}` is written; what it writes are "
                f"the fields of the abstract model, `{self.gives[:-1]}`"
            )
        write = Write(declared.name, indices, self.world.facts.simpler(value), condition)
        self.world = replace(self.world, writes=(*self.world.writes, write))

    def now(self) -> int:
        """Counts one more reading or writing of a composite cell."""
        self.clock += 1
        return self.clock

    def present(self, value: Symbol, message: str) -> Symbol:
        """The element in an element or None; where it is None the function fails."""
        if not isinstance(value.kind, Maybe):
            return value
        self.fail_where(is_none(value.term), message)
        return element_in(value)


def _construct(node: ast.AST) -> str:
    known = CONSTRUCTS.get(type(node))
    return known or f"`{type(node).__name__}`"


CONSTRUCTS: dict[type[ast.AST], str] = {
    ast.Try: "`try`: what fails is a fault of the model, and is to be seen; test for it with `if`",
    ast.With: "`with`",
    ast.AsyncFor: "`async for`",
    ast.AsyncWith: "`async with`",
    ast.Await: "`await`",
    ast.Yield: "`yield`",
    ast.YieldFrom: "`yield from`",
    ast.ClassDef: "a class: declare it at the top of the module",
    ast.Import: "`import`: import at the top of the module",
    ast.ImportFrom: "`import`: import at the top of the module",
    ast.Delete: "`del`",
    ast.GeneratorExp: "a generator outside a call of any, all, sum, min, max, next, list, tuple: write a list",
    ast.Starred: "`*` here",
    ast.JoinedStr: "an f-string with values of the model: they have no text",
}
