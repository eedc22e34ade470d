"""Payloads and results that can be told from every other, so that whoever mixes them up is found."""

from __future__ import annotations


def payload_of(task: str) -> str:
    """What a client of the driver sends with a task."""
    return f"<payload of {task}>"


def result_of(payload: str, attempt: str) -> str:
    """What the function returns that got this payload."""
    return f"<result of {payload}, {attempt}>"


def error_of(payload: str, attempt: str) -> str:
    """What the function says that got this payload, and raises."""
    return f"<error of {payload}, {attempt}>"
