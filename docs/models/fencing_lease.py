"""A lease with fencing tokens: the store refuses a write under an older token than it has seen."""

from onceproof import Int, Optional, Sort, State, action, always, ending, fault, field, require, sometimes, switch

GRANTS = 3


class Client(Sort, default=2, symmetric=True):
    """Who writes under a lease."""


class Lease(State):
    """The lock service, the clients, and the store."""

    fencing = switch(on="the store refuses a token that is older than one it has seen", off="it takes any write")
    holder = field(Optional[Client], doc="who has the lease, as the lock service knows it")
    granted = field(Int(0, GRANTS), doc="the token of the latest grant")
    token = field(Client, Int(0, GRANTS), doc="the token that a client believes in; 0: none")
    seen = field(Int(0, GRANTS), doc="the highest token that the store has seen")
    overwritten = field(bool, ghost=True, doc="a write under an older token came after one under a newer")


@action
def acquire(st: Lease, client: Client) -> None:
    """A client gets the free lease, with a higher token than any before."""
    require(st.holder is None and st.token[client] == 0 and st.granted < GRANTS)
    st.granted += 1
    st.holder = client
    st.token[client] = st.granted


@action
def write(st: Lease, client: Client) -> None:
    """A client writes under its token, whether or not its lease still counts."""
    require(st.token[client] > 0)
    require(not st.fencing or st.token[client] >= st.seen)
    if st.token[client] < st.seen:
        st.overwritten = True
    st.seen = max(st.seen, st.token[client])


@action
def give_up(st: Lease, client: Client) -> None:
    """A client is done, or learns from a refused write that its lease has ended."""
    require(st.token[client] > 0)
    st.token[client] = 0
    if st.holder == client:
        st.holder = None


@fault
def expire(st: Lease) -> None:
    """The lease ends while its holder sleeps: it goes on believing in its token."""
    require(st.holder is not None)
    st.holder = None


@always
def newest_wins(st: Lease) -> bool:
    """No write under an older token comes after one under a newer token."""
    return not st.overwritten


@sometimes
def two_believe(st: Lease, one: Client, other: Client) -> bool:
    """Two clients believe that they hold the lease: fencing does not prevent that, it makes it harmless."""
    return one != other and st.token[one] > 0 and st.token[other] > 0


@ending
def used_up(st: Lease) -> bool:
    """All grants were made, and given up."""
    return st.granted == GRANTS and all(st.token[client] == 0 for client in Client)
