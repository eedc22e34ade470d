"""Start the reference system: a small task platform with the public API of Function Compute."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from onceproof.errors import InputError
from onceproof.implementation.backends import QUEUES, STORES
from onceproof.implementation.platform.config import ConfigError, load_config
from onceproof.implementation.platform.supervisor import CannotStart, run


@click.command(short_help=__doc__)
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="A YAML file of settings.")
@click.option("--functions", help="Folder of functions: NAME.py with handler(event, context).  [default: functions]")
@click.option("--data", help="Folder of the database; created if it does not exist.  [default: onceproof-data]")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on; 0 takes any free one.  [default: 8700]")
@click.option("--store", help=f"sqlite (in --data), or {STORES.described()}.  [default: sqlite]")
@click.option("--queue", help=f"store (in the database), or {QUEUES.described()}.  [default: store]")
@click.option("--schedulers", type=int, help="Number of scheduler processes.  [default: 2]")
@click.option("--agents", type=int, help="Number of agent processes.  [default: 2]")
@click.option("--slots", type=int, help="Number of functions that an agent runs at a time.  [default: 4]")
@click.option(
    "--lease-seconds", type=float, help="Seconds until the tasks of a dead scheduler are taken over.  [default: 10]"
)
@click.option(
    "--on-agent-loss", help="What happens to the tasks of an agent that dies: fail or rerun.  [default: fail]"
)
@click.option("--check-config", is_flag=True, help="Check all settings, start nothing; exit 2 if one is wrong.")
def command(config: Path | None, check_config: bool, **given: Any) -> None:
    """Start a task platform on this machine, and serve until Ctrl-C.

    A function is a file in the functions folder: hello.py with a handler(event, context) that returns bytes, text or
    JSON. Submit a task with `onceproof task submit hello`, or by any HTTP client:

    \b
      curl -X POST -H 'X-Fc-Invocation-Type: Async' -H 'X-Fc-Async-Task-Id: order-1' -d 'some event' \\
           http://127.0.0.1:8700/2023-03-30/functions/hello/invocations

    Each accepted task is started once, whatever process dies meanwhile, and ends. Settings come from --config, from
    environment variables (ONCEPROOF_PORT and so on), and from these options; the last of them wins. The pages /docs,
    /healthz and /metrics are for operations.
    """
    try:
        settings = load_config(config, os.environ, given)
        if check_config:
            click.echo(f"the settings are valid{f': {config}' if config else ''}")
            return
        status = run(settings, lambda text: click.echo(text))
    except (ConfigError, CannotStart) as error:
        raise InputError(str(error)) from None
    raise click.exceptions.Exit(status)
