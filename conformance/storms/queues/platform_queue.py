"""The reference platform: one command starts all of its processes.

It keeps its tasks and messages in SQLite; with PLATFORM_BROKERS=postgresql+nats in PostgreSQL and NATS JetStream.
"""

import http.client
import json
import os
import pathlib
import socket
import threading
import time
import urllib.error
import urllib.request

from onceproof.storm import Queue
from onceproof.storm.ledger import HOLDS, LEDGER, record

FUNCTION = """
import json, os
from onceproof.storm import work

def handler(event, context):
    order = json.loads(event)
    os.environ.update(order["environment"])
    work(order["task"], order["seconds"])
"""
queue = Queue(broker=os.environ.get("PLATFORM_BROKERS", "none"), lease=2)
folder = pathlib.Path("functions")
folder.mkdir(exist_ok=True)
(folder / "ledger.py").write_text(FUNCTION)
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
tasks = f"http://127.0.0.1:{port}/2023-03-30/functions/ledger"
waiting: "set[str]" = set()


def submit(task: str, seconds: float) -> bool:
    """400 says that the TaskID is known; while the platform comes up, or its API server does, it is asked again.

    After a request whose answer was lost 400 says that this very request brought the task in.
    """
    environment = {name: os.environ[name] for name in (LEDGER, HOLDS)}
    order = json.dumps({"task": task, "seconds": seconds, "environment": environment}).encode()
    headers = {"X-Fc-Invocation-Type": "Async", "X-Fc-Async-Task-Id": task}
    deadline = time.monotonic() + 9
    lost = False
    waiting.add(task)  # whatever the answer is: it may be lost, and the task be in
    while True:
        try:
            urllib.request.urlopen(urllib.request.Request(f"{tasks}/invocations", order, headers), timeout=5).close()
            return True
        except urllib.error.HTTPError as error:
            if error.code != 503:
                return lost if error.code == 400 else _raise(error)
        except (OSError, http.client.HTTPException):
            lost = True
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def _raise(error: Exception) -> bool:
    raise error


def watch() -> None:
    """A task that fails visibly has come to an end; the function itself cannot say so when its agent is lost."""
    while True:
        for task in list(waiting):
            try:
                with urllib.request.urlopen(f"{tasks}/async-tasks/{task}", timeout=5) as answer:
                    status = json.load(answer)["status"]
            except (OSError, http.client.HTTPException, ValueError, KeyError):  # it is asked again
                continue
            if status in ("Failed", "Stopped", "Expired", "Invalid"):
                record("stop", task, value=status)
            if status in ("Failed", "Stopped", "Expired", "Invalid", "Succeeded"):
                record("status", task, value=status)  # a scheduler had it until its end
                waiting.discard(task)
        time.sleep(0.2)


command = ["onceproof", "serve", "--port", str(port), "--functions", "functions", "--lease-seconds", "2"]
if queue.url:
    store, broker = queue.url.split()
    command += ["--store", store, "--queue", broker]
queue.worker(command, copies=1)
queue.submit(submit)
threading.Thread(target=watch, daemon=True).start()
