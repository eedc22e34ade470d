"""What fields are after a step, as TLA+."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from onceproof.model.checker.tla.scope import OLD_VALUE, Scope
from onceproof.model.checker.tla.text import bare, function
from onceproof.model.language.operations import Operation
from onceproof.model.language.reading.result import Write
from onceproof.model.language.sorts import Flag
from onceproof.model.language.terms import TRUE, Deref, Read, Term, Var, Whole, and_, eq, kind_of_term
from onceproof.model.language.traversal import rebuilt, substitute, walk
from onceproof.model.language.wholes import field_read

Inside = tuple[str, Term, Callable[[Term], bool]]  # where in a cell, what is put there, and what was there before
CHANGING = (Operation.PUT, Operation.PUT_TIMES)  # what is written with an EXCEPT of its own


def update(scope: Scope, field: str, writes: Sequence[Write]) -> str:
    """What a field is after the step."""
    mine, known = [write for write in writes if write.field == field], scope.text.field(field)
    if any(write.binders for write in mine):
        return _everywhere(scope, field, mine)
    first = _inside(scope, mine[0])
    if not mine[0].indices and not first[0]:
        return _single(scope, field, mine)
    places = [first, *(("", write.value, _never) for write in mine[1:])]
    cells = [
        (write, path, scope.argument(_with_old_value(value, was_there)))
        for write, (path, value, was_there) in zip(mine, places, strict=True)
    ]
    if len({write.condition for write in mine}) == 1:
        changes = [f"!{scope.cell(field, write.indices)}{path} = {value}" for write, path, value in cells]
        return bare(_given(scope, mine[0].condition, f"[{known} EXCEPT {', '.join(changes)}]", known))
    changes = [
        f"!{_cell_if(scope, write)}{path} = {bare(_given(scope, write.condition, value, '@'))}"
        for write, path, value in cells
    ]
    return f"[{known} EXCEPT {', '.join(changes)}]"


def _single(scope: Scope, field: str, writes: Sequence[Write]) -> str:
    """The same of a field without indices; in brackets where an equals sign before it would bind more closely."""
    value = scope.text.field(field)
    for write in writes:
        value = _given(scope, write.condition, scope.value(write.value), value)
    if not isinstance(kind_of_term(writes[0].value), Flag):
        return bare(value)
    return bare(value) if bare(value).startswith("IF ") else value


def _never(term: Term) -> bool:
    return False


def _inside(scope: Scope, write: Write) -> Inside:
    """Where in its cell a write changes something.

    Only of the first write to a field: for a later one, EXCEPT has in mind what the earlier ones put there.
    """
    value = write.value
    if not isinstance(value, Whole):
        return "", value, lambda term: isinstance(term, Read) and (term.field, term.indices) == _cell_of(write)
    base = value.operands[0] if value.operands else value
    if value.operation in CHANGING and field_read(base) == _cell_of(write):
        _, place, inner = value.operands
        asked, index = (
            (Operation.ITEM, scope.place(place))
            if value.operation is Operation.PUT
            else (Operation.TIMES, scope.argument(place))
        )
        return f"[{index}]", inner, lambda term: _asks(term, asked, (base, place))
    if value.operation is Operation.RECORD:
        changed = _changed_attribute(value, write)
        if changed is not None:
            name, inner, old = changed
            return f".{name}", inner, lambda term: _asks(term, Operation.ATTRIBUTE, (old,), name)
    return "", value, lambda term: field_read(term) == _cell_of(write)


def _cell_of(write: Write) -> tuple[str, tuple[Term, ...]]:
    return write.field, write.indices


def _asks(term: Term, operation: Operation, operands: tuple[Term, ...], detail: str | None = None) -> bool:
    if not isinstance(term, Whole):
        return False
    return (term.operation, term.operands, term.detail) == (operation, operands, detail)


def _changed_attribute(record: Whole, write: Write) -> tuple[str, Term, Term] | None:
    """The only attribute in which a record differs from that of the cell, its value, and the cell."""
    changed = [
        (name, value)
        for (name, _), value in zip(record.detail.parts, record.operands, strict=True)
        if not (
            isinstance(value, Whole)
            and value.operation is Operation.ATTRIBUTE
            and value.detail == name
            and field_read(value.operands[0]) == _cell_of(write)
        )
    ]
    if len(changed) != 1 or len(record.operands) < 2:
        return None
    kept = next(value for value in record.operands if value is not changed[0][1])
    assert isinstance(kept, Whole)
    return (*changed[0], kept.operands[0])


def _with_old_value(value: Term, was_there: Callable[[Term], bool]) -> Term:
    """The value with ``@`` for what was there; as it is where an EXCEPT inside of it has another ``@``."""
    if any(isinstance(part, Whole) and part.operation in CHANGING for part in walk(value)):
        return value

    def again(term: Term) -> Term:
        return OLD_VALUE if was_there(term) else rebuilt(term, again)

    return again(value)


def _cell_if(scope: Scope, write: Write) -> str:
    """As ``cell``; where an index may be none unless the write's condition is true, of a cell that is there."""
    places = []
    for index, sort in zip(write.indices, scope.text.sorts[write.field], strict=True):
        there = scope.index(index, sort)
        if write.condition != TRUE and any(isinstance(part, Deref | Whole) for part in walk(index)):
            there = bare(_given(scope, write.condition, there, scope.text.elements(sort)[0]))
        places.append(f"[{there}]")
    return "".join(places)


def _everywhere(scope: Scope, field: str, writes: Sequence[Write]) -> str:
    """The same where a loop writes many cells: the field is given anew, cell by cell."""
    sorts = scope.text.sorts[field]
    here = tuple(Var(f"{sort.__name__}.at{axis}", sort) for axis, sort in enumerate(sorts))
    value = scope.text.field(field) + scope.cell(field, here)
    for write in writes:
        bound: dict[Var, Term] = {}
        for index, cell in zip(write.indices, here, strict=True):
            if isinstance(index, Var) and index in write.binders:
                bound.setdefault(index, cell)
        same = (eq(cell, substitute(index, bound)) for index, cell in zip(write.indices, here, strict=True))
        condition = and_(*same, substitute(write.condition, bound))
        value = _given(scope, condition, scope.value(substitute(write.value, bound)), value)
    return function([(scope.value(cell), scope.text.domain(cell.sort)) for cell in here], bare(value))


def _given(scope: Scope, condition: Term, value: str, other: str) -> str:
    if condition == TRUE:
        return value
    return f"(IF {bare(scope.condition(condition))} THEN {bare(value)} ELSE {bare(other)})"
