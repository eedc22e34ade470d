"""The process that forks those of the platform quickly, as all is imported already.

It stands in for the supervisor, which would start the same code anew in an interpreter of its own, more slowly.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

import onceproof.implementation.platform.gate.processes
import onceproof.implementation.platform.http.server  # noqa: F401
from onceproof.implementation.backends import QUEUES, STORES
from onceproof.implementation.errors import StoreUnavailable
from onceproof.implementation.platform import process
from onceproof.implementation.platform.config import PlatformConfig
from onceproof.implementation.platform.processes.base import die_with_parent

Prepare = Callable[[dict[str, Any]], None]


def main(arguments: list[str]) -> None:
    """Serve on the socket, and with the log, that the arguments FD LOG name."""
    descriptor, log = arguments
    serve(int(descriptor), log)


def serve(descriptor: int, log: str, prepare: Prepare | None = None) -> None:
    """Fork a process for each request on the socket; prepare may change the code of a process before it runs."""
    die_with_parent(os.getppid())
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the driver
    control, own = socket.socket(fileno=descriptor), os.getpid()
    while True:
        try:
            data, descriptors, _, _ = socket.recv_fds(control, 65536, 1)
        except OSError:
            return  # the driver was killed
        if not data:
            return
        request = json.loads(data)
        config = PlatformConfig.from_json(request["config"])
        _import_for(config)
        child = os.fork()
        if child == 0:
            die_with_parent(own)
            control.close()
            _become(request, config, descriptors, log, prepare)
        for number in descriptors:
            os.close(number)
        try:
            control.send(str(child).encode())
        except OSError:
            return  # the driver is gone, and so are all processes
        _reap()


def _import_for(config: PlatformConfig) -> None:
    """What all processes need, which would each import it otherwise; what is not there they say themselves."""
    for registry, setting in ((STORES, config.store), (QUEUES, config.queue)):
        with contextlib.suppress(StoreUnavailable):
            registry.find(setting).load()


def _become(
    request: dict[str, Any], config: PlatformConfig, descriptors: list[int], log: str, prepare: Prepare | None
) -> None:
    """Be the process that was asked for, to its end."""
    os.setsid()
    os.dup2(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), 2)
    try:
        from onceproof.conformance.reference.platform.deaths import install

        install()
        if request["mutant"]:
            from onceproof.conformance.reference.platform.mutants import spoil

            spoil(request["mutant"])
        if prepare is not None:
            prepare(request)
        listener = descriptors[0] if descriptors else -1
        asyncio.run(process.run(request["role"], request["name"], config, request["folder"], listener))
    except BaseException as error:
        os.write(2, f"{request['name']}: {type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(1)


def _reap() -> None:
    """Ask how those that have ended did, so that nothing of them stays."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return
