"""One process of a platform, started with the arguments ROLE NAME FOLDER PARENT [FD].

Its settings come on standard input, as JSON.
"""

import asyncio
import gc
import importlib
import os
import signal
import sys

from onceproof.implementation.errors import StoreUnavailable
from onceproof.implementation.platform.config import PlatformConfig
from onceproof.implementation.platform.processes.base import EXIT_UNAVAILABLE, Process, die_with_parent, log_to_stderr

ROLES = {
    "relay": ("relay", "RelayProcess"),
    "balancer": ("balancer", "BalancerProcess"),
    "resources": ("resources", "ResourceProcess"),
    "scheduler": ("scheduler", "SchedulerProcess"),
    "agent": ("agent", "AgentProcess"),
}


def make(role: str, name: str, config: PlatformConfig, folder: str) -> Process:
    """The process of a role. Each is imported alone, so that none carries the libraries of another."""
    if config.gate:
        from onceproof.implementation.platform.gate.processes import make_gated

        return make_gated(role, name, config, folder)
    module, made = ROLES[role]
    process: type[Process] = getattr(
        importlib.import_module(f"onceproof.implementation.platform.processes.{module}"), made
    )
    return process(name, config, folder)


async def run(role: str, name: str, config: PlatformConfig, folder: str, descriptor: int) -> None:
    """Run a process to its end."""
    if role == "api":
        from onceproof.implementation.platform.http.server import serve

        await serve(name, config, folder, descriptor)
    else:
        await make(role, name, config, folder).run()
    sys.stderr.flush()
    os._exit(0)  # the process may be killed at any instruction, so there is nothing that a longer goodbye would do


def main(arguments: list[str]) -> int:
    """Exit status 0: ended by SIGTERM or SIGINT; EXIT_UNAVAILABLE: the store cannot be opened (said in the log)."""
    role, name, folder, parent, *rest = arguments
    die_with_parent(int(parent))
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    config = PlatformConfig.from_json(sys.stdin.read())
    gc.freeze()
    try:
        asyncio.run(run(role, name, config, folder, int(rest[0]) if rest else -1))
    except StoreUnavailable as error:
        log_to_stderr(name).error("the store cannot be opened", extra={"fields": {"error": str(error)}})
        return EXIT_UNAVAILABLE
    return 0
