"""The parameters of model functions, and what a function gets for them: of a record, all its parts as one."""

from __future__ import annotations

import importlib
import inspect
import itertools
import sys
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, assert_never

from onceproof.model.language.errors import ModelError
from onceproof.model.language.index_sets import domain, is_sort, values_of
from onceproof.model.language.sorts import Choice, Count, Flag, Index, Int, Kind, Maybe, Sort, Unused
from onceproof.model.language.value_kinds import OptionKind, RecordKind, ValueKind, record_kind, width

V = TypeVar("V")


@dataclass(frozen=True)
class Parameter:
    """An index parameter of an action or a property.

    kind: of a part of a record that is no element of a sort; the sort is then the set of its values, counted from 0.
    of: the records that it is a part of, the outermost first, each with the name under which it is in the one before.
    """

    name: str
    sort: type[Sort]
    fresh: bool = False
    kind: Kind | None = None
    of: tuple[tuple[str, RecordKind], ...] = ()

    def element(self, code: int) -> str:
        """The name of an element, or the text of a value, by its number."""
        return self.sort.element(code) if self.kind is None else text_of(self.kind, code)

    @property
    def is_of_values(self) -> bool:
        """Whether its values have one name for everybody, as numbers and the members of an enum have."""
        return self.sort.values is not None or isinstance(self.kind, Flag | Choice | Int | Count)

    @property
    def holds(self) -> Kind:
        """The kind of its values."""
        return Index(self.sort) if self.kind is None else self.kind


def text_of(kind: Kind, code: int) -> str:
    """A value as people read it among arguments."""
    value = kind.show(code)
    return "none" if value is None else str(value)


def parameters_of(function: Callable[..., Any], states: int = 1) -> tuple[Parameter, ...]:
    """The parameters of a model function, all after those for states; ModelError for one that is of no sort or record.

    One of a record is as many parameters as the record has parts.
    """
    if any(test(function) for test in (inspect.iscoroutinefunction, inspect.isgeneratorfunction)):
        raise ModelError(f"`{function.__name__}` must be a plain function, without `async` and `yield`")
    declared = inspect.signature(function).parameters
    if not declared:
        raise ModelError(f"`{function.__name__}` needs a first parameter for the state: {function.__name__}(st)")
    if states == 2:
        _check_second_state(function, list(declared))
    found: list[Parameter] = []
    for name in list(declared)[states:]:
        if declared[name].kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD:
            raise ModelError(f"parameter `{declared[name]}` of `{function.__name__}` must be a plain one, of one sort")
        hint = _evaluated_annotation(function, name)
        fresh = typing.get_origin(hint) is typing.Annotated and Unused in typing.get_args(hint)
        sort = typing.get_args(hint)[0] if fresh else hint
        record = record_kind(sort)
        if record is not None:
            if fresh:
                raise ModelError(f"parameter `{name}` of `{function.__name__}` is Fresh, but a record is never alike")
            found += parameters_of_record(record, name, f"parameter `{name}` of `{function.__name__}`")
            continue
        if not is_sort(sort):
            raise ModelError(f"parameter `{name}` of `{function.__name__}` needs a sort or a record as its annotation")
        if fresh and sort.ordered:
            raise ModelError(
                f"parameter `{name}` of `{function.__name__}` is Fresh, but elements of {sort.__name__} are ordered, "
                "and so never alike"
            )
        found.append(Parameter(name, sort, fresh))
    twice = [one.name for place, one in enumerate(found) if one.name in {other.name for other in found[:place]}]
    if twice:
        raise ModelError(
            f"`{function.__name__}` has two arguments `{twice[0]}`, as a part of a record is called like a parameter: "
            "rename one of them"
        )
    return tuple(found)


def parameters_of_record(kind: RecordKind, name: str, what: str) -> list[Parameter]:
    """A parameter for each part of a record with this name."""
    return list(_parts(kind, (name,), ((name, kind),), what))


