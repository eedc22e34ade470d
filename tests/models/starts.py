"""Models that may start in many states, and the same by hand: what a start allows is a set, and each step a tuple."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from onceproof.model.language import (
    Int,
    Model,
    Optional,
    Ordered,
    Seq,
    Sort,
    System,
    action,
    always,
    build,
    choose_from,
    ending,
    eventually,
    fault,
    field,
    first,
    given,
    initial,
    last,
    leads_to,
    require,
    sometimes,
    stays,
)


@dataclass(frozen=True)
class Start:
    """A model, with its initial states and its steps as a plain program has them."""

    system: System
    initials: frozenset[Any]
    steps: Callable[[Any], Iterator[Any]]

    @property
    def counts(self) -> tuple[int, int, int]:
        """States, transitions and depth, by breadth-first search from all initial states at once."""
        depths, level, transitions = dict.fromkeys(self.initials, 0), list(self.initials), 0
        while level:
            found = []
            for state in level:
                for after in self.steps(state):
                    transitions += 1
                    if after not in depths:
                        depths[after] = depths[state] + 1
                        found.append(after)
            level = found
        return len(depths), transitions, max(depths.values())


# -- two jugs that somebody used before: at most three gallons are in them, and not the same in both


class Jugs:
    """Each is chosen in turn; what is in the small one is not chosen where the big one is empty."""

    big = field(Int(0, 5))
    small = field(Int(0, 3))

    @initial
    def found(st: Any) -> None:
        """Somebody used them before."""
        st.big = choose_from([0, 1, 2, 1])
        if st.big > 0:
            st.small = choose_from(range(3))
        require(st.big != st.small or st.big == 0)

    @action
    def fill_big(st: Any) -> None:
        st.big = 5

    @action
    def fill_small(st: Any) -> None:
        st.small = 3

    @action
    def empty_big(st: Any) -> None:
        st.big = 0

    @action
    def empty_small(st: Any) -> None:
        st.small = 0

    @action
    def small_to_big(st: Any) -> None:
        poured = min(st.small, 5 - st.big)
        st.big, st.small = st.big + poured, st.small - poured

    @action
    def big_to_small(st: Any) -> None:
        poured = min(st.big, 3 - st.small)
        st.big, st.small = st.big - poured, st.small + poured

    @always
    def not_solved(st: Any) -> bool:
        return st.big != 4


def jug_steps(jugs: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Fill, empty, pour."""
    big, small = jugs
    into_big, into_small = min(small, 5 - big), min(big, 3 - small)
    yield from ((5, small), (big, 3), (0, small), (big, 0))
    yield from ((big + into_big, small - into_big), (big - into_small, small + into_small))


JUGS = Start(
    build(Model("jugs", Jugs)),
    frozenset((b, s) for b, s in product(range(3), range(3)) if (b > 0 or s == 0) and (b != s or b == 0)),
    jug_steps,
)


# -- a ring of nodes that may all be of any colour and any state: two functions, one for each


class Node(Sort, default=3, symmetric=True):
    """A node. No two of them differ."""


class Lamps:
    """Each lamp is on or off, some lamp is watched, and a lamp that is on may break once."""

    lit = field(Node, bool)
    warm = field(Node, bool)
    watched = field(Optional[Node])

    @initial
    def lamps(st: Any) -> None:
        """Any lamps are lit, and those that are may be warm."""
        for node in Node:
            st.lit[node] = choose_from([False, True])
            if st.lit[node]:
                st.warm[node] = choose_from([False, True])

    @initial
    def watcher(st: Any) -> None:
        """Some lamp is watched, or none."""
        st.watched = choose_from([None, *Node])

    @action
    def switch_off(st: Any, node: Node) -> None:
        require(st.lit[node])
        st.lit[node] = False

    @action
    def cool(st: Any, node: Node) -> None:
        require(st.warm[node] and not st.lit[node])
        st.warm[node] = False

    @fault
    def smash(st: Any, node: Node) -> None:
        require(st.watched == node and st.lit[node])
        st.watched, st.lit[node], st.warm[node] = None, False, False

    @eventually
    def all_dark(st: Any) -> bool:
        return not any(st.lit[node] for node in Node)

    @eventually
    def nobody_watches(st: Any) -> bool:
        """It takes a fault, so it is false wherever somebody watches at the start."""
        return st.watched is None

    @stays
    def all_cold(st: Any) -> bool:
        return not any(st.warm[node] for node in Node)

    @leads_to
    def lit_gets_dark(st: Any, node: Node) -> bool:
        given(st.lit[node])
        return not st.lit[node]

    @ending
    def cold(st: Any) -> bool:
        return not any(st.lit[node] or st.warm[node] for node in Node)


