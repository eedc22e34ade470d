"""The two ways in which one random model is written: for the language, and as a plain program over a dictionary."""

from collections.abc import Sequence
from dataclasses import dataclass

SIZES = {"Thing": "THINGS", "Place": "PLACES"}


@dataclass(frozen=True)
class Parameter:
    """A parameter of an action, a property or a helper; the sort is "" where it is not an element."""

    name: str
    sort: str
    fresh: bool = False


class Language:
    """As the author of a model writes it."""

    state = "st"

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

    def saturated(self, value: str, most: int) -> str:
        """A number for a count that stays at its ends by itself."""
        return value

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

    state = "S"

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
        return f"if not ({condition}): return {kind == 'always'}"

    def quantified(self, universal: bool, sort: str, name: str, condition: str) -> str:
        return f"{'all' if universal else 'any'}([({condition}) for {name} in {self.sort(sort)}])"

    def saturated(self, value: str, most: int) -> str:
        return f"max(0, min({value}, {most}))"

    def record(self, name: str, module: str) -> str:
        return name

    def helper(self, module: str, name: str) -> str:
        return f"{module or 'main'}_{name}"

    def local(self, module: str, name: str) -> str:
        return self.helper(module, name)

    def parameters(self, parameters: Sequence[Parameter]) -> str:
        return "".join(f", {p.name}" for p in parameters)
