"""The public API in its three versions, over real HTTP to a real platform."""

import base64
import json
import re
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from onceproof.implementation.platform.http.client import Caller, CallFailed
from onceproof.implementation.platform.http.signing import sign_fc
from tests.helpers.platforms import Platform
from tests.helpers.waiting import wait_until

OLD = ("2016-08-15", "2021-04-06")
NEW = "2023-03-30"
WRONG_TOKENS: tuple[object, ...] = ([1], [1, 2], [True, "a"], [-1, "a"], [2**63, "a"], [1, "\ud800"], [1, None], {}, 1)
ECHO = """
    def handler(event, context):
        return event
"""
FAILING = """
    def handler(event, context):
        if context.attempt < 3:
            raise ValueError(f"attempt {context.attempt} of {context.task_id}")
        return b"third"
"""
SLOW = """
    import time
    def handler(event, context):
        time.sleep(float(event))
"""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    made = Platform(
        tmp_path_factory.mktemp("api"),
        {
            "body_bytes_max": 1000,
            "read_timeout_seconds": 0.5,
            "schedulers": 1,
            "agents": 1,
            "slots": 2,
        },
    )
    for name, text in (("echo", ECHO), ("shop/echo", ECHO), ("failing", FAILING), ("slow", SLOW)):
        made.function(name, text)
    yield made.start()
    made.end()


@pytest.fixture
def client(platform: Platform) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=platform.endpoint, timeout=30) as made:
        yield made


def base(version: str, function: str = "echo", service: str = "shop") -> str:
    return f"/{NEW}/functions/{function}" if version == NEW else f"/{version}/services/{service}/functions/{function}"


def names(version: str) -> tuple[str, str, str]:
    """(header of the TaskID, collection in the path, key of the TaskID in a record)."""
    if version == NEW:
        return "x-fc-async-task-id", "async-tasks", "taskId"
    return "X-Fc-Stateful-Async-Invocation-Id", "stateful-async-invocations", "invocationId"


def submit(client: httpx.Client, version: str, task_id: str, body: bytes = b"hi", **given: str) -> httpx.Response:
    headers = {"X-Fc-Invocation-Type": "Async", names(version)[0]: task_id}
    return client.post(f"{base(version, **given)}/invocations", content=body, headers=headers)


def ended(client: httpx.Client, path: str) -> dict[str, Any]:
    """The record of a task, as soon as the task has ended."""

    def look() -> dict[str, Any] | None:
        record = dict(client.get(path).json())
        return record if record["endTime"] else None

    return wait_until(look)


@pytest.mark.parametrize("version", [*OLD, NEW])
def test_task_is_accepted_once_and_its_record_can_be_read(client: httpx.Client, version: str) -> None:
    task_id = f"once-{version}"
    header, collection, key = names(version)
    first = submit(client, version, task_id)
    assert first.status_code == 202
    assert first.headers[header] == task_id and first.headers["X-Fc-Request-Id"]
    again = submit(client, version, task_id)
    assert again.status_code == 400
    assert again.json()["ErrorCode"] == again.json()["Code"] == "StatefulAsyncInvocationAlreadyExists"
    path = f"{base(version)}/{collection}/{task_id}"
    record = ended(client, path)
    assert record[key] == task_id
    assert (record["status"], record["returnPayload"]) == ("Succeeded", "hi")
    assert record["requestId"] == first.headers["X-Fc-Request-Id"]
    assert record["endTime"] >= record["startedTime"] > 1_600_000_000_000
    missing = client.get(f"{base(version)}/{collection}/nobody")
    assert (missing.status_code, missing.json()["Code"]) == (404, "StatefulAsyncInvocationNotFound")


@pytest.mark.parametrize("version", [*OLD, NEW])
def test_without_a_task_id_the_request_id_is_the_task_id(client: httpx.Client, version: str) -> None:
    header = names(version)[0]
    answer = client.post(f"{base(version)}/invocations", headers={"X-Fc-Invocation-Type": "Async"})
    assert answer.status_code == 202
    assert answer.headers[header] == answer.headers["X-Fc-Request-Id"]


def test_a_synchronous_invocation_returns_the_result(client: httpx.Client) -> None:
    answer = client.post(f"{base(NEW)}/invocations", content=b"\x00\xff")
    assert (answer.status_code, answer.content) == (200, b"\x00\xff")
    failed = client.post(f"{base(NEW, 'failing')}/invocations")
    assert failed.status_code == 200
    assert failed.headers["X-Fc-Error-Type"] == "HandledInvocationError"
    assert failed.json()["errorType"] == "ValueError"


