"""Two-phase commit: a coordinator asks all resource managers before it commits. Lamport's TwoPhase."""

from enum import Enum

import transaction_commit
from transaction_commit import Manager, Stage

from onceproof import State, action, always, field, forall, refines, require, switch


class Decision(Enum):
    """What the coordinator has decided; it is also the message that it sends to all."""

    NONE, COMMIT, ABORT = range(3)


class Transaction(State):
    """How far each is, and which messages were sent; a message stays, so it can be received late or twice."""

    stage = field(Manager, Stage)
    decision = field(Decision)
    prepared = field(Manager, bool, doc="it sent the coordinator that it is prepared")
    heard = field(Manager, bool, doc="the coordinator received that")
    hears_all = switch(on="the coordinator commits when it heard of all", off="it commits whenever it likes")


@action
def prepare(st: Transaction, manager: Manager) -> None:
    """A resource manager is ready to commit, and says so."""
    require(st.stage[manager] == Stage.WORKING)
    st.stage[manager] = Stage.PREPARED
    st.prepared[manager] = True


@action
def choose_to_abort(st: Transaction, manager: Manager) -> None:
    """A resource manager aborts by itself, without a message."""
    require(st.stage[manager] == Stage.WORKING)
    st.stage[manager] = Stage.ABORTED


@action
def hear(st: Transaction, manager: Manager) -> None:
    """The coordinator receives that one is ready."""
    require(st.decision == Decision.NONE and st.prepared[manager])
    st.heard[manager] = True


@action
def decide(st: Transaction) -> None:
    """The coordinator commits: it heard of all."""
    require(st.decision == Decision.NONE)
    require(not st.hears_all or forall(Manager, lambda manager: st.heard[manager]))
    st.decision = Decision.COMMIT


@action
def give_up(st: Transaction) -> None:
    """The coordinator aborts, whenever it likes."""
    require(st.decision == Decision.NONE)
    st.decision = Decision.ABORT


@action
def obey(st: Transaction, manager: Manager) -> None:
    """A resource manager does what the coordinator decided."""
    require(st.decision != Decision.NONE)
    st.stage[manager] = Stage.COMMITTED if st.decision == Decision.COMMIT else Stage.ABORTED


@always
def consistent(st: Transaction, one: Manager, other: Manager) -> bool:
    """No manager commits where another one aborts."""
    return not (st.stage[one] == Stage.COMMITTED and st.stage[other] == Stage.ABORTED)


@refines(transaction_commit)
def commits_as_one(st: Transaction, spec: transaction_commit.Transaction) -> None:
    """It is transaction commit, if one looks at the managers alone."""
    for manager in Manager:
        spec.stage[manager] = st.stage[manager]
