"""``for`` and ``while``: pass by pass, or, where a sort has any number of elements, once for all of them.

The second is right only where no pass hands anything to another one. That is proved while the loop is read: what a
pass assigns is poisoned before the next reading, so that a pass that reads it without assigning it first is refused.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from onceproof.model.language.errors import ModelError
from onceproof.model.language.index_sets import is_sort
from onceproof.model.language.reading.assignment import assign
from onceproof.model.language.reading.elements import any_number
from onceproof.model.language.reading.interpreter import Ended, Exits, Interpreter
from onceproof.model.language.reading.operators import truth
from onceproof.model.language.reading.result import Write
from onceproof.model.language.reading.sequences import changes_of, check_unchanged, passes_of
from onceproof.model.language.reading.values import DictObject, ListObject, Poisoned, Symbol, Value
from onceproof.model.language.reading.world import World, joined
from onceproof.model.language.sorts import Index, Sort
from onceproof.model.language.terms import (
    TRUE,
    Read,
    Var,
)
from onceproof.model.language.traversal import walk
from onceproof.model.language.wholes import field_read

MOST_PASSES = 2_000
ENDLESS = "a `while` that asks the state need not end: make each of its passes a step, an action of its own"


def for_loop(interpreter: Interpreter, node: ast.For) -> None:
    """The ``for`` statement."""
    container = interpreter.gone_through(node.iter)
    if is_sort(container) and interpreter.unbounded:
        all_at_once(interpreter, node, container)
        return
    interpreter.split(container, lambda one: _unrolled(interpreter, node, one))


def _unrolled(interpreter: Interpreter, node: ast.For, container: Value) -> None:
    items = passes_of(interpreter, container)
    content = changes_of(interpreter, container)

    def body(value: Value) -> None:
        assign(interpreter, node.target, value)
        interpreter.execute(node.body)

    def passes(one_pass: Callable[[Callable[[], None]], None]) -> None:
        for present, value in items:
            run = partial(body, value)
            if present is TRUE:
                one_pass(run)
            else:
                interpreter.branch(present, partial(one_pass, run), lambda: None)
            check_unchanged(interpreter, container, content)

    _looped(interpreter, passes, node.orelse)


def while_loop(interpreter: Interpreter, node: ast.While) -> None:
    """The ``while`` statement, of a condition that is known in every pass."""

    def passes(one_pass: Callable[[Callable[[], None]], None]) -> None:
        for _ in range(MOST_PASSES):
            test = interpreter.world.facts.simpler(truth(interpreter, interpreter.evaluate(node.test)))
            if test is not TRUE:
                if test is truth(interpreter, False):
                    return
                raise ModelError(ENDLESS)
            one_pass(lambda: interpreter.execute(node.body))
        raise ModelError(f"more than {MOST_PASSES:,} passes: a loop that need not end?")

    _looped(interpreter, passes, node.orelse)


def _looped(
    interpreter: Interpreter, passes: Callable[[Callable[[Callable[[], None]], None]], None], orelse: list[ast.stmt]
) -> None:
    """Makes the passes of a loop; puts together what ends in its ``break``s and at its end."""
    base, outer = interpreter.world, interpreter.exits
    exits = Exits(returns=outer.returns)
    pending = interpreter.pending

    def one_pass(run: Callable[[], None]) -> None:
        start, before = interpreter.world, interpreter.pending
        exits.continues = []
        try:
            run()
            fallen: list[tuple[World, Value]] = [(interpreter.world, None)]
        except Ended:
            fallen = []
        ends = [*exits.continues, *fallen]
        interpreter.pending -= len(exits.continues)
        exits.continues = []
        if not ends:
            raise Ended
        interpreter.world, _ = joined(start, ends, complete=interpreter.pending == before)

    interpreter.exits = exits
    try:
        passes(one_pass)
        interpreter.exits = outer
        interpreter.execute(orelse)
        ends: list[tuple[World, Value]] = [(interpreter.world, None)]
    except Ended:
        ends = []
    finally:
        interpreter.exits = outer
    interpreter.pending -= len(exits.breaks)
    ends = [*exits.breaks, *ends]
    if not ends:
        raise Ended
    interpreter.world, _ = joined(base, ends, complete=interpreter.pending == pending)


def all_at_once(interpreter: Interpreter, node: ast.For, sort: type[Sort]) -> None:
    """A loop over a sort of any size: its body read once, for an element that may be any of them."""
    base = interpreter.world
    after = _one_reading(interpreter, node, sort, base)
    changed = _changed(base, after)
    if changed:
        after = _one_reading(interpreter, node, sort, _poisoned(base, changed, sort))
    writes = after.writes[len(base.writes) :]
    variable = Var(f"{sort.__name__}.{interpreter.bound + 1}", sort)
    _check_writes(variable, writes, base)
    looped = tuple(replace(write, binders=(variable, *write.binders)) for write in writes)
    left = _poisoned(base, _changed(base, after), sort)
    interpreter.world = replace(left, writes=(*base.writes, *looped))


def _one_reading(interpreter: Interpreter, node: ast.For, sort: type[Sort], start: World) -> World:
    interpreter.world = start
    outer, pending = interpreter.exits, interpreter.pending
    exits = interpreter.exits = Exits()
    variable = interpreter.variable(sort)
    interpreter.open_loops += 1
    path = interpreter.world.path
    try:
        assign(interpreter, node.target, Symbol(variable, Index(sort)))
        interpreter.execute(node.body)
        ends: list[tuple[World, Value]] = [(interpreter.world, None)]
    except Ended:
        ends = []
    finally:
        interpreter.open_loops -= 1
        interpreter.release(1)
        interpreter.exits = outer
    if exits.returns or exits.breaks or node.orelse:
        raise ModelError(any_number(sort, "`break` or `return` may end the loop early, or it has an `else`"))
    interpreter.pending = pending
    after, _ = joined(start, [*exits.continues, *ends], complete=True)
    return replace(after, path=path, facts=start.facts)


Changed = dict[int, set[str]]


def _changed(base: World, after: World) -> Changed:
    """What a pass changed of the locals and lists that were there before the loop."""
    found: Changed = {}
    for identity, content in base.heap.items():
        now = after.heap.get(identity, content)
        if now is not content:
            names = {name for name in now if now[name] is not content.get(name)} if isinstance(now, dict) else set()
            found[identity] = names
    return found


def _poisoned(base: World, changed: Changed, sort: type[Sort]) -> World:
    world = base
    for identity, names in changed.items():
        content = world.heap[identity]
        if isinstance(content, ListObject | DictObject):
            raise ModelError(any_number(sort, "the loop changes a list or a dictionary from pass to pass"))
        poison = {
            name: Poisoned(any_number(sort, f"the loop carries the local `{name}` from pass to pass")) for name in names
        }
        world = world.holding(identity, {**content, **poison})
    return world


def _check_writes(variable: Var, writes: tuple[Write, ...], base: World) -> None:
    """Refuses a loop of which two passes write one cell, or one reads what another one writes."""
    sort = variable.sort.__name__
    for write in writes:
        if variable not in write.indices:
            raise ModelError(
                f"a loop over {sort} writes `{write.field}` in every pass, and here there is no last one: write it "
                "once, outside the loop, under an `exists`"
            )
    for write in writes:
        places = [place for place, index in enumerate(write.indices) if index is variable]
        for other in writes:
            if other.field == write.field and not any(other.indices[place] is variable for place in places):
                raise ModelError(f"passes of a loop over {sort} may write the same cell of `{write.field}`")
            for part in (part for t in (*other.indices, other.condition, other.value) for part in walk(t)):
                read = (part.field, part.indices) if isinstance(part, Read) else field_read(part)
                if read is None or read[0] != write.field:
                    continue
                if not any(read[1][place] is variable for place in places):
                    raise ModelError(f"a pass of a loop over {sort} reads `{write.field}` where other passes write it")