def test_task_lists_have_pages_filters_and_order(client: httpx.Client) -> None:
    account = {"X-Fc-Account-Id": "lister"}
    header = names(NEW)[0]
    for number in range(7):
        sent = {**account, "X-Fc-Invocation-Type": "Async", header: f"{'ab'[number % 2]}-{number}"}
        assert client.post(f"{base(NEW)}/invocations", headers=sent).status_code == 202
    path = f"{base(NEW)}/async-tasks"

    def ids(**query: Any) -> tuple[list[str], str]:
        page = client.get(path, params=query, headers=account).json()
        return [task["taskId"] for task in page["tasks"]], page.get("nextToken", "")

    assert ids(sortOrderByTime="asc")[0] == ["a-0", "b-1", "a-2", "b-3", "a-4", "b-5", "a-6"]
    first, token = ids(limit=3)
    second, token = ids(limit=3, nextToken=token)
    third, last = ids(limit=3, nextToken=token)
    assert (first, second, third, last) == (["a-6", "b-5", "a-4"], ["b-3", "a-2", "b-1"], ["a-0"], "")
    assert ids(prefix="b-")[0] == ["b-5", "b-3", "b-1"]
    wait_until(lambda: len(ids(status="Succeeded")[0]) == 7)
    assert ids(status="Failed")[0] == []
    assert ids(startedTimeBegin=int(time.time() * 1000) + 60_000)[0] == []
    assert client.get(path, params={"limit": 101}, headers=account).status_code == 400
    for wrong in ("garbage", *(base64.b64encode(json.dumps(one).encode()).decode() for one in WRONG_TOKENS)):
        assert client.get(path, params={"nextToken": wrong}, headers=account).status_code == 400, wrong
    old = client.get(f"{base(OLD[0], service='none')}/stateful-async-invocations", headers=account).json()
    assert [task["invocationId"] for task in old["invocations"]] == ids()[0]


def test_the_same_task_id_for_another_user_or_function_is_another_task(client: httpx.Client) -> None:
    assert submit(client, NEW, "same").status_code == 202
    assert submit(client, NEW, "same", function="failing").status_code == 202
    headers = {"X-Fc-Invocation-Type": "Async", "x-fc-async-task-id": "same", "X-Fc-Account-Id": "other"}
    assert client.post(f"{base(NEW)}/invocations", headers=headers).status_code == 202
    assert submit(client, NEW, "same").status_code == 400
    assert submit(client, OLD[0], "same").status_code == 202, "shop/echo is another function than echo"
    assert submit(client, NEW, "same", function="shop$echo").status_code == 400, "and this is shop/echo again"


def test_retries_follow_the_settings_of_a_function(client: httpx.Client) -> None:
    path = f"{base(NEW, 'failing')}/async-invoke-config"
    assert client.get(path).status_code == 404
    wrong = client.put(path, content=json.dumps({"maxAsyncRetryAttempts": 9}))
    assert (wrong.status_code, wrong.json()["Code"]) == (400, "InvalidArgument")
    body = {
        "asyncTask": True,
        "maxAsyncRetryAttempts": 2,
        "maxAsyncEventAgeInSeconds": 100,
        "destinationConfig": {"onFailure": {"destination": "acs:mns:::/queues/q"}},
    }
    assert client.put(path, content=json.dumps(body)).status_code == 200
    kept = client.get(path).json()
    assert {name: kept[name] for name in body} == body
    assert submit(client, NEW, "thrice", function="failing").status_code == 202
    record = ended(client, f"{base(NEW, 'failing')}/async-tasks/thrice")
    assert (record["status"], record["alreadyRetriedTimes"], record["returnPayload"]) == ("Succeeded", 2, "third")
    assert client.delete(path).status_code == 204
    assert client.delete(path).status_code == 404
    assert submit(client, NEW, "not-thrice", function="failing").status_code == 202
    record = ended(client, f"{base(NEW, 'failing')}/async-tasks/not-thrice")
    assert (record["status"], record["alreadyRetriedTimes"]) == ("Failed", 0)
    assert json.loads(record["taskErrorMessage"])["errorMessage"] == "attempt 1 of not-thrice"


def test_a_stopped_task_stays_stopped(client: httpx.Client) -> None:
    for number in range(3):
        assert submit(client, NEW, f"blocker{number}", b"1", function="slow").status_code == 202
    assert client.put(f"{base(NEW, 'slow')}/async-tasks/blocker2/stop").status_code == 204
    path = f"{base(NEW, 'slow')}/async-tasks/blocker2"
    wait_until(lambda: client.get(path).json()["status"] == "Stopped")
    wait_until(lambda: client.get(f"{base(NEW, 'slow')}/async-tasks/blocker1").json()["status"] == "Succeeded")
    assert client.get(path).json()["status"] == "Stopped"
    assert client.put(f"{base(NEW, 'slow')}/async-tasks/nobody/stop").status_code == 404


