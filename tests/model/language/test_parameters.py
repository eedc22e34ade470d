"""Parameters: what a configuration may set, and where a model may use them."""

from collections.abc import Callable

import pytest

from onceproof.model.language import ConfigError, Count, Int, Model, ModelError, build, field, parameter
from tests.models.thermometer import THERMOMETER


def test_parameter_bounds_kinds_of_a_built_model_only() -> None:
    small, large = (build(THERMOMETER, THERMOMETER.configure(parameters={"coats": coats})) for coats in (1, 3))
    assert [system.layout.places["painted"].cardinality for system in (small, large)] == [2, 4]
    assert build(THERMOMETER).layout.places["painted"].cardinality == 3
    assert THERMOMETER.under(THERMOMETER.configure()) is not THERMOMETER


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"coat": 1}, "unknown parameter `coat`; did you mean `coats`?"),
        ({"coats": 0}, "parameter `coats` must be a whole number of at least 1, found 0"),
        ({"coats": True}, "parameter `coats` must be a whole number of at least 1, found True"),
        ({"coats": 10_001}, "at least 1 and at most 10,000, found 10001"),
    ],
)
def test_configuration_refuses_a_wrong_parameter(given: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        THERMOMETER.configure(parameters=given)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda: parameter(default=1, least=2), "its default, 1, is below its least, 2"),
        (lambda: parameter(default=10_001), "its default is at most 10,000"),
        (lambda: parameter(default=True), "its default must be a whole number, found True"),
        (
            lambda: build(Model("lost", {"x": field(Count(parameter(default=1)))})),
            "a bound is a parameter that",
        ),
        (
            lambda: build(Model("empty", {"n": (n := parameter(default=1)), "x": field(Int(2, n))})),
            "2 is more than 1, so that there is no value, field `x`",
        ),
        (lambda: Model("twice", {"n": parameter(default=1)}, {"n": field(bool)}), "`n` is declared twice"),
    ],
)
def test_meaningless_declaration_is_refused(declare: Callable[[], object], message: str) -> None:
    with pytest.raises(ModelError) as caught:
        declare()
    assert message.split(", field")[0] in str(caught.value)
