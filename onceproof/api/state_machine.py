"""``state_machine``: a Hypothesis state machine that takes a system of one's own along a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from onceproof.api.drivers import DriverSource, make_driver
from onceproof.api.sources import Budgets, Source, installed_first, spec_of
from onceproof.conformance.command_driver import ANSWER_SECONDS
from onceproof.conformance.driver import Abilities, Driver, Observation

if TYPE_CHECKING:
    from onceproof.conformance.testing.stateful import ModelMachine


class DriverWhenNeeded:
    """A driver that is opened when it is first reset, so that a test module that is only collected starts nothing."""

    def __init__(self, source: DriverSource, answer_seconds: float) -> None:
        self._source, self._answer_seconds = source, answer_seconds
        self._driver: Driver | None = None

    def reset(self, setting: Mapping[str, Any]) -> Abilities:
        """As in ``Driver``; opens it, if it is not open."""
        if self._driver is None:
            self._driver = make_driver(self._source, self._answer_seconds)
        return self._driver.reset(setting)

    def step(self, action: str, arguments: Mapping[str, str]) -> None:
        """As in ``Driver``."""
        assert self._driver is not None, "a driver is reset before anything else"
        self._driver.step(action, arguments)

    def observe(self) -> Observation:
        """As in ``Driver``."""
        assert self._driver is not None, "a driver is reset before anything else"
        return self._driver.observe()

    def close(self) -> None:
        """As in ``Driver``; a driver that was given as an object stays open."""
        if self._driver is not None and self._driver is not self._source:
            self._driver.close()
        self._driver = None


@installed_first
def state_machine(
    source: Source,
    driver: DriverSource,
    *,
    sizes: Mapping[str, int] | None = None,
    mechanisms: Mapping[str, bool] | None = None,
    faults: Budgets | None = None,
    parameters: Mapping[str, int] | None = None,
    answer_seconds: float = ANSWER_SECONDS,
) -> type[ModelMachine]:
    """A RuleBasedStateMachine with a rule for each action of the model; its ``TestCase`` runs under pytest.

    Hypothesis chooses the steps; model and system take each, and their states must be the same after it. One more rule
    asks the system for steps that the model forbids, which it must refuse. What fails is a ``Disagreement``.

    source, sizes, mechanisms, faults, parameters: as in ``check``. driver: see ``DriverSource``; a class is
    instantiated, and a command started, when the first run begins; it is reset for each run and closed after the last.
    """
    from onceproof.conformance.testing.stateful import machine_of

    spec = spec_of(source, sizes=sizes, mechanisms=mechanisms, faults=faults, parameters=parameters)
    driven = DriverWhenNeeded(driver, answer_seconds)
    machine = machine_of(spec.system, driven)
    test_case: Any = machine.TestCase
    test_case.tearDownClass = classmethod(lambda cls: driven.close())
    return machine