@pytest.mark.parametrize("task_id", ["1abc", "-a", "a" * 129, "a b", "a.b"])
def test_a_task_id_against_the_rules_is_refused(client: httpx.Client, task_id: str) -> None:
    answer = submit(client, NEW, task_id)
    assert (answer.status_code, answer.json()["Code"]) == (400, "InvalidArgument")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", f"/{NEW}/functions/nobody/invocations", 404, "FunctionNotFound"),
        ("POST", "/2019-01-01/functions/echo/invocations", 404, "PathNotSupported"),
        ("DELETE", f"/{NEW}/functions/echo/invocations", 405, "MethodNotAllowed"),
        ("POST", f"/{NEW}/functions/..%2f..%2fetc/invocations", 404, "PathNotSupported"),
        ("POST", f"/{NEW}/functions/.hidden/invocations", 400, "InvalidArgument"),
    ],
)
def test_wrong_paths_and_methods_are_answered_with_their_status(
    client: httpx.Client, method: str, path: str, status: int, code: str
) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["Code"]) == (status, code)
    assert set(answer.json()) == {"ErrorCode", "ErrorMessage", "Code", "Message", "RequestId"}


def test_wrong_request_bodies_are_refused(client: httpx.Client) -> None:
    assert submit(client, NEW, "large", b"x" * 1001).status_code == 413
    assert client.post(f"{base(NEW)}/invocations", content=iter([b"x" * 600] * 3)).status_code == 413
    path = f"{base(NEW)}/async-invoke-config"
    wrong_type = (b'{"maxAsyncRetryAttempts": "1"}', b'{"destinationConfig": 1}', b'{"asyncTask": 1}')
    for body in (b"{", b"[]", b"\xff", *wrong_type):
        answer = client.put(path, content=body)
        assert (answer.status_code, answer.json()["Code"]) == (400, "InvalidArgument"), body
    later = client.post(f"{base(NEW)}/invocations", headers={"X-Fc-Invocation-Type": "Later"})
    assert later.status_code == 400


def raw(platform: Platform, *parts: bytes) -> bytes:
    """Send bytes and read what comes until the server closes."""
    address = urlsplit(platform.endpoint)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as connection:
        for part in parts:
            connection.sendall(part)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer


