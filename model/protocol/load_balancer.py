"""The load balancer: gives each user's queue to one scheduler, and to another when that one is down."""

from onceproof.model.language import Fairness, action, fault, require, require_not_none
from onceproof.model.protocol.state import Platform
from onceproof.model.protocol.vocabulary import Mode, Scheduler, User


@action
def assign(st: Platform, scheduler: Scheduler, user: User) -> None:
    """A queue without an owner, or whose owner is not up, is given to a scheduler."""
    require(st.mode[scheduler] == Mode.UP)
    owner = st.owner[user]
    require(owner is None or st.mode[owner] != Mode.UP)
    give(st, scheduler, user)


@fault
def stale_owner(st: Platform, scheduler: Scheduler, user: User) -> None:
    """A queue is given away although its owner is up, which goes on believing in its ownership."""
    require(st.mode[scheduler] == Mode.UP)
    owner = require_not_none(st.owner[user])
    require(owner != scheduler and st.mode[owner] == Mode.UP)
    give(st, scheduler, user)


@action(budget="hand_overs", fairness=Fairness.NONE)
def hand_over(st: Platform, scheduler: Scheduler, user: User) -> None:
    """A queue is given to a scheduler with fewer; its owner is told, takes no more of it, and ends what it began."""
    require(st.mode[scheduler] == Mode.UP)
    owner = require_not_none(st.owner[user])
    require(owner != scheduler and st.mode[owner] == Mode.UP)
    if not st.owner_epoch:
        st.believes[owner, user] = False
    give(st, scheduler, user)


def give(st: Platform, scheduler: Scheduler, user: User) -> None:
    """Ownership as the store has it, and as the scheduler believes it."""
    st.owner[user] = scheduler
    if not st.owner_epoch:
        st.believes[scheduler, user] = True


def may_receive(st: Platform, scheduler: Scheduler, user: User) -> bool:
    """Whether the queue serves this scheduler: by epoch, or by its own belief."""
    if st.owner_epoch:
        return st.owner[user] == scheduler
    return st.believes[scheduler, user]
