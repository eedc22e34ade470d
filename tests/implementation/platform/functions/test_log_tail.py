"""X-Fc-Log-Type: Tail: what a function wrote comes back in a header of the answer, and only when asked for."""

import base64
from collections.abc import Iterator

import httpx
import pytest

from tests.helpers.platforms import Platform

TAIL_BYTES = 4096
FUNCTIONS = {
    "speaks": """
        import os, sys
        def handler(event, context):
            print("to stdout", event.decode())
            print("to stderr", file=sys.stderr)
            context.logger.info("to the logger")
            os.system("echo from a shell")
            return b"done"
    """,
    "silent": "def handler(event, context): return b'done'",
    "floods": """
        import os
        def handler(event, context):
            for number in range(3000):
                os.write(1, b"%07d " % number * 128)
    """,
    "binary": "import os\ndef handler(event, context): os.write(1, bytes(range(256)) * 32)",
    "raises": "def handler(event, context):\n    print('before')\n    raise KeyError('no such order')",
    "exits": "import sys\ndef handler(event, context):\n    print('before')\n    sys.exit('I give up')",
    "vanishes": "import os\ndef handler(event, context):\n    print('before')\n    os._exit(7)",
    "loops": "def handler(event, context):\n    print('before')\n    while True: pass",
    "closes": "import sys\ndef handler(event, context):\n    print('before')\n    sys.stdout.close()",
    "retried": """
        def handler(event, context):
            print("attempt", context.attempt)
            if context.attempt < 2:
                raise ValueError("again")
            return b"done"
    """,
}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    settings = {"schedulers": 1, "agents": 1, "slots": 4, "limits": {"loops": {"timeout_seconds": 0.5}}}
    made = Platform(tmp_path_factory.mktemp("logs"), settings)
    for name, text in FUNCTIONS.items():
        made.function(name, text)
    yield made.start()
    made.end()


def invoke(platform: Platform, function: str, event: bytes = b"", **headers: str) -> httpx.Response:
    url = f"{platform.endpoint}/2023-03-30/functions/{function}/invocations"
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(url, content=event, headers=sent, timeout=60)


def log_of(answer: httpx.Response) -> bytes:
    """The log of an answer without its first and last line, which are checked."""
    log = base64.b64decode(answer.headers["X-Fc-Log-Result"], validate=True)
    request_id = answer.headers["X-Fc-Request-Id"]
    first, last = (f"FC Invoke {word} RequestId: {request_id}\n".encode() for word in ("Start", "End"))
    assert log.startswith(first) and log.endswith(last)
    return log[len(first) : -len(last)]


def tail(platform: Platform, function: str, event: bytes = b"") -> bytes:
    return log_of(invoke(platform, function, event, x_fc_log_type="Tail"))


def test_log_tail_has_the_functions_output_in_order_and_the_platform_log_has_none_of_it(platform: Platform) -> None:
    assert tail(platform, "speaks", b"one") == (
        b"to stdout one\nto stderr\nINFO:function.speaks:to the logger\nfrom a shell\n"
    )
    assert "to stdout one" not in (platform.folder / "log.ndjson").read_text()


def test_log_tail_is_of_one_invocation_though_the_process_is_used_again(platform: Platform) -> None:
    assert invoke(platform, "speaks", b"unasked").content == b"done"
    assert [tail(platform, "speaks", event).split(b"\n")[0] for event in (b"two", b"three")] == [
        b"to stdout two",
        b"to stdout three",
    ]


def test_log_tail_is_answered_in_every_api_version(platform: Platform) -> None:
    for version in ("2016-08-15", "2021-04-06"):
        url = f"{platform.endpoint}/{version}/services/shop/functions/silent/invocations"
        answer = httpx.post(url, headers={"X-Fc-Log-Type": "Tail", "X-Fc-Invocation-Type": "Sync"}, timeout=60)
        assert (answer.content, log_of(answer)) == (b"done", b"")


def test_log_tail_is_sent_only_when_asked_for(platform: Platform) -> None:
    assert "X-Fc-Log-Result" not in invoke(platform, "speaks").headers
    assert "X-Fc-Log-Result" not in invoke(platform, "speaks", x_fc_log_type="None").headers
    accepted = invoke(platform, "speaks", x_fc_log_type="Tail", x_fc_invocation_type="Async")
    assert accepted.status_code == 202 and "X-Fc-Log-Result" not in accepted.headers


def test_log_tail_has_only_the_last_4_kib(platform: Platform) -> None:
    written = b"".join(b"%07d " % number * 128 for number in range(2996, 3000))
    assert len(written) == TAIL_BYTES
    assert tail(platform, "floods") == written + b"\n"


def test_log_tail_keeps_binary_output_as_it_is(platform: Platform) -> None:
    assert tail(platform, "binary") == bytes(range(256)) * 16 + b"\n"


def test_log_tail_of_a_function_that_raises_has_the_traceback(platform: Platform) -> None:
    answer = invoke(platform, "raises", x_fc_log_type="Tail")
    assert answer.headers["X-Fc-Error-Type"] == "HandledInvocationError"
    lines = log_of(answer).decode().splitlines()
    assert lines[:2] == ["before", "Traceback (most recent call last):"]
    assert lines[-1] == "KeyError: 'no such order'"


@pytest.mark.parametrize(
    ("function", "written"), [("exits", b"before\nI give up\n"), ("vanishes", b"before\n"), ("loops", b"before\n")]
)
def test_log_tail_survives_the_functions_process(platform: Platform, function: str, written: bytes) -> None:
    answer = invoke(platform, function, x_fc_log_type="Tail")
    assert answer.headers["X-Fc-Error-Type"] == "UnhandledInvocationError"
    assert log_of(answer) == written


def test_log_tail_survives_a_function_that_closes_stdout(platform: Platform) -> None:
    assert tail(platform, "closes") == b"before\n"


def test_log_tail_is_that_of_the_last_attempt(platform: Platform) -> None:
    url = f"{platform.endpoint}/2023-03-30/functions/retried/async-invoke-config"
    assert httpx.put(url, json={"maxAsyncRetryAttempts": 1}).status_code == 200
    answer = invoke(platform, "retried", x_fc_log_type="Tail")
    assert (answer.content, log_of(answer)) == (b"done", b"attempt 2\n")


def test_openapi_page_names_the_log_tail_header(platform: Platform) -> None:
    paths = httpx.get(f"{platform.endpoint}/openapi.json").json()["paths"]
    answers = [paths[path]["post"]["responses"]["200"] for path in paths if path.endswith("/invocations")]
    assert [list(answer["headers"]) for answer in answers] == [["X-Fc-Log-Result"]] * 3
