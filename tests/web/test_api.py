"""Programs: each endpoint by each scope, on one's own and on somebody else's; and no more than the pages tell."""

from __future__ import annotations

import io
import logging
import re
import zipfile
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import polars as pl
import pytest
from cast import PHRASES, Cast, reflected, seen
from guest import HERE, HOST
from program import API, BODIES, SESSION, Program, bearing, program
from starlette.testclient import TestClient
from test_at_once import together

from attunement.practice import Scope
from attunement.sessions import Purpose, Reflection
from attunement.trajectories import Measure
from attunement.web import WAYS, app, working
from attunement.web.api import ENDPOINTS, answering
from attunement.web.limits import TRIES
from attunement.web.shield import HEADERS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import httpx2 as httpx
    from guest import Building

    from attunement.web.api.endpoints import Endpoint

names = [f"{each.method} {each.path}" for each in ENDPOINTS]
OF_A_CLIENT = [each for each in ENDPOINTS if "{code}" in each.path]


def path_of(each: Endpoint, code: str = "K-01") -> str:
    return each.path.replace("{code}", code).replace("{number}", "1")


def asked(who: Program, each: Endpoint, code: str = "K-01", **headers: str) -> httpx.Response:
    if each.method == "GET":
        return who.get(path_of(each, code), **headers)
    return who.send(each.method, path_of(each, code), BODIES[each.path], **headers)


@pytest.fixture
def lived(house: Building) -> Building:
    """Six clients of T-1's and one of T-2's, with steps."""
    for number in range(1, 7):
        seen(house.cast.first, f"K-0{number}", 3)
    house.cast.first.choose_step("K-01", "name it")
    seen(house.cast.second, "K-20", 3)
    return house


def kept(cast: Cast) -> list[Any]:
    """Everything of both therapists that an endpoint could change."""
    return [(who.sessions(each.client.code), who.check_ins(each.client.code))
            for who in (cast.first, cast.second) for each in who.clients()]  # fmt: skip


def test_every_endpoint_that_takes_something_has_a_body_here_and_none_is_there_twice() -> None:
    assert {each.path for each in ENDPOINTS if each.method != "GET"} == set(BODIES)
    assert len({(each.method, each.path) for each in ENDPOINTS}) == len(ENDPOINTS)
    assert {each.scope for each in ENDPOINTS} == {*Scope, None}


@pytest.mark.parametrize("scope", Scope)
def test_each_scope_opens_its_own_endpoints_and_no_other(lived: Building, scope: Scope) -> None:
    who = program(lived, scopes=[scope])
    for each in ENDPOINTS:
        answer = asked(who, each)
        if each.scope in {scope, None}:
            assert answer.status_code == each.status, (each.path, answer.text)
        else:
            assert answer.status_code == 403, each.path
            assert f'scope="{each.scope}"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("account", ["S-1", "A-1"])
def test_who_is_no_therapist_has_no_tokens(lived: Building, account: str) -> None:
    from attunement.errors import Refused  # noqa: PLC0415 - for this alone

    with pytest.raises(Refused):
        lived.cast.of(account).add_token("a", Scope)


def test_what_a_scope_lacks_is_said_before_anything_is_looked_up(lived: Building) -> None:
    who = program(lived, scopes=[Scope.STEPS_READ])
    for each in OF_A_CLIENT:
        if each.scope is not Scope.STEPS_READ:
            said = {asked(who, each, code).text for code in ("K-01", "K-20", "K-77")}
            assert len(said) == 1


