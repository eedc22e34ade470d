"""Functions over HTTP: lists, one of them, settings, and what is called after a task's end."""

import functools
import json
import sqlite3
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from onceproof.implementation.platform.async_config import destination_function
from onceproof.implementation.platform.destinations import derived_id
from tests.helpers.platforms import Platform
from tests.helpers.waiting import wait_until

NEW = "/2023-03-30"
OLD = "/2021-04-06/services/shop"
ECHO = "def handler(event, context): return event"
CHAIN_MAX = 3
FAILING = "def handler(event, context): raise ValueError('no')"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    settings = {"schedulers": 1, "agents": 1, "slots": 3, "destination_chain_max": CHAIN_MAX}
    made = Platform(tmp_path_factory.mktemp("functions"), settings)
    for name in ("echo", "after", "failing", "shop/echo", "shop/sell"):
        made.function(name, FAILING if name == "failing" else ECHO)
    yield made.start()
    made.end()


@pytest.fixture
def client(platform: Platform) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=platform.endpoint, timeout=30) as made:
        yield made


def listed(client: httpx.Client, path: str, key: str, **query: Any) -> list[dict[str, Any]]:
    """All pages."""
    found, token = [], ""
    while True:
        page = client.get(path, params={**query, "nextToken": token}).raise_for_status().json()
        found += page[key]
        token = page.get("nextToken", "")
        if not token:
            return found


def test_functions_are_listed_page_by_page(client: httpx.Client) -> None:
    every = [one["functionName"] for one in listed(client, f"{NEW}/functions", "functions", limit=2)]
    assert every == ["after", "echo", "failing", "shop$echo", "shop$sell"]
    of_shop = [one["functionName"] for one in listed(client, f"{OLD}/functions", "functions", limit=3)]
    assert of_shop == ["after", "echo", "failing", "sell"], "a service has the functions without one, too"
    some = client.get(f"{NEW}/functions", params={"prefix": "shop"}).json()["functions"]
    assert [one["functionName"] for one in some] == ["shop$echo", "shop$sell"]
    refused = client.get(f"{NEW}/functions", params={"nextToken": "a b"})
    assert (refused.status_code, refused.json()["Code"]) == (400, "InvalidArgument")


def test_one_function_is_shown(client: httpx.Client) -> None:
    for path, name in ((f"{NEW}/functions/shop$sell", "shop$sell"), (f"{OLD}/functions/sell", "sell")):
        shown = client.get(path).json()
        assert (shown["functionName"], shown["handler"], shown["timeout"]) == (name, "sell.handler", 60)
        assert shown["lastModifiedTime"].isdigit()
    missing = client.get(f"{NEW}/functions/none")
    assert (missing.status_code, missing.json()["Code"]) == (404, "FunctionNotFound")


def test_settings_of_functions_are_listed(client: httpx.Client) -> None:
    headers = {"X-Fc-Account-Id": "lister"}
    for name, qualifier in (("echo", ""), ("echo", "blue"), ("shop$echo", "")):
        path = f"{NEW}/functions/{name}/async-invoke-config"
        body = json.dumps({"maxAsyncRetryAttempts": 1})
        assert client.put(path, content=body, headers=headers, params={"qualifier": qualifier}).status_code == 200
    client.headers.update(headers)
    every = listed(client, f"{NEW}/async-invoke-configs", "configs", limit=2)
    assert [(one["functionArn"].rpartition("/")[2], one["qualifier"]) for one in every] == [
        ("echo", "LATEST"),
        ("echo", "blue"),
        ("shop$echo", "LATEST"),
    ]
    one = listed(client, f"{NEW}/async-invoke-configs", "configs", functionName="shop$echo")
    assert [config["maxAsyncRetryAttempts"] for config in one] == [1]
    assert one == listed(client, f"{OLD}/functions/echo/async-invoke-configs", "configs")


