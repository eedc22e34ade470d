"""What all random models have in common: how fields are declared, modules begin, and the same in the plain programs."""

from tests.helpers.soundness.expressions import COLOURS, LONGEST, MOODS, MOST, SORTS

KINDS = {
    "colour": "Colour",
    "mood": "other.Colour",
    "place?": "Optional[Place]",
    "thing?": "Optional[Thing]",
    "colour?": "Optional[Colour]",
    "thing": "Thing",
    "floor": "Floor",
    "bool": "bool",
    "saturating": f"Count({MOST['tally']}, saturate=True)",
    "strict": f"Count({MOST['strict']})",
    "whole": "Int(-1, 2)",
    "things": f"Seq(Thing, {LONGEST})",
    "newest dropped": f'Seq(Thing, {LONGEST}, drop="new")',
    "oldest dropped": f'Seq(Thing, {LONGEST}, drop="old")',
    "pairs": 'Seq(Pair, 1, drop="new")',
    "pair": "Pair",
    "pair?": "Optional[Pair]",
    "set": "Set(Thing)",
    "set of pairs": "Set(Pair)",
    "bag": 'Bag(Thing, 2, drop="new")',
}
INDICES = {**SORTS, "colour": "Colour", "small": "Int(0, 2)"}
# What the program has in the same places: what an index goes through, and what a cell starts with.
INDICES_IN_PROGRAM = {
    "thing": "range(THINGS)",
    "place": "range(PLACES)",
    "floor": "range(FLOORS)",
    "colour": "COLOURS",
    "small": "range(3)",
}
FIRST = {
    "colour": f"'Colour.{COLOURS[0]}'",
    "mood": f"'other.Colour.{MOODS[0]}'",
    "bool": "False",
    "thing": "0",
    "floor": "0",
    "saturating": "0",
    "strict": "0",
    "whole": "-1",
    "things": "()",
    "newest dropped": "()",
    "oldest dropped": "()",
    "pairs": "()",
    "pair": f"Pair(0, 'Colour.{COLOURS[0]}')",
    "set": "frozenset()",
    "set of pairs": "frozenset()",
    "bag": "()",
}
BASE = '''
from enum import Enum
from onceproof import Ordered, Sort, record


class Thing(Sort, default=2, symmetric=True):
    """Things."""


class Place(Sort, default=2):
    """Places."""


class Floor(Ordered, default=2):
    """Floors, from the lowest to the highest."""


class Colour(Enum):
    """An enum."""

    RED, GREEN, BLUE = range(3)


@record
class Pair:
    """A thing and a colour."""

    thing: Thing
    colour: Colour

    def is_like(self, other):
        """Whether the colour is the same."""
        return self.colour == other.colour
'''
OTHER = '''
from enum import Enum
from onceproof import *
import {base} as base
from {base} import Floor, Place, Thing


class Colour(Enum):
    """Called like another enum."""

    RED, SAD = range(2)


LIMIT = 2


def note(seen, x):
    seen.append(x)
'''
HEADER = """
from onceproof import *
import {other} as other
from {base} import Colour, Floor, Pair, Place, Thing


LIMIT = 1
"""
DECLARED = (
    'switched = switch(on="more is allowed", off="less is")',
    "limit = parameter(default=1, least=1)",
    "home = field(Thing, Place, init=in_turn, constant=True)",
    "before = field(Thing, Thing, bool, init=lambda a, b: a < b, constant=True)",
    "chief = field(Thing, init={chief}, constant=True)",
)
PROGRAM = """
from collections import namedtuple

main_LIMIT, other_LIMIT = 1, 2
COLOURS = ["Colour.RED", "Colour.GREEN", "Colour.BLUE"]


class Pair(namedtuple("Pair", "thing colour")):
    def is_like(self, other):
        return self.colour == other.colour


class Off(Exception):
    pass


class Left(Exception):
    pass


def kept(value):
    if not 0 <= value <= 2:
        raise Left
    return value


def not_none(value):
    if value is None:
        raise Off
    return value


def in_order(values):
    return sorted(values, key=lambda one: (one.thing, COLOURS.index(one.colour)) if isinstance(one, Pair) else one)


def send(bag, value):
    if bag.count(value) < 2:
        bag.append(value)
        bag.sort()


def receive(held, value):
    if value not in held:
        raise Off
    held.remove(value)


def other_note(seen, x):
    seen.append(x)

"""
