"""Names, values and sets of one system as TLA+."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from onceproof.model.checker.tla.variables import Variable
from onceproof.model.language.composites import AnyKind, Bag, Seq, Set, rows_of
from onceproof.model.language.members import rows
from onceproof.model.language.sorts import Choice, Count, Flag, Index, Int, Kind, Maybe, Sort
from onceproof.model.language.system import System
from onceproof.model.language.value_kinds import OptionKind, RecordKind, ValueKind, width

NONE = "None"  # a model value, which is equal to nothing else
AND, OR, FORALL, EXISTS = " /\\ ", " \\/ ", "\\A", "\\E"


def function(bounds: Sequence[tuple[str, str]], value: str) -> str:
    """A function, to functions if there are several (name, sort), to a value."""
    for name, sort in reversed(bounds):
        value = f"[{name} \\in {sort} |-> {value}]"
    return value


def bare(text: str) -> str:
    """The text without brackets around all of it."""
    if not text.startswith("("):
        return text
    depth = 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return text[1:-1] if place == len(text) - 1 else text
    return text


class TlaText:
    """How values and names of one system are written. ``taken``: names that no bound variable may have."""

    def __init__(self, system: System, variables: Sequence[Variable], taken: set[str]) -> None:
        self.system, self.taken = system, taken
        self.prefix = ""
        self.sorts = {one.name: one.sorts for one in variables}
        self.records: dict[RecordKind, str] = {}
        for one in variables:
            self._note_records(one.kind)
        self.taken |= set(self.records.values())

    def field(self, name: str) -> str:
        """What a field is called."""
        return self.prefix + name

    def rename_fields(self, prefix: str) -> None:
        """Calls each field what it was called, with a prefix."""
        self.prefix = prefix
        self.taken = {*self.taken, *map(self.field, self.sorts)}

    def _note_records(self, kind: AnyKind) -> None:
        """Gives the set of all records of each kind a name, those inside of others first."""
        match kind:
            case RecordKind(cls, parts):
                for _, inner in parts:
                    self._note_records(inner)
                name = cls.__name__
                while kind not in self.records and (name in self.records.values() or name in self.taken):
                    name += "_"
                self.records.setdefault(kind, name)
            case OptionKind(inner):
                self._note_records(inner)
            case Seq() | Set() | Bag():
                self._note_records(kind.element)
            case Flag() | Choice() | Index() | Maybe() | Count() | Int():
                pass
            case _:
                assert_never(kind)

    def definitions(self) -> list[str]:
        """The sets of records, each a line."""
        return [
            f"{name} == [{', '.join(f'{part} : {self.all_of(inner)}' for part, inner in kind.parts)}]"
            for kind, name in self.records.items()
        ]

    def elements(self, sort: type[Sort]) -> list[str]:
        """The elements of a sort, or the values of an index set."""
        return [self.element(sort, index) for index in range(self.system.sizes[sort.__name__])]

    @staticmethod
    def element(sort: type[Sort], index: int) -> str:
        """An element of a sort, or a value of an index set: of an ordered sort numbers from 1, else strings."""
        if sort.ordered:
            return str(index + 1)
        name = sort.element(index)
        return name if isinstance(sort.values, Int) else f'"{name}"'

    def extension(self, sort: type[Sort]) -> str:
        """All elements of a sort."""
        if sort.ordered:
            return f"1..{self.system.sizes[sort.__name__]}"
        return f"{{{', '.join(self.elements(sort))}}}"

    def domain(self, sort: type[Sort]) -> str:
        """The set of the elements of a sort, or of the values that stand for one."""
        match sort.values:
            case Int(low, high):
                return f"({low}..{high})"
            case Flag():
                return "BOOLEAN"
            case None:
                return sort.__name__
            case Choice() if sort.__name__ in self.system.sizes:
                return sort.__name__
            case kind:
                return self.all_of(kind)

    def bound(self, sorts: Sequence[type[Sort]]) -> list[str]:
        """A short name for a variable over each sort."""
        found: list[str] = []
        for sort in sorts:
            first = sort.__name__[0].lower() if sort.__name__[0].isascii() and sort.values is None else "i"
            name, number = first, 2
            while name in found or name in self.taken:
                name, number = f"{first}{number}", number + 1
            found.append(name)
        return found

    def all_of(self, kind: AnyKind) -> str:
        """The set of all values of a kind; of lists, of any length."""
        match kind:
            case Flag():
                return "BOOLEAN"
            case Count() | Int():
                return f"{kind.low}..{kind.high}"
            case Index(sort) if sort.values is None:
                return sort.__name__
            case Maybe(sort) if sort.values is None:
                return f"{sort.__name__} \\cup {{{NONE}}}"
            case Choice() | Index() | Maybe():
                return f"{{{', '.join(self.code(kind, code) for code in range(kind.cardinality(self.system.sizes)))}}}"
            case RecordKind():
                return self.records[kind]
            case OptionKind(inner):
                return f"{self._operand(inner)} \\cup {{{NONE}}}"
            case Seq():
                return f"Seq({self.all_of(kind.element)})"
            case Set():
                return f"SUBSET {self._operand(kind.element)}"
            case Bag():
                return f"[{self.all_of(kind.element)} -> 0..{kind.most}]"
            case _:
                assert_never(kind)

    def _operand(self, kind: ValueKind) -> str:
        text = self.all_of(kind)
        return text if text.isidentifier() or text.startswith("{") else f"({text})"

    def value(self, kind: AnyKind, codes: Sequence[int]) -> str:
        """A value of a cell by its stored numbers."""
        match kind:
            case Seq():
                values = [self._value(kind.element, row, True) for row in rows_of(kind, codes)]
                return f"<<{', '.join(values)}>>"
            case Set() | Bag():
                every = [self._value(kind.element, row, False) for row in rows(kind.element, self.system.sizes)]
                if isinstance(kind, Set):
                    return f"{{{', '.join(one for one, code in zip(every, codes, strict=True) if code)}}}"
                (name,) = self._free(1)
                value = "0"
                for one, code in zip(every, codes, strict=True):
                    value = f"IF {name} = {one} THEN {code} ELSE {value}" if code else value
                return f"[{name} \\in {self.all_of(kind.element)} |-> {value}]"
            case _:
                return self._value(kind, codes, False)

    def _free(self, number: int) -> list[str]:
        return [name for name in ("x", "y", "z", *(f"x{n}" for n in range(99))) if name not in self.taken][:number]

    def no_members(self, kind: ValueKind | None) -> str:
        """The empty set; or, of values of a kind, the empty bag."""
        return "{}" if kind is None else f"[{self._free(1)[0]} \\in {self.all_of(kind)} |-> 0]"

    def _value(self, kind: ValueKind, codes: Sequence[int], optional: bool) -> str:
        match kind:
            case RecordKind(_, parts):
                shown = []
                for name, inner in parts:
                    shown.append(f"{name} |-> {self._value(inner, codes[: width(inner)], optional)}")
                    codes = codes[width(inner) :]
                return f"[{', '.join(shown)}]"
            case OptionKind(inner):
                return self._value(inner, codes[1:], True) if codes[0] else NONE
            case Index() if optional:
                return self.code(kind, codes[0] - 1)
            case Flag() | Choice() | Index() | Maybe() | Count() | Int():
                return self.code(kind, codes[0])
            case _:
                assert_never(kind)

    def code(self, kind: Kind, code: int) -> str:
        """A value of a scalar kind by its stored number."""
        match kind:
            case Flag():
                return "TRUE" if code else "FALSE"
            case Choice():
                return f'"{kind.show(code)}"'
            case Index(sort):
                return self.element(sort, code)
            case Maybe(sort):
                return self.element(sort, code - 1) if code else NONE
            case Count() | Int():
                return str(kind.decode(code))
            case _:
                assert_never(kind)