def test_were_an_endpoint_to_ask_no_scope_the_practice_would_still_refuse(
    lived: Building, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_to_all = tuple(replace(each, scope=None) for each in ENDPOINTS)
    monkeypatch.setattr("attunement.web.api.app.ENDPOINTS", open_to_all)
    who = program(replace(lived, app=app(lived.rooms, WAYS)), scopes=[Scope.STEPS_READ])
    before = kept(lived.cast)
    statuses = {each.path: asked(who, each).status_code for each in ENDPOINTS}
    assert {path for path, status in statuses.items() if status < 400} == {"/token", "/clients/{code}/steps"}
    assert set(statuses.values()) == {200, 404}
    assert kept(lived.cast) == before


@pytest.mark.parametrize("each", OF_A_CLIENT, ids=lambda each: f"{each.method} {each.path}")
def test_somebody_elses_client_reads_byte_for_byte_like_one_that_is_not_there(
    lived: Building, each: Endpoint
) -> None:
    who = program(lived)
    before = kept(lived.cast)
    theirs, nobodys = (asked(who, each, code) for code in ("K-20", "K-77"))
    assert (theirs.status_code, nobodys.status_code) == (404, 404)
    assert theirs.content == nobodys.content
    assert dict(theirs.headers) == dict(nobodys.headers)
    assert kept(lived.cast) == before


def test_lists_hold_ones_own_alone(lived: Building) -> None:
    first, second = program(lived), program(lived, "T-2")
    for path in ("/clients", "/ratings?limit=500", "/findings", "/exports/deidentified"):
        assert "K-20" not in first.get(path).text
        assert "K-01" not in second.get(path).text
    assert [each["code"] for each in second.get("/clients").json()["items"]] == ["K-20"]


NO_TOKEN: dict[str, dict[str, str]] = {
    "nothing": {},
    "another scheme": {"authorization": "Basic VC0xOmE="},
    "an empty one": {"authorization": "Bearer "},
    "a cookie": {"cookie": "attunement=x"},
    "one that never was": {"authorization": "Bearer att_never"},
    "a link's": {"authorization": "Bearer " + "x" * 43},
    "a long one": {"authorization": "Bearer att_" + "x" * 5_000},
}


@pytest.mark.parametrize("headers", NO_TOKEN.values(), ids=NO_TOKEN)
def test_without_a_token_nobody_is_let_in_anywhere(lived: Building, headers: dict[str, str]) -> None:
    stranger = TestClient(lived.app, base_url=HERE, headers=headers)
    for each in ENDPOINTS:
        answer = stranger.request(each.method, API + path_of(each), json=BODIES.get(each.path))
        assert answer.status_code == 401, each.path
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert "K-01" not in answer.text


def test_who_is_signed_in_in_a_browser_is_nobody_to_the_api(lived: Building) -> None:
    guest = lived.guest("T-1", unlocked=True)
    for each in ENDPOINTS:
        if each.method == "GET":
            assert guest.get(API + path_of(each)).status_code == 401
    assert guest.send(f"{API}/clients/K-01/sessions", b"{}").status_code == 401


def test_a_token_opens_no_page(lived: Building) -> None:
    who = program(lived)
    for path in ("/today", "/caseload", "/clients/K-01", "/account", "/practice"):
        assert who.client.get(path).status_code == 401


def test_a_token_that_was_removed_has_ended_or_whose_account_has_is_worth_nothing(lived: Building) -> None:
    first = lived.cast.first
    given = first.add_token("a", Scope)
    who, short = bearing(lived, given.secret), bearing(lived, first.add_token("b", Scope, 1).secret)
    theirs = program(lived, "T-2")
    assert {each.get("/token").status_code for each in (who, short, theirs)} == {200}
    first.remove_token(given.token.id)
    lived.cast.hands.pass_by(timedelta(days=1, minutes=1))
    lived.cast.admin.end_account("T-2")
    answers = [each.get("/clients") for each in (who, short, theirs)]
    assert {each.status_code for each in answers} == {401}
    assert len({each.content for each in answers}) == 1


def test_guesses_from_one_address_are_slowed_down_and_a_right_token_is_always_heard(house: Building) -> None:
    right = program(house)
    wrong = [
        bearing(house, f"att_{'x' * 40}{number:03d}").get("/token").status_code for number in range(TRIES + 5)
    ]
    assert wrong == [401] * TRIES + [429] * 5
    assert right.get("/token").status_code == 200
    refused = [each for each in house.cast.admin.journal() if each["outcome"] == "refused"]
    assert [each["verb"] for each in refused] == ["use token"] * TRIES


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"},
     {"sec-fetch-site": "same-site"}],
    ids=str,
)  # fmt: skip
def test_what_another_page_sends_changes_nothing_even_with_a_token(
    lived: Building, headers: dict[str, str]
) -> None:
    who, before = program(lived), kept(lived.cast)
    for each in ENDPOINTS:
        if each.method != "GET":
            answer = who.client.request(
                each.method, API + path_of(each), json=BODIES[each.path], headers=headers
            )
            assert answer.status_code == 403
            assert answer.headers["content-type"] == "application/problem+json"
    assert kept(lived.cast) == before


