"""A lock with a lease, small enough to count by hand: what the tests of the command line check."""

from onceproof.model.language import (
    Optional,
    Sort,
    State,
    action,
    always,
    ending,
    eventually,
    exists,
    fault,
    field,
    forall,
    given,
    require,
    sometimes,
    switch,
)


class Worker(Sort, default=2):
    """A process that wants to write once."""


class LeaseState(State):
    """The state of the model."""

    fencing = switch(on="the store refuses a write under an old lease", off="it takes any")

    holder = field(Optional[Worker], doc="who has the lease that counts")
    working = field(Worker, bool, doc="it believes in its lease")
    done = field(Worker, bool)
    spoiled = field(bool, ghost=True, doc="a write under an old lease got through")


@action
def acquire(st: LeaseState, worker: Worker) -> None:
    """A worker is given the free lease."""
    require(st.holder is None and not st.working[worker] and not st.done[worker])
    st.holder = worker
    st.working[worker] = True


@action
def write(st: LeaseState, worker: Worker) -> None:
    """A worker writes, and gives its lease back."""
    require(st.working[worker])
    if st.holder == worker:
        st.holder = None
    else:
        require(not st.fencing)
        st.spoiled = True
    st.working[worker] = False
    st.done[worker] = True


@action
def give_up(st: LeaseState, worker: Worker) -> None:
    """A worker whose write was refused begins anew."""
    require(st.fencing and st.working[worker] and st.holder != worker)
    st.working[worker] = False


@fault
def lease_ends(st: LeaseState) -> None:
    """The holder was too slow, and does not know."""
    require(st.holder is not None)
    st.holder = None


@fault
def store_burns(st: LeaseState) -> None:
    """Never: for the tests of faults that can't happen."""
    require(st.spoiled and st.fencing)
    st.spoiled = False


@always
def never_spoiled(st: LeaseState) -> bool:
    """No write under an old lease gets through."""
    given(exists(Worker, lambda worker: st.done[worker]))
    return not st.spoiled


@eventually
def all_done(st: LeaseState, worker: Worker) -> bool:
    """A worker that began gets its write done."""
    given(st.working[worker])
    return st.done[worker]


@sometimes
def lapse_seen(st: LeaseState) -> bool:
    """A worker believes in a lease that has ended."""
    return exists(Worker, lambda worker: st.working[worker] and st.holder != worker)


@ending
def finished(st: LeaseState) -> bool:
    """Every worker has written."""
    return forall(Worker, lambda worker: st.done[worker])
