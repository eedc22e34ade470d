"""A Kafka consumer group: after a rebalance the commit of a consumer of an older generation is refused."""

from onceproof import (
    Int,
    Optional,
    Sort,
    State,
    action,
    always,
    ending,
    eventually,
    fault,
    field,
    require,
    sometimes,
    switch,
)

RECORDS = 2
GENERATIONS = 3


class Consumer(Sort, default=2, symmetric=True):
    """A member of the group; one partition is read."""


class Group(State):
    """The coordinator, the committed offset, and what each consumer believes."""

    fencing = switch(on="a commit of an older generation is refused", off="any commit is taken")
    generation = field(Int(0, GENERATIONS), doc="goes up with each rebalance")
    assigned = field(Optional[Consumer], doc="whose the partition is")
    committed = field(Int(0, RECORDS), doc="the offset from which a new owner reads")
    joined = field(Consumer, Int(0, GENERATIONS), doc="the generation in which it was given the partition; 0: none")
    position = field(Consumer, Int(0, RECORDS), doc="the offset of the next record that it reads")
    went_back = field(bool, ghost=True, doc="a commit set the committed offset back")


@action
def assign(st: Group, consumer: Consumer) -> None:
    """The partition is nobody's: a rebalance gives it to a consumer, which reads from the committed offset."""
    require(st.assigned is None and st.generation < GENERATIONS)
    st.generation += 1
    st.assigned = consumer
    st.joined[consumer] = st.generation
    st.position[consumer] = st.committed


@action
def process(st: Group, consumer: Consumer) -> None:
    """A consumer processes the next record, whether or not the partition is still its own."""
    require(st.joined[consumer] > 0 and st.position[consumer] < RECORDS)
    st.position[consumer] += 1


@action
def commit(st: Group, consumer: Consumer) -> None:
    """It commits how far it is; refused, it learns that it was thrown out."""
    require(st.joined[consumer] > 0 and st.position[consumer] != st.committed)
    if st.fencing and st.joined[consumer] != st.generation:
        st.joined[consumer] = 0
    else:
        if st.position[consumer] < st.committed:
            st.went_back = True
        st.committed = st.position[consumer]


@fault
def session_ends(st: Group) -> None:
    """A consumer sends no heartbeat in time (a long pause): the partition is taken from it, and it does not know."""
    require(st.assigned is not None)
    st.assigned = None


@always
def never_goes_back(st: Group) -> bool:
    """The committed offset never goes back: what was done is not done again for that reason."""
    return not st.went_back


@eventually
def all_done(st: Group) -> bool:
    """All records are processed and committed in the end."""
    return st.committed == RECORDS


@sometimes
def processed_twice(st: Group, one: Consumer, other: Consumer) -> bool:
    """Two consumers are beyond the committed offset: fencing does not make processing exactly-once."""
    return one != other and st.position[one] > st.committed and st.position[other] > st.committed


@ending
def idle(st: Group) -> bool:
    """Everything is committed."""
    return st.committed == RECORDS
