"""The application: routes of the three published versions, limits, signatures, and the pages of operations."""

import base64
import json
import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Header, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from onceproof.implementation.platform.functions.logs import tail_of
from onceproof.implementation.platform.http.bodies import json_object, read_body
from onceproof.implementation.platform.http.docs_page import app_with_docs
from onceproof.implementation.platform.http.functions_api import FunctionRoutes
from onceproof.implementation.platform.http.metrics import Metrics, page
from onceproof.implementation.platform.http.openapi import ERRORS, SERVICE_PATTERN, document
from onceproof.implementation.platform.http.problems import Problem, bad_request, problem_answer, problem_body
from onceproof.implementation.platform.http.records import Filter, Record, shown
from onceproof.implementation.platform.http.service import Service, Target, new_request_id, no_config
from onceproof.implementation.platform.http.signing import check_signature

TAIL_BYTES = 4096
OLD_VERSIONS = ("2016-08-15", "2021-04-06")
NEW_VERSION = "2023-03-30"
Function = Annotated[str, Path(pattern=r"^[A-Za-z_][A-Za-z0-9_$-]{0,127}$")]
SERVICE = re.compile(SERVICE_PATTERN)
Qualifier = Annotated[str, Query(pattern=r"^[A-Za-z0-9_-]{0,128}$")]
TaskId = Annotated[str, Path(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,127}$")]
STATUSES = (
    *("Enqueued", "Dequeued", "Running", "Succeeded", "Failed"),
    *("Stopping", "Stopped", "Expired", "Invalid", "Retrying"),
)
Status = Annotated[str, Query(pattern=f"^(|{'|'.join(STATUSES)})$")]
NAME = "a letter or _, then letters, digits, _ and -; at most 128 characters"
# What a parameter is to be, in words, where its pattern is not met.
EXPECTED = {
    "status": f"one of {', '.join(STATUSES)}",
    "prefix": "letters, digits, _ and -; at most 128 characters",
    "invocationIdPrefix": "letters, digits, _ and -; at most 128 characters",
    "function": NAME,
    "taskId": NAME,
    "qualifier": "letters, digits, _ and -; at most 128 characters",
    "sortOrderByTime": "asc or desc",
    "X-Fc-Invocation-Type": "Sync or Async",
    "X-Fc-Log-Type": "None or Tail",
}
Milliseconds = Annotated[int | None, Query(ge=0, le=9_000_000_000_000)]
Locate = Callable[[Request], Awaitable[Target]]


def make_app(service: Service, metrics: Metrics) -> FastAPI:
    """The application of one API server."""
    app = app_with_docs(title="onceproof platform", version="1", redirect_slashes=False)
    app.add_exception_handler(Exception, _on_crash)
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    for version in OLD_VERSIONS:
        include(app, Routes(service, metrics, version))
    include(app, Routes(service, metrics, NEW_VERSION))
    app.include_router(operations(service, metrics))
    app.openapi = lambda: document(app)  # type: ignore[method-assign]
    return app


def include(app: FastAPI, routes: "Routes") -> None:
    """All routes of one version."""
    app.include_router(routes.router)
    app.include_router(FunctionRoutes(routes, routes.version).router)


class Routes:
    """The routes of one version. The older two name a service; the newest does not, and calls things otherwise."""

    def __init__(self, service: Service, metrics: Metrics, version: str) -> None:
        self.service = service
        self.metrics = metrics
        self.version = version
        self.new = version == NEW_VERSION
        base = (
            f"/{version}/functions/{{function}}"
            if self.new
            else (f"/{version}/services/{{serviceName}}/functions/{{function}}")
        )
        self.router = APIRouter(prefix=base, tags=[version], responses=ERRORS)
        tasks = "/async-tasks" if self.new else "/stateful-async-invocations"
        add = self.router.add_api_route
        add("/invocations", self.invoke, methods=["POST"], name=f"invoke_{version}")
        add(tasks, self.list_tasks, methods=["GET"], name=f"list_{version}")
        add(f"{tasks}/{{taskId}}", self.get_task, methods=["GET"], name=f"get_{version}")
        add(f"{tasks}/{{taskId}}/log", self.get_log, methods=["GET"], name=f"log_{version}")
        stop = f"{tasks}/{{taskId}}/stop" if self.new else f"{tasks}/{{taskId}}"
        add(stop, self.stop_task, methods=["PUT"], name=f"stop_{version}")
        add("/async-invoke-config", self.put_config, methods=["PUT"], name=f"put_config_{version}")
        add("/async-invoke-config", self.get_config, methods=["GET"], name=f"get_config_{version}")
        add("/async-invoke-config", self.delete_config, methods=["DELETE"], name=f"delete_config_{version}")

    async def invoke(
        self,
        request: Request,
        function: Function,
        qualifier: Qualifier = "",
        kind: Annotated[str, Header(alias="X-Fc-Invocation-Type", pattern="^(Sync|Async|)$")] = "",
        log_type: Annotated[str, Header(alias="X-Fc-Log-Type", pattern="^(None|Tail|)$")] = "",
        old_id: Annotated[str, Header(alias="X-Fc-Stateful-Async-Invocation-Id")] = "",
        new_id: Annotated[str, Header(alias="X-Fc-Async-Task-Id")] = "",
    ) -> Response:
        """Invoke a function: Async is answered 202 when the task is on disk, Sync when the function has ended."""
        body = await read_body(request, self.service.config)
        target = await self.target(request, body, function, qualifier)
        request_id = request.state.request_id = new_request_id()
        wanted_id = new_id if self.new else old_id
        with self.metrics.submissions(self.version):
            task_id = await self.service.submit(target, wanted_id, body, request_id)
        name = "X-Fc-Async-Task-Id" if self.new else "X-Fc-Stateful-Async-Invocation-Id"
        headers = {"X-Fc-Request-Id": request_id, name: task_id}
        if kind == "Async":
            return Response(status_code=202, headers=headers)
        record = await self.service.wait(target, task_id)
        log = b""
        if log_type == "Tail" and record.instance:
            log = tail_of(await self.service.logs(target, task_id), request_id, TAIL_BYTES)
        return sync_answer(record, headers, log)

    async def list_tasks(
        self,
        request: Request,
        function: Function,
        qualifier: Qualifier = "",
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        nextToken: Annotated[str, Query(max_length=1000)] = "",
        status: Status = "",
        startedTimeBegin: Milliseconds = None,
        startedTimeEnd: Milliseconds = None,
        sortOrderByTime: Annotated[str, Query(pattern="^(asc|desc|)$")] = "",
        includePayload: bool = False,
        invocationIdPrefix: Annotated[str, Query(pattern=r"^[A-Za-z0-9_-]{0,128}$")] = "",
        prefix: Annotated[str, Query(pattern=r"^[A-Za-z0-9_-]{0,128}$")] = "",
    ) -> dict[str, Any]:
        """A page of the function's tasks, the latest first unless asked otherwise."""
        target = await self.target(request, b"", function, qualifier)
        wanted = Filter(
            target.owner,
            target.function,
            limit,
            nextToken,
            status,
            startedTimeBegin,
            startedTimeEnd,
            sortOrderByTime == "asc",
            prefix if self.new else invocationIdPrefix,
        )
        records, token = await self.service.listed(wanted)
        page: dict[str, Any] = {
            "tasks" if self.new else "invocations": [shown(record, self.version, includePayload) for record in records]
        }
        return page | ({"nextToken": token} if token else {})

    async def get_task(
        self, request: Request, function: Function, taskId: TaskId, qualifier: Qualifier = ""
    ) -> dict[str, Any]:
        """A task by its TaskID."""
        target = await self.target(request, b"", function, qualifier)
        return shown(await self.service.get(target, taskId), self.version, True)

    async def get_log(
        self, request: Request, function: Function, taskId: TaskId, qualifier: Qualifier = ""
    ) -> dict[str, Any]:
        """What a task's attempts wrote: the end of each, and how many bytes before it were dropped."""
        target = await self.target(request, b"", function, qualifier)
        await self.service.get(target, taskId)
        return {
            "attempts": [
                {
                    "attempt": log.attempt,
                    "output": log.output.decode("utf-8", "replace"),
                    "droppedBytes": log.dropped,
                }
                for log in await self.service.logs(target, taskId)
            ]
        }

    async def stop_task(
        self, request: Request, function: Function, taskId: TaskId, qualifier: Qualifier = ""
    ) -> Response:
        """Stop a task; a function that runs is asked to end, then killed, and its result is dropped."""
        target = await self.target(request, await read_body(request, self.service.config), function, qualifier)
        await self.service.stop(target, taskId)
        return Response(status_code=204 if self.new else 202)

    async def put_config(self, request: Request, function: Function, qualifier: Qualifier = "") -> JSONResponse:
        """Put the function's settings for asynchronous invocations."""
        raw = await read_body(request, self.service.config)
        target = await self.target(request, raw, function, qualifier)
        return self._config_answer(target, await self.service.put_config(target, json_object(raw)))

    async def get_config(self, request: Request, function: Function, qualifier: Qualifier = "") -> JSONResponse:
        """The function's settings for asynchronous invocations."""
        target = await self.target(request, b"", function, qualifier)
        kept = await self.service.async_config(target)
        if kept is None:
            raise no_config(target)
        return self._config_answer(target, kept)

    async def delete_config(self, request: Request, function: Function, qualifier: Qualifier = "") -> Response:
        """Delete the function's settings for asynchronous invocations."""
        target = await self.target(request, b"", function, qualifier)
        await self.service.delete_config(target)
        return Response(status_code=204)

    async def target(self, request: Request, body: bytes, function: str, qualifier: str) -> Target:
        """The caller, by signature or header, and the function."""
        owner = self.user(request, body)
        name = request.path_params.get("serviceName", "")
        if name and not SERVICE.fullmatch(name):
            raise bad_request(
                "serviceName: expected a letter or _, then letters, digits, _ and -; after a dot a qualifier"
            )
        service, _, of_path = name.partition(".")
        return self.service.target(owner, function, qualifier or of_path, self.version, service)

    def user(self, request: Request, body: bytes) -> str:
        """The user: of the key that signed the request, or, where no keys are configured, as the header says."""
        keys = self.service.config.keys
        if not keys:
            owner = request.headers.get("x-fc-account-id", "") or "default"
            if len(owner) > 64 or not owner.isascii() or not owner.replace("-", "a").replace("_", "a").isalnum():
                raise bad_request("X-Fc-Account-Id: expected at most 64 letters, digits, _ and -")
            return owner
        path = request.scope.get("raw_path", request.url.path.encode()).decode("ascii", "replace").partition("?")[0]
        headers = {name.lower(): value for name, value in request.headers.items()}
        key = check_signature(keys, self.service.nonces, request.method, path, request.url.query, headers, body)
        return keys[key].get("user", key)

    def _config_answer(self, target: Target, kept: Any) -> JSONResponse:
        return JSONResponse(
            {
                **kept.body,
                "service": target.function.rpartition("/")[0],
                "function": target.function,
                "qualifier": target.qualifier,
                "createdTime": str(kept.created_ns),
                "lastModifiedTime": str(kept.modified_ns),
            }
        )


def sync_answer(record: Record, headers: dict[str, str], log: bytes) -> Response:
    """The answer to a synchronous invocation: the result, or the function's error with its kind in a header.

    log: what the attempt wrote, for another header; empty if nobody asked for it, or nothing ran.
    """
    headers["X-Fc-Instance-Id"] = record.instance
    if log:
        headers["X-Fc-Log-Result"] = base64.b64encode(log).decode()
    if record.status == "Succeeded":
        return Response(record.result, 200, headers, "application/octet-stream")
    handled = record.error.startswith('{"errorMessage"')
    headers["X-Fc-Error-Type"] = "HandledInvocationError" if handled else "UnhandledInvocationError"
    text = record.error if handled else json.dumps({"errorMessage": record.error or record.status})
    return Response(text.encode(), 200, headers, "application/json")


def operations(service: Service, metrics: Metrics) -> APIRouter:
    """The pages for operations."""
    router = APIRouter(tags=["operations"])

    @router.get("/healthz", responses={503: ERRORS["default"]})
    async def healthz() -> JSONResponse:
        """200 when the platform makes progress; else 503 with the reasons: processes that hang, a store that fails."""
        reasons = await service.health()
        if reasons:
            body = problem_body("ServiceUnavailable", "; ".join(reasons), new_request_id())
            return JSONResponse({"status": "degraded", "reasons": reasons, **body}, 503)
        return JSONResponse({"status": "ok", **await service.counts()})

    @router.get("/metrics", response_class=Response)
    async def metrics_page() -> Response:
        """Metrics in Prometheus' text format."""
        text, kind = page(await service.snapshot(metrics))
        return Response(text, media_type=kind)

    return router


async def _on_crash(request: Request, error: Exception) -> Response:
    """What nobody has foreseen: the caller gets the API's form, and the log (the server writes it) the traceback."""
    return problem_answer(Problem(500, "InternalServerError", "the server failed; its log says why"), new_request_id())


async def _on_problem(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)
    return problem_answer(problem, getattr(request.state, "request_id", "") or new_request_id())


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part not in ("path", "query", "header"))
    if first["type"] == "string_pattern_mismatch" and where in EXPECTED:
        found = json.dumps(str(first["input"])[:100])
        return problem_answer(bad_request(f"{where}: found {found}, expected {EXPECTED[where]}"), new_request_id())
    return problem_answer(bad_request(f"{where}: {first['msg']}"), new_request_id())


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    codes = {404: "PathNotSupported", 405: "MethodNotAllowed"}
    problem = Problem(
        error.status_code, codes.get(error.status_code, "InvalidArgument"), str(error.detail), dict(error.headers or {})
    )
    return problem_answer(problem, new_request_id())