Lamp = tuple[tuple[bool, ...], tuple[bool, ...], int | None, int]


def lamp_steps(lamps: Lamp) -> Iterator[Lamp]:
    """Switch off, cool, smash."""
    lit, warm, watched, left = lamps
    for node in range(3):
        off = tuple(on and one != node for one, on in enumerate(lit))
        cold = tuple(on and one != node for one, on in enumerate(warm))
        if lit[node]:
            yield off, warm, watched, left
        if warm[node] and not lit[node]:
            yield lit, cold, watched, left
        if lit[node] and watched == node and left:
            yield off, cold, None, left - 1


def lamp_starts() -> Iterator[Lamp]:
    """Warm only where lit; watched by anybody."""
    truths: Sequence[tuple[bool, ...]] = list(product((False, True), repeat=3))
    for lit, warm, watched in product(truths, truths, (None, 0, 1, 2)):
        if all(on or not hot for on, hot in zip(lit, warm, strict=True)):
            yield lit, warm, watched, 1


_LAMPS = Model("lamps", Lamps)
LAMPS = Start(build(_LAMPS, _LAMPS.configure({}, {}, {"smash": 1})), frozenset(lamp_starts()), lamp_steps)


# -- Chang and Roberts, with identities dealt out in any way


class Place(Ordered, default=3):
    """A place in the ring."""


class Ring:
    """An identity is passed on to the right until it meets a higher one."""

    identity = field(Place, Int(0, 2))
    inbox = field(Place, Seq(Int(0, 2), 3))
    leader = field(Optional[Place])

    @initial
    def deal(st: Any) -> None:
        """No two places have the same identity; each has sent its own to the right."""
        for place in Place:
            dealt = [st.identity[other] for other in Place if other < place]
            st.identity[place] = choose_from([one for one in range(3) if one not in dealt])
        for place in Place:
            st.inbox[right_of(place)].append(st.identity[place])

    @action
    def receive(st: Any, place: Place) -> None:
        require(len(st.inbox[place]) > 0)
        found = st.inbox[place].pop(0)
        if found > st.identity[place]:
            st.inbox[right_of(place)].append(found)
        elif found == st.identity[place]:
            st.leader = place

    @always
    def highest_leads(st: Any, place: Place) -> bool:
        given(st.leader == place)
        return st.identity[place] == 2

    @eventually
    def elected(st: Any) -> bool:
        return st.leader is not None

    @sometimes
    def last_place_leads(st: Any, place: Place) -> bool:
        return st.leader == place

    @ending
    def done(st: Any) -> bool:
        return st.leader is not None


def right_of(place: Any) -> Any:
    """The next place in the ring: after the last one comes the first."""
    return first(Place) if place == last(Place) else place + 1


RingState = tuple[tuple[int, ...], tuple[tuple[int, ...], ...], int | None]


def ring_steps(ring: RingState) -> Iterator[RingState]:
    """Receive: pass on what is higher, drop what is lower, lead by one's own."""
    identity, inbox, leader = ring
    for place in range(3):
        if not inbox[place]:
            continue
        found, right = inbox[place][0], (place + 1) % 3
        boxes = [list(box) for box in inbox]
        boxes[place].pop(0)
        if found > identity[place]:
            boxes[right].append(found)
        yield identity, tuple(map(tuple, boxes)), place if found == identity[place] else leader


def ring_starts() -> Iterator[RingState]:
    """All ways to deal out three identities."""
    for identity in product(range(3), repeat=3):
        if len(set(identity)) == 3:
            yield identity, tuple((identity[place - 1],) for place in range(3)), None


RING = Start(build(Model("ring", Ring)), frozenset(ring_starts()), ring_steps)
STARTS = {"jugs": JUGS, "lamps": LAMPS, "ring": RING}
