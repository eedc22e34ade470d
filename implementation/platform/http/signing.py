"""Request signatures, checked when keys are configured: the older `FC key:signature`, and 2023's `ACS3-HMAC-SHA256`."""

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol
from urllib.parse import parse_qsl, quote, unquote

from onceproof.implementation.platform.http.problems import Problem

SKEW_SECONDS_MAX = 900
ACS3 = re.compile(r"^ACS3-HMAC-SHA256\s+Credential=([^,]+),\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})$")
# What a signature of 2023 must cover beside every x-acs-* and x-fc-* header that is sent.
ALWAYS_SIGNED = ("host", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce")
SIGNED_PREFIXES = ("x-acs-", "x-fc-")
NONCE_LENGTH_MAX = 256
Keys = Mapping[str, Mapping[str, str]]


class Nonces(Protocol):
    """Remembers nonces for as long as a request with one could be sent again."""

    def is_new(self, key: str, nonce: str, now: float, until: float) -> bool:
        """Whether the key has not used this nonce before; from now on it has, until then."""
        ...


def denied(message: str) -> Problem:
    """403: not signed, or signed wrongly."""
    return Problem(403, "AccessDenied", message)


def check_signature(
    keys: Keys,
    nonces: Nonces,
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
    now: float | None = None,
) -> str:
    """The access key that has signed the request; Problem 403 if none has.

    path: as sent, percent-encoded, without the query. headers: with lower-case names, each there once. now: seconds
    since 1970. The older signature has no nonce: the same request may be sent again within the time allowed.
    """
    authorization = headers.get("authorization", "")
    now = time.time() if now is None else now
    if authorization.startswith("FC "):
        key, _, signature = authorization[3:].strip().partition(":")
        date_of(headers.get("date", ""), now)
        agree(sign_fc(secret_of(keys, key), method, path, headers), signature)
        return key
    found = ACS3.match(authorization)
    if found is None:
        raise denied("the request is not signed: no Authorization header of a kind that this server knows")
    key, signed, signature = found.groups()
    check_covered(signed.lower().split(";"), headers)
    when = date_of(headers["x-acs-date"], now)
    if headers["x-acs-content-sha256"].lower() != hashlib.sha256(body).hexdigest():
        raise denied("x-acs-content-sha256 is not the digest of the body")
    agree(sign_acs3(secret_of(keys, key), method, path, query, headers, signed), signature)
    nonce = headers["x-acs-signature-nonce"]
    if not 0 < len(nonce) <= NONCE_LENGTH_MAX:
        raise denied(f"x-acs-signature-nonce: expected a text of at most {NONCE_LENGTH_MAX} characters")
    if not nonces.is_new(key, nonce, now, when + SKEW_SECONDS_MAX):
        raise denied("the nonce was used before: this request was sent already; sign each request anew")
    return key


def agree(expected: str, signature: str) -> None:
    """Problem 403 unless the signature is the expected one."""
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
        raise denied("the signature does not match")


def check_covered(signed: list[str], headers: Mapping[str, str]) -> None:
    """Problem 403 unless every header that matters is there and signed."""
    for name in ALWAYS_SIGNED:
        if name not in headers:
            raise denied(f"the header {name} is missing")
    for name in headers:
        if (name in ALWAYS_SIGNED or name.startswith(SIGNED_PREFIXES)) and name not in signed:
            raise denied(f"the header {name} is not signed")
    missing = next((name for name in signed if name not in headers), None)
    if missing is not None or len(set(signed)) < len(signed):
        raise denied(f"SignedHeaders names {missing or 'a header twice'}, which was not sent so")


def sign_fc(secret: str, method: str, path: str, headers: Mapping[str, str]) -> str:
    """The signature of the 2016 and 2021 APIs."""
    fc_lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers) if name.startswith("x-fc-"))
    text = "\n".join(
        [
            method,
            headers.get("content-md5", ""),
            headers.get("content-type", ""),
            headers.get("date", ""),
            fc_lines + unquote(path),
        ]
    )
    return base64.b64encode(
        hmac.new(secret.encode(), text.encode("utf-8", "replace"), hashlib.sha256).digest()
    ).decode()


def sign_acs3(secret: str, method: str, path: str, query: str, headers: Mapping[str, str], signed: str) -> str:
    """The signature of the 2023 API over the headers named in signed (separated by semicolons)."""
    names = sorted(name.lower() for name in signed.split(";"))
    canonical_query = "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
        for name, value in sorted(parse_qsl(query, keep_blank_values=True))
    )
    canonical = "\n".join(
        [
            method,
            path or "/",
            canonical_query,
            "".join(f"{name}:{headers.get(name, '').strip()}\n" for name in names),
            ";".join(names),
            headers.get("x-acs-content-sha256", ""),
        ]
    )
    text = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode('utf-8', 'replace')).hexdigest()}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def secret_of(keys: Keys, key: str) -> str:
    """The secret of an access key; Problem 403 if there is no such key."""
    if key not in keys:
        raise denied("the access key is not known")
    return keys[key]["secret"]


def date_of(date: str, now: float) -> float:
    """A date (of HTTP, or ISO 8601) in seconds since 1970; Problem 403 unless it is within 15 minutes of now."""
    try:
        when = datetime.fromisoformat(date) if date[:4].isdigit() else parsedate_to_datetime(date)
        seconds = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        raise denied("the request has no date that this server understands") from None
    if abs(seconds - now) > SKEW_SECONDS_MAX:
        age = abs(seconds - now)
        raise denied(f"the request's date is {age:.0f} s off; at most {SKEW_SECONDS_MAX} s are allowed")
    return seconds