def test_destination_is_called_once_after_the_end(platform: Platform, client: httpx.Client) -> None:
    client.headers["X-Fc-Account-Id"] = "caller"
    destinations = {
        "onSuccess": {"destination": "acs:fc:cn:1:functions/after"},
        "onFailure": {"destination": "shop/sell"},
    }
    for name in ("echo", "failing"):
        path = f"{NEW}/functions/{name}/async-invoke-config"
        assert client.put(path, content=json.dumps({"destinationConfig": destinations})).status_code == 200
    for name in ("echo", "failing"):
        headers = {"X-Fc-Invocation-Type": "Async", "x-fc-async-task-id": "one"}
        client.post(f"{NEW}/functions/{name}/invocations", content=b"hi", headers=headers).raise_for_status()
    for name, after, payload in (("echo", "after", "hi"), ("failing", "shop$sell", "no")):
        path = f"{NEW}/functions/{after}/async-tasks/{derived_id(f'caller/{name}/one')}"
        wait_until(functools.partial(has_ended, client, path))
        called = json.loads(client.get(path).json()["returnPayload"])
        assert called["requestPayload"] == "hi" and payload in called["responsePayload"]
        assert called["requestContext"]["functionArn"].endswith(f"/{name}")
        task = client.get(f"{NEW}/functions/{name}/async-tasks/one").json()
        assert task["destinationStatus"] == "Success"
        # A relay that died after submitting and before saying so tries again.
        with sqlite3.connect(platform.data / "platform.db") as database:
            due = "UPDATE tasks SET destination_status = 'Due' WHERE task = ?"
            database.execute(due, (f"caller/{name}/one",))
        database.close()
        wait_until(functools.partial(settled, client, name))
        assert len(client.get(f"{NEW}/functions/{after}/async-tasks").json()["tasks"]) == 1


def has_ended(client: httpx.Client, path: str) -> bool:
    """There is such a task, and it has ended."""
    answer = client.get(path)
    return answer.status_code == 200 and answer.json()["endTime"] > 0


def settled(client: httpx.Client, function: str) -> bool:
    """The destination of the function's task was called."""
    return bool(client.get(f"{NEW}/functions/{function}/async-tasks/one").json()["destinationStatus"])


def test_destination_that_is_no_function_here_is_said(client: httpx.Client) -> None:
    client.headers["X-Fc-Account-Id"] = "other"
    path = f"{NEW}/functions/echo/async-invoke-config"
    itself = {"destinationConfig": {"onSuccess": {"destination": "echo"}}}
    assert client.put(path, content=json.dumps(itself)).status_code == 400
    queue = {"destinationConfig": {"onSuccess": {"destination": "acs:mns:::/queues/q"}}}
    assert client.put(path, content=json.dumps(queue)).status_code == 200
    headers = {"X-Fc-Invocation-Type": "Async", "x-fc-async-task-id": "one"}
    client.post(f"{NEW}/functions/echo/invocations", content=b"hi", headers=headers).raise_for_status()
    wait_until(lambda: settled(client, "echo"))
    task = client.get(f"{NEW}/functions/echo/async-tasks/one").json()
    assert (task["status"], task["destinationStatus"]) == ("Succeeded", "Failed")
    assert task["destinationErrorMessage"] == "'acs:mns:::/queues/q' is not a function, and nothing else is called"


def test_chain_of_destinations_has_an_end(client: httpx.Client) -> None:
    client.headers["X-Fc-Account-Id"] = "ring"
    ring = {"echo": "after", "after": "echo"}
    for name, other in ring.items():
        body = json.dumps({"destinationConfig": {"onSuccess": {"destination": other}}})
        assert client.put(f"{NEW}/functions/{name}/async-invoke-config", content=body).status_code == 200
    headers = {"X-Fc-Invocation-Type": "Async", "x-fc-async-task-id": "one"}
    client.post(f"{NEW}/functions/echo/invocations", content=b"hi", headers=headers).raise_for_status()
    called, name, task_id = [], "echo", "one"
    for _ in range(CHAIN_MAX + 1):
        called.append(f"{NEW}/functions/{name}/async-tasks/{task_id}")
        name, task_id = ring[name], derived_id(f"ring/{name}/{task_id}")
    wait_until(lambda: client.get(called[-1]).json().get("destinationStatus"))
    tasks = [client.get(path).json() for path in called]
    assert [task["destinationStatus"] for task in tasks] == ["Success"] * CHAIN_MAX + ["Failed"]
    assert tasks[-1]["destinationErrorMessage"] == (
        "'echo' would be destination 4 in a row, and a chain has at most 3 (destination_chain_max); "
        "do functions call each other in a ring?"
    )
    assert sum(len(client.get(f"{NEW}/functions/{name}/async-tasks").json()["tasks"]) for name in ring) == len(called)


@pytest.mark.parametrize(
    ("destination", "function"),
    [
        ("acs:fc:cn-hangzhou:123:functions/f/LATEST", "f"),
        ("acs:fc:cn-hangzhou:123:services/s.LATEST/functions/f", "s/f"),
        ("acs:fc:::functions/s$f", "s/f"),
        ("s/f", "s/f"),
        ("f", "f"),
        ("../f", None),
        ("acs:mns:::/queues/q", None),
        ("", None),
    ],
)
def test_destinations_name_functions(destination: str, function: str | None) -> None:
    assert destination_function(destination) == function
