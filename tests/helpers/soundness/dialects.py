"""The two ways in which one random model is written: for the language, and as a plain program over a dictionary."""

from collections.abc import Sequence
from dataclasses import dataclass

SIZES = {"Thing": "THINGS", "Place": "PLACES", "Floor": "FLOORS"}


@dataclass(frozen=True)
class Parameter:
    """A parameter of an action, a property or a helper; the sort is "" where it is not an element."""

    name: str
    sort: str
    fresh: bool = False


class Language:
    """As the author of a model writes it."""

    state = "st"
    first_parameter = "st"

    def annotate(self, name: str) -> None:
        """Says from now on of which class the state is."""
        self.first_parameter = f"st: {name}"

    def cell(self, name: str, *indices: str) -> str:
        """A cell of a field, to be read or assigned."""
        return f"st.{name}[{', '.join(indices)}]" if indices else f"st.{name}"

    def member(self, enum: str, name: str, module: str) -> str:
        """A member of an enum as a module names it: "Colour" of the base, or "other.Colour" of the other module."""
        if module == "other":
            enum = {"Colour": "base.Colour", "other.Colour": "Colour"}[enum]
        return f"{enum}.{name}"

    def sort(self, name: str) -> str:
        """What a loop over a sort goes through."""
        return name

    def size(self, name: str) -> str:
        """How many elements a sort has."""
        return f"len({name})"

    def switch(self) -> str:
        """Whether the switch is on."""
        return "st.switched"

    def require(self, condition: str) -> str:
        """The guard of an action."""
        return f"require({condition})"

    def given(self, condition: str, kind: str) -> str:
        """What a property of a kind presupposes."""
        return f"given({condition})"

    def quantified(self, universal: bool, sort: str, name: str, condition: str) -> str:
        """True of all elements, or of some."""
        return f"{'forall' if universal else 'exists'}({sort}, lambda {name}: {condition})"

    def saturated(self, value: str, most: str) -> str:
        """A number for a count that stays at its ends by itself."""
        return value

    def parameter(self) -> str:
        """The parameter of the model."""
        return "st.limit"

    def end(self, sort: str, is_first: bool) -> str:
        """The first or last element of a sort with an order."""
        return f"{'first' if is_first else 'last'}({sort})"

    def chosen(self, sort: str, name: str, condition: str) -> str:
        """Some element for which a condition is true."""
        return f"choose({sort}, lambda {name}: {condition})" if condition else f"choose({sort})"

    def chosen_from(self, values: str) -> str:
        """One of some values."""
        return f"choose_from({values})"

    def not_none(self, value: str) -> str:
        """A value that may be None, as a guard and what it is then."""
        return f"require_not_none({value})"

    def members(self, held: str) -> str:
        """What a set or a bag of the state holds, in order."""
        return held

    def into_set(self, held: str, word: str, value: str) -> str:
        """A statement that adds a value to a set of the state, or discards it."""
        return f"{held}.{word}([{value}])" if word == "update" else f"{held}.{word}({value})"

    def strict(self, value: str) -> str:
        """A value for a count that must not leave its range."""
        return value

    def sent(self, bag: str, value: str) -> str:
        """A statement that puts one more into a bag; one that does not fit is dropped."""
        return f"{bag}.send({value})"

    def received(self, held: str, value: str) -> str:
        """A statement that takes a value out of a set or a bag; where it is not there the action cannot happen."""
        return f"{held}.receive({value})"

    def appended(self, queue: str, value: str, most: int, drop: str) -> list[str]:
        """Statements that append to a list which drops its oldest element or the new one where it is full."""
        return [f"{queue}.append({value})"]

    def part(self, record: str, name: str, value: str) -> str:
        """A statement that changes one part of a record of the state."""
        return f"{record}.{name} = {value}"

    def record(self, name: str, module: str) -> str:
        """A record, or the like, as a module names it."""
        return f"base.{name}" if module == "other" else name

    def helper(self, module: str, name: str) -> str:
        """The name by which a function, or a constant, of one of the two modules is used from within the model."""
        return f"{module}.{name}" if module else name

    def local(self, module: str, name: str) -> str:
        """The name by which a function, or a constant, is known in its own module."""
        return name

    def parameters(self, parameters: Sequence[Parameter]) -> str:
        """The parameters of an action or a property, after the state."""
        shown = [f"{p.name}: Fresh[{p.sort}]" if p.fresh else f"{p.name}: {p.sort}" for p in parameters]
        return "".join(f", {one}" for one in shown)


class Plain(Language):
    """As a program that knows nothing of the language: the state is a dictionary, elements are numbers, enums texts."""

    state = first_parameter = "S"

    def annotate(self, name: str) -> None:
        pass

    def cell(self, name: str, *indices: str) -> str:
        return f"S[{', '.join([repr(name), *indices])}]" if indices else f"S[{name!r},]"

    def member(self, enum: str, name: str, module: str) -> str:
        return repr(f"{enum}.{name}")

    def sort(self, name: str) -> str:
        return f"range({SIZES[name]})"

    def size(self, name: str) -> str:
        return SIZES[name]

    def switch(self) -> str:
        return "SWITCHED"

    def require(self, condition: str) -> str:
        return f"if not ({condition}): raise Off"

    def given(self, condition: str, kind: str) -> str:
        return f"if not ({condition}): return True" if kind == "always" else f"given({condition})"

    def quantified(self, universal: bool, sort: str, name: str, condition: str) -> str:
        return f"{'all' if universal else 'any'}([({condition}) for {name} in {self.sort(sort)}])"

    def saturated(self, value: str, most: str) -> str:
        return f"max(0, min({value}, {most}))"

    def parameter(self) -> str:
        return "PARAMETER"

    def end(self, sort: str, is_first: bool) -> str:
        return "0" if is_first else f"({SIZES[sort]} - 1)"

    def chosen(self, sort: str, name: str, condition: str) -> str:
        return f"choice([{name} for {name} in {self.sort(sort)} if {condition or True}])"

    def chosen_from(self, values: str) -> str:
        return f"choice({values})"

    def not_none(self, value: str) -> str:
        return f"not_none({value})"

    def members(self, held: str) -> str:
        return f"in_order({held})"

    def into_set(self, held: str, word: str, value: str) -> str:
        return f"{held}.{'discard' if word == 'discard' else 'add'}({value})"

    def strict(self, value: str) -> str:
        return f"kept({value})"

    def sent(self, bag: str, value: str) -> str:
        return f"send({bag}, {value})"

    def received(self, held: str, value: str) -> str:
        return f"receive({held}, {value})"

    def appended(self, queue: str, value: str, most: int, drop: str) -> list[str]:
        if drop == "new":
            return [f"if len({queue}) < {most}: {queue}.append({value})"]
        return [f"{queue}.append({value})", f"del {queue}[:-{most}]"]

    def part(self, record: str, name: str, value: str) -> str:
        return f"{record} = {record}._replace({name}={value})"

    def record(self, name: str, module: str) -> str:
        return name

    def helper(self, module: str, name: str) -> str:
        return f"{module or 'main'}_{name}"

    def local(self, module: str, name: str) -> str:
        return self.helper(module, name)

    def parameters(self, parameters: Sequence[Parameter]) -> str:
        return "".join(f", {p.name}" for p in parameters)
