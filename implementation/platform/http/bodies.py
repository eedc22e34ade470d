"""Bodies of requests: read within limits of size and time, held against their digest, and read as strict JSON."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
from typing import Any, NoReturn

from fastapi import Request
from starlette.requests import ClientDisconnect

from onceproof.implementation.platform.config import PlatformConfig
from onceproof.implementation.platform.http.problems import Problem, bad_request

CLOSE = {"Connection": "close"}
# Said twice, any of these would mean one thing to a proxy or a signature and another to this server.
SINGLE = {
    b"authorization",
    b"content-length",
    b"content-md5",
    b"content-type",
    b"date",
    b"host",
    b"origin",
    b"sec-fetch-site",
    b"transfer-encoding",
}
SINGLE_PREFIXES = (b"x-fc-", b"x-acs-")


async def read_body(request: Request, config: PlatformConfig) -> bytes:
    """The body; Problem 413 when it is too large, 408 when it comes too slowly, 400 if Content-MD5 says another."""
    limit = config.body_bytes_max
    too_large = Problem(413, "PayloadTooLarge", f"the body may have {limit} bytes at most", CLOSE)
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > limit:
        raise too_large
    parts, size = [], 0
    try:
        async with asyncio.timeout(config.read_timeout_seconds):
            async for part in request.stream():
                size += len(part)
                if size > limit:
                    raise too_large
                parts.append(part)
    except TimeoutError:
        raise Problem(408, "RequestTimeout", "the body came too slowly", CLOSE) from None
    except ClientDisconnect:
        raise Problem(400, "InvalidArgument", "the client left before the end of its body", CLOSE) from None
    body = b"".join(parts)
    check_md5(request.headers.get("content-md5", ""), body)
    return body


def check_md5(said: str, body: bytes) -> None:
    """Problem 400 if a Content-MD5 header (in base64, or in hexadecimal as some SDKs write it) is not the body's."""
    if not said:
        return
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    try:
        found = (
            bytes.fromhex(said) if len(said) == 32 else base64.b64decode(said.encode("ascii", "replace"), None, True)
        )
    except (ValueError, binascii.Error):
        raise bad_request("Content-MD5: expected the MD5 of the body in base64") from None
    if not hmac.compare_digest(found, digest):
        raise bad_request("Content-MD5 is not the MD5 of the body")


def check_single(headers: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The headers that must have one meaning; Problem 400 if one of them is there twice."""
    found: dict[bytes, bytes] = {}
    for raw, value in headers:
        name = raw.lower()
        if name in SINGLE or name.startswith(SINGLE_PREFIXES):
            if name in found:
                raise bad_request(f"the header {name.decode('latin-1')} is there twice")
            found[name] = value
    return found


def json_object(raw: bytes) -> dict[str, Any]:
    """A body as a JSON object; Problem 400 for anything else: NaN, text that is not Unicode, endless nesting."""
    try:
        body = json.loads(raw.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_each_once)
        json.dumps(body, ensure_ascii=False).encode()  # a lone surrogate cannot be written anywhere
    except UnicodeError:
        raise bad_request("the body is not text in UTF-8, or has a lone surrogate in it") from None
    except RecursionError:
        raise bad_request("the body is nested too deeply") from None
    except ValueError as error:
        raise bad_request(f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise bad_request("the body: expected a JSON object")
    return body


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{json.dumps(name)} is there twice")
        found[name] = value
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")
