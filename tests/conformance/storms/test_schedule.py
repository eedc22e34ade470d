"""Schedules: read from their text and written as it, with what is wrong in them said in one line."""

import pytest

from onceproof.conformance.storms.plan import fixed, sweep
from onceproof.conformance.storms.schedule import Fault, Moment, Schedule, parse


@pytest.mark.parametrize("schedule", dict.fromkeys([*fixed(), *sweep()]), ids=str)
def test_a_schedule_is_read_as_it_is_written(schedule: Schedule) -> None:
    assert parse(str(schedule)) == schedule


def test_a_schedule_needs_no_more_than_its_fault() -> None:
    assert parse("pause") == Schedule(Fault.PAUSE, Moment.AFTER_START, hold=2.5)
    assert parse("kill@before-ack,length=1.5,traffic") == Schedule(Fault.KILL, Moment.BEFORE_ACK, 1.5, traffic=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pauze", "unknown fault `pauze`; did you mean `pause`?"),
        ("kill@later", "unknown moment `later`"),
        ("kill@queued", "`kill` cannot happen at `queued`; possible are after-start"),
        ("kill,hold", "hold is ``, not a number of leases"),
        ("kill,for=2", "unknown option `for=2`"),
        ("kill,length=-1", "length is -1; expected 0 to 1000 leases"),
    ],
)
def test_what_is_wrong_in_a_schedule_is_said(text: str, said: str) -> None:
    with pytest.raises(ValueError, match="^" + said.replace("?", r"\?").replace("=", "=")):
        parse(text)


def test_the_six_scenarios_come_without_and_with_other_traffic() -> None:
    assert {each.fault.value for each in fixed()} == {
        *("none", "pause", "kill", "kill-parent", "broker-restart", "resubmit"),
    }
    assert sum(each.traffic for each in fixed()) * 2 == len(fixed())
