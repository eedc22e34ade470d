"""`onceproof.testing.conforms`: a test of a driver that fails with what `onceproof test` prints."""

from collections.abc import Mapping
from typing import Any

import pytest

from onceproof import Abilities, InputError, testing
from onceproof.conformance.driver import Observation
from onceproof.testing import conforms
from tests.models import jugs
from tests.paths import SPECS


class Jugs:
    """The jugs of the model."""

    closed = 0
    full = 5

    def reset(self, setting: Mapping[str, Any]) -> Abilities:
        self.big = self.small = 0
        return Abilities("jugs", frozenset(jugs.JUGS.actions), frozenset({"big", "small"}))

    def step(self, action: str, arguments: Mapping[str, str]) -> None:
        match action:
            case "fill_big":
                self.big = self.full
            case "fill_small":
                self.small = 3
            case "empty_big":
                self.big = 0
            case "empty_small":
                self.small = 0
            case "small_to_big":
                poured = min(self.small, 5 - self.big)
                self.big, self.small = self.big + poured, self.small - poured
            case _:
                poured = min(self.big, 3 - self.small)
                self.big, self.small = self.big - poured, self.small + poured

    def observe(self) -> Observation:
        return {"big": self.big, "small": self.small}

    def close(self) -> None:
        type(self).closed += 1


class Leaks(Jugs):
    """The big jug holds four gallons when it is full."""

    full = 4


class Idle(Jugs):
    """It performs no step of the model."""

    def reset(self, setting: Mapping[str, Any]) -> Abilities:
        super().reset(setting)
        return Abilities("jugs", frozenset(), frozenset({"big", "small"}))


test_the_jugs_conform = conforms(jugs, Jugs, examples=20)


def test_failure_is_what_the_command_prints() -> None:
    before = Leaks.closed
    with pytest.raises(AssertionError) as failed:
        conforms(jugs, Leaks, examples=20)()
    lines = str(failed.value).splitlines()
    assert lines[0] == "jugs" and "runs, " in lines[1]
    assert "DIFFERENT at step 1: fill_big()" in lines
    assert lines[-1].split() == ["big", "5", "4"]
    assert Leaks.closed == before + 1


def test_a_driver_that_is_wrong_is_an_input_error() -> None:
    with pytest.raises(InputError, match="the driver"):
        conforms(SPECS / "plain-day.yaml", "cat")()


def test_nothing_to_test_is_an_error() -> None:
    with pytest.raises(InputError, match="the driver performs nothing, so there is nothing to replay"):
        conforms(jugs, Idle, examples=3)()


def test_the_package_has_its_names_and_no_others() -> None:
    assert testing.conforms is conforms
    with pytest.raises(AttributeError, match="no attribute 'conform'"):
        testing.conform  # noqa: B018
