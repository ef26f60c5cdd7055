"""A client's minute by a drop box: what is taken, once, and what is refused, whoever has the box in hand."""

from __future__ import annotations

import base64
import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cast import ANSWERS, BEGAN, PHRASES, loaded
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from roadside import HERE, Broken, Roadside, beside

from attunement.concerns import Protocol
from attunement.dropbox.box import Box
from attunement.errors import Damaged, InputError, WrongKey
from attunement.instruments import instrument
from attunement.practice import Fetched
from attunement.sessions import Purpose
from attunement.vault.drops import Told, seal, size_of, slot_of
from attunement.vault.locks import LEAST
from attunement.vault.recovery import RecoveryCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cast import Cast

    from attunement.practice import Practice


@pytest.fixture
def roadside(cast: Cast, tmp_path: Path) -> Iterator[Roadside]:
    """T-1 sees K-01, who agreed to check-ins, and has a drop box."""
    cast.first.take_on("K-01", agreed=tuple(Purpose))
    found = beside(cast, tmp_path / "box")
    yield found
    found.box.close()


def invited(roadside: Roadside, session: int = 1, which: str = "connection") -> str:
    practice = roadside.cast.first
    if session > len(practice.sessions("K-01")):
        practice.log_session("K-01", BEGAN + timedelta(minutes=session))
    token = practice.invite("K-01", session, instrument=which).token
    practice.open_slots(roadside)
    return token


def pulled(roadside: Roadside) -> Fetched:
    fetched = roadside.cast.first.fetch_drops(roadside)
    roadside.cast.first.open_slots(roadside)
    return fetched


def entries(practice: Practice, verb: str) -> list[str]:
    return [row["outcome"] for row in practice.journal() if row["verb"] == verb]


def test_what_is_dropped_is_fetched_once_and_stands_in_the_record_as_if_sent_there(
    roadside: Roadside,
) -> None:
    token = invited(roadside)
    assert roadside.send(token, safe="3").status_code == 303
    assert roadside.cast.first.check_ins("K-01") == ()
    assert roadside.cast.first.fetch_drops(roadside) == Fetched(taken=1)
    (check_in,) = roadside.cast.first.check_ins("K-01")
    assert check_in.answers["safe"] == 3
    assert roadside.lying == []
    assert roadside.cast.first.fetch_drops(roadside) == Fetched()
    assert [row["who"] for row in roadside.cast.admin.journal() if row["verb"] == "receive"] == ["client"]


def test_looking_uses_nothing_up_and_the_page_is_the_practices_own(roadside: Roadside) -> None:
    token = invited(roadside)
    for _ in range(30):
        assert roadside.phone.get(f"/c/{token}").status_code == 200
    page = roadside.phone.get(f"/c/{token}?lang=es").text
    assert '<html lang="es">' in page
    assert "<title>Attunement" not in page
    assert roadside.send(token).status_code == 303


def test_unknown_used_and_over_read_alike(roadside: Roadside) -> None:
    used, over = invited(roadside), invited(roadside, 2)
    roadside.send(used)
    roadside.cast.hands.pass_by(timedelta(hours=71))
    fresh = invited(roadside, 3)
    roadside.cast.hands.pass_by(timedelta(hours=2))
    pages = {roadside.phone.get(f"/c/{token}").text for token in (used, over, "never", "x" * 5_000)}
    sent = {roadside.send(token, "another-key").text for token in (used, over, "never")}
    assert len(pages | sent) == 1
    assert roadside.send(fresh).status_code == 303


def test_the_same_sending_again_gives_the_same_page_also_after_it_was_fetched(roadside: Roadside) -> None:
    token = invited(roadside)
    first = roadside.send(token)
    assert roadside.send(token).headers["location"] == first.headers["location"]
    assert roadside.send(token, safe="1").status_code == 404
    assert roadside.send(token, "another-key").status_code == 404
    roadside.cast.first.fetch_drops(roadside)
    roadside.cast.first.open_slots(roadside)
    assert roadside.send(token).status_code == 303
    assert roadside.cast.first.fetch_drops(roadside) == Fetched()


def test_a_box_that_is_served_anew_has_what_it_had(roadside: Roadside) -> None:
    token, other = invited(roadside), invited(roadside, 2)
    roadside.send(token)
    again = roadside.served_again()
    assert again.phone.get(f"/c/{other}").status_code == 200
    assert again.phone.get(f"/c/{token}").status_code == 404
    assert roadside.cast.first.fetch_drops(again).taken == 1
    again.box.close()


