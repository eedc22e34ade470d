"""Leader election in Raft: a server votes once a term, and whoever has a majority of a term leads it."""

from enum import Enum

from onceproof import Ordered, Sort, State, action, always, ending, fault, field, last, require, sometimes, switch


class Server(Sort, default=3, symmetric=True):
    """A member of the cluster."""


class Term(Ordered, default=3):
    """The first is the term in which all begin, without a leader."""


class Role(Enum):
    """What a server takes itself for."""

    FOLLOWER, CANDIDATE, LEADER = range(3)


class Cluster(State):
    """The servers, and the requests and votes that were sent: these stay, so they may come late."""

    durable = switch(on="a vote is on disk before it is sent", off="a server that crashes forgets how it voted")
    role = field(Server, Role)
    term = field(Server, Term)
    voted = field(Server, Term, bool, doc="what a server remembers of its votes")
    asked = field(Server, Term, bool, doc="a candidate asked for votes in this term")
    vote = field(Server, Server, Term, bool, doc="the first votes for the second")
    led = field(Server, Term, bool, ghost=True)


@action
def time_out(st: Cluster, server: Server) -> None:
    """A server hears of no leader: it stands for election in the next term, and votes for itself."""
    require(st.role[server] != Role.LEADER and st.term[server] < last(Term))
    st.term[server] = st.term[server] + 1
    st.role[server] = Role.CANDIDATE
    st.asked[server, st.term[server]] = st.voted[server, st.term[server]] = True
    st.vote[server, server, st.term[server]] = True


@action
def grant(st: Cluster, server: Server, candidate: Server, term: Term) -> None:
    """A server votes for the first candidate that asks in a term; in a new term it steps down."""
    require(st.asked[candidate, term] and term >= st.term[server] and not st.voted[server, term])
    if term > st.term[server]:
        st.role[server] = Role.FOLLOWER
        st.term[server] = term
    st.voted[server, term] = st.vote[server, candidate, term] = True


@action
def win(st: Cluster, server: Server) -> None:
    """A candidate has the votes of a majority in its term."""
    require(st.role[server] == Role.CANDIDATE)
    require(2 * sum(st.vote[voter, server, st.term[server]] for voter in Server) > len(Server))
    st.role[server] = Role.LEADER
    st.led[server, st.term[server]] = True


@fault
def crash(st: Cluster, server: Server) -> None:
    """A server dies and comes back; its term and its votes are on disk, if votes are durable."""
    st.role[server] = Role.FOLLOWER
    if not st.durable:
        for term in Term:
            st.voted[server, term] = False


@always
def one_leader_a_term(st: Cluster, one: Server, other: Server, term: Term) -> bool:
    """A term has one leader at most."""
    return one == other or not (st.led[one, term] and st.led[other, term])


@sometimes
def elected(st: Cluster, server: Server) -> bool:
    """A leader is elected."""
    return st.role[server] == Role.LEADER


@ending
def out_of_terms(st: Cluster) -> bool:
    """Nobody can stand for election any more."""
    return all(st.role[server] == Role.LEADER or st.term[server] == last(Term) for server in Server)
