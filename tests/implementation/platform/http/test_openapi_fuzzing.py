"""A schema-driven fuzzer on the OpenAPI page: no request is answered otherwise than the page says, none by a 5xx."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS as CHECKS_BY_NAME
from schemathesis.checks import load_all_checks
from schemathesis.core.result import Ok

from tests.helpers.platforms import Platform

ECHO = """
    def handler(event, context):
        return event
"""
# Not those that ask what a fuzzer cannot know: whether an invented function is there, or a task that it made before.
load_all_checks()
CHECKS = [
    CHECKS_BY_NAME.get_one(name)
    for name in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    )
]
OPERATIONS = 3 * 11 + 2
EXAMPLES = int(os.environ.get("ONCEPROOF_EXAMPLES", "5"))


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    made = Platform(tmp_path_factory.mktemp("fuzz"), {"sync_timeout_seconds": 20})
    made.function("echo", ECHO)
    yield made.start()
    made.end()


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_operation_answers_as_the_openapi_page_says(platform: Platform, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_url(f"{platform.endpoint}/openapi.json")
    seen = 0
    for found in schema.get_all_operations():
        seen += 1
        assert isinstance(found, Ok)
        fuzz(found.ok(), mode, platform.endpoint)
    assert seen == OPERATIONS


def fuzz(operation: Any, mode: GenerationMode, endpoint: str) -> None:
    """Call one operation in many ways; half of them on the function that is there."""
    cases = operation.as_strategy(generation_mode=mode)

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, known=st.booleans())
    def call(case: Any, known: bool) -> None:
        if known and "function" in (case.path_parameters or {}):
            case.path_parameters["function"] = "echo"
        answer = case.call(base_url=endpoint)
        assert answer.status_code < 500, (operation.label, answer.text)
        case.validate_response(answer, checks=CHECKS)

    try:
        call()
    except Unsatisfiable:
        assert "/functions/" not in operation.path, "only what has no parameters cannot be called wrongly"
