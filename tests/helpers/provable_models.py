"""Random small models with many claims each, some true and some false: what proofs are held against.

They have what proofs went wrong on before: messages that are lost, elements used anew, enums of equal names, names that
mean something in SMT-LIB, parameters called as variables of a reader, quantifiers inside quantifiers after a loop.
"""

import random

from onceproof.model.language import Model
from tests.helpers.written_models import written_model

HEADER = """
from enum import Enum
from onceproof import *


class {sort}(Sort, default=2):
    "Things."


class Lamp:
    class Status(Enum):
        OPEN, CLOSED, BROKEN = range(3)


class Door:
    class Status(Enum):
        OPEN, CLOSED = range(2)


{statuses}
{flag} = field({sort}, bool)
sent = field({sort}, bool, network={network})
mail = field({sort}, Optional[{sort}], network={network})
tally = field({sort}, Count(2, saturate=True), network={network_count})
edge = field({sort}, {sort}, bool)
holder = field(Optional[{sort}])
home = field({sort}, {sort}, {home}, constant=True)
kind = field({sort}, Lamp.Status, init=Lamp.Status.CLOSED, constant=True)
"""
# Parts of models on which proofs went wrong; a model gets some of them. A message is lost and its absence noticed, an
# element is used anew, a value of one enum is taken for one of another, a loop is read under a quantifier.
PARTS = (
    """
@action
def post(st, it: {sort}):
    "What was posted is marked."
    require(st.holder is None)
    st.sent[it] = st.{flag}[it] = True
""",
    """
@fault
def lose(st, it: {sort}):
    "A message is lost."
    require(st.sent[it])
    st.sent[it] = False
""",
    """
@action
def miss(st, it: {sort}):
    "What was posted is not there."
    require(st.{flag}[it] and not st.sent[it])
    st.{door} = Door.Status.CLOSED
""",
    """
@action(reuse=True)
def renew(st, it: {sort}):
    "An element is used anew."
    require(st.{flag}[it])
    st.{flag}[it] = False
    st.mail[it] = None
""",
    """
@action
def wear_out(st, it: {sort}):
    "It breaks."
    require(st.lamp[it] == Lamp.Status.CLOSED)
    st.lamp[it] = list(Lamp.Status)[2]
""",
    """
@action
def spread(st):
    "All that an edge leads from is marked."
    for each in {sort}:
        st.{flag}[each] = exists({sort}, lambda a: exists({sort}, lambda b: st.edge[each, b]) if st.sent[a] else False)
    st.{door} = Door.Status.CLOSED if exists({sort}, lambda c: st.{flag}[c]) else Door.Status.OPEN
""",
    """
@always
def posted_is_there(st, it: {sort}):
    "What was posted is there."
    given(st.{flag}[it])
    return st.sent[it]
""",
    """
@always
def nothing_is_missed(st):
    "Nobody missed anything."
    return st.{door} == Door.Status.OPEN
""",
    """
@always
def nothing_breaks(st, it: {sort}):
    "Nothing is broken."
    return st.lamp[it] in (Lamp.Status.OPEN, Lamp.Status.CLOSED)
""",
    """
@always
def no_loops(st, it: {sort}):
    "No edge leads back at once."
    return not st.edge[it, it]
""",
)
CLAIMS = 6


