"""The load balancer: gives each user's queue to one scheduler, and to another when that one is down."""

from onceproof.model.language import Optional, State, action, fault, field, in_turn, require, switch
from onceproof.model.protocol.vocabulary import Mode, Scheduler, Task, User

owner_epoch = switch(
    on="a queue's owner acts under an epoch that a new owner ends", off="an old owner may go on receiving"
)

user_of = field(Task, User, init=in_turn, constant=True, doc="whose task it is: tasks are dealt out in turn")
owner = field(User, Optional[Scheduler])
believes = field(Scheduler, User, bool, doc="what a scheduler takes itself for; counts only without epochs")


@action
def assign(st: State, scheduler: Scheduler, user: User) -> None:
    """A queue without an owner, or whose owner is not up, is given to a scheduler."""
    require(st.mode[scheduler] == Mode.UP)
    owner = st.owner[user]
    require(owner is None or st.mode[owner] != Mode.UP)
    give(st, scheduler, user)


@fault
def stale_owner(st: State, scheduler: Scheduler, user: User) -> None:
    """A queue is given away although its owner is up, which goes on believing in its ownership."""
    require(st.mode[scheduler] == Mode.UP)
    owner = st.owner[user]
    require(owner is not None and owner != scheduler and st.mode[owner] == Mode.UP)
    give(st, scheduler, user)


def give(st: State, scheduler: Scheduler, user: User) -> None:
    """Ownership as the store has it, and as the scheduler believes it."""
    st.owner[user] = scheduler
    if not st.owner_epoch:
        st.believes[scheduler, user] = True


def may_receive(st: State, scheduler: Scheduler, user: User) -> bool:
    """Whether the queue serves this scheduler: by epoch, or by its own belief."""
    if st.owner_epoch:
        return st.owner[user] == scheduler
    return st.believes[scheduler, user]
