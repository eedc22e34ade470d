"""A lock service: clients ask a server for the lock, get it by message, and give it back by message."""

from onceproof.model.language import Fairness, Sort, State, action, always, exists, field, given, require, sometimes


class Client(Sort, default=2, symmetric=True):
    """Who asks for the lock."""


class LockServiceState(State):
    """The state of the model."""

    asks = field(Client, bool, doc="a message to the server")
    granted = field(Client, bool, doc="a message from the server")
    gives_back = field(Client, bool, doc="a message to the server")
    holds = field(Client, bool)
    free = field(bool, init=True, doc="the server has the lock")


@action(fairness=Fairness.NONE)
def ask(st: LockServiceState, client: Client) -> None:
    """A client asks for the lock."""
    st.asks[client] = True


@action
def grant(st: LockServiceState, client: Client) -> None:
    """The server has the lock and gives it to one that asked."""
    require(st.asks[client] and st.free)
    st.asks[client] = False
    st.free = False
    st.granted[client] = True


@action
def take(st: LockServiceState, client: Client) -> None:
    """The grant arrives."""
    require(st.granted[client])
    st.granted[client] = False
    st.holds[client] = True


@action
def give_back(st: LockServiceState, client: Client) -> None:
    """A client is done with the lock."""
    require(st.holds[client])
    st.holds[client] = False
    st.gives_back[client] = True


@action
def take_back(st: LockServiceState, client: Client) -> None:
    """The lock is back with the server."""
    require(st.gives_back[client])
    st.gives_back[client] = False
    st.free = True


def has_it(st: LockServiceState, client: Client) -> bool:
    """The lock is with the client, or on the way to it or from it."""
    return st.granted[client] or st.holds[client] or st.gives_back[client]


@always
def mutual_exclusion(st: LockServiceState, one: Client, other: Client) -> bool:
    """No two clients hold the lock."""
    given(one != other and st.holds[one])
    return not st.holds[other]


@sometimes
def held(st: LockServiceState) -> bool:
    """Somebody holds it."""
    return exists(Client, lambda client: st.holds[client])


@always(invariant="there is one lock")
def not_free_while_out(st: LockServiceState, client: Client) -> bool:
    """The server gives the lock away before it is anywhere else, and has it again only when it is back."""
    given(has_it(st, client))
    return not st.free


@always(invariant="there is one lock")
def at_one_client(st: LockServiceState, one: Client, other: Client) -> bool:
    """It is given to one client, and to no other until that one gave it back."""
    given(has_it(st, one) and has_it(st, other))
    return one == other


@always(invariant="there is one lock")
def in_one_place(st: LockServiceState, client: Client) -> bool:
    """Taking the lock takes the grant away, giving it back takes it out of the client's hands."""
    given(st.holds[client])
    return not st.granted[client] and not st.gives_back[client]


@always(invariant="there is one lock")
def not_on_both_ways(st: LockServiceState, client: Client) -> bool:
    """A client gives back what it held, and is granted only what came back."""
    given(st.granted[client])
    return not st.gives_back[client]
