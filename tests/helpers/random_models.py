"""Random small models in the modelling language, for tests that hold one engine against another.

    system = random_system(seed)       # several sorts, enums, optional indices, counts, branches, loops, faults, Fresh

The same seed gives the same model. A model is written as ordinary Python text and executed, as its author would.
"""

import linecache
import random
import re
import sys
import types
from enum import Enum

from onceproof.model.language import Model, System, build

HEADER = '''
from enum import Enum
from onceproof import *


class Thing(Sort, default=2, symmetric=True):
    """Alike things."""


class Place(Sort, default=2, symmetric={symmetric}):
    """Where things are."""


class Colour(Enum):
    """An enum."""

    RED, GREEN, BLUE = range(3)


switched = switch(on="more is allowed", off="less is")
colour = field(Thing, Colour)
at = field(Thing, Optional[Place])
marked = field(Thing, Place, bool)
level = field(Place, Count({most}, saturate=True))
total = field(Count(2, saturate=True), init={total})
first = field(Optional[Thing])
home = field(Thing, Place, init=in_turn, constant=True)
never = field(Thing, bool)
own = field(Thing, Optional[Thing])
'''


class Writer:
    """Writes the text of one random model."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def text(self) -> str:
        """The whole model."""
        r = self.random
        parts = [HEADER.format(symmetric=r.random() < 0.5, most=r.randint(1, 3), total=r.randint(0, 2))]
        parts += [self.action(n) for n in range(r.randint(3, 6))]
        parts += [self.property(n, kind) for n, kind in enumerate(("always", "always", "sometimes", "eventually"))]
        parts += [self.property(n, kind) for n, kind in enumerate(("infinitely_often", "stays"), len(parts))]
        parts += [self.step_property(n) for n in range(len(parts), len(parts) + 2)]
        return "\n".join(parts)

    def action(self, number: int) -> str:
        """One action, or fault, over a thing, a place, or both."""
        r = self.random
        scope = r.choice((["t"], ["p"], ["t", "p"], ["t", "p"], ["t", "u"]))
        sorts = {"t": "Thing", "u": "Thing", "p": "Place"}
        fresh = r.choice(scope) if r.random() < 0.25 else None
        names = ", ".join(f"{v}: Fresh[{sorts[v]}]" if v == fresh else f"{v}: {sorts[v]}" for v in scope)
        mark = r.choice(
            ("@action", "@action", "@fault", "@action(fairness=Fairness.STRONG)", "@action(fairness=Fairness.NONE)")
        )
        lines = [f"    require({self.condition(scope)})" for _ in range(r.randint(0, 2))]
        for _ in range(r.randint(1, 3)):
            lines += self.statement(scope, 1)
        return "\n".join(["", mark, f"def act{number}(st, {names}):", *lines])

    def statement(self, scope: list[str], depth: int) -> list[str]:
        """A write, a branch, a loop, or a look at what an optional index holds."""
        r, pad = self.random, "    " * depth
        choice = r.random()
        if choice < 0.55 or depth > 2:
            return [pad + self.write(scope)]
        if choice < 0.75:
            lines = [f"{pad}if {self.condition(scope)}:", *self.statement(scope, depth + 1)]
            return lines if r.random() < 0.5 else [*lines, f"{pad}else:", *self.statement(scope, depth + 1)]
        if choice < 0.88:
            sort, name = r.choice((("Thing", f"each{depth}"), ("Place", f"every{depth}")))
            return [f"{pad}for {name} in {sort}:", pad + "    " + self.write([*scope, name])]
        thing = self.thing(scope)
        if thing is None or depth > 1:
            return [pad + self.write(scope)]
        lines = [f"{pad}held = st.at[{thing}]", f"{pad}if held is not None:"]
        return [*lines, pad + "    " + self.write([*scope, "held"])]

    def thing(self, scope: list[str]) -> str | None:
        """A thing in scope, if there is one."""
        things = [v for v in scope if v in ("t", "u") or v.startswith("each")]
        return self.random.choice(things) if things else None

    def place(self, scope: list[str]) -> str | None:
        """A place in scope, if there is one."""
        r = self.random
        places = [v for v in scope if v in ("p", "held") or v.startswith("every")]
        if places:
            return r.choice(places)
        thing = self.thing(scope)
        return f"st.home[{thing}]" if thing and r.random() < 0.7 else None

    def write(self, scope: list[str]) -> str:
        """One assignment."""
        r = self.random
        thing, place = self.thing(scope), self.place(scope)
        found = [f"st.total = {r.choice(('0', 'st.total + 1', 'st.total - 1', '2'))}"]
        if thing:
            found += [f"st.colour[{thing}] = Colour.{r.choice(('RED', 'GREEN', 'BLUE'))}", f"st.at[{thing}] = None"]
            found += [f"st.first = {thing}", f"st.colour[{thing}] = st.colour[{thing}]"]
            found += [f"st.own[{thing}] = {thing}"]  # no thing ever holds another: cells alike have unlike values
            found += [f"st.colour[{thing}] = Colour.GREEN if st.marked[{thing}, {place}] else Colour.RED"] * bool(place)
        if place:
            found += [f"st.level[{place}] += 1", f"st.level[{place}] = st.total", f"st.level[{place}] -= 1"]
        if thing and place:
            found += [f"st.at[{thing}] = {place}", f"st.marked[{thing}, {place}] = {r.random() < 0.6}"] * 2
        return r.choice(found)

    def condition(self, scope: list[str], depth: int = 0) -> str:
        """A condition over what is in scope."""
        r = self.random
        thing, place = self.thing(scope), self.place(scope)
        found = [f"st.total {r.choice(('==', '<', '>=', '!='))} {r.randint(0, 2)}", "st.first is None", "st.switched"]
        if thing:
            found += [f"st.colour[{thing}] {r.choice(('==', '!='))} Colour.{r.choice(('RED', 'GREEN'))}"] * 2
            found += [f"st.colour[{thing}] in (Colour.RED, Colour.BLUE)", f"st.at[{thing}] is None"]
            found += [f"not st.never[{thing}]", f"st.first == {thing}", f"st.own[{thing}] == {thing}"]
        if place:
            found += [f"st.level[{place}] {r.choice(('>', '<=', '=='))} {r.randint(0, 1)}"] * 2
            found += [f"st.level[{place}] < st.total"]
        if thing and place:
            found += [f"st.marked[{thing}, {place}]", f"st.at[{thing}] == {place}", f"{place} == st.home[{thing}]"]
        if depth < 2:
            one = self.condition(scope, depth + 1)
            found += [f"({one}) and ({self.condition(scope, depth + 1)})"] * 2
            found += [f"({one}) or ({self.condition(scope, depth + 1)})", f"not ({one})"]
            quantifier = r.choice(("forall", "exists"))
            sort, name = r.choice((("Thing", f"each{depth}"), ("Place", f"every{depth}")))
            inner = [v for v in scope if v != "held"] + [name]
            found += [f"{quantifier}({sort}, lambda {name}: {self.condition(inner, depth + 1)})"] * 2
        return r.choice(found)

    def property(self, number: int, kind: str) -> str:
        """One property."""
        r = self.random
        scope = r.choice((["t"], ["t", "p"], ["t", "u"]))
        names = ", ".join(f"{v}: {'Place' if v == 'p' else 'Thing'}" for v in scope)
        conditional = kind not in ("infinitely_often", "stays") and r.random() < 0.6
        lines = [f"    given({self.condition(scope)})"] if conditional else []
        return "\n".join(
            ["", f"@{kind}", f"def claim{number}(st, {names}):", *lines, f"    return {self.condition(scope)}"]
        )

    def step_property(self, number: int) -> str:
        """One property of the state before a step and the one after it."""
        r = self.random
        scope = r.choice((["t"], ["t", "p"], ["t", "u"]))
        names = ", ".join(f"{v}: {'Place' if v == 'p' else 'Thing'}" for v in scope)
        lines = [f"    given({self.of_either_state(scope)})"] if r.random() < 0.4 else []
        claims = [
            f"not ({self.of_either_state(scope)}) or ({self.of_either_state(scope)})",
            f"before.total <= after.total or ({self.of_either_state(scope)})",
            f"before.colour[t] == after.colour[t] or ({self.of_either_state(scope)})",
            "before.first is None or after.first == before.first",
            "before.at[t] is None or not after.marked[t, before.at[t]]",
        ]
        return "\n".join(
            ["", "@step", f"def claim{number}(before, after, {names}):", *lines, f"    return {r.choice(claims)}"]
        )

    def of_either_state(self, scope: list[str]) -> str:
        """A condition on the state before a step, or on the one after it."""
        return re.sub(r"\bst\.", self.random.choice(("before.", "after.")), self.condition(scope))


def random_model(seed: int, more: str = "") -> Model:
    """The model with this seed. more: text that is added to it."""
    name = f"random_model_{seed}{'_more' if more else ''}"
    module = types.ModuleType(name)
    sys.modules[name] = module
    text = Writer(seed).text() + more
    linecache.cache[f"<{name}>"] = (len(text), None, text.splitlines(keepends=True), f"<{name}>")
    exec(compile(text, f"<{name}>", "exec"), module.__dict__)
    return Model(name, module)


def random_system(seed: int, more: str = "") -> System:
    """The model with this seed under a random configuration: sizes, switches and budgets (bounded or ``any``)."""
    model, r = random_model(seed, more), random.Random(-seed - 1)
    sizes = {"things": r.choice((1, 2, 2, 3)), "places": r.choice((1, 2, 2))}
    sizes = {name: size for name, size in sizes.items() if name in model.size_names}
    budgets = {name: r.choice((0, 1, 1, 2, None)) for name in model.faults}
    return build(model, model.configure(sizes, {"switched": r.random() < 0.5}, budgets))


__all__ = ["Enum", "random_model", "random_system"]
