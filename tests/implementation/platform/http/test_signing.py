"""Signatures, against values worked out by hand from the published rules."""

import base64
import hashlib
import hmac
from email.utils import formatdate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onceproof.implementation.platform.http.problems import Problem
from onceproof.implementation.platform.http.signing import SKEW_SECONDS_MAX, check_signature, sign_acs3, sign_fc

SECRET = "sk"
KEYS = {"AK": {"secret": SECRET, "user": "u"}}
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


class Once:
    """Nonces in memory."""

    def __init__(self) -> None:
        self.seen: dict[tuple[str, str], float] = {}

    def is_new(self, key: str, nonce: str, now: float, until: float) -> bool:
        is_new = self.seen.get((key, nonce), 0.0) < now
        self.seen[key, nonce] = until
        return is_new


def checked(
    headers: dict[str, str], path: str = "/p", body: bytes = b"", nonces: Once | None = None, now: float = NOW
) -> str:
    return check_signature(KEYS, nonces or Once(), "GET", path, "", headers, body, now)


def signed(age: float = 0.0) -> dict[str, str]:
    headers = {"date": formatdate(NOW - age, usegmt=True), "x-fc-account-id": "u"}
    return headers | {"authorization": f"FC AK:{sign_fc('sk', 'GET', '/p', headers)}"}


def acs3(
    body: bytes = b"", leave_out: tuple[str, ...] = (), unsigned: tuple[str, ...] = (), **changed: str
) -> dict[str, str]:
    """A request of 2023, signed; without some headers, or with some that are not signed."""
    headers = {
        "host": "h",
        "x-acs-date": "2023-11-14T22:13:20Z",
        "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
        "x-acs-signature-nonce": "n1",
        "x-fc-async-task-id": "t1",
    } | {name.replace("_", "-"): value for name, value in changed.items()}
    headers = {name: value for name, value in headers.items() if name not in leave_out}
    names = ";".join(sorted(set(headers) - set(unsigned)))
    value = sign_acs3(SECRET, "GET", "/p", "", headers, names)
    return headers | {"authorization": f"ACS3-HMAC-SHA256 Credential=AK,SignedHeaders={names},Signature={value}"}


def test_valid_and_recent_signature_is_accepted() -> None:
    assert checked(signed()) == "AK"
    assert checked(signed(890)) == "AK"
    assert checked(acs3()) == "AK"
    assert checked(acs3(body=b"one"), body=b"one") == "AK"
    assert checked(acs3(x_acs_date="2023-11-14T22:13:20")) == "AK", "a date without a zone is in UTC"


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
        ({**signed(), "x-fc-account-id": "\udcff"}, "/p", "does not match"),
        ({"authorization": "ACS3-HMAC-SHA256 Credential=AK"}, "/p", "not signed"),
        (acs3(), "/q", "does not match"),
        ({**acs3(), "x-fc-async-task-id": "t2"}, "/p", "does not match"),
        ({**acs3(), "x-fc-account-id": "v"}, "/p", "the header x-fc-account-id is not signed"),
        (acs3(unsigned=("x-acs-date",)), "/p", "the header x-acs-date is not signed"),
        (acs3(unsigned=("host",)), "/p", "the header host is not signed"),
        (acs3(unsigned=("x-acs-signature-nonce",)), "/p", "the header x-acs-signature-nonce is not signed"),
        (acs3(leave_out=("x-acs-date",)), "/p", "the header x-acs-date is missing"),
        (acs3(leave_out=("x-acs-signature-nonce",)), "/p", "the header x-acs-signature-nonce is missing"),
        (acs3(x_acs_signature_nonce=""), "/p", "expected a text of at most 256"),
        (acs3(x_acs_signature_nonce="n" * 257), "/p", "expected a text of at most 256"),
        (acs3(x_acs_date="2023-11-14T22:29:20Z"), "/p", "960 s off"),
        (acs3(x_acs_date="0000-00-00T00:00:00Z"), "/p", "no date"),
        (acs3(body=b"two"), "/p", "digest"),
    ],
)
def test_wrong_late_or_missing_signature_is_403(headers: dict[str, str], path: str, why: str) -> None:
    with pytest.raises(Problem, match=why) as refused:
        checked(headers, path)
    assert refused.value.status == 403


def test_request_that_was_sent_already_is_403() -> None:
    nonces = Once()
    assert checked(acs3(), nonces=nonces) == "AK"
    with pytest.raises(Problem, match="the nonce was used before"):
        checked(acs3(), nonces=nonces)
    assert checked(acs3(x_acs_signature_nonce="n2"), nonces=nonces) == "AK"
    with pytest.raises(Problem, match="s off"):
        checked(acs3(), nonces=nonces, now=NOW + SKEW_SECONDS_MAX + 1)


def test_nonce_of_a_wrong_signature_is_not_used_up() -> None:
    nonces = Once()
    wrong = {**acs3(), "x-fc-async-task-id": "other"}
    with pytest.raises(Problem, match="does not match"):
        checked(wrong, nonces=nonces)
    assert checked(acs3(), nonces=nonces) == "AK"


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(
    authorization=st.one_of(
        st.text(max_size=40), st.text(max_size=20).map("FC {}".format), st.just(acs3()["authorization"])
    ),
    headers=st.dictionaries(st.sampled_from(sorted(acs3())), st.text(max_size=30), max_size=6),
    path=st.text(max_size=10),
    query=st.text(max_size=10),
)
def test_whatever_a_request_says_it_is_403(authorization: str, headers: dict[str, str], path: str, query: str) -> None:
    with pytest.raises(Problem) as refused:
        check_signature(KEYS, Once(), "GET", path, query, {**headers, "authorization": authorization}, b"", NOW)
    assert refused.value.status == 403
