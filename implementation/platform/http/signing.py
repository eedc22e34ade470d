"""Request signatures, checked when keys are configured: the older `FC key:signature`, and 2023's `ACS3-HMAC-SHA256`."""

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, quote, unquote

from onceproof.implementation.platform.http.problems import Problem

SKEW_SECONDS_MAX = 900
ACS3 = re.compile(r"^ACS3-HMAC-SHA256\s+Credential=([^,]+),\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]+)$")
Keys = Mapping[str, Mapping[str, str]]


def denied(message: str) -> Problem:
    """403: not signed, or signed wrongly."""
    return Problem(403, "AccessDenied", message)


def check_signature(
    keys: Keys, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, now: float | None = None
) -> str:
    """The access key that has signed the request; Problem 403 if none has.

    path: as sent, percent-encoded, without the query. headers: with lower-case names. now: seconds since 1970.
    """
    authorization = headers.get("authorization", "")
    now = time.time() if now is None else now
    if authorization.startswith("FC "):
        key, _, signature = authorization[3:].strip().partition(":")
        check_age(headers.get("date", ""), now)
        expected = sign_fc(secret_of(keys, key), method, path, headers)
    else:
        found = ACS3.match(authorization)
        if found is None:
            raise denied("the request is not signed: no Authorization header of a kind that this server knows")
        key, signed, signature = found.groups()
        check_age(headers.get("x-acs-date", ""), now)
        if headers.get("x-acs-content-sha256", "") != hashlib.sha256(body).hexdigest():
            raise denied("x-acs-content-sha256 is not the digest of the body")
        expected = sign_acs3(secret_of(keys, key), method, path, query, headers, signed)
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
        raise denied("the signature does not match")
    return key


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
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


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
    text = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def secret_of(keys: Keys, key: str) -> str:
    """The secret of an access key; Problem 403 if there is no such key."""
    if key not in keys:
        raise denied("the access key is not known")
    return keys[key].get("secret", "")


def check_age(date: str, now: float) -> None:
    """Problem 403 unless the date (of HTTP, or ISO 8601) is within 15 minutes of now."""
    try:
        when = datetime.fromisoformat(date) if date[:4].isdigit() else parsedate_to_datetime(date)
        age = abs(when.timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        raise denied("the request has no date that this server understands") from None
    if age > SKEW_SECONDS_MAX:
        raise denied(f"the request's date is {age:.0f} s off; at most {SKEW_SECONDS_MAX} s are allowed")