def test_no_other_page_is_told_that_it_may_read(lived: Building) -> None:
    who = program(lived)
    elsewhere = {"origin": "https://evil.example", "access-control-request-method": "GET",
                 "access-control-request-headers": "authorization"}  # fmt: skip
    for answer in (
        who.client.options(f"{API}/clients", headers=elsewhere),
        who.client.get(f"{API}/clients", headers={"origin": "https://evil.example"}),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_name_that_is_not_ours_is_not_answered_and_every_answer_has_the_headers(lived: Building) -> None:
    who = program(lived)
    strange = who.get("/clients", host="evil.example")
    assert strange.status_code == 421
    for answer in (strange, who.get("/clients"), who.get("/no"), who.get("/clients/K-77/steps")):
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert answer.headers["cache-control"] == "no-store"
        assert "set-cookie" not in answer.headers


def test_while_the_practice_is_closed_a_program_is_told_to_ask_later(
    lived: Building, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = program(lived)
    monkeypatch.setattr(lived.rooms.door, "_practice", None)
    answer = who.get("/clients")
    monkeypatch.undo()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")


# -- what is asked and told


def test_sessions_are_logged_changed_and_listed(lived: Building) -> None:
    who = program(lived)
    made = who.send("POST", "/clients/K-01/sessions", {**SESSION, "lateness": 5, "attendance": "late"})
    assert made.status_code == 201
    assert made.headers["location"] == "sessions/4"
    assert made.json()["began"] == "2026-05-04T12:00:00Z"
    changed = who.send("PATCH", "/clients/K-01/sessions/4", {"attendance": "missed"})
    assert (changed.json()["attendance"], changed.json()["lateness"]) == ("missed", None)
    assert who.get("/clients/K-01/sessions").json()["items"][-1] == changed.json()
    assert lived.cast.first.sessions("K-01")[-1].attendance == "missed"


def test_a_link_that_a_program_made_is_answered_once(lived: Building) -> None:
    who = program(lived)
    made = who.send(
        "POST", "/clients/K-01/invitations", {"session": 1, "instrument": "growth", "hours": 5}
    ).json()
    path = made["link"].removeprefix(HERE)
    assert lived.guest().get(path).status_code == 200
    assert made["used"] is False
    (invited,) = lived.cast.first.agenda("K-01").standings[0].invitations
    assert (invited.id, invited.instrument) == (made["id"], "growth")


def test_whoever_has_not_agreed_to_check_ins_is_invited_by_no_program(lived: Building) -> None:
    lived.cast.first.withdraw_consent("K-01", Purpose.CHECK_INS)
    who = program(lived)
    answer = who.send("POST", "/clients/K-01/invitations", {"session": 1})
    assert answer.status_code == 404
    assert answer.content == who.send("POST", "/clients/K-77/invitations", {"session": 1}).content


def test_check_ins_tell_every_line_with_its_skips_and_the_scores(lived: Building) -> None:
    (first, *_) = program(lived).get("/clients/K-01/check-ins").json()["items"]
    assert first["answers"]["matters"] is None
    assert first["answers"]["safe"] == 1
    assert first["scores"]["total"] == pytest.approx(41 / 6)


def test_findings_are_what_the_page_shows_in_both_languages(lived: Building) -> None:
    who, guest = program(lived), lived.guest("T-1")
    page = guest.get("/clients/K-01").text
    told = who.get("/findings").json()
    assert (told["fresh"], told["language"], len(told["items"])) == (True, "en", 6)
    (mine,) = who.get("/clients/K-01/findings").json()["items"]
    assert mine in told["items"]
    assert mine["state"]["sentence"] in page
    estimate = mine["depth"]["estimate"]
    assert estimate["low"] <= estimate["value"] <= estimate["high"]
    spanish = who.get("/clients/K-01/findings", accept_language="es-MX").json()
    assert spanish == who.get("/clients/K-01/findings?language=es").json()
    (suyo,) = spanish["items"]
    assert suyo["depth"]["estimate"] == estimate
    assert suyo["depth"]["sentence"] != mine["depth"]["sentence"]
    assert "sesión" in str(spanish)


def test_a_client_of_whom_nothing_was_rated_has_no_findings_yet(lived: Building) -> None:
    lived.cast.first.take_on("K-09")
    answer = program(lived).get("/clients/K-09/findings")
    assert (answer.status_code, answer.json()["items"]) == (200, [])


def test_findings_that_did_not_change_are_not_sent_again_and_changed_ones_are(lived: Building) -> None:
    who = program(lived)
    first = who.get("/findings")
    tag = first.headers["etag"]
    again = who.get("/findings", if_none_match=tag)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert who.get("/findings?language=es", if_none_match=tag).status_code == 200
    seen(lived.cast.first, "K-08", 3)
    while not (answer := who.get("/findings", if_none_match=tag)).json()["fresh"]:
        assert answer.headers["etag"] != tag  # it says that it is not fresh
    assert len(answer.json()["items"]) == 7


def test_what_takes_longer_is_asked_for_again(lived: Building, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "FIRST", 0.0)
    answer = program(lived).get("/findings")
    assert (answer.status_code, answer.json()) == (202, {"status": "being worked out"})
    assert answer.headers["retry-after"] == str(answering.AGAIN)


def test_ratings_are_the_table_of_the_library_in_three_kinds(lived: Building) -> None:
    who = program(lived)
    own = lived.cast.first.ratings().sort("client", "session")
    parquet = who.get("/ratings", accept="application/vnd.apache.parquet")
    assert pl.read_parquet(io.BytesIO(parquet.content)).equals(own)
    csv = pl.read_csv(io.BytesIO(who.get("/ratings", accept="text/csv").content))
    assert csv["score"].to_list() == own["score"].to_list()
    rows = who.get("/ratings").json()["items"]
    assert [each["score"] for each in rows] == own["score"].to_list()
    assert who.get("/ratings", accept="image/png").status_code == 406


def test_a_table_that_was_taken_in_is_a_measure_of_its_own(lived: Building) -> None:
    table = pl.DataFrame({"client": ["=cmd()", "X-1"], "session": [1, 1], "score": [31.0, 12.0]})
    table = table.with_columns(client=pl.Series(["A-1", "A-2"]))
    lived.cast.first.take_in(table, "before", Measure(0, 40))
    measure = next(each.id for each in lived.cast.first.rated() if each.name == "before")
    who = program(lived)
    rows = who.get(f"/ratings?measure={measure}").json()["items"]
    assert [(each["client"], each["time"], each["score"]) for each in rows] == [
        ("A-1", None, 31),
        ("A-2", None, 12),
    ]
    assert (
        program(lived, "T-2").get(f"/ratings?measure={measure}").content
        == who.get("/ratings?measure=x").content
    )
    assert who.get("/clients/A-1/sessions").json()["items"][0]["began"] is None


def test_an_export_is_the_clients_record_and_waits_for_reflections_to_be_locked(lived: Building) -> None:
    who = program(lived)
    packed = zipfile.ZipFile(io.BytesIO(who.get("/clients/K-01/export").content))
    assert "check_ins.csv" in packed.namelist()
    lived.cast.first.unlock(PHRASES["T-1"])
    answer = who.get("/clients/K-01/export")
    assert (answer.status_code, "Lock the reflections" in answer.text) == (409, True)


def test_the_deidentified_table_names_nobody_and_needs_five(lived: Building) -> None:
    answer = program(lived).get("/exports/deidentified")
    assert not re.search(r"K-0|2026|T-1", answer.text)
    assert program(lived, "T-2").get("/exports/deidentified").status_code == 422


@pytest.mark.parametrize(
    "path", ["/clients", "/clients/K-01/sessions", "/clients/K-01/check-ins", "/ratings", "/findings"]
)
def test_pages_of_a_list_hold_each_thing_once(lived: Building, path: str) -> None:
    who = program(lived)
    whole = who.get(f"{path}?limit=500").json()
    assert whole["next"] is None
    found: list[Any] = []
    page: dict[str, Any] = {"next": ""}
    while page["next"] is not None:
        after = f"&after={page['next']}" if page["next"] else ""
        page = who.get(f"{path}?limit=2{after}").json()
        assert 1 <= len(page["items"]) <= 2
        found += page["items"]
    assert found == whole["items"]
    assert who.get(f"{path}?after=nobody").status_code == 422


# -- the same sending


def at_once(sends: Sequence[Callable[[], httpx.Response]]) -> list[httpx.Response]:
    return [cast("httpx.Response", each) for each in together(*sends)]


def test_a_sending_that_is_repeated_fifty_times_at_once_is_one_session(lived: Building) -> None:
    each_has_own = [program(lived, scopes=[Scope.SESSIONS_WRITE]) for _ in range(5)] * 10
    sends = [
        partial(who.send, "POST", "/clients/K-01/sessions", SESSION, idempotency_key="sending-0001")
        for who in each_has_own
    ]
    answers = at_once(sends)
    assert {each.status_code for each in answers} == {201}
    assert len({each.content for each in answers}) == 1
    assert len(lived.cast.first.sessions("K-01")) == 4
    assert lived.cast.first.verify()["record"].whole


def test_a_link_that_is_asked_for_fifty_times_at_once_is_one_link(lived: Building) -> None:
    who = program(lived)
    ask = partial(
        who.send, "POST", "/clients/K-01/invitations", {"session": 1}, idempotency_key="sending-0001"
    )
    answers = at_once([ask] * 50)
    assert len({each.content for each in answers}) == 1
    assert len(lived.cast.first.agenda("K-01").standings[0].invitations) == 1
    other = program(lived).send(
        "POST", "/clients/K-01/invitations", {"session": 1}, idempotency_key="sending-0001"
    )
    assert other.json()["link"] != answers[0].json()["link"]  # the key is of one program


def test_a_key_that_was_used_for_something_else_is_refused(lived: Building) -> None:
    who = program(lived)
    for path, one, other in (
        ("/clients/K-01/sessions", SESSION, {**SESSION, "attendance": "missed"}),
        ("/clients/K-01/invitations", {"session": 1}, {"session": 2}),
    ):
        assert who.send("POST", path, one, idempotency_key="sending-0001").status_code == 201
        answer = who.send("POST", path, other, idempotency_key="sending-0001")
        assert (answer.status_code, "a key of its own" in answer.text) == (422, True)


def test_sendings_without_a_key_are_each_a_session(lived: Building) -> None:
    who = program(lived)
    numbers = [who.send("POST", "/clients/K-01/sessions", SESSION).json()["number"] for _ in range(3)]
    assert numbers == [4, 5, 6]


# -- what never goes out


def test_nothing_of_a_reflection_an_identity_or_a_reason_is_in_any_answer_or_log(
    lived: Building, caplog: pytest.LogCaptureFixture
) -> None:
    first = lived.cast.first
    first.identify("K-01", "PLANTED person", "PLANTED contact")
    first.hold("K-01", "PLANTED reason")
    first.raise_concern("K-01", "PLANTED concern")
    first.unlock(PHRASES["T-1"])
    words = Reflection(
        connection=1, words="PLANTED words", tags=("origin: PLANTED",), feelings={"PLANTED": 6.0}
    )
    first.reflect("K-01", 1, words)
    who = program(lived)
    with caplog.at_level(logging.DEBUG):
        answers = [
            asked(who, each, accept_language=language) for each in ENDPOINTS for language in ("en", "es")
        ]
        first.lock()
        answers += [asked(who, each) for each in ENDPOINTS if each.path != "/clients/{code}/export"]
        wrong = who.send("POST", "/clients/PLANTED-code/sessions", {"PLANTED-field": "PLANTED-value"})
        who.get("/clients?PLANTED=PLANTED")
        bearing(lived, "att_PLANTED").get("/clients")
    assert not [each.url for each in [*answers, wrong] if "PLANTED" in each.text]
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("attunement"))
    assert f"{API}/clients/{{code}}/sessions" in ours
    for secret in ("PLANTED", "K-01", who.secret, who.secret[4:]):
        assert secret not in ours


def test_every_answer_is_the_same_with_reflections_and_without(lived: Building) -> None:
    who = program(lived, scopes=[*Scope])
    reads = [each for each in ENDPOINTS if each.method == "GET" and each.path != "/exports/deidentified"]
    before = [asked(who, each).content for each in reads]
    reflected(lived.cast.first, "K-01", 3)
    assert [asked(who, each).content for each in reads] == before
    lived.cast.first.unlock(PHRASES["T-1"])
    still = [each for each in reads if not each.path.endswith("/export")]
    assert [asked(who, each).content for each in still] == [
        content for each, content in zip(reads, before, strict=True) if each in still
    ]


def test_what_goes_wrong_inside_is_one_sentence_and_a_log_without_values(
    lived: Building, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from attunement.practice import Practice  # noqa: PLC0415 - for this alone

    def broken(*_: object) -> object:
        raise RuntimeError("PLANTED VALUE of somebody")

    who = program(lived)
    monkeypatch.setattr(Practice, "clients", broken)
    with caplog.at_level(logging.DEBUG):
        answer = who.get("/clients")
    assert answer.status_code == 500
    assert "PLANTED" not in answer.text + caplog.text
    assert "RuntimeError" in caplog.text


def test_an_answer_that_does_not_fit_its_model_is_not_sent(
    lived: Building, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = program(lived)
    monkeypatch.setattr(answering, "_session", lambda each: {"PLANTED": each.client})
    answer = who.send("POST", "/clients/K-01/sessions", SESSION)
    assert answer.status_code == 500
    assert "PLANTED" not in answer.text


def test_the_journal_has_one_entry_of_the_token_and_one_of_what_it_asked(lived: Building) -> None:
    who = program(lived)
    for each in ENDPOINTS:
        before = len(lived.cast.admin.journal())
        asked(who, each)
        used, *done = lived.cast.admin.journal()[before + 1 :]
        assert used["verb"] == "use token", each.path
        assert used["who"].startswith("T-1 by token "), each.path
        assert {entry["who"] for entry in done} <= {used["who"]}, each.path
        waits = 2 if each.waits else 1  # the stamp is looked at, and once the ratings
        assert len(done) <= waits if each.path != "/token" else not done, each.path


def test_host_and_token_are_all_that_a_program_needs(lived: Building) -> None:
    bare = TestClient(lived.app, base_url=f"http://{HOST}")
    bare.headers.clear()
    answer = bare.get(f"{API}/token", headers={"authorization": f"Bearer {program(lived).secret}"})
    assert answer.json()["account"] == "T-1"
