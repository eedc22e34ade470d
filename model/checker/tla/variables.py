"""What an exported module has a variable for: the fields as they were declared, and what is left of each budget."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from onceproof.model.language.composites import AnyKind
from onceproof.model.language.layout import LEFT
from onceproof.model.language.sorts import Sort
from onceproof.model.language.system import System


@dataclass(frozen=True)
class Variable:
    """A field: its name, the sorts of its indices, what its cells hold, and where in the state each of them stands."""

    name: str
    sorts: tuple[type[Sort], ...]
    kind: AnyKind
    slots: tuple[tuple[int, ...], ...]

    @property
    def is_budget(self) -> bool:
        """Whether it counts what is left of a budget."""
        return self.name.startswith(LEFT)


def variables_of(system: System) -> Iterator[Variable]:
    """All fields of a system, in the order of the state."""
    layout = system.layout
    for name, cells in layout.cells.items():
        parts = layout.composites.get(name)
        if parts is None:
            sorts = layout.places[name].sorts
        else:
            field = parts[0].field
            assert field is not None and field.part is not None
            sorts = field.part.of.indices
        yield Variable(name, sorts, cells[0].kind, tuple(cell.slots for cell in cells))
