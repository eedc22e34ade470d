"""Bodies that are no JSON, or not what their digest says: each the right refusal, whatever is sent."""

import base64
import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onceproof.implementation.platform.http.bodies import check_md5, check_single, json_object
from onceproof.implementation.platform.http.config_body import checked_config
from onceproof.implementation.platform.http.problems import Problem


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "expected a JSON object"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": [-Infinity]}', "-Infinity is no number"),
        (b'{"a": "\\ud800"}', "lone surrogate"),
        (b'{"\\udfff": 1}', "lone surrogate"),
        (b"\xff", "UTF-8"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', '"c" is there twice'),
    ],
)
def test_body_that_is_no_json_object_is_400(body: bytes, why: str) -> None:
    with pytest.raises(Problem, match=why) as refused:
        json_object(body)
    assert refused.value.status == 400


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(
    st.binary(max_size=30)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["asyncTask", "maxAsyncRetryAttempts", "destinationConfig", "onSuccess", "x"]), inner
            )
        ),
        max_leaves=6,
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_body_of_a_config_is_taken_or_400(body: bytes) -> None:
    try:
        checked_config(json_object(body), "f")
    except Problem as problem:
        assert problem.status == 400


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"maxAsyncRetryAttemps": 1}, "did you mean maxAsyncRetryAttempts"),
        ({"maxAsyncRetryAttempts": 9}, "found 9, expected a whole number from 0 to 8"),
        ({"maxAsyncRetryAttempts": True}, "found true"),
        ({"asyncTask": 1}, "asyncTask: found 1, expected true or false"),
        ({"destinationConfig": {"onSucces": {}}}, "did you mean onSuccess"),
        ({"destinationConfig": {"onSuccess": {"target": "g"}}}, "a destination and nothing else"),
        ({"destinationConfig": {"onSuccess": {"destination": 1}}}, "expected a text"),
        ({"destinationConfig": {"onFailure": {"destination": "f"}}}, "the function itself would be called"),
    ],
)
def test_wrong_setting_of_a_function_is_named(body: dict[str, object], why: str) -> None:
    with pytest.raises(Problem, match=why) as refused:
        checked_config(body, "f")
    assert refused.value.status == 400


def test_what_an_answer_says_beside_the_settings_may_come_back() -> None:
    body = {"asyncTask": True, "destinationConfig": {"onSuccess": None, "onFailure": {"destination": "g"}}}
    assert checked_config({**body, "createdTime": "1", "functionArn": "x", "qualifier": "LATEST"}, "f") == body


def test_digest_of_another_body_is_400() -> None:
    digest = hashlib.md5(b"one").digest()
    for said in ("", base64.b64encode(digest).decode(), digest.hex(), digest.hex().upper()):
        check_md5(said, b"one")
    for said in (base64.b64encode(digest).decode(), digest.hex(), "x", "\u00e9", "z" * 32, "===="):
        with pytest.raises(Problem, match="Content-MD5") as refused:
            check_md5(said, b"two")
        assert refused.value.status == 400


def test_header_that_must_have_one_meaning_is_refused_when_it_is_there_twice() -> None:
    check_single([(b"accept", b"a"), (b"Accept", b"b"), (b"x-fc-log-type", b"Tail")])
    for name in (b"x-fc-async-task-id", b"x-acs-date", b"authorization", b"date", b"content-md5", b"host"):
        with pytest.raises(Problem, match=f"the header {name.decode()} is there twice"):
            check_single([(name, b"a"), (name.upper(), b"b")])
