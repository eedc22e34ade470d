"""Submit, get, list and stop tasks of a platform that runs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from onceproof.errors import Exit, InputError
from onceproof.implementation.platform.http.client import Caller, CallFailed

ENDED = ("Succeeded", "Failed", "Stopped", "Expired", "Invalid")


@click.group(short_help=__doc__)
@click.option("--endpoint", envvar="ONCEPROOF_ENDPOINT", default="http://127.0.0.1:8700", show_default=True)
@click.option("--user", default="", help="The account, where the platform has no keys.")
@click.option("--key", envvar="ONCEPROOF_KEY", default="", help="Access key (or ONCEPROOF_KEY).")
@click.option("--secret", envvar="ONCEPROOF_SECRET", default="", help="Its secret (better: ONCEPROOF_SECRET).")
@click.pass_context
def command(context: click.Context, endpoint: str, user: str, key: str, secret: str) -> None:
    """Submit, get, list and stop tasks of a platform that runs."""
    if not endpoint.startswith("http://"):
        raise InputError(f"--endpoint: found {endpoint!r}, expected a URL like http://127.0.0.1:8700")
    context.obj = Caller(endpoint, user, key, secret)


@command.command()
@click.argument("function")
@click.option("--id", "task_id", default="", help="The TaskID; then submitting again is harmless.")
@click.option("--data", default="", help="The event as text.")
@click.option("--file", "path", type=click.Path(path_type=Path, dir_okay=False), help="The event's file; - is stdin.")
@click.option("--wait", is_flag=True, help="Wait for the end; exit 1 unless the task succeeded.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.pass_obj
def submit(
    caller: Caller, function: str, task_id: str, data: str, path: Path | None, wait: bool, as_json: bool
) -> None:
    """Submit a task of FUNCTION."""
    payload = data.encode()
    if path is not None:
        payload = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    task_id, is_new = answer_of(lambda: caller.submit(function, payload, task_id))
    if not wait:
        said = "accepted" if is_new else "known already"
        click.echo(json.dumps({"taskId": task_id, "accepted": is_new}) if as_json else f"{task_id} {said}")
        return
    record = answer_of(lambda: caller.get(function, task_id))
    while record["status"] not in ENDED:
        time.sleep(0.1)
        record = answer_of(lambda: caller.get(function, task_id))
    show(record, as_json)
    raise click.exceptions.Exit(Exit.AS_EXPECTED if record["status"] == "Succeeded" else Exit.VIOLATED)


@command.command()
@click.argument("function")
@click.argument("task_id")
@click.option("--log", is_flag=True, help="Show what the function wrote, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.pass_obj
def get(caller: Caller, function: str, task_id: str, log: bool, as_json: bool) -> None:
    """Show a task."""
    record = answer_of(lambda: caller.get(function, task_id))
    attempts = answer_of(lambda: caller.log(function, task_id)) if log else []
    if log and as_json:
        record["log"] = attempts
    show(record, as_json)
    if log and not as_json:
        show_log(attempts)


@command.command(name="list")
@click.argument("function")
@click.option("--status", default="", help="Only tasks of this status.")
@click.option("--prefix", default="", help="Only TaskIDs that begin so.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@click.option("--token", default="", help="Where the page before ended.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.pass_obj
def list_(caller: Caller, function: str, status: str, prefix: str, limit: int, token: str, as_json: bool) -> None:
    """List the tasks of FUNCTION, the latest first."""
    page = answer_of(lambda: caller.listed(function, status=status, prefix=prefix, limit=limit, nextToken=token))
    if as_json:
        click.echo(json.dumps(page))
        return
    for record in page["tasks"]:
        click.echo(f"{when(record['startedTime'])}  {record['status']:<10} {record['taskId']}")
    if page.get("nextToken"):
        click.echo(f"more: --token {page['nextToken']}", err=True)


@command.command()
@click.argument("function")
@click.argument("task_id")
@click.pass_obj
def stop(caller: Caller, function: str, task_id: str) -> None:
    """Stop a task that has not ended."""
    answer_of(lambda: caller.stop(function, task_id))
    click.echo(f"{task_id} is stopped, or has ended")


def answer_of(call: Callable[[], Any]) -> Any:
    """The result of a call; what the platform refuses becomes one line for the user."""
    try:
        return call()
    except CallFailed as error:
        raise InputError(str(error)) from None


def show(record: dict[str, Any], as_json: bool) -> None:
    """A task's record for people, or as JSON."""
    if as_json:
        click.echo(json.dumps(record))
        return
    click.echo(f"{record['taskId']}  {record['status']}")
    for name in ("startedTime", "endTime"):
        if record[name]:
            click.echo(f"  {name:<25}{when(record[name])}")
    for name in ("alreadyRetriedTimes", "instanceId", "returnPayload", "taskErrorMessage", "destinationErrorMessage"):
        if record.get(name):  # a platform of before does not say all of them
            click.echo(f"  {name:<25}{record[name]}")


def show_log(attempts: list[dict[str, Any]]) -> None:
    """What each attempt wrote, for people."""
    if not attempts:
        click.echo("  the function wrote nothing")
    for one in attempts:
        dropped = f" (the first {one['droppedBytes']} bytes were not kept)" if one["droppedBytes"] else ""
        click.echo(f"  output of attempt {one['attempt']}{dropped}:")
        for line in one["output"].splitlines():
            click.echo(f"    {line}")


def when(milliseconds: int) -> str:
    """A time of the API for people."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
