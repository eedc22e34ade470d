"""What protects a platform on somebody's machine from the pages that this person's browser shows.

A page of another site can send requests to 127.0.0.1, and by DNS rebinding even under a name of its own: so a request
must name one of the configured hosts, and must not come from another site's page. Redirects go to where the request
was sent, never to what a header says.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from onceproof.implementation.platform.config import PlatformConfig
from onceproof.implementation.platform.http.bodies import check_single
from onceproof.implementation.platform.http.problems import Problem, bad_request, problem_answer
from onceproof.implementation.platform.http.service import new_request_id

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
EVERYWHERE = ("0.0.0.0", "::")
ASKED = ("host", "origin", "sec-fetch-site")
SAME = ("same-origin", "none")
Scope = MutableMapping[str, Any]
Messages = Callable[..., Awaitable[Any]]


@lru_cache(maxsize=256)
def host_of(text: str) -> str:
    """The name in a Host header or an origin, without its port, in lower case; empty where there is none."""
    try:
        return (urlsplit(f"//{text}").hostname or "").rstrip(".")
    except ValueError:
        return ""


class OwnNames:
    """An ASGI application that lets through what names this server and comes from no other site's page."""

    def __init__(self, app: Callable[[Scope, Messages, Messages], Awaitable[None]], config: PlatformConfig) -> None:
        self.app = app
        self.names = known_names(config)
        self.any_address = config.host in EVERYWHERE

    async def __call__(self, scope: Scope, receive: Messages, send: Messages) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] == "http":
            try:
                single = check_single(scope["headers"])
                self.check({name: single[name.encode()].decode("latin-1") for name in ASKED if name.encode() in single})
            except Problem as problem:
                await problem_answer(problem, new_request_id())(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def check(self, headers: dict[str, str]) -> None:
        """Problem 400 for a host of another name, 403 for a request from another site."""
        host = headers.get("host", "")
        if not self.is_own(host_of(host)):
            raise bad_request(
                f"Host: {host[:100]!r} is not a name of this server; the setting `hosts` says which names it has"
            )
        if headers.get("sec-fetch-site", "none") not in SAME:
            raise Problem(403, "AccessDenied", "the request comes from another site's page (Sec-Fetch-Site)")
        origin = headers.get("origin", "")
        if origin and place_of(origin) != host.lower():
            raise Problem(
                403, "AccessDenied", f"the request comes from the page {origin[:100]!r}, which is another site"
            )

    def is_own(self, name: str) -> bool:
        """Whether this is a name of the server: a configured one, or, where it listens everywhere, any IP address."""
        if name in self.names:
            return True
        try:
            return bool(ip_address(name)) and self.any_address
        except ValueError:
            return False


def known_names(config: PlatformConfig) -> frozenset[str]:
    """The names that a platform has: those of `hosts`, its address, and the local ones if it listens there."""
    own = {host_of(name) for name in config.hosts} | {
        host_of(f"[{config.host}]" if ":" in config.host else config.host)
    }
    local = config.host in (*LOCAL, *EVERYWHERE) or config.host.startswith("127.")
    return frozenset(own | (LOCAL if local else set()))


def place_of(origin: str) -> str:
    """Host and port of an origin, as a Host header says them; empty for `null` and what is no origin."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
