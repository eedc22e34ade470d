"""What a model function gets as ``st`` while it is traced: it asks a tracer what it reads, and tells what it writes."""

from __future__ import annotations

from typing import Any, NoReturn, Protocol

from onceproof.model.language.declare import Field
from onceproof.model.language.errors import ModelError, nearest
from onceproof.model.language.model import Config, Model
from onceproof.model.language.terms import Term
from onceproof.model.language.tracing.symbols import IndexSymbol


class Reader(Protocol):
    """What the state asks of a tracer."""

    model: Model
    config: Config

    def read(self, declared: Field, indices: tuple[Term, ...]) -> Any:
        """The value of a cell, as a Python value or a symbol."""

    def write(self, declared: Field, indices: tuple[Term, ...], value: Any) -> None:
        """Notes a write."""


class MissingElement(ModelError):
    """A field was indexed by None."""


class TraceState:
    """What a model function gets as ``st`` while it is traced."""

    def __init__(self, tracer: Reader) -> None:
        object.__setattr__(self, "_tracer", tracer)

    def __getattr__(self, name: str) -> Any:
        tracer: Reader = object.__getattribute__(self, "_tracer")
        if name in tracer.config.switches:
            return tracer.config.switches[name]
        declared = _declared(tracer, name)
        return TraceCells(tracer, declared) if declared.indices else tracer.read(declared, ())

    def __setattr__(self, name: str, value: Any) -> None:
        tracer: Reader = object.__getattribute__(self, "_tracer")
        declared = _declared(tracer, name)
        if declared.indices:
            raise ModelError(f"`{name}` is an array: write one of its cells")
        tracer.write(declared, (), value)


class TraceCells:
    """One field while it is traced: reading and writing one cell is all that it allows."""

    __slots__ = ("declared", "tracer")

    def __init__(self, tracer: Reader, declared: Field) -> None:
        self.tracer, self.declared = tracer, declared

    def __getitem__(self, key: Any) -> Any:
        return self.tracer.read(self.declared, self._indices(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        self.tracer.write(self.declared, self._indices(key), value)

    def _refuse(self, *_: Any) -> NoReturn:
        wanted = ", ".join(sort.__name__.lower() for sort in self.declared.indices)
        raise ModelError(
            f"`{self.declared.name}` is an array: read one of its cells, st.{self.declared.name}[{wanted}]"
        )

    __bool__ = __eq__ = __ne__ = __hash__ = __iter__ = __len__ = __contains__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = __add__ = __radd__ = __sub__ = __str__ = _refuse

    def _indices(self, key: Any) -> tuple[Term, ...]:
        keys = key if isinstance(key, tuple) else (key,)
        wanted = ", ".join(sort.__name__ for sort in self.declared.indices)
        if len(keys) != len(self.declared.indices):
            raise ModelError(f"`{self.declared.name}` is indexed by [{wanted}], found {len(keys)} indices")
        terms = []
        for one, sort in zip(keys, self.declared.indices, strict=True):
            if one is None:
                raise MissingElement(f"`{self.declared.name}` is indexed by [{wanted}], found None")
            if not (isinstance(one, IndexSymbol) and one.sort is sort):
                found = f"a {one.sort.__name__}" if isinstance(one, IndexSymbol) else repr(one)
                raise ModelError(f"`{self.declared.name}` is indexed by [{wanted}], found {found}")
            terms.append(one.term)
        return tuple(terms)


def _declared(tracer: Reader, name: str) -> Field:
    declared = tracer.model.fields.get(name)
    if declared is None:
        raise ModelError(f"the model has no field `{name}`{nearest(name, tracer.model.fields)}")
    return declared
