"""Refusals as HTTP answers: one body that the SDKs of all generations understand."""

from fastapi.responses import JSONResponse


class Problem(Exception):
    """A request that is refused: the HTTP status, the error's code in the public API, and a line for people."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}


def problem_body(code: str, message: str, request_id: str) -> dict[str, str]:
    """The body of an error: the 2016 client reads the first two keys, later ones the others."""
    return {"ErrorCode": code, "ErrorMessage": message, "Code": code, "Message": message, "RequestId": request_id}


def problem_answer(problem: Problem, request_id: str) -> JSONResponse:
    """The answer to a refused request."""
    headers = {"X-Fc-Request-Id": request_id, **problem.headers}
    return JSONResponse(problem_body(problem.code, problem.message, request_id), problem.status, headers)


def bad_request(message: str) -> Problem:
    """400: something in the request is against the rules."""
    return Problem(400, "InvalidArgument", message)


def unavailable(message: str) -> Problem:
    """503: the store cannot take it now; the same request may be sent again."""
    return Problem(503, "ServiceUnavailable", message, {"Retry-After": "1"})