def test_an_answer_that_asks_for_help_shows_it_at_once_and_raises_a_concern_when_it_is_fetched(
    roadside: Roadside,
) -> None:
    roadside.cast.first.load_instruments(loaded())
    roadside.cast.admin.set_protocol(Protocol(number="112 358"))
    token = invited(roadside, which="phq9")
    (item,) = (item for item in loaded().items if item.risk_from is not None)
    assert "112 358" in roadside.phone.get(f"/c/{token}").text
    answer = roadside.form(token, {"instrument": "phq9", "key": "some-sending", f"a-{item.id}": "2"})
    assert answer.status_code == 200
    assert "tel:112358" in answer.text
    assert roadside.cast.first.concerns("K-01") == ()
    assert roadside.cast.first.fetch_drops(roadside) == Fetched(taken=1, at_risk=1)
    (concern,) = roadside.cast.first.concerns("K-01")
    assert concern.item == f"phq9.{item.id}"


def test_what_was_sent_in_time_counts_however_late_it_is_fetched(roadside: Roadside) -> None:
    token = invited(roadside)
    roadside.send(token)
    sent = roadside.cast.hands.wall()
    roadside.cast.hands.pass_by(timedelta(days=20))
    assert roadside.cast.first.fetch_drops(roadside).taken == 1
    (check_in,) = roadside.cast.first.check_ins("K-01")
    assert abs(check_in.at - sent) < timedelta(seconds=1)


def test_a_link_that_was_withdrawn_or_used_here_before_is_refused_and_forgotten(roadside: Roadside) -> None:
    withdrawn, used = invited(roadside), invited(roadside, 2)
    practice = roadside.cast.first
    made = practice.invite("K-01", 1, token=withdrawn).invitation
    practice.withdraw_invitation(made.id)
    practice.for_client().receive(used, ANSWERS, "sent-here-first")
    roadside.cast.hands.pass_by(timedelta(seconds=1))
    roadside.send(withdrawn)
    roadside.send(used)
    assert practice.fetch_drops(roadside) == Fetched(refused=2)
    assert roadside.lying == []
    assert [each.session for each in practice.check_ins("K-01")] == [2]
    assert entries(roadside.cast.admin, "receive") == ["done", "gone", "gone"]


def test_a_consent_that_was_withdrawn_holds_for_what_lies_in_the_box(roadside: Roadside) -> None:
    roadside.send(invited(roadside))
    roadside.cast.first.withdraw_consent("K-01", Purpose.CHECK_INS)
    assert roadside.cast.first.fetch_drops(roadside).refused == 1
    assert roadside.cast.first.check_ins("K-01") == ()


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", ["drops", "taken", "open"])
def test_a_line_that_breaks_at_any_step_loses_nothing_and_doubles_nothing(
    roadside: Roadside, step: str, moment: str
) -> None:
    tokens = [invited(roadside, number) for number in (1, 2, 3)]
    for token in tokens[:2]:
        roadside.send(token)
    practice = roadside.cast.first
    roadside.breaks = (step, moment)
    with pytest.raises(Broken):
        pulled(roadside)
    roadside.breaks = None
    roadside.send(tokens[2])
    pulled(roadside)
    assert [each.session for each in practice.check_ins("K-01")] == [1, 2, 3]
    assert roadside.lying == []
    assert [roadside.send(token).status_code for token in tokens] == [303] * 3
    assert practice.fetch_drops(roadside) == Fetched()


