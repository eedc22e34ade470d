"""The OpenAPI document: what FastAPI derives from the routes, made exact about errors and bodies."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from onceproof.implementation.platform.http.config_body import ANSWERED, ENDS, NUMBERS

SERVICE_PATTERN = r"^[A-Za-z_][A-Za-z0-9_-]{0,127}(\.[A-Za-z0-9_-]{1,128})?$"
TEXTS = ("ErrorCode", "ErrorMessage", "Code", "Message", "RequestId")
ERROR_SCHEMA = {
    "type": "object",
    "required": list(TEXTS),
    "properties": {name: {"type": "string"} for name in TEXTS},
}
ERRORS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "Refused; the body says why, in the form of every SDK generation.",
        "content": {"application/json": {"schema": ERROR_SCHEMA}},
    }
}
ANYTHING: dict[str, Any] = {"application/octet-stream": {"schema": {}}, "application/json": {"schema": {}}}
CONFIG_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    **{name: {"type": "string", "readOnly": True} for name in ANSWERED},
                    "statefulInvocation": {"type": "boolean"},
                    "asyncTask": {"type": "boolean"},
                    **{
                        name: {"type": "integer", "minimum": low, "maximum": high}
                        for name, (low, high) in NUMBERS.items()
                    },
                    "destinationConfig": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {
                            name: {
                                "type": "object",
                                "additionalProperties": False,
                                "properties": {"destination": {"type": "string"}},
                            }
                            for name in ENDS
                        },
                    },
                },
            }
        }
    },
}
LOG_RESULT = {
    "schema": {"type": "string", "contentEncoding": "base64"},
    "description": "With X-Fc-Log-Type: Tail, the last 4 KiB that the last attempt wrote, between two lines of ours.",
}
ACCOUNT = {
    "name": "X-Fc-Account-Id",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
    "description": "The user, where no keys are configured; each user has a queue and TaskIDs of their own.",
}


def document(app: FastAPI) -> dict[str, Any]:
    """The document, made once."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            routes=app.routes,
            description="Asynchronous tasks, each started once. Compatible with the Function Compute API.",
        )
        for path, operations in schema["paths"].items():
            for method, operation in operations.items():
                _mend(path, method, operation)
        app.openapi_schema = schema
    return app.openapi_schema


def _mend(path: str, method: str, operation: dict[str, Any]) -> None:
    """Errors have one form here; bodies and successes as they are."""
    responses = operation["responses"]
    responses.pop("422", None)
    if "/functions/" not in path:
        return
    service = (
        [
            {
                "name": "serviceName",
                "in": "path",
                "required": True,
                "schema": {"type": "string", "pattern": SERVICE_PATTERN},
            }
        ]
        if "{serviceName}" in path
        else []
    )
    operation["parameters"] = [*service, *operation.get("parameters", []), ACCOUNT]
    if path.endswith("/invocations"):
        operation["requestBody"] = {"content": {"application/octet-stream": {"schema": {"type": "string"}}}}
        responses["200"] = {
            "description": "Sync: what the function returned, or its error.",
            "content": ANYTHING,
            "headers": {"X-Fc-Log-Result": LOG_RESULT},
        }
        responses["202"] = {"description": "Async: the task is on disk and will be run."}
    elif path.endswith("/async-invoke-config") and method == "put":
        operation["requestBody"] = CONFIG_BODY
    elif path.endswith("/async-invoke-config") and method == "delete":
        responses.pop("200", None)
        responses["204"] = {"description": "Deleted."}
    elif method == "put":
        responses.pop("200", None)
        status = "204" if path.endswith("/stop") else "202"
        responses[status] = {"description": "The task is stopped, or will be, unless it has ended."}
