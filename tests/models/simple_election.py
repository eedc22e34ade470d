"""Simple election: an acceptor promises its voice to one proposer, and who has a quorum's promises leads."""

from onceproof.model.language import (
    Sort,
    State,
    action,
    always,
    axiom,
    exists,
    field,
    forall,
    given,
    require,
    sometimes,
)


class Acceptor(Sort, default=3):
    """Who promises."""


class Proposer(Sort, default=2):
    """Who wants to lead."""


class Quorum(Sort, default=3):
    """A set of acceptors that can elect."""


class SimpleElectionState(State):
    """The state of the model."""

    member = field(Quorum, Acceptor, bool, init=lambda quorum, acceptor: quorum != acceptor, constant=True)
    stands = field(Proposer, bool, doc="it asked for promises")
    promise = field(Acceptor, Proposer, bool)
    leads = field(Proposer, bool)


@axiom
def quorums_meet(st: SimpleElectionState, one: Quorum, other: Quorum) -> bool:
    """Any two quorums share an acceptor."""
    return exists(Acceptor, lambda acceptor: st.member[one, acceptor] and st.member[other, acceptor])


@action
def stand(st: SimpleElectionState, proposer: Proposer) -> None:
    """A proposer asks for promises."""
    st.stands[proposer] = True


@action
def give_promise(st: SimpleElectionState, acceptor: Acceptor, proposer: Proposer) -> None:
    """An acceptor that has promised nothing promises."""
    require(st.stands[proposer])
    require(forall(Proposer, lambda other: not st.promise[acceptor, other]))
    st.promise[acceptor, proposer] = True


@action
def win(st: SimpleElectionState, quorum: Quorum, proposer: Proposer) -> None:
    """A quorum promised."""
    require(st.stands[proposer])
    require(forall(Acceptor, lambda a: not st.member[quorum, a] or st.promise[a, proposer]))
    st.leads[proposer] = True


@always
def one_leader(st: SimpleElectionState, one: Proposer, other: Proposer) -> bool:
    """No two proposers lead."""
    given(st.leads[one] and st.leads[other])
    return one == other


@sometimes
def somebody_leads(st: SimpleElectionState) -> bool:
    """A proposer is elected."""
    return exists(Proposer, lambda proposer: st.leads[proposer])


@always(invariant="promises")
def one_promise(st: SimpleElectionState, acceptor: Acceptor, one: Proposer, other: Proposer) -> bool:
    """An acceptor promises to one proposer."""
    given(st.promise[acceptor, one] and st.promise[acceptor, other])
    return one == other


@always(invariant="promises")
def elected_by_a_quorum(st: SimpleElectionState, proposer: Proposer) -> bool:
    """Behind a leader stands a quorum."""
    given(st.leads[proposer])
    return exists(Quorum, lambda q: forall(Acceptor, lambda a: not st.member[q, a] or st.promise[a, proposer]))