def _parts(
    record: RecordKind, path: tuple[str, ...], of: tuple[tuple[str, RecordKind], ...], what: str
) -> Iterator[Parameter]:
    """A parameter for each part of a record; ModelError where one has values that differ in nothing that counts."""
    for name, inner in record.parts:
        where = (*path, name)
        match inner:
            case RecordKind():
                yield from _parts(inner, where, (*of, (name, inner)), what)
            case OptionKind():
                raise ModelError(
                    f"{what}: `{name}` of {record.cls.__name__} is Optional, and not of a sort, so it cannot be an "
                    "argument: let the action choose a value, `choose_from([...])`"
                )
            case Index(sort):
                yield Parameter("_".join(where), sort, of=of)
            case Flag() | Choice() | Maybe() | Count() | Int():
                if isinstance(inner, Count | Int) and not (type(inner.low) is int and type(inner.high) is int):
                    raise ModelError(
                        f"{what}: the bound of `{name}` of {record.cls.__name__} is a parameter of the model: give it "
                        "a bound of its own, and compare it with the parameter in a `require`"
                    )
                kind = Int(inner.low, inner.high) if isinstance(inner, Count) else inner
                yield Parameter("_".join(where), domain(kind), kind=kind, of=of)
            case _:
                assert_never(inner)


def _check_second_state(function: Callable[..., Any], names: list[str]) -> None:
    """ModelError for a property of steps without a parameter for the state after the step."""
    second = function.__annotations__.get(names[1]) if len(names) > 1 else None
    known = getattr(function, "__globals__", {}).get(second) if isinstance(second, str) else second
    if len(names) < 2 or is_sort(known):
        rest = "".join(f", {name}" for name in names[1:])
        raise ModelError(
            f"`{function.__name__}` speaks of a step and needs two parameters for states, the one before it and the "
            f"one after it: {function.__name__}(before, after{rest})"
        )


def _evaluated_annotation(function: Callable[..., Any], name: str) -> Any:
    """The annotation of a parameter. That of the state is never evaluated: its class may be there for checkers only."""
    if sys.version_info >= (3, 14):
        forward_references = importlib.import_module("annotationlib").Format.FORWARDREF
        annotation = inspect.get_annotations(function, format=forward_references).get(name)
    else:
        annotation = inspect.get_annotations(function).get(name)
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, getattr(function, "__globals__", {}))
    except Exception as error:
        what = f"the annotation `{annotation}` of parameter `{name}` of `{function.__name__}`"
        raise ModelError(f"{what} means nothing when the model runs: {error}") from None


def grouped(parameters: Sequence[Parameter], values: Sequence[V], made: Callable[[RecordKind, list[V]], V]) -> list[V]:
    """What a function gets for its parameters: of those that are parts of a record, the record that ``made`` makes."""
    return _grouped(parameters, values, made, 0)


def _grouped(
    parameters: Sequence[Parameter], values: Sequence[V], made: Callable[[RecordKind, list[V]], V], depth: int
) -> list[V]:
    found: list[V] = []
    start = 0
    while start < len(parameters):
        if len(parameters[start].of) <= depth:
            found.append(values[start])
            start += 1
            continue
        kind = parameters[start].of[depth][1]
        end = start + width(kind)
        found.append(made(kind, _grouped(parameters[start:end], values[start:end], made, depth + 1)))
        start = end
    return found


def arguments_of(parameters: Sequence[Parameter], codes: Sequence[int], sizes: Mapping[str, int]) -> list[Any]:
    """What a function is run on: elements (those of ordered sorts know their order), values, records."""
    values = [values_of_kind(one.holds, sizes)[code] for one, code in zip(parameters, codes, strict=True)]
    return grouped(parameters, values, lambda kind, parts: kind.cls(*parts))


def values_of_kind(kind: ValueKind, sizes: Mapping[str, int]) -> Sequence[Any]:
    """All values of a kind, as functions that are run have them."""
    match kind:
        case RecordKind(cls, parts):
            every = (values_of_kind(inner, sizes) for _, inner in parts)
            return [cls(*values) for values in itertools.product(*every)]
        case OptionKind(inner):
            return [None, *values_of_kind(inner, sizes)]
        case Index(sort):
            return values_of(sort, sizes[sort.__name__])
        case Maybe(sort):
            return [None, *values_of(sort, sizes[sort.__name__])]
        case Flag() | Choice() | Count() | Int():
            return [kind.decode(code) for code in range(kind.cardinality(sizes))]
        case _:
            assert_never(kind)
