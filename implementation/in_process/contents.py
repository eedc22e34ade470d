"""What tasks carry and what comes of them, when nobody asks for anything else: each is told from every other.

A payload names its task; a result names the payload that the function got, and the attempt. So whoever holds a payload
or a result can be asked whether it is the right one.
"""

from functools import cache

PAYLOAD = "<payload of {task}>"
RESULT = "<result of {payload}, attempt {attempt}>"
ERROR = "<error of {payload}, attempt {attempt}>"
FUNCTION = "f"


@cache
def payload_of(task: str) -> bytes:
    """What a client sends with a task."""
    return PAYLOAD.format(task=task).encode()


@cache
def result_of(payload: bytes, attempt: int) -> bytes:
    """What the function returns that got this payload."""
    return RESULT.format(payload=payload.decode(), attempt=attempt).encode()


@cache
def error_of(payload: bytes, attempt: int) -> str:
    """What the function says that got this payload, and raises."""
    return ERROR.format(payload=payload.decode(), attempt=attempt)