def test_a_flood_of_headers_is_cut_off(platform: Platform) -> None:
    flood = b"".join(b"X-%d: %s\r\n" % (number, b"y" * 90) for number in range(400))
    answer = raw(platform, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n", flood)
    assert answer.startswith(b"HTTP/1.1 431 ") and b'"Code": "RequestHeaderFieldsTooLarge"' in answer


def test_slow_clients_are_cut_off(platform: Platform) -> None:
    assert raw(platform, b"GET /healthz HT").startswith(b"HTTP/1.1 408 ")
    assert raw(platform) == b""
    path = f"{base(NEW)}/invocations".encode()
    answer = raw(platform, b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc" % path)
    assert answer.startswith(b"HTTP/1.1 408 ") and b'"RequestTimeout"' in answer


def test_client_that_leaves_in_the_middle_of_its_body_is_no_error_of_the_server(platform: Platform) -> None:
    address = urlsplit(platform.endpoint)
    path = f"{base(NEW)}/async-invoke-config".encode()
    for _ in range(3):
        with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as connection:
            connection.sendall(b"PUT %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc" % path)
    assert raw(platform, b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    log = (platform.folder / "log.ndjson").read_text()
    assert "Traceback" not in log and "Invalid HTTP" not in log


def test_request_that_is_not_http_is_answered_with_400(platform: Platform) -> None:
    answer = raw(platform, b"\x16\x03\x01 this is not HTTP\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ") and b'"InvalidArgument"' in answer


@pytest.mark.parametrize(
    "path",
    [
        f"/{OLD[0]}/services/a%00b/functions/echo/invocations",
        f"/{OLD[0]}/services/..%5c/functions/echo/invocations",
        f"/{OLD[1]}/services/a.b.c/functions/echo/invocations",
        f"/{OLD[1]}/services/1a/functions/echo/invocations",
        f"/{OLD[1]}/services/{'a' * 400}/functions/echo/invocations",
    ],
)
def test_service_that_breaks_the_rules_is_400(client: httpx.Client, path: str) -> None:
    answer = client.post(path)
    assert (answer.status_code, answer.json()["Code"]) == (400, "InvalidArgument")


@pytest.mark.parametrize(
    "token", ["garbage", "bnVsbA==", "WzEsIDJd", "W10=", "WzFlOTk5LCAiYSJd", "%00", "W" * 999, "\u00e9"]
)
def test_token_that_this_server_has_not_given_out_is_400(client: httpx.Client, token: str) -> None:
    answer = client.get(f"{base(NEW)}/async-tasks", params={"nextToken": token})
    assert (answer.status_code, answer.json()["Code"]) == (400, "InvalidArgument")


def test_odd_json_odd_prefixes_and_headers_said_twice_are_400(client: httpx.Client) -> None:
    path = f"{base(NEW)}/async-invoke-config"
    for body in (b'{"asyncTask": NaN}', b'{"x": "\\ud800"}', b'{"x":' + b"[" * 400 + b"]" * 400 + b"}"):
        assert client.put(path, content=body).status_code in (200, 400), body
    assert client.get(f"{base(NEW)}/async-tasks", params={"prefix": "a\0"}).status_code == 400
    twice = [("X-Fc-Async-Task-Id", "one"), ("X-Fc-Async-Task-Id", "two"), ("X-Fc-Invocation-Type", "Async")]
    answer = client.post(f"{base(NEW)}/invocations", headers=twice)
    assert (answer.status_code, answer.json()["Message"]) == (400, "the header x-fc-async-task-id is there twice")
    answer = client.post(f"{base(NEW)}/invocations", content=b"x", headers={"Content-MD5": "1" * 32})
    assert (answer.status_code, answer.json()["Message"]) == (400, "Content-MD5 is not the MD5 of the body")


def test_pages_of_other_sites_are_refused_and_nothing_is_redirected(client: httpx.Client) -> None:
    for headers, status in (
        ({"Host": "evil.example.org"}, 400),
        ({"Origin": "http://evil.example.org"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ):
        answer = client.post(f"{base(NEW)}/invocations", headers=headers)
        assert answer.status_code == status and set(answer.json()) >= {"Code", "Message", "RequestId"}
    assert client.get("/docs/").status_code == client.get(f"{base(NEW)}/async-tasks/").status_code == 404


def test_docs_page_needs_no_other_server(client: httpx.Client) -> None:
    page = client.get("/docs").text
    wanted = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert wanted and all(address.startswith("/") for address in wanted)
    for address in wanted:
        assert client.get(address).status_code == 200, address
    assert "http" not in re.sub(r"https?://www\.w3\.org\S*", "", page)


def test_health_metrics_and_openapi_pages_are_served(client: httpx.Client) -> None:
    assert submit(client, NEW, "counted").status_code == 202
    health = client.get("/healthz").json()
    assert (health["status"], health["schedulers_up"], health["agents_up"]) == ("ok", 1, 1)
    metrics = client.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert 'onceproof_submissions_total{answer="accepted",version="2023-03-30"}' in metrics.text
    document = client.get("/openapi.json").json()
    assert len([path for path in document["paths"] if "/functions/" in path]) == 7 + 7 + 7
    assert client.get("/docs").status_code == 200


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    made = Platform(
        tmp_path_factory.mktemp("signed"),
        {
            "keys": {"AK1": {"secret": "s3cret-of-AK1", "user": "alice"}},
            "schedulers": 1,
            "agents": 1,
            "duplicate_status": 409,
        },
    )
    made.function("echo", ECHO)
    yield made.start()
    made.end()


def test_requests_must_be_signed_where_keys_are_configured(signed: Platform) -> None:
    with pytest.raises(CallFailed, match="403 AccessDenied"):
        signed.caller().submit("echo", b"", "t1")
    with pytest.raises(CallFailed, match="does not match"):
        signed.caller(key="AK1", secret="wrong").submit("echo", b"", "t1")
    with pytest.raises(CallFailed, match="not known"):
        signed.caller(key="AK2", secret="s3cret-of-AK1").submit("echo", b"", "t1")
    alice: Caller = signed.caller(key="AK1", secret="s3cret-of-AK1")
    assert alice.submit("echo", b"hi", "t1") == ("t1", True)
    assert [task["taskId"] for task in alice.listed("echo", limit=5, prefix="t")["tasks"]] == ["t1"]


def test_older_api_versions_take_the_older_signature_and_answer_409(signed: Platform) -> None:
    path = "/2021-04-06/services/shop/functions/echo/invocations"
    headers = {
        "date": "",
        "content-type": "application/octet-stream",
        "x-fc-invocation-type": "Async",
        "x-fc-stateful-async-invocation-id": "old1",
    }

    def send(age_seconds: float = 0.0) -> httpx.Response:
        from email.utils import formatdate

        headers["date"] = formatdate(time.time() - age_seconds, usegmt=True)
        signature = sign_fc("s3cret-of-AK1", "POST", path, headers)
        sent = {**headers, "authorization": f"FC AK1:{signature}"}
        return httpx.post(signed.endpoint + path, content=b"x", headers=sent)

    assert send(1000).status_code == 403
    assert send().status_code == 202
    assert send().status_code == 409
