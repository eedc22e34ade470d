"""Which hosts and origins a platform answers: its own names, and no page of another site."""

import pytest

from onceproof.implementation.platform.config import PlatformConfig
from onceproof.implementation.platform.http.browsers import OwnNames
from onceproof.implementation.platform.http.problems import Problem


def status(config: PlatformConfig, **headers: str) -> int:
    """0 where the request goes through, else the status that refuses it."""

    async def nothing(*_: object) -> None:
        raise AssertionError("nothing is passed on here")

    try:
        OwnNames(nothing, config).check({name.replace("_", "-"): value for name, value in headers.items()})
    except Problem as problem:
        return problem.status
    return 0


LOCAL = PlatformConfig()
OPEN = PlatformConfig(host="0.0.0.0", hosts=["Tasks.example.org"])
ONE = PlatformConfig(host="192.168.7.2")
SIX = PlatformConfig(host="::1")


@pytest.mark.parametrize(
    ("config", "host", "expected"),
    [
        (LOCAL, "127.0.0.1:8700", 0),
        (LOCAL, "localhost", 0),
        (LOCAL, "LOCALHOST:1", 0),
        (LOCAL, "[::1]:8700", 0),
        (LOCAL, "localhost.", 0),
        (LOCAL, "evil.example.org", 400),
        (LOCAL, "127.0.0.1.evil.example.org", 400),
        (LOCAL, "192.168.7.2", 400),
        (LOCAL, "", 400),
        (LOCAL, "[", 400),
        (LOCAL, "a b", 400),
        (OPEN, "tasks.example.org:80", 0),
        (OPEN, "10.1.2.3:8700", 0),
        (OPEN, "localhost", 0),
        (OPEN, "evil.example.org", 400),
        (ONE, "192.168.7.2:8700", 0),
        (ONE, "localhost", 400),
        (SIX, "[::1]:8700", 0),
    ],
)
def test_only_own_names_are_answered(config: PlatformConfig, host: str, expected: int) -> None:
    assert status(config, host=host) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 0),
        ({"origin": "http://localhost:8700"}, 0),
        ({"origin": "http://localhost:8701"}, 403),
        ({"origin": "http://evil.example.org"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://["}, 403),
        ({"sec_fetch_site": "same-origin"}, 0),
        ({"sec_fetch_site": "none"}, 0),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
    ],
)
def test_pages_of_other_sites_are_refused(headers: dict[str, str], expected: int) -> None:
    assert status(LOCAL, host="localhost:8700", **headers) == expected
