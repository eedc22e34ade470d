"""A caller of the platform over HTTP, for the command line and for tests: submit, get, list and stop tasks."""

import hashlib
import http.client
import json
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from onceproof.implementation.platform.http.signing import sign_acs3

BASE = "/2023-03-30/functions"
ALREADY = "StatefulAsyncInvocationAlreadyExists"


class CallFailed(Exception):
    """The platform refused, or could not be reached; one line. status is the HTTP status, 0 when there was none."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Caller:
    """endpoint is like http://127.0.0.1:8700; key and secret sign the requests when given; user names the account."""

    endpoint: str
    user: str = ""
    key: str = ""
    secret: str = ""
    timeout_seconds: float = 10.0

    def submit(self, function: str, payload: bytes, task_id: str = "", tries: int = 5) -> tuple[str, bool]:
        """Submit a task asynchronously; (TaskID, whether this call brought it in).

        With a TaskID it is sent again when no answer comes, which is harmless; then "it is in already" is an answer
        too. Without one it is sent once, since nobody could know whether it arrived.
        """
        headers = {"X-Fc-Invocation-Type": "Async"} | ({"X-Fc-Async-Task-Id": task_id} if task_id else {})
        for left in reversed(range(tries if task_id else 1)):
            try:
                reply, _ = self._call("POST", f"{BASE}/{quote(function)}/invocations", payload, headers)
                return reply["x-fc-async-task-id"], True
            except CallFailed as error:
                if error.code == ALREADY:
                    return task_id, False
                if error.status not in (0, 503) or left == 0:
                    raise
                time.sleep(0.2)
        raise AssertionError("unreachable: the last try returns or raises")

    def get(self, function: str, task_id: str) -> dict[str, Any]:
        """A task's record."""
        path = f"{BASE}/{quote(function)}/async-tasks/{quote(task_id)}"
        return dict(json.loads(self._call("GET", path)[1]))

    def log(self, function: str, task_id: str) -> list[dict[str, Any]]:
        """What a task's attempts wrote: [{"attempt", "output", "droppedBytes"}], those that wrote nothing left out."""
        path = f"{BASE}/{quote(function)}/async-tasks/{quote(task_id)}/log"
        return list(json.loads(self._call("GET", path)[1])["attempts"])

    def listed(self, function: str, **filters: Any) -> dict[str, Any]:
        """A page of tasks: {"tasks": [...], "nextToken"?: ...}; filters are the query of the public API."""
        query = urlencode({name: value for name, value in filters.items() if value not in (None, "")})
        return dict(json.loads(self._call("GET", f"{BASE}/{quote(function)}/async-tasks?{query}")[1]))

    def stop(self, function: str, task_id: str) -> None:
        """Stop a task that has not ended."""
        self._call("PUT", f"{BASE}/{quote(function)}/async-tasks/{quote(task_id)}/stop")

    def put_config(self, function: str, settings: dict[str, Any]) -> None:
        """Put the settings for asynchronous invocations of a function."""
        path = f"{BASE}/{quote(function)}/async-invoke-config"
        self._call("PUT", path, json.dumps(settings).encode(), {"Content-Type": "application/json"})

    def _call(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[dict[str, str], bytes]:
        """One request, sent once: the reply's headers (lower case) and its body; CallFailed for all but success."""
        sent = dict(headers or {}) | ({"X-Fc-Account-Id": self.user} if self.user else {})
        parts = urlsplit(self.endpoint)
        sent["Host"] = parts.netloc.rpartition("@")[2]
        if self.key:
            sent |= self._signature(method, path, body, sent)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=self.timeout_seconds)
        try:
            connection.request(method, path, body, sent)
            reply = connection.getresponse()
            content = reply.read()
        except (OSError, http.client.HTTPException) as error:
            raise CallFailed(0, "", f"no answer from {self.endpoint}: {error or type(error).__name__}") from None
        finally:
            connection.close()
        if reply.status >= 300:
            raise refusal(reply.status, content)
        return {name.lower(): value for name, value in reply.getheaders()}, content

    def _signature(self, method: str, path: str, body: bytes, sent: dict[str, str]) -> dict[str, str]:
        bare, _, query = path.partition("?")
        headers = {name.lower(): value for name, value in sent.items()} | {
            "x-acs-date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
            "x-acs-signature-nonce": os.urandom(16).hex(),
        }
        signed = ";".join(sorted(headers))
        signature = sign_acs3(self.secret, method, bare, query, headers, signed)
        value = f"ACS3-HMAC-SHA256 Credential={self.key},SignedHeaders={signed},Signature={signature}"
        return {name: headers[name] for name in headers if name.startswith("x-acs-")} | {"Authorization": value}


def refusal(status: int, content: bytes) -> CallFailed:
    """A refusal as the error that says it."""
    try:
        body = json.loads(content)
        return CallFailed(status, body["Code"], f"{body['Message']} ({status} {body['Code']})")
    except (ValueError, KeyError, TypeError):
        return CallFailed(status, "", f"the server answered {status}")
