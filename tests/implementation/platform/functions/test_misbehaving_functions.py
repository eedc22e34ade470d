"""Users' functions that misbehave harm their own attempt, and nothing else."""

import json
from collections.abc import Iterator

import pytest

from tests.helpers.platforms import Platform

FUNCTIONS = {
    "raises": "def handler(event, context): raise KeyError('no such order')",
    "exits": "import sys\ndef handler(event, context): sys.exit(3)",
    "vanishes": "import os\ndef handler(event, context): os._exit(7)",
    "kills": "import os, signal\ndef handler(event, context): os.kill(os.getpid(), signal.SIGSEGV)",
    "loops": "def handler(event, context):\n    while True: pass",
    "devours": "def handler(event, context): return len(bytearray(2_000_000_000))",
    "floods": "def handler(event, context): return b'x' * 5000",
    "writes": "def handler(event, context): open('/tmp/onceproof-too-large', 'wb').write(bytes(3 << 20))",
    "broken": "def handler(event, context)",
    "empty": "",
    "odd": "def handler(event, context): return {1, 2}",
    "chatty": "def handler(event, context):\n    print('hello from a function')\n    return 'said'",
    "jsons": "def handler(event, context): return {'got': event.decode()}",
    "context": """
        def handler(event, context):
            context.logger.info("at work")
            return {"task": context.task_id, "attempt": context.attempt, "function": context.function_name,
                    "request": context.request_id}
    """,
    "pids": "import os\ndef handler(event, context): return str(os.getpid())",
}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    made = Platform(
        tmp_path_factory.mktemp("functions"),
        {
            "schedulers": 1,
            "agents": 1,
            "slots": 4,
            "result_bytes_max": 4000,
            "function_memory_mb": 500,
            "limits": {"loops": {"timeout_seconds": 0.5}, "writes": {"file_mb": 1}},
        },
    )
    for name, text in FUNCTIONS.items():
        made.function(name, text)
    yield made.start()
    made.end()


@pytest.mark.parametrize(
    ("function", "error"),
    [
        ("raises", "no such order"),
        ("exits", "exited with status 3"),
        ("vanishes", "exited with status 7"),
        ("kills", "was killed by signal SIGSEGV"),
        ("loops", "did not end within 0.5 s"),
        ("devours", "MemoryError"),
        ("floods", "the result has 5000 bytes; at most 4000 are allowed"),
        ("writes", "File too large"),
        ("broken", "SyntaxError"),
        ("empty", "has no function handler(event, context)"),
        ("odd", "not JSON serializable"),
    ],
)
def test_misbehaving_function_is_a_failed_task_that_says_why(platform: Platform, function: str, error: str) -> None:
    platform.caller().submit(function, b"", "t")
    record = platform.ended(function, "t")
    assert record["status"] == "Failed"
    assert error in record["taskErrorMessage"]
    assert platform.caller().submit("jsons", b"x", f"after-{function}")[1]
    assert platform.ended("jsons", f"after-{function}")["returnPayload"] == '{"got": "x"}'


def test_output_of_a_function_is_kept_with_its_task(platform: Platform) -> None:
    platform.caller().submit("chatty", b"", "t")
    assert platform.ended("chatty", "t")["returnPayload"] == "said"
    assert platform.caller().log("chatty", "t") == [
        {"attempt": 1, "output": "hello from a function\n", "droppedBytes": 0}
    ]
    assert "hello from a function" not in (platform.folder / "log.ndjson").read_text()


def test_function_context_tells_the_task_and_the_attempt(platform: Platform) -> None:
    platform.caller().submit("context", b"", "t7")
    record = platform.ended("context", "t7")
    report = json.loads(record["returnPayload"])
    assert report == {"task": "t7", "attempt": 1, "function": "context", "request": record["requestId"]}


def test_function_process_is_used_again_and_replaced_after_its_death(platform: Platform) -> None:
    platform.caller().submit("pids", b"", "one")
    first = platform.ended("pids", "one")["returnPayload"]
    platform.caller().submit("pids", b"", "two")
    assert platform.ended("pids", "two")["returnPayload"] == first
