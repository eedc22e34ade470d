"""The body of an async-invoke-config: which settings there are, and what each may be."""

import json
from typing import Any

from onceproof.implementation.platform.async_config import destination_function
from onceproof.implementation.platform.http.problems import bad_request
from onceproof.implementation.platform.rules import unknown_name

NUMBERS = {"maxAsyncRetryAttempts": (0, 8), "maxAsyncEventAgeInSeconds": (1, 604_800)}
TRUTHS = ("statefulInvocation", "asyncTask")
ENDS = ("onSuccess", "onFailure")
SETTINGS = (*NUMBERS, *TRUTHS, "destinationConfig")
# What an answer says beside the settings: whoever sends one back with a change sends these, too.
ANSWERED = ("service", "function", "functionArn", "qualifier", "createdTime", "lastModifiedTime")


def checked_config(body: dict[str, Any], function: str) -> dict[str, Any]:
    """The settings in a body; Problem 400 unless each is known, of its type and in its range."""
    for name in body:
        if name not in SETTINGS and name not in ANSWERED:
            raise bad_request(unknown_name(name, SETTINGS, "setting"))
    for name, (low, high) in NUMBERS.items():
        value = body.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high):
            raise bad_request(f"{name}: found {json.dumps(value)}, expected a whole number from {low} to {high}")
    for name in TRUTHS:
        if not isinstance(body.get(name), bool | None):
            raise bad_request(f"{name}: found {json.dumps(body[name])}, expected true or false")
    if body.get("destinationConfig") is not None:
        check_destinations(body["destinationConfig"], function)
    return {name: value for name, value in body.items() if name in SETTINGS}


def check_destinations(destinations: Any, function: str) -> None:
    """Problem 400 unless each end has a destination at most, which is another function if it is one."""
    if not isinstance(destinations, dict):
        raise bad_request("destinationConfig: expected an object with onSuccess and onFailure")
    for name, one in destinations.items():
        if name not in ENDS:
            raise bad_request(f"destinationConfig: {unknown_name(name, ENDS, 'end of a task')}")
        if one is None:
            continue
        if not isinstance(one, dict) or set(one) - {"destination"}:
            raise bad_request(f"destinationConfig.{name}: expected an object with a destination and nothing else")
        destination = one.get("destination")
        if not isinstance(destination, str | None):
            raise bad_request(f"destinationConfig.{name}.destination: expected a text")
        if destination_function(destination or "") == function:
            raise bad_request(f"destinationConfig.{name}: the function itself would be called without end")
