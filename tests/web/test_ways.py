"""Who is let in where: every way of the table, by every role, on one's own and on somebody else's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from cast import BEGAN, PHRASES, reflected, seen

from attunement.practice import Role
from attunement.sessions import Purpose
from attunement.web import WAYS

if TYPE_CHECKING:
    import httpx2 as httpx
    from guest import Building, Guest

    from attunement.web.ways import Way

WHO = {"T-1": set(Role), "T-2": {Role.THERAPIST}, "S-1": {Role.SUPERVISOR}, "A-1": {Role.ADMIN}}
WHEN = f"{BEGAN.astimezone():%Y-%m-%dT%H:%M}"
OTHER = "another licence, or outside the United States"
NEW = "marble window seventeen otter"

FORMS: dict[str, dict[str, Any]] = {
    "/first-clients": {"codes": "N-01", "agreed": "yes"},
    "/lock": {},
    "/clients": {"client": "N-02"},
    "/import": {},
    "/import/again": {"client": "client"},
    "/import/take": {"name": "a", "low": "0", "high": "10"},
    "/import/entries": {"shown": "no"},
    "/instruments": {},
    "/instruments/keep": {"shown": "no"},
    "/instruments/{instrument}/retire": {},
    "/norms": {},
    "/norms/signed": {"shown": "no", "measure": "negative"},
    "/norms/signed/{signed}/take-back": {},
    "/norms/publish": {"site": "Elm House"},
    "/norms/{norm}/retire": {},
    "/clients/{code}/sessions": {"began": WHEN, "attendance": "held"},
    "/clients/{code}/sessions/{number:session}": {"attendance": "missed"},
    "/clients/{code}/invite": {"session": "1", "instrument": "connection", "hours": "24", "how": "link"},
    "/clients/{code}/invitations/{invitation}/withdraw": {},
    "/clients/{code}/contacts": {"at": WHEN, "kind": "call", "begun_by": "client"},
    "/clients/{code}/consents": {"purpose": "research", "given": "no"},
    "/clients/{code}/curve": {"shown": "yes"},
    "/clients/{code}/end": {},
    "/clients/{code}/resume": {},
    "/clients/{code}/hand-over": {"to": "T-2", "kind": "transfer"},
    "/handovers/{handover}/accept": {"client": "L-01"},
    "/handovers/{handover}/decline": {},
    "/handovers/{handover}/withdraw": {},
    "/clients/{code}/steps": {"what": "slower"},
    "/clients/{code}/steps/{step}": {"outcome": "it helped", "repaired": "partly"},
    "/clients/{code}/steps/{step}/reopen": {},
    "/clients/{code}/steps/{step}/drop": {},
    "/clients/{code}/concerns": {"why": "quiet", "session": "1"},
    "/clients/{code}/concerns/{concern}": {"done": "called", "done_at": WHEN},
    "/clients/{code}/sessions/{number:session}/reflection": {"connection": "5", "finished": "yes"},
    "/clients/{code}/sessions/{number:session}/reflection/draft": {"connection": "5"},
    "/reflections/unlock": {"passphrase": "not this one", "then": "/"},
    "/reflections/lock": {},
    "/supervision/pins": {"account": "S-1", "fingerprint": "0 1 2"},
    "/clients/{code}/supervision": {"session": "1", "question": "Why?", "tick": "answers"},
    "/clients/{code}/supervision/share": {"session": "1", "question": "Why?", "supervisor": "S-1", "seen": "no"},
    "/clients/{code}/supervision/pdf": {"session": "1", "question": "Why?", "seen": "no"},
    "/shares/{share}/revoke": {},
    "/account/passphrase": {"old": "not this one", "new": NEW, "again": NEW},
    "/account/email": {"email": "somebody@practice.example"},
    "/account/code": {"passphrase": "not this one"},
    "/account/code/confirm": {"code": "000000", "name": "a"},
    "/account/passkey": {"passphrase": "not this one"},
    "/account/passkey/confirm": {"passkey": "{}", "name": "a"},
    "/account/factors/{factor}/remove": {"passphrase": "not this one"},
    "/account/visits/{visit}/end": {},
    "/account/tokens": {"passphrase": "not this one", "name": "a", "scopes": "steps:read", "days": "1"},
    "/account/tokens/{token}/remove": {},
    "/practice/protocol": {"help_en": "a", "help_es": "b", "number": "112", "steps": "c"},
    "/practice/accounts": {"account": "X-1", "role": "admin", "credential": OTHER,
                           "passphrase": NEW, "again": NEW},
    "/practice/accounts/{account}/end": {},
}  # fmt: skip
GUARDED = [way for way in WAYS if way.admits is not None]
OPEN = [way for way in WAYS if way.admits is None]
names = [f"{way.method} {way.path}" for way in GUARDED]
# These ask for what is one's own in another way than by a client's code; each has a test of its own.
OTHER_OBJECTS = {
    "/shares/{share}/revoke",
    "/shared/{share}",
    "/shared/{share}/report.pdf",
    "/account/factors/{factor}/remove",
    "/account/visits/{visit}/end",
    "/account/tokens/{token}/remove",
    "/practice/accounts/{account}/end",
    "/instruments/{instrument}/retire",
    "/handovers/{handover}/accept",
    "/handovers/{handover}/decline",
    "/handovers/{handover}/withdraw",
    "/norms/{norm}/retire",
    "/norms/signed/{signed}/take-back",
}


class Things:
    """What there is in the practice: a client of each therapist, with one of everything."""

    def __init__(self, house: Building) -> None:
        self.of: dict[str, dict[str, str]] = {}
        for practice, code in ((house.cast.first, "K-01"), (house.cast.second, "K-02")):
            seen(practice, code)
            invited = practice.invite(code, 2)
            step = practice.choose_step(code, "name it").id
            concern = practice.raise_concern(code, "quiet").id
            self.of[code] = {"invitation": invited.invitation.id, "step": step, "concern": concern}
        reflected(house.cast.first, "K-01", 1)
        reflected(house.cast.second, "K-02", 1)

    def path(self, way: Way, code: str) -> str:
        ids = self.of.get(code, {"invitation": "no", "step": "no", "concern": "no"})
        filled = {
            "code": code,
            "number:session": "1",
            "account": "S-1",
            "factor": "no",
            "visit": "no",
            "instrument": "phq9",
            **ids,
        }
        return re.sub(r"\{([^}]*)\}", lambda found: filled.get(found[1], "no"), way.path)


@pytest.fixture
def things(house: Building) -> Things:
    return Things(house)


def asked(guest: Guest, way: Way, path: str) -> httpx.Response:
    if way.method == "GET":
        return guest.get(path)
    if way.upload:
        return guest.upload(path, "a.csv", b"client,session,score\nA,1,5\n")
    return guest.post(path, **FORMS[way.path])


def test_every_way_that_takes_something_has_a_form_here() -> None:
    assert {way.path for way in GUARDED if way.method == "POST"} == set(FORMS)


def test_every_way_names_whom_it_admits_and_none_is_there_twice() -> None:
    assert len({(way.method, way.path) for way in WAYS}) == len(WAYS)
    assert {way.path for way in OPEN} == {
        "/", "/health", "/ready", "/static/{name}", "/begin/{word}", "/begin/{word}/confirm", "/c/{token}",
        "/c/{token}/curve", "/thanks", "/leave", "/api/v1/", "/sign-in", "/second-step", "/unlock", "/sign-out",
    }  # fmt: skip


@pytest.mark.parametrize("account", [None, "T-1", "T-2", "S-1", "A-1"])
def test_each_way_lets_in_whom_it_names_and_nobody_else(
    house: Building, things: Things, account: str | None
) -> None:
    code = "K-02" if account == "T-2" else "K-01"
    for way in GUARDED:
        if way.path in {"/lock", "/account/passphrase", "/practice/accounts/{account}/end"}:
            continue  # last, below: they end what the others need
        guest = house.guest(account)
        answer = asked(guest, way, things.path(way, code))
        what = (way.method, way.path, answer.status_code)
        if account is None:
            assert answer.status_code == 401, what
            assert code not in answer.headers.get("location", "")
        elif not way.admits or not way.admits & WHO[account]:
            assert answer.status_code == 404, what
        elif way.path in OTHER_OBJECTS:
            locked = way.path.startswith("/shared/")  # asked for the passphrase first, whatever is asked for
            assert answer.status_code in ({200} if locked else {400, 404}), what
        else:
            assert answer.status_code in {200, 204, 303, 400, 401}, what
            assert answer.status_code != 401 or re.search("reflection|supervision", way.path), what


@pytest.mark.parametrize(
    "way", [way for way in GUARDED if "{code}" in way.path], ids=lambda way: f"{way.method} {way.path}"
)
def test_somebody_elses_client_reads_like_one_that_is_not_there(
    house: Building, things: Things, way: Way
) -> None:
    guest = house.guest("T-1", unlocked=True)
    before = house.cast.second.agenda().standings
    theirs, nobodys = (asked(guest, way, things.path(way, code)) for code in ("K-02", "K-77"))
    assert (theirs.status_code, nobodys.status_code) == (404, 404)
    assert theirs.text.replace("K-02", "K-77") == nobodys.text
    assert house.cast.second.agenda().standings == before


@pytest.mark.parametrize("kind", ["step", "concern", "invitation"])
def test_somebody_elses_thing_is_not_reached_by_ones_own_client(
    house: Building, things: Things, kind: str
) -> None:
    guest = house.guest("T-1")
    way = next(way for way in GUARDED if f"{{{kind}}}" in way.path)
    path = things.path(way, "K-01").replace(things.of["K-01"][kind], things.of["K-02"][kind])
    before = house.cast.second.agenda().standings
    assert asked(guest, way, path).status_code == 404
    assert house.cast.second.agenda().standings == before


def test_whoever_is_half_in_or_locked_sees_nothing(house: Building, things: Things) -> None:
    half, locked = house.guest("T-1"), house.guest("T-1")
    visits = house.rooms.visits.all_of("T-1")
    for visit in visits:
        if visit is house.rooms.visits.of(half.client.cookies["attunement"]):
            visit.half = True
        else:
            house.rooms.visits.lock(visit)
    for way in GUARDED:
        for guest in (half, locked):
            answer = asked(guest, way, things.path(way, "K-01"))
            assert answer.status_code == 401, (way.path, answer.status_code)
            assert "safe place" not in answer.text


def test_another_accounts_visits_and_second_steps_cannot_be_ended(house: Building) -> None:
    mine, theirs = house.guest("T-1"), house.guest("T-2")
    visit = house.rooms.visits.all_of("T-2")[0]
    factor = house.cast.second.add_factor("code", "a phone", b"secret")
    assert mine.post(f"/account/visits/{visit.id}/end").status_code == 404
    refused = mine.post(f"/account/factors/{factor.id}/remove", passphrase=PHRASES["T-1"])
    assert refused.status_code == 404
    assert theirs.get("/today").status_code == 200
    assert len(house.cast.second.factors()) == 1


def test_what_one_may_do_is_decided_by_the_practice_and_not_by_the_page(
    house: Building, things: Things, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were every way to admit everybody by mistake, the practice would still refuse."""
    supervisor = house.guest("S-1")
    monkeypatch.setattr("attunement.web.rooms._stopped", lambda way, ask: None)  # noqa: ARG005 - admits all
    others = ("/import", "/first", "/account/tokens")  # what they ask first is another thing
    for way in GUARDED:
        if way.admits == frozenset({Role.THERAPIST}) and not way.path.startswith(others):
            assert asked(supervisor, way, things.path(way, "K-01")).status_code in {404, 401}, way.path


def test_a_consent_that_was_withdrawn_stops_new_links(house: Building, things: Things) -> None:
    guest = house.guest("T-1")
    guest.post("/clients/K-01/consents", purpose="check-ins", given="no")
    refused = guest.post("/clients/K-01/invite", **FORMS["/clients/{code}/invite"])
    assert refused.status_code == 404
    assert Purpose.CHECK_INS not in house.cast.first.agenda().standings[0].agreed
    assert things.of
