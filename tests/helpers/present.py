"""Values that may be None by their type, and must not be in a test."""

from typing import TypeVar

Value = TypeVar("Value")


def present(value: Value | None) -> Value:
    """Return the value; the test fails if there is none."""
    assert value is not None
    return value
