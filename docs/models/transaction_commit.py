"""Transaction commit: the resource managers of a transaction never disagree about its end. Lamport's TCommit."""

from enum import Enum

from onceproof import Sort, State, action, always, ending, field, forall, require


class Manager(Sort, size="managers", default=3, symmetric=True):
    """A resource manager."""


class Stage(Enum):
    """How far a resource manager is."""

    WORKING, PREPARED, COMMITTED, ABORTED = range(4)


class Transaction(State):
    """How far each is."""

    stage = field(Manager, Stage)


@action
def prepare(st: Transaction, manager: Manager) -> None:
    """A resource manager is ready to commit."""
    require(st.stage[manager] == Stage.WORKING)
    st.stage[manager] = Stage.PREPARED


@action
def commit(st: Transaction, manager: Manager) -> None:
    """It commits, once all are ready or have committed."""
    require(st.stage[manager] == Stage.PREPARED)
    require(forall(Manager, lambda other: st.stage[other] in (Stage.PREPARED, Stage.COMMITTED)))
    st.stage[manager] = Stage.COMMITTED


@action
def abort(st: Transaction, manager: Manager) -> None:
    """It aborts, as long as none has committed."""
    require(st.stage[manager] in (Stage.WORKING, Stage.PREPARED))
    require(forall(Manager, lambda other: st.stage[other] != Stage.COMMITTED))
    st.stage[manager] = Stage.ABORTED


@always
def consistent(st: Transaction, one: Manager, other: Manager) -> bool:
    """No manager commits where another one aborts."""
    return not (st.stage[one] == Stage.COMMITTED and st.stage[other] == Stage.ABORTED)


@ending
def decided(st: Transaction) -> bool:
    """All have come to an end."""
    return forall(Manager, lambda manager: st.stage[manager] in (Stage.COMMITTED, Stage.ABORTED))
