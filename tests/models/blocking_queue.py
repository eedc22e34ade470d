"""A bounded queue between threads: a wake-up may reach a thread that cannot go on, and then all of them sleep.

After BlockingQueue, the example with which Kuppe teaches TLA+. ``wake_all`` is the mend.
"""

from onceproof import Seq, Sort, State, action, always, field, require, switch


class Thread(Sort, default=3):
    """The first one takes items out, all others put them in."""


class Queue(State):
    """The buffer, and who sleeps until it changes."""

    produces = field(Thread, bool, init=lambda thread: thread > 0, constant=True)
    buffer = field(Seq(Thread, 1), doc="who put each item in")
    asleep = field(Thread, bool)
    wake_all = switch(on="a change wakes all that sleep", off="a change wakes one, whoever it is", default=False)


def wake(st: Queue, one: Thread) -> None:
    """The buffer has changed: wakes this thread, one of those that sleep; or all."""
    if st.wake_all:
        for thread in Thread:
            st.asleep[thread] = False
    else:
        require(st.asleep[one] or not any(st.asleep[thread] for thread in Thread))
        st.asleep[one] = False


@action
def put(st: Queue, thread: Thread, woken: Thread) -> None:
    """A producer puts an item in, or falls asleep as there is no room."""
    require(st.produces[thread] and not st.asleep[thread])
    if len(st.buffer) < 1:
        st.buffer.append(thread)
        wake(st, woken)
    else:
        st.asleep[thread] = True


@action
def take(st: Queue, thread: Thread, woken: Thread) -> None:
    """A consumer takes the first item out, or falls asleep as there is none."""
    require(not st.produces[thread] and not st.asleep[thread])
    if st.buffer:
        st.buffer.pop(0)
        wake(st, woken)
    else:
        st.asleep[thread] = True


@always
def someone_runs(st: Queue) -> bool:
    """Not all threads sleep."""
    return any(not st.asleep[thread] for thread in Thread)
