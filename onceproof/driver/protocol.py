"""The driver's end of conformance/PROTOCOL.md: requests are read from stdin, performed, and answered on stdout."""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from enum import Enum
from typing import IO, Any

from onceproof.driver.kit import DO, SEE, Died, Driver, Refused, Setting, StoreRefuses, Uncertain
from onceproof.driver.processes import adopt_orphans, descendants, signal_all

VERSION = 1
UNKNOWABLE = (Uncertain, TimeoutError, ConnectionError, EOFError)


class _Wrong(Exception):
    """The driver itself is written wrongly; the text says where and how."""


def run(make: Callable[[], Driver]) -> None:
    """Serve requests until the end: the last line of a driver's file, ``run(MyDriver)``.

    What the driver prints goes to stderr, so that it does not get between the answers.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _leave)
    adopt_orphans()
    driver = make()
    try:
        last = _serve(driver, sys.stdin, answers)
    except _Wrong as error:
        raise SystemExit(f"{type(driver).__name__}: {error}") from None
    finally:
        _end(driver)
    if last is not None:
        _write(answers, last, {"ok": True})


def _leave(*_: object) -> None:
    raise SystemExit(0)


def _end(driver: Driver) -> None:
    try:
        driver.close()
    finally:
        driver.end_processes()
        signal_all(descendants(os.getpid()), signal.SIGKILL)


def _serve(driver: Driver, requests: IO[str], answers: IO[str]) -> Mapping[str, Any] | None:
    """Answer requests until ``quit``, which is returned: it is answered when all has ended. None: stdin ended."""
    for line in requests:
        request: dict[str, Any] = json.loads(line)
        if request.get("do") == "quit":
            return request
        _write(answers, request, _answer(driver, request))
    return None


def _write(answers: IO[str], request: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):
        answers.write(json.dumps({"id": request["id"], **answer}, separators=(",", ":")) + "\n")


def _answer(driver: Driver, request: Mapping[str, Any]) -> dict[str, Any]:
    match request.get("do"):
        case "reset":
            return _reset(driver, request["setting"])
        case "step":
            return _step(driver, request["action"], request["arguments"])
        case "interrupt":
            return _interrupt(driver, request)
        case "observe":
            return {"ok": True, "state": _observed(driver), **_data(driver)}
        case other:
            return {"ok": False, "definite": True, "error": f"there is no request `{other}`"}


def _reset(driver: Driver, given: Mapping[str, Any]) -> dict[str, Any]:
    initial = given.get("initial", {})
    setting = Setting(
        given["model"],
        given["sizes"],
        given["mechanisms"],
        given["faults"],
        initial.get("state"),
        initial.get("chosen"),
    )
    if initial and not driver.begins_anywhere:
        return {
            "ok": False,
            "error": "the model has several initial states, and this driver does not say that it can begin in each: "
            "have reset bring the system to setting.initial, and write begins_anywhere = True",
        }
    for name, present in driver.mechanisms.items():
        if setting.mechanisms.get(name, present) != present:
            word = "has" if present else "lacks"
            remedy = f"a spec for it says mechanisms: {{{name}: {'on' if present else 'off'}}}"
            return {"ok": False, "error": f"this system {word} `{name}`; {remedy}"}
    driver.reset(setting)
    performs, readers = claimed(driver, DO), claimed(driver, SEE)
    answer: dict[str, Any] = {
        "ok": True,
        "protocol": VERSION,
        "name": driver.name or type(driver).__name__,
        "performs": sorted(performs),
        "observes": sorted(readers),
        "internal": list(driver.internal),
        "lenient": dict(driver.lenient),
        "unseen": dict(driver.unseen),
        "replaced": dict(driver.replaced),
        "sources": {name: doc for name, reader in readers.items() if (doc := _first_line(reader))},
        "settle": driver.settle,
    }
    if driver.deaths or driver.refusals:
        answer["interruptions"] = {
            "deaths": dict(driver.deaths),
            "halves": {action: list(fields) for action, fields in driver.halves.items()},
            "refusals": list(driver.refusals),
            "forgets": dict(driver.forgets),
        }
    if driver.mechanisms:
        answer["claims"] = sorted(name for name, present in driver.mechanisms.items() if present)
    return answer


def claimed(driver: Driver, prefix: str) -> dict[str, Callable[..., Any]]:
    """The written methods whose names begin with ``do_`` or ``see_``, by the rest of the name."""
    methods = {name: getattr(driver, name) for name in dir(type(driver)) if name.startswith(prefix)}
    return {name.removeprefix(prefix): method for name, method in methods.items() if not hasattr(method, "_todo")}


def _first_line(reader: Callable[..., Any]) -> str:
    return (inspect.getdoc(reader) or "").partition("\n")[0]


def _step(driver: Driver, action: str, arguments: Mapping[str, str]) -> dict[str, Any]:
    method = claimed(driver, DO).get(action)
    if method is None:
        return {"ok": False, "definite": True, "error": f"this driver does not perform `{action}`"}
    _check_parameters(method, action, arguments)
    try:
        method(**arguments)
    except Refused as refused:
        return {"ok": False, "definite": True, "error": str(refused) or "refused"}
    except UNKNOWABLE as error:
        return {"ok": False, "definite": False, "error": str(error) or type(error).__name__}
    return {"ok": True}


def _interrupt(driver: Driver, request: Mapping[str, Any]) -> dict[str, Any]:
    """Perform an action up to a point, if it has so many; where it was interrupted, that is the answer."""
    action, arguments = request["action"], request["arguments"]
    driver._armed = (request["how"], request["point"])
    try:
        answer = _step(driver, action, arguments)
    except Died:
        driver._armed = ("", 0)
        driver.die(action, arguments)
        return {"ok": True, "interrupted": True}
    except StoreRefuses:
        return {"ok": True, "interrupted": True}
    finally:
        left, driver._armed = driver._armed[1], ("", 0)
    return {**answer, "interrupted": False} if left else {"ok": True, "interrupted": True}


def _data(driver: Driver) -> dict[str, Any]:
    places = {where: {"wanted": wanted, "found": found} for where, (wanted, found) in driver.data().items()}
    return {"data": places} if places else {}


def _check_parameters(method: Callable[..., Any], action: str, arguments: Mapping[str, str]) -> None:
    try:
        inspect.signature(method).bind(**arguments)
    except TypeError:
        mine = ", ".join(inspect.signature(method).parameters)
        raise _Wrong(
            f"`{DO}{action}` takes ({mine}), and the model's action `{action}` has ({', '.join(arguments)})"
        ) from None


def _observed(driver: Driver) -> dict[str, Any]:
    return {name: _cells(name, reader()) for name, reader in claimed(driver, SEE).items()}


def _cells(name: str, value: Any) -> Any:
    if not isinstance(value, Mapping):
        return _plain(name, value)
    return {",".join(key) if isinstance(key, tuple) else str(key): _plain(name, cell) for key, cell in value.items()}


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, Enum):
        return value.name
    if value is None or isinstance(value, bool | int | str):
        return value
    raise _Wrong(
        f"`{SEE}{name}` returned {value!r}; a cell holds the name of an enum's member, an element, None, a number, "
        f"True or False"
    )
