"""What a program sends is taken as it is or not at all: one sentence, the field's name, and nothing half-done."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from cast import seen
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from program import SESSION, program

from attunement.errors import InputError
from attunement.web.api.negotiating import chosen, paged
from attunement.web.api.strict import DEEPEST, MOST, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guest import Building
    from program import Program

LOG = "/clients/K-01/sessions"
WHEN = b'"began": "2026-05-04T14:00:00Z"'
MALFORMED: dict[str, tuple[bytes, int]] = {
    "no JSON": (b"began=2026", 400),
    "half": (b"{" + WHEN, 400),
    "more after it": (b"{" + WHEN + b"} x", 400),
    "NaN": (b"{" + WHEN + b', "lateness": NaN}', 400),
    "Infinity": (b"{" + WHEN + b', "lateness": -Infinity}', 400),
    "1e999": (b"{" + WHEN + b', "lateness": 1e999}', 400),
    "a field twice": (b"{" + WHEN + b", " + WHEN + b"}", 400),
    "NUL": (b'{"began": "2026\\u0000"}', 400),
    "an escape": (b'{"began": "\\u001b[31m"}', 400),
    "a lone surrogate": (b'{"began": "\\ud800"}', 400),
    "a lone surrogate as a name": (b"{" + WHEN + b', "\\udfff": 1}', 400),
    "not UTF-8": (b'{"began": "\xff"}', 400),
    "a mark before it": (b"\xef\xbb\xbf{}", 400),
    "UTF-16": ("{}".encode("utf-16"), 400),
    "deep": (b"[" * 40 + b"]" * 40, 400),
    "very deep": (b"[" * 100_000, 400),
    "deep objects": (b'{"a":' * 50_000, 400),
    "a number of 5,000 digits": (b"{" + WHEN + b', "number": ' + b"1" * 5_000 + b"}", 400),
    "too long": (b'{"began": "' + b"a" * MOST + b'"}', 413),
    "a list": (b"[]", 422),
    "a text": (b'"x"', 422),
    "null": (b"null", 422),
    "nothing": (b"", 422),
}


@pytest.fixture
def who(house: Building) -> Program:
    seen(house.cast.first, "K-01", 1)
    return program(house)


@pytest.mark.parametrize(("body", "status"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_body_is_one_sentence(house: Building, who: Program, body: bytes, status: int) -> None:
    answer = who.send("POST", LOG, body)
    assert answer.status_code == status
    told = answer.json()
    assert told["status"] == status
    assert told["detail"].endswith(".")
    assert "\x1b" not in answer.text
    assert len(house.cast.first.sessions("K-01")) == 1


ODD: dict[str, tuple[dict[str, Any], str]] = {
    "false for a zero": ({"lateness": False}, "lateness"),
    "a number in quotes": ({"lateness": "5"}, "lateness"),
    "too late": ({"lateness": 601}, "lateness"),
    "before it began": ({"lateness": -1}, "lateness"),
    "true for a one": ({"number": True}, "number"),
    "half a session": ({"number": 1.5}, "number"),
    "session zero": ({"number": 0}, "number"),
    "a word that there is not": ({"attendance": "there"}, "attendance"),
    "null for a word": ({"attendance": None}, "attendance"),
    "no zone": ({"began": "2026-05-04T14:00:00"}, "began"),
    "no time": ({"began": "2026-05-04"}, "began"),
    "no day": ({"began": "2026-02-30T14:00:00Z"}, "began"),
    "seconds since 1970": ({"began": 1_777_900_000}, "began"),
    "other digits": ({"began": "２026-05-04T14:00:00Z"}, "began"),
    "the day that means undated": ({"began": "1970-01-01T00:00:00Z"}, "began"),
    "a far year": ({"began": "9999-12-31T23:59:59-14:00"}, "began"),
    "a new line": ({"began": "2026-05-04T14:00:00Z\n"}, "began"),
    "a field that is not asked for": ({"PLANTED": 1}, "body"),
    "an id": ({"id": "mine"}, "body"),
}


@pytest.mark.parametrize(("odd", "field"), ODD.values(), ids=ODD)
def test_an_odd_value_names_its_field_and_is_not_repeated(
    house: Building, who: Program, odd: dict[str, Any], field: str
) -> None:
    answer = who.send("POST", LOG, {**SESSION, **odd})
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]
    for secret in ("PLANTED", "there", "9999", "mine"):
        assert secret not in answer.json()["detail"] or secret in "There is"
    assert len(house.cast.first.sessions("K-01")) == 1


def test_what_is_missing_is_named(who: Program) -> None:
    answer = who.send("POST", LOG, {})
    assert answer.json()["errors"] == [{"field": "began", "detail": "is needed"}]
    assert answer.json()["detail"] == "Began is needed; nothing was done."


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_a_body_is_json_and_says_so(who: Program, kind: str) -> None:
    answer = who.send("POST", LOG, json.dumps(SESSION).encode(), content_type=kind)
    assert answer.status_code == 415


def test_a_body_that_does_not_say_how_long_it_is_ends_at_the_limit(who: Program) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(10_000):
            yield b"a" * 1_000

    answer = who.client.post(f"/api/v1{LOG}", content=endless(), headers={"content-type": "application/json"})
    assert answer.status_code == 413


@pytest.mark.parametrize("query", ["x=1", "limit=1&limit=2", "limit=0", "limit=501", "limit=1.5", "limit=", "limit=NaN",
                                   "after=%00", "after=%1b", "limit=%D9%A3x"])  # fmt: skip
def test_an_odd_address_is_one_sentence(who: Program, query: str) -> None:
    answer = who.get(f"{LOG}?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"].endswith(".")


@pytest.mark.parametrize("key", ["short", "x" * 201, "with a blank", "é" * 8])
def test_a_key_of_a_sending_is_one_word(who: Program, key: str) -> None:
    headers = {b"idempotency-key": key.encode("latin-1")}
    sent = who.client.post(f"/api/v1{LOG}", json=SESSION, headers=headers)
    assert sent.status_code == 422


@pytest.mark.parametrize(
    "code",
    ["K-01%00", "%1b[31m", "..", "%2e%2e", "K-01/../K-20", "K-01%0a", "a" * 3_000, "%F0%9F%92%A9", "' or 1=1--", "%25",
     "K-01 "],
)  # fmt: skip
def test_an_odd_code_reads_like_one_that_is_not_there(who: Program, code: str) -> None:
    answer = who.get(f"/clients/{code}/check-ins")
    assert answer.status_code == 404
    assert answer.json() == who.get("/clients/K-77/check-ins").json()


NASTY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=40)
    | st.sampled_from(["' or 1=1--", "\x00", "\ud800", "=cmd()", "{{7*7}}", "../..", "𝕊", "\u202e", "1e999"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
FIELDS = st.sampled_from(["began", "attendance", "lateness", "number", "session", "instrument", "hours", "x"])


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=st.dictionaries(FIELDS, NASTY, max_size=4) | NASTY, where=st.integers(0, 2))
@example(body={"began": "2026-05-04T14:00:00Z", "lateness": float("inf")}, where=0)
def test_whatever_is_sent_is_taken_or_is_one_sentence(who: Program, body: Any, where: int) -> None:  # noqa: ANN401
    method, path = [("POST", LOG), ("PATCH", f"{LOG}/1"), ("POST", "/clients/K-01/invitations")][where]
    answer = who.send(method, path, json.dumps(body).encode())
    assert answer.status_code in {200, 201, 400, 422}, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"].endswith(".")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(accept=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
def test_whatever_kind_is_asked_for_one_of_ours_comes_or_none(who: Program, accept: str) -> None:
    assert who.get("/ratings", accept=accept).status_code in {200, 406}


def test_the_kind_that_is_liked_best_comes() -> None:
    ours = ("application/json", "text/csv")
    assert chosen("text/csv;q=0.9, application/json;q=0.2", *ours) == "text/csv"
    assert chosen("text/*", *ours) == "text/csv"
    assert chosen("*/*;q=0.1, text/csv;q=0", *ours) == "application/json"
    assert chosen("application/json;q=x, */*", *ours) == "text/csv"


def test_a_page_of_a_list_ends_where_the_list_does() -> None:
    assert paged("abc", str, 2, None) == ("ab", "b")
    assert paged("abc", str, 2, "b") == ("c", None)
    assert paged("ab", str, 2, None) == ("ab", None)
    assert paged("", str, 2, None) == ("", None)
    with pytest.raises(InputError, match="take it from next"):
        paged("abc", str, 2, "x")


@given(
    st.recursive(st.integers(-9, 9) | st.text(st.characters(min_codepoint=32, max_codepoint=126)), st.lists)
)
@settings(max_examples=60, deadline=None)
def test_what_is_json_is_read_as_what_it_says(value: object) -> None:
    assert parsed(json.dumps(value).encode()) == value


def test_so_deep_and_no_deeper() -> None:
    levels = DEEPEST - 1
    assert parsed(b"[" * levels + b"1" + b"]" * levels) is not None
    with pytest.raises(InputError, match="deeply"):
        parsed(b"[" * DEEPEST + b"1" + b"]" * DEEPEST)