def test_more_drops_than_are_given_at_once_are_all_fetched(
    roadside: Roadside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("attunement.dropbox.box.PAGE", 2)
    for number in range(1, 6):
        roadside.send(invited(roadside, number))
    assert roadside.cast.first.fetch_drops(roadside).taken == 5
    assert roadside.lying == []


# -- a box in the wrong hands


def drop_files(roadside: Roadside) -> list[Path]:
    return sorted((roadside.folder / "drops").glob("*.json"))


def test_a_drop_that_was_edited_cut_or_moved_to_another_slot_is_not_taken_and_noted(
    roadside: Roadside,
) -> None:
    for number in (1, 2):
        roadside.send(invited(roadside, number))
    first, second = drop_files(roadside)
    whole = json.loads(first.read_bytes())
    sealed = base64.b64decode(whole["sealed"])
    flipped = sealed[:100] + bytes([sealed[100] ^ 1]) + sealed[101:]
    practice = roadside.cast.first
    for tried in (
        flipped,
        sealed[:-1],
        sealed[:20],
        b"",
        base64.b64decode(json.loads(second.read_bytes())["sealed"]),
    ):
        first.write_text(json.dumps({**whole, "sealed": base64.b64encode(tried).decode()}))
        assert practice.fetch_drops(roadside).left == 1
    for edited in ({"version": "99"}, {"instrument": "state"}):
        first.write_text(json.dumps({**whole, **edited}))
        assert practice.fetch_drops(roadside).left == 1
    assert entries(roadside.cast.admin, "fetch drops").count("damaged") == 7
    assert len(practice.check_ins("K-01")) == 1
    assert practice.fetch_drops(roadside, discard=True).left == 1
    assert roadside.lying == []


def test_who_stole_the_box_cannot_make_a_drop_that_counts(roadside: Roadside) -> None:
    token = invited(roadside)
    published = json.loads(json.loads((roadside.folder / "slots.json").read_bytes())["published"])
    asked = instrument("connection")
    forged = Told(
        "guess", "k" * 64, roadside.cast.hands.wall(), dict.fromkeys([each.id for each in asked.items], 0.0)
    )
    slot, to = bytes.fromhex(published["slots"][0][0]), bytes.fromhex(published["sealing"])
    assert slot == slot_of(token)
    drop = seal(forged, slot, (asked.id, asked.version), to, size_of(each.id for each in asked.items))
    content = {"mark": "m", "instrument": asked.id, "version": asked.version}
    sealed = base64.b64encode(drop.sealed).decode()
    (roadside.folder / "drops" / f"{slot.hex()}.json").write_text(json.dumps({**content, "sealed": sealed}))
    assert roadside.cast.first.fetch_drops(roadside).left == 1
    assert roadside.cast.first.check_ins("K-01") == ()
    assert entries(roadside.cast.admin, "fetch drops")[-1] == "damaged"


def test_a_drop_that_is_put_back_after_it_was_fetched_counts_once(roadside: Roadside) -> None:
    roadside.send(invited(roadside))
    (file,) = drop_files(roadside)
    before = file.read_bytes()
    roadside.cast.first.fetch_drops(roadside)
    file.write_bytes(before)
    roadside.cast.first.fetch_drops(roadside)
    assert len(roadside.cast.first.check_ins("K-01")) == 1


def test_nobody_but_the_owner_is_answered_and_a_signature_is_good_once_for_one_thing(
    roadside: Roadside,
) -> None:
    roadside.send(invited(roadside))
    stranger = Ed25519PrivateKey.generate().sign
    for what in ("open", "drops", "taken", "owner", "nothing"):
        assert roadside.signed(what, b"{}", stranger).status_code == 401
        assert roadside.phone.post(f"/api/v1/box/{what}", content=b"{}").status_code == 401
    seen: list[bytes] = []

    def watched(content: bytes) -> bytes:
        seen.append(roadside.cast.first._drop_keys().sign(content))  # noqa: SLF001 - its own key
        return seen[-1]

    roadside.cast.hands.pass_by(timedelta(hours=2))
    challenge = bytes.fromhex(roadside.phone.post("/api/v1/box/challenge").json()["challenge"])
    assert roadside.signed("drops", b"{}", watched).status_code == 200
    assert roadside.shown("drops", b"{}", challenge, seen[0]).status_code == 401
    assert roadside.shown("drops", b"{}", challenge, seen[0]).status_code == 401
    assert roadside.signed("nothing", b"{}", watched).status_code == 401


def test_a_challenge_is_over_after_a_minute(roadside: Roadside) -> None:
    def slowly(content: bytes) -> bytes:
        roadside.cast.hands.pass_by(timedelta(seconds=61))
        return roadside.cast.first._drop_keys().sign(content)  # noqa: SLF001 - its own key

    assert roadside.signed("drops", b"{}", slowly).status_code == 401


def test_wrong_signatures_and_links_that_never_were_are_slowed_down_and_a_true_link_never_is(
    roadside: Roadside,
) -> None:
    token, stranger = invited(roadside), Ed25519PrivateKey.generate().sign
    assert [roadside.phone.get(f"/c/guess-{number}").status_code for number in range(25)][-5:] == [429] * 5
    assert roadside.send(token).status_code == 303
    assert [roadside.signed("drops", b"{}", stranger).status_code for _ in range(25)][-5:] == [429] * 5


def test_slots_that_another_has_put_on_the_disk_are_not_believed(roadside: Roadside) -> None:
    invited(roadside)
    file = roadside.folder / "slots.json"
    kept = json.loads(file.read_bytes())
    sealing = json.loads(kept["published"])["sealing"]
    file.write_text(json.dumps({**kept, "published": kept["published"].replace(sealing, "11" * 32)}))
    roadside.box.close()
    with pytest.raises(Damaged):
        Box(roadside.folder)


def test_a_box_belongs_to_one_practice(roadside: Roadside, tmp_path: Path) -> None:
    roadside.box.close()
    with pytest.raises(InputError, match="another practice"):
        Box(roadside.folder, b"\1" * 32)
    with pytest.raises(InputError, match="Whose box"):
        Box(tmp_path / "fresh")


def test_new_keys_of_the_practice_open_what_was_sealed_before_and_the_box_learns_them(
    cast: Cast, tmp_path: Path
) -> None:
    practice = cast.first
    practice.take_on("K-01", agreed=tuple(Purpose))
    roadside = beside(cast, tmp_path / "box")
    roadside.send(invited(roadside))
    before = practice._drop_keys()  # noqa: SLF001 - its own key
    cast.admin.rotate_keys(PHRASES["A-1"], RecoveryCode.fresh(), cost=LEAST)
    assert practice.fetch_drops(roadside).taken == 1
    practice.open_slots(roadside)
    with pytest.raises(WrongKey):
        roadside.ask("drops", b"{}", before.sign)
    again = roadside.served_again()
    again.send(invited(again, 2))
    assert practice.fetch_drops(again).taken == 1
    again.box.close()


def test_what_is_published_names_nobody(roadside: Roadside) -> None:
    token = invited(roadside)
    slots = (roadside.folder / "slots.json").read_text()
    assert "K-01" not in slots
    assert "T-1" not in slots
    assert token not in slots


def test_whatever_is_answered_the_box_holds_as_much(roadside: Roadside) -> None:
    sizes = set()
    for number, answer in enumerate(("0", "10", "skip"), 1):
        roadside.send(
            invited(roadside, number), **dict.fromkeys([i.id for i in instrument("connection").items], answer)
        )
    for file in drop_files(roadside):
        sizes.add(file.stat().st_size)
    assert len(sizes) == 1


@pytest.mark.parametrize("sign", ["", "drops", "slots"])
def test_there_is_no_way_to_read_anything(roadside: Roadside, sign: str) -> None:
    roadside.send(invited(roadside))
    for path in ("/", f"/{sign}", "/box", "/api/v1/box/drops", "/drops", "/slots.json", "/docs", "/sign-in"):
        answer = roadside.phone.get(path)
        assert answer.status_code in {404, 405}
        assert "sealed" not in answer.text


def test_pages_have_no_cookie_and_a_strict_policy(roadside: Roadside) -> None:
    answer = roadside.phone.get(f"/c/{invited(roadside)}")
    assert "set-cookie" not in answer.headers
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert not re.search(r"<script(?![^>]* src=)|style=", answer.text)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"key": "short"}, 400),
        ({"key": "some-sending", "a-safe": "11"}, 400),
        ({"key": "some-sending", "more": "1"}, 400),
        ({"key": "x" * 70_000}, 413),
    ],
)
def test_what_was_not_asked_for_is_not_taken(roadside: Roadside, fields: dict[str, str], status: int) -> None:
    token = invited(roadside)
    assert roadside.form(token, {"instrument": "connection", **fields}).status_code == status
    assert roadside.lying == []


def test_a_page_of_another_place_cannot_send(roadside: Roadside) -> None:
    token = invited(roadside)
    answer = roadside.phone.post(
        f"/c/{token}", data={"key": "some-sending"}, headers={"origin": "https://evil.example"}
    )
    assert answer.status_code == 403
    assert roadside.phone.get(f"/c/{token}", headers={"host": "evil.example"}).status_code == 421


def test_a_box_has_an_address_over_tls_or_at_home(cast: Cast) -> None:
    for url in ("http://practice.example", "practice.example", "https://practice.example/c", "ftp://x"):
        with pytest.raises(InputError):
            cast.admin.link_drop_box(url)
    cast.admin.link_drop_box(HERE)
    assert cast.first.drop_box == HERE
    cast.admin.link_drop_box("")
    assert cast.first.drop_box == ""
