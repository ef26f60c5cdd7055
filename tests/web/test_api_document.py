"""The document of the API: facts that programs elsewhere rely on, and that it says what the answers are."""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import TYPE_CHECKING, Any, cast

import pytest
import schemathesis
from cast import seen
from guest import HOST
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from program import program
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from attunement.practice import Scope
from attunement.web.api import ENDPOINTS
from attunement.web.api.app import OPENS, api

if TYPE_CHECKING:
    from guest import Building

EXAMPLES = int(os.environ.get("ATTUNEMENT_EXAMPLES", "12"))
CHECKS = [
    status_code_conformance, content_type_conformance, response_headers_conformance, response_schema_conformance,
]  # fmt: skip
FACTS = {
    "GET /token": (None, "TokenOut"),
    "GET /clients": ("clients:read", "Clients"),
    "GET /clients/{code}/sessions": ("sessions:read", "Sessions"),
    "POST /clients/{code}/sessions": ("sessions:write", "SessionOut"),
    "PATCH /clients/{code}/sessions/{number}": ("sessions:write", "SessionOut"),
    "GET /clients/{code}/check-ins": ("check-ins:read", "CheckIns"),
    "POST /clients/{code}/invitations": ("check-ins:write", "InvitationOut"),
    "GET /clients/{code}/steps": ("steps:read", "Steps"),
    "GET /clients/{code}/findings": ("findings:read", "Findings"),
    "GET /findings": ("findings:read", "Findings"),
    "GET /ratings": ("check-ins:read", "Ratings"),
    "GET /clients/{code}/export": ("exports:read", None),
    "GET /exports/deidentified": ("exports:read", "Deidentified"),
}


@pytest.fixture
def document(house: Building) -> dict[str, Any]:
    found = house.guest().get("/api/v1/openapi.json")
    assert found.status_code == 200
    whole: dict[str, Any] = found.json()
    return whole


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_version_one_has_these_endpoints_scopes_and_answers(document: dict[str, Any]) -> None:
    facts = {}
    for name, operation in operations(document).items():
        (needs,) = operation["security"]
        well = operation["responses"]["201" if name.startswith("POST") else "200"]["content"]
        shape = well.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
        facts[name] = (next(iter(needs["token"]), None), shape or None)
    assert facts == FACTS
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": "/api/v1"}]
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


def test_every_endpoint_field_and_parameter_says_what_it_is(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        assert operation["summary"], name
        for each in operation.get("parameters", []):
            assert each.get("description"), (name, each["name"])
        for status, answer in operation["responses"].items():
            assert answer.get("content") or status == "304", (name, status)
    silent = {
        f"{shape}.{name}"
        for shape, schema in document["components"]["schemas"].items()
        for name, each in schema.get("properties", {}).items()
        if not each.get("description") and not each.get("examples")
    }
    known = {"items", "kind", "measures", "status", "language", "estimate", "scale", "low", "high", "established",
             "missing", "supply", "name", "session", "attendance", "instrument", "version", "type", "title", "field",
             "detail"}  # fmt: skip
    assert {each.rpartition(".")[2] for each in silent} <= known


def test_refusals_are_problems_everywhere_and_the_usual_shape_is_gone(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert list(answer["content"]) == ["application/problem+json"], (name, status)
    assert "HTTPValidationError" not in json.dumps(document)


def test_each_scope_says_what_it_opens(document: dict[str, Any]) -> None:
    assert set(OPENS) == set(Scope)
    said = document["components"]["securitySchemes"]["token"]["description"]
    for scope, opens in OPENS.items():
        assert scope in said
        assert opens in said


def test_no_page_loads_a_script_from_elsewhere(house: Building) -> None:
    for path in ("/docs", "/redoc", "/docs/oauth2-redirect"):
        assert house.guest().get(f"/api/v1{path}").status_code == 404
    assert "cdn" not in house.guest().get("/api/v1/").text


def test_it_tells_nobody_outside_whatever_the_environment_says(
    house: Building, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    made = vars(api(house.rooms))
    assert not made["_native_telemetry"].enabled()
    assert not any(made["_telemetry"][name] for name in ("tracing", "metrics", "logs", "auto_configure"))


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_what_is_made_of_the_document_finds_no_fault_and_nothing_it_does_not_say(
    house: Building, mode: GenerationMode
) -> None:
    for number in range(1, 7):
        seen(house.cast.first, f"K-0{number}", 3)
    who = program(house)
    headers = {"host": HOST, "authorization": f"Bearer {who.secret}"}
    assert who.get("/findings").status_code == 200  # worked out once, for both languages
    assert who.get("/findings?language=es").status_code == 200
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", house.app, headers={"host": HOST})
    statuses: Counter[int] = Counter()
    operations: list[Any] = [each.ok() for each in cast("Any", schema.get_all_operations())]

    def told(case: Any) -> None:  # noqa: ANN401 - of schemathesis
        if len(str(case.path_parameters.get("code", ""))) % 3:  # two of three ask about a client who is there
            case.path_parameters["code"] = "K-01"
        answer = case.call(headers=headers)
        statuses[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)
        assert b"Traceback" not in answer.content
        assert b"pydantic" not in answer.content

    for operation in operations:
        asked = settings(
            max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        try:
            by: Any = given(operation.as_strategy(generation_mode=mode))
            asked(by(told))()
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE  # there is nothing about it that could be wrong
    assert len(operations) == len(ENDPOINTS)
    assert max(statuses) < 500, statuses
    assert (200 in statuses) or mode is GenerationMode.NEGATIVE
    assert house.cast.first.verify()["record"].whole