class Writer:
    """Writes the text of one model."""

    def __init__(self, seed: int) -> None:
        self.random = r = random.Random(seed)
        self.sort = r.choice(("Item", "item", "Bool", "Int"))
        self.door = r.choice(("enabled", "select", "next", "door"))
        self.flag = r.choice(("use", "true", "and_then", "st_flag"))
        self.active = set(r.sample(("lamp", "door", "flag", "sent", "mail", "tally", "edge", "holder"), 3))
        if r.random() < 0.5:
            self.active = {"flag", r.choice(("sent", "mail", "tally")), r.choice(("sent", "mail", "door", "lamp"))}
        self.names = r.choice((("one", "two"), (f"{self.sort.lower()}_1", f"{self.sort.lower()}_2"), ("arg", "index")))

    def text(self) -> str:
        """The whole model."""
        r = self.random
        statuses = [f"lamp = field({self.sort}, Lamp.Status)", f"{self.door} = field(Door.Status)"]
        r.shuffle(statuses)
        parts = [
            HEADER.format(
                statuses="\n".join(statuses),
                sort=self.sort,
                flag=self.flag,
                network=r.random() < 0.8,
                network_count=r.random() < 0.4,
                home=r.choice(("init=lambda one: one", "init=lambda one: one + 1", "init=None")),
            )
        ]
        parts += [part.format(sort=self.sort, flag=self.flag, door=self.door) for part in PARTS if r.random() < 0.55]
        parts += [self.action(number) for number in range(r.randint(0, 3))]
        parts += [self.claim(number) for number in range(CLAIMS)]
        return "\n".join(parts)

    def parameters(self, most: int = 2) -> list[str]:
        """The names of some parameters."""
        return list(self.names[: self.random.randint(1, most)])

    def signature(self, parameters: list[str]) -> str:
        """Parameters with their sorts."""
        return "".join(f", {name}: {self.sort}" for name in parameters)

    def action(self, number: int) -> str:
        """A guard or two and a few writes, under a branch now and then, or in a loop."""
        r, scope = self.random, self.parameters()
        mark = r.choice(("@action", "@action", "@fault", "@action(reuse=True)"))
        lines = [f"    require({self.condition(scope)})" for _ in range(r.randint(0, 2))]
        for _ in range(r.randint(1, 3)):
            pad = "    "
            if r.random() < 0.25:
                lines.append(f"{pad}if {self.condition(scope)}:")
                pad += "    "
            if r.random() < 0.2:
                lines.append(f"{pad}for each in {self.sort}:")
                lines.append(f"{pad}    {self.looped(scope)}")
            else:
                lines.append(pad + self.write(scope))
        return "\n".join(["", "", mark, f"def act{number}(st{self.signature(scope)}):", '    "A step."', *lines])

    def chosen(self, templates: dict[str, tuple[str, ...]]) -> str:
        """One of the templates whose fields (joined by blanks) are all in use."""
        found = [text for fields, texts in templates.items() if set(fields.split()) <= self.active for text in texts]
        return self.random.choice(found or templates[""])

    def looped(self, scope: list[str]) -> str:
        """A write to cells of each pass."""
        one, flag = self.random.choice(scope), self.flag
        return self.chosen(
            {
                "": (f"st.{flag}[each] = st.home[each] == {one}",),
                "flag edge sent": (
                    f"st.{flag}[each] = exists({self.sort}, lambda a: st.edge[each, a]) if st.sent[{one}] else False",
                ),
                "sent": ("st.sent[each] = False",),
                "sent flag": (f"st.sent[each] = st.{flag}[each]", f"st.{flag}[each] = not st.sent[each]"),
                "mail flag": (f"st.{flag}[each] = st.mail[each] is None",),
                "edge sent": (f"st.edge[{one}, each] = st.sent[each]",),
            }
        )

    def write(self, scope: list[str]) -> str:
        """One assignment, or two that belong together."""
        r, one, two, flag = self.random, self.random.choice(scope), self.random.choice(scope), self.flag
        status = r.choice(("OPEN", "CLOSED"))
        return self.chosen(
            {
                "": (f"st.{flag}[{one}] = True",),
                "lamp": (
                    f"st.lamp[{one}] = Lamp.Status.{status}",
                    f"st.lamp[{one}] = Lamp.Status.BROKEN if st.lamp[{one}] == Lamp.Status.CLOSED else st.kind[{two}]",
                ),
                "door": (f"st.{self.door} = Door.Status.{status}",),
                "flag": (f"st.{flag}[{one}] = {r.random() < 0.7}",),
                "flag sent": (f"st.{flag}[{one}] = st.sent[{two}]", f"st.sent[{one}] = st.{flag}[{one}] = True"),
                "sent": (f"st.sent[{one}] = {r.random() < 0.5}", f"st.sent[{one}] = not st.sent[{two}]"),
                "mail": (f"st.mail[{one}] = {r.choice((two, 'None'))}",),
                "mail flag": (f"st.{flag}[{one}] = True; st.mail[{one}] = {two}",),
                "tally": (f"st.tally[{one}] = {r.choice((0, 1, 2))}", f"st.tally[{one}] = st.tally[{two}]"),
                "tally flag": (
                    f"st.{flag}[{one}] = True; st.tally[{one}] = 1",
                    f"st.{flag}[{one}] = st.tally[{one}] > 0",
                ),
                "edge": (f"st.edge[{one}, {two}] = {r.random() < 0.8}",),
                "holder": (f"st.holder = {r.choice((one, 'None'))}",),
            }
        )

    def condition(self, scope: list[str], depth: int = 0) -> str:
        """A condition over the parameters in scope."""
        r, one, two = self.random, self.random.choice(scope), self.random.choice(scope)
        status = r.choice(("OPEN", "CLOSED", "BROKEN"))
        if depth < 2 and r.random() < 0.5:
            name = f"each{depth}"
            inner = self.condition([*scope, name], depth + 1)
            return r.choice(
                (
                    f"not ({self.condition(scope, depth + 1)})",
                    f"({self.condition(scope, depth + 1)}) and ({self.condition(scope, depth + 1)})",
                    f"({self.condition(scope, depth + 1)}) or ({self.condition(scope, depth + 1)})",
                    f"exists({self.sort}, lambda {name}: {inner})",
                    f"forall({self.sort}, lambda {name}: {inner})",
                )
            )
        return self.chosen(
            {
                "": (f"st.home[{one}] == {two}", f"st.kind[{one}] == Lamp.Status.CLOSED", f"{one} == {two}"),
                "lamp": (f"st.lamp[{one}] {r.choice(('==', '!='))} Lamp.Status.{status}",) * 3,
                "door": (f"st.{self.door} == Door.Status.{r.choice(('OPEN', 'CLOSED'))}",) * 2,
                "flag": (f"st.{self.flag}[{one}]",) * 4,
                "sent": (f"st.sent[{one}]", f"not st.sent[{one}]", f"st.sent[{one}]"),
                "mail": (f"st.mail[{one}] {r.choice(('is', 'is not'))} None", f"st.mail[{one}] == {two}"),
                "tally": (f"st.tally[{one}] {r.choice(('<', '>', '=='))} {r.choice((0, 1, 1))}",) * 2,
                "edge": (f"st.edge[{one}, {two}]",) * 2,
                "holder": (f"st.holder {r.choice(('is None', '== ' + one, '!= ' + one))}",) * 2,
            }
        )

    def claim(self, number: int) -> str:
        """A claim, most of them implications: the more is presupposed, the likelier it is true."""
        r, scope = self.random, self.parameters()
        lines = [f"    given({self.condition(scope)})" for _ in range(r.randint(0, 2))]
        lines.append(f"    return {self.condition(scope)}")
        return "\n".join(
            ["", "", "@always", f"def claim{number}(st{self.signature(scope)}):", '    "A claim."', *lines]
        )


def provable_model(seed: int) -> Model:
    """The model with this seed."""
    return written_model(Writer(seed).text(), f"provable{seed}")
