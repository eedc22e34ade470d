"""Signatures, against values worked out by hand from the published rules."""

import base64
import hashlib
import hmac
from email.utils import formatdate

import pytest

from onceproof.implementation.platform.http.problems import Problem
from onceproof.implementation.platform.http.signing import check_signature, sign_acs3, sign_fc

KEYS = {"AK": {"secret": "sk", "user": "u"}}
NOW = 1_700_000_000.0


def test_older_signature_is_over_method_headers_and_decoded_path() -> None:
    headers = {"date": "D", "content-type": "text/plain", "x-fc-b": "2", "x-fc-a": "1", "host": "ignored"}
    text = "POST\n\ntext/plain\nD\nx-fc-a:1\nx-fc-b:2\n/2016-08-15/services/a b"
    expected = base64.b64encode(hmac.new(b"sk", text.encode(), hashlib.sha256).digest()).decode()
    assert sign_fc("sk", "POST", "/2016-08-15/services/a%20b", headers) == expected


def test_newer_signature_is_over_the_canonical_request() -> None:
    headers = {"host": "h", "x-acs-date": "2023-11-14T22:13:20Z", "x-acs-content-sha256": "e3"}
    canonical = "GET\n/p\na=1&b=%20\nhost:h\nx-acs-date:2023-11-14T22:13:20Z\n\nhost;x-acs-date\ne3"
    text = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    expected = hmac.new(b"sk", text.encode(), hashlib.sha256).hexdigest()
    assert sign_acs3("sk", "GET", "/p", "b=+&a=1", headers, "host;x-acs-date") == expected


def signed(age: float = 0.0) -> dict[str, str]:
    headers = {"date": formatdate(NOW - age, usegmt=True), "x-fc-account-id": "u"}
    return headers | {"authorization": f"FC AK:{sign_fc('sk', 'GET', '/p', headers)}"}


def test_valid_and_recent_signature_is_accepted() -> None:
    assert check_signature(KEYS, "GET", "/p", "", signed(), b"", NOW) == "AK"
    assert check_signature(KEYS, "GET", "/p", "", signed(890), b"", NOW) == "AK"


@pytest.mark.parametrize(
    ("headers", "path", "why"),
    [
        ({}, "/p", "not signed"),
        (signed(), "/q", "does not match"),
        (signed(901), "/p", "s off"),
        ({**signed(), "date": "yesterday"}, "/p", "no date"),
        ({**signed(), "authorization": "FC XX:abc"}, "/p", "not known"),
        ({**signed(), "authorization": "FC AK:\u00e9"}, "/p", "does not match"),
        ({**signed(), "x-fc-account-id": "v"}, "/p", "does not match"),
        ({"authorization": "ACS3-HMAC-SHA256 Credential=AK"}, "/p", "not signed"),
    ],
)
def test_wrong_late_or_missing_signature_is_403(headers: dict[str, str], path: str, why: str) -> None:
    with pytest.raises(Problem, match=why) as refused:
        check_signature(KEYS, "GET", path, "", headers, b"", NOW)
    assert refused.value.status == 403


def test_body_other_than_the_signed_one_is_403() -> None:
    headers = {"x-acs-date": "2023-11-14T22:13:20Z", "x-acs-content-sha256": hashlib.sha256(b"one").hexdigest()}
    value = sign_acs3("sk", "POST", "/p", "", headers, "x-acs-content-sha256;x-acs-date")
    headers["authorization"] = (
        f"ACS3-HMAC-SHA256 Credential=AK,SignedHeaders=x-acs-content-sha256;x-acs-date,Signature={value}"
    )
    assert check_signature(KEYS, "POST", "/p", "", headers, b"one", NOW) == "AK"
    with pytest.raises(Problem, match="digest"):
        check_signature(KEYS, "POST", "/p", "", headers, b"two", NOW)
