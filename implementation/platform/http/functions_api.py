"""What the API says of functions: a list of them, one of them, and the settings that users put for them."""

import json
import re
from pathlib import Path
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Query, Request

from onceproof.implementation.platform.functions.runner import function_file
from onceproof.implementation.platform.http.openapi import ERRORS
from onceproof.implementation.platform.http.problems import bad_request
from onceproof.implementation.platform.http.service import Service, Target

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}\Z")
KEY = re.compile(r"[A-Za-z0-9_$.-]{0,300}(/[A-Za-z0-9_$.-]{0,300})?\Z")
Limit = Annotated[int, Query(ge=1, le=100)]
Key = Annotated[str, Query(max_length=601)]
CONFIGS = """SELECT function, qualifier, body, created_ns, modified_ns FROM configs WHERE owner = ?
    AND (function = ? OR ? = '') ORDER BY function, qualifier"""


class Callers(Protocol):
    """Who calls, and what is meant: the routes of tasks, of the same version."""

    service: Service
    new: bool

    def user(self, request: Request, body: bytes) -> str:
        """The user."""
        ...

    async def target(self, request: Request, body: bytes, function: str, qualifier: str) -> Target:
        """The user and the function."""
        ...


class FunctionRoutes:
    """The routes of one version, beside those of tasks."""

    def __init__(self, routes: Callers, version: str) -> None:
        self.routes = routes
        self.service = routes.service
        self.new = routes.new
        base = f"/{version}" if self.new else f"/{version}/services/{{serviceName}}"
        self.router = APIRouter(prefix=base, tags=[version], responses=ERRORS)
        add = self.router.add_api_route
        add("/functions", self.list_functions, methods=["GET"], name=f"list_functions_{version}")
        add("/functions/{function}", self.get_function, methods=["GET"], name=f"get_function_{version}")
        configs = "/async-invoke-configs" if self.new else "/functions/{function}/async-invoke-configs"
        listing = self.list_all_configs if self.new else self.list_configs
        add(configs, listing, methods=["GET"], name=f"list_configs_{version}")

    async def list_functions(
        self, request: Request, limit: Limit = 20, nextToken: Key = "", prefix: Key = "", startKey: Key = ""
    ) -> dict[str, Any]:
        """A page of functions, by name; the older versions list those of a service."""
        self.routes.user(request, b"")
        service = request.path_params.get("serviceName", "").partition(".")[0]
        names = [name for name in functions_in(self.service.config.functions, service) if name.startswith(prefix)]
        page, token = paged(names, limit, nextToken, startKey)
        return {"functions": [self._shown(name, service) for name in page]} | token

    async def get_function(self, request: Request, function: str, qualifier: str = "") -> dict[str, Any]:
        """A function by its name."""
        target = await self.routes.target(request, b"", function, qualifier)
        service, _, name = target.function.rpartition("/")
        return self._shown(name if not self.new else target.function.replace("/", "$"), service)

    async def list_configs(
        self, request: Request, function: str, limit: Limit = 20, nextToken: Key = ""
    ) -> dict[str, Any]:
        """The settings for asynchronous invocations of a function, one for each qualifier."""
        target = await self.routes.target(request, b"", function, "")
        return await self._configs(target.owner, target.function, limit, nextToken)

    async def list_all_configs(
        self, request: Request, functionName: Key = "", limit: Limit = 20, nextToken: Key = ""
    ) -> dict[str, Any]:
        """The user's settings for asynchronous invocations, of all functions or of one."""
        return await self._configs(self.routes.user(request, b""), functionName.replace("$", "/", 1), limit, nextToken)

    async def _configs(self, owner: str, function: str, limit: int, token: str) -> dict[str, Any]:
        database = self.service.records.database
        rows = await self.service.read(lambda: database.rows(CONFIGS, owner, function, function))
        kept = {f"{row[0].replace('/', '$')}/{row[1]}": row for row in rows}
        page, following = paged(sorted(kept), limit, token)
        return {"configs": [config_shown(*kept[key]) for key in page]} | following

    def _shown(self, name: str, service: str) -> dict[str, Any]:
        canonical = name.replace("$", "/", 1) if self.new else f"{service}/{name}" if service else name
        path = function_file(self.service.config.functions, canonical)
        if not path.is_file() and service:
            path = function_file(self.service.config.functions, name)
        changed = f"{path.stat().st_mtime_ns // 1_000_000}" if path.is_file() else "0"
        config = self.service.config
        return {
            "functionName": name,
            "functionId": canonical,
            "handler": f"{path.stem}.handler",
            "runtime": "python3",
            "timeout": int(config.limit(canonical, "timeout_seconds")),
            "memorySize": int(config.limit(canonical, "memory_mb")),
            "createdTime": changed,
            "lastModifiedTime": changed,
        }


def functions_in(folder: str, service: str = "") -> list[str]:
    """The names of functions: of a service, or of all as the newest version writes them (``service$function``)."""
    root = Path(folder)
    own = [path.stem for path in root.glob("*.py") if NAME.match(path.stem)]
    if service:
        return sorted({*own, *(path.stem for path in (root / service).glob("*.py") if NAME.match(path.stem))})
    of_services = [
        f"{path.parent.name}${path.stem}"
        for path in root.glob("*/*.py")
        if NAME.match(path.stem) and NAME.match(path.parent.name)
    ]
    return sorted([*own, *of_services])


def paged(names: list[str], limit: int, token: str, first: str = "") -> tuple[list[str], dict[str, str]]:
    """A page of sorted names, from ``first`` on and after the token, and the token of the next page, if any."""
    if not KEY.match(token):
        raise bad_request("nextToken is not one that this server has given out")
    rest = [name for name in names if name > token and name >= first]
    return rest[:limit], {"nextToken": rest[limit - 1]} if len(rest) > limit else {}


def config_shown(function: str, qualifier: str, body: str, created_ns: int, modified_ns: int) -> dict[str, Any]:
    """A function's settings as the public API shows them."""
    service, _, name = function.rpartition("/")
    return {
        **json.loads(body),
        "service": service,
        "function": name,
        "functionArn": f"acs:fc:::functions/{function.replace('/', '$')}",
        "qualifier": qualifier,
        "createdTime": str(created_ns),
        "lastModifiedTime": str(modified_ns),
    }
