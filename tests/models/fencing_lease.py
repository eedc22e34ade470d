"""A lease with fencing tokens: each grant has a higher token, and the store refuses a lower one than it has seen."""

from onceproof.model.language import (
    Optional,
    Sort,
    State,
    action,
    always,
    axiom,
    exists,
    fault,
    field,
    forall,
    given,
    require,
    sometimes,
)


class Client(Sort, default=2):
    """Who takes the lease."""


class Token(Sort, default=3):
    """A grant of the lease."""


class FencingLeaseState(State):
    """The state of the model."""

    at_most = field(Token, Token, bool, init=lambda one, other: one <= other, constant=True)
    leased = field(bool, doc="the lease service believes that somebody holds it")
    owner = field(Token, Optional[Client], doc="to whom the token was given")
    believes = field(Client, Optional[Token], doc="what a client believes to hold, rightly or not")
    write = field(Client, Token, bool, network=True, doc="a write on its way to the store")
    fence = field(Optional[Token], doc="the highest token that the store has seen")
    wrote = field(Client, Token, bool, ghost=True)
    reordered = field(bool, ghost=True, doc="a write was accepted after one of a higher token")


@axiom
def order_is_transitive(st: FencingLeaseState, one: Token, two: Token, three: Token) -> bool:
    """What is at most something is at most all that is beyond it."""
    given(st.at_most[one, two] and st.at_most[two, three])
    return st.at_most[one, three]


@axiom
def order_is_antisymmetric(st: FencingLeaseState, one: Token, other: Token) -> bool:
    """Two tokens each at most the other are the same."""
    given(st.at_most[one, other] and st.at_most[other, one])
    return one == other


@axiom
def order_is_total(st: FencingLeaseState, one: Token, other: Token) -> bool:
    """Of two tokens one is at most the other."""
    return st.at_most[one, other] or st.at_most[other, one]


@action
def grant(st: FencingLeaseState, client: Client, token: Token) -> None:
    """A free lease is given away, with a higher token than any before."""
    require(not st.leased)
    require(forall(Token, lambda old: st.owner[old] is None or not st.at_most[token, old]))
    st.leased = True
    st.owner[token] = client
    st.believes[client] = token


@fault
def expire(st: FencingLeaseState) -> None:
    """The lease runs out, and whoever held it does not notice."""
    require(st.leased)
    st.leased = False


@action
def send(st: FencingLeaseState, client: Client, token: Token) -> None:
    """A client that believes to hold the lease writes."""
    require(st.believes[client] == token)
    st.write[client, token] = True


@action
def accept(st: FencingLeaseState, client: Client, token: Token) -> None:
    """A write arrives at the store, with a token that is not below the fence."""
    require(st.write[client, token])
    fence = st.fence
    if fence is not None:
        require(st.at_most[fence, token])
    st.write[client, token] = False
    st.reordered = st.reordered or exists(
        Client, Token, lambda c, t: st.wrote[c, t] and t != token and st.at_most[token, t]
    )
    st.fence = token
    st.wrote[client, token] = True


@always
def writes_are_in_the_order_of_tokens(st: FencingLeaseState) -> bool:
    """No write is accepted after one of a higher token."""
    return not st.reordered


@always
def one_writer_for_a_token(st: FencingLeaseState, one: Client, other: Client, token: Token) -> bool:
    """Under a token one client at most wrote."""
    given(st.wrote[one, token] and st.wrote[other, token])
    return one == other


@sometimes
def two_wrote(st: FencingLeaseState) -> bool:
    """One client wrote after another."""
    return exists(
        Client,
        Client,
        Token,
        Token,
        lambda one, other, first, second: one != other and st.wrote[one, first] and st.wrote[other, second],
    )


@always(invariant="tokens")
def believed_token_was_given(st: FencingLeaseState, client: Client, token: Token) -> bool:
    """A client believes only in tokens that were given to it."""
    given(st.believes[client] == token)
    return st.owner[token] == client


@always(invariant="tokens")
def sent_token_was_given(st: FencingLeaseState, client: Client, token: Token) -> bool:
    """A client writes only under tokens that were given to it."""
    given(st.write[client, token])
    return st.owner[token] == client


@always(invariant="tokens")
def written_token_was_given(st: FencingLeaseState, client: Client, token: Token) -> bool:
    """The store accepts only what was sent."""
    given(st.wrote[client, token])
    return st.owner[token] == client


@always(invariant="fence")
def fence_is_at_the_highest(st: FencingLeaseState, client: Client, token: Token) -> bool:
    """No write was accepted above the fence."""
    given(st.wrote[client, token])
    fence = st.fence
    return fence is not None and st.at_most[token, fence]
