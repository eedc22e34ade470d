"""Letters between two places, and what is promised of them: lists, sets and records on both sides of a refinement."""

from onceproof.model.language import (
    Model,
    Optional,
    Seq,
    Set,
    Sort,
    State,
    action,
    choose,
    choose_from,
    fault,
    field,
    initial,
    record,
    refines,
    require,
    require_not_none,
    within,
)


class Client(Sort, default=2):
    """Who writes."""


@record
class Letter:
    """A letter."""

    client: Client
    urgent: bool


class Promised(State):
    """The letters that are open, in the order of writing."""

    open = field(Seq(Letter, 3))
    last = field(Optional[Letter])
    readers = field(Set(Client))


@action
def write(st: Promised, client: Client) -> None:
    """A letter is written."""
    require(len(st.open) < 3)
    st.open.append(Letter(client, choose_from([True, False])))


@action
def finish(st: Promised) -> None:
    """The first is read."""
    require(len(st.open) > 0)
    letter = st.open.pop(0)
    st.last = letter
    st.readers.add(letter.client)


@action
def lose(st: Promised) -> None:
    """One of them is lost."""
    st.open.remove(choose_from(st.open))


PROMISE = Model("promise", {"Promised": Promised, "write": write, "finish": finish, "lose": lose})


class Post(State):
    """Two places where letters are."""

    box = field(Seq(Letter, 1))
    desk = field(Seq(Letter, 2))
    done = field(Client, bool)
    seen = field(Optional[Letter])


@initial
def found(st: Post) -> None:
    """There are several starts, all of which look alike."""
    if choose_from([True, False]):
        st.done[choose(Client)] = False


@action
def post(st: Post, client: Client) -> None:
    """A letter goes into the box."""
    require(len(st.box) == 0 and len(st.desk) < 2)
    st.box.append(Letter(client, st.done[client]))


@action
def carry(st: Post) -> None:
    """From the box to the desk."""
    require(len(st.box) > 0 and len(st.desk) < 2)
    st.desk.append(st.box.pop(0))


@action
def read(st: Post) -> None:
    """The first on the desk is read."""
    require(len(st.desk) > 0)
    st.seen = st.desk.pop(0)
    st.done[require_not_none(st.seen).client] = True


@fault
def fire(st: Post) -> None:
    """What is in the box burns."""
    st.box.clear()


@within
def short(st: Post) -> bool:
    """As long as there are not too many letters."""
    return len(st.desk) < 2 or len(st.box) == 0


@refines(PROMISE)
def delivers(st: Post, spec: Promised) -> None:
    """Letters on the desk are before those in the box."""
    spec.open = st.desk + st.box
    spec.last = st.seen
    for client in Client:
        if st.done[client]:
            spec.readers.add(client)


@refines(PROMISE)
def delivers_backwards(st: Post, spec: Promised) -> None:
    """The wrong order: the last letter would be read first."""
    spec.open = st.box + st.desk
    spec.last = st.seen
    for client in Client:
        if st.done[client]:
            spec.readers.add(client)


@refines(PROMISE)
def overflows(st: Post, spec: Promised) -> None:
    """Where letters are in both places they are too many."""
    spec.open = st.desk + st.box
    if len(st.desk) > 0:
        spec.open = st.desk + st.box + st.box + st.box
    spec.last = st.seen
    for client in Client:
        if st.done[client]:
            spec.readers.add(client)


POST = Model(
    "post",
    {
        **{"Post": Post, "found": found, "post": post, "carry": carry, "read": read, "fire": fire, "short": short},
        **{"delivers": delivers, "delivers_backwards": delivers_backwards, "overflows": overflows},
    },
)
