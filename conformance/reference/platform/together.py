"""Several actions of one process that are permitted together, to be done in one commit.

Each adapter's call is made twice: first it says what it would permit (and ends there), then, when the process has done
what it did, it takes what has passed, and does what follows outside of the process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from onceproof.conformance.driver import Interruption, Interruptions, ProcessLost
from onceproof.conformance.reference.platform import deaths
from onceproof.conformance.reference.platform.remote import Gathered, Group
from onceproof.conformance.reference.platform.system import PlatformSystem
from onceproof.implementation.errors import NotEnabled

Steps = Sequence[tuple[str, Mapping[str, str]]]
# What these processes do in a transaction that is for all that they find to do.
GROUPS = frozenset(
    ("admit", "relay", "mark_relayed", "receive", "record", "record_failure", "retry", "skip", "overtaken", "delete")
)


def with_groups(can: Interruptions) -> Interruptions:
    """The same, and group commits."""
    return Interruptions(can.deaths, can.halves, can.refusals, can.forgets, GROUPS)


def perform(system: PlatformSystem, steps: Steps, point: int = 0) -> list[int] | None:
    """Permit all of them together; the places of those that were done, in the order of the process.

    point: where the process is to die; 0: nowhere. None: it died there. NotEnabled: it did nothing.
    """
    remote = deaths.acting(system, *steps[0])
    group = remote.group = Group()
    try:
        places = [place for place, step in enumerate(steps) if _is_gathered(system, step)]
        if not places:
            raise NotEnabled("none of these actions can be permitted")
        if point:
            remote.interrupt = (Interruption.DEATH.value, point)
        posts = system.api_server.post_all([steps[place] for place in places], remote)
        try:
            remote.perform_group()
        except ProcessLost:
            if not point or remote.alive:
                raise
            system.api_server.hear_all(posts)
            remote.group = None
            for place in places[1:]:
                deaths.learn_names(system, steps[place][1])
            deaths.bury(system, *steps[places[0]], set())
            return None
        return _delivered(system, group, steps, places)
    finally:
        remote.group = remote.interrupt = None


def _is_gathered(system: PlatformSystem, step: tuple[str, Mapping[str, str]]) -> bool:
    """Whether the call of an action has come to its permit."""
    try:
        system.step(step[0], **step[1])
    except Gathered:
        return True
    except NotEnabled:
        return False
    return False


def _delivered(system: PlatformSystem, group: Group, steps: Steps, places: Sequence[int]) -> list[int]:
    """Make the calls once more, in the order in which the process has acted; which they were."""
    done: list[int] = []
    left = list(places)
    for name, arguments in list(group.passed):
        place = next(place for place in left if group.is_of(places.index(place), name, arguments))
        left.remove(place)
        system.step(steps[place][0], **steps[place][1])
        done.append(place)
    return done
