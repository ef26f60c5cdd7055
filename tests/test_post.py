"""A mail: one address, a subject of ours, one link; over TLS or not at all; and nothing said that a server said."""

from __future__ import annotations

import re
from email import message_from_string
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from postbox import certificate, postbox

from attunement.errors import InputError, NotSent
from attunement.post import Post, is_address, letter, post_from

if TYPE_CHECKING:
    from pathlib import Path

SENDER, TO, LINK = (
    "practice@practice.example",
    "somebody@practice.example",
    "https://practice.example/c/a-b_c",
)
TEXTS = st.text(alphabet=st.characters(), max_size=60) | st.sampled_from(
    [f"{TO}\r\nBcc: evil@x.example", f"{TO}\n", f"{TO}, b@x.example", f"A <{TO}>", "a@b\x00.example", ""]
)


def here(port: int, **more: object) -> Post:
    return Post("localhost", SENDER, port, **({"security": "none"} | more))  # type: ignore[arg-type]


def test_a_mail_is_taken_with_a_link_and_nothing_else() -> None:
    with postbox() as box:
        here(box.port).send(TO, "A reminder", LINK)
    ((to, text),) = box.taken
    mail = message_from_string(text)
    assert (to, mail["To"], mail["From"], mail["Subject"]) == (TO, TO, SENDER, "A reminder")
    assert str(mail.get_payload()).strip() == LINK
    assert set(mail.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Type", "Content-Transfer-Encoding",
        "MIME-Version",
    }  # fmt: skip
    assert "practice.example" in mail["Message-ID"]
    assert box.heard[0] == "ehlo localhost"  # not the name of this machine


@given(TEXTS, TEXTS, TEXTS)
def test_nothing_can_be_smuggled_into_a_header(to: str, subject: str, link: str) -> None:
    for chosen in ((to, "A reminder", LINK), (TO, subject, LINK), (TO, "A reminder", link)):
        try:
            written = letter(SENDER, *chosen).as_string()
        except InputError:
            continue
        head, _, body = written.replace("\r\n", "\n").partition("\n\n")
        names = [line.partition(":")[0] for line in head.split("\n") if not line.startswith((" ", "\t"))]
        assert len(names) == len(set(names)) == 9
        assert not {"bcc", "cc", "reply-to"} & {name.lower() for name in names}
        assert body.strip() == chosen[2]


@given(TEXTS)
def test_what_is_taken_for_an_address_has_no_sign_of_a_header(text: str) -> None:
    if is_address(text):
        assert re.fullmatch(r"[!-~]+@[!-~]+", text)
        assert not set(text) & set(' \r\n\t,;:<>()[]\\"')


@pytest.mark.parametrize("after", ["", "554 no, somebody@practice.example"])
def test_a_mail_that_is_not_taken_is_one_sentence_without_an_address(after: str) -> None:
    with postbox() as box:
        box.after = after
        with pytest.raises(NotSent) as refused:
            here(box.port).send(TO, "A reminder", LINK)
    assert TO not in str(refused.value)
    assert str(refused.value).endswith("nothing was sent.")
    assert box.taken == []


def test_an_address_that_is_refused_is_not_said_back() -> None:
    with postbox() as box:
        box.refused = frozenset({TO})
        with pytest.raises(NotSent, match=r"^The mail server did not take the mail \(code 550\)") as refused:
            here(box.port).send(TO, "A reminder", LINK)
    assert TO not in str(refused.value)
    with pytest.raises(NotSent, match="cannot be reached"):
        here(box.port).send(TO, "A reminder", LINK)


def test_a_wrong_password_sends_nothing() -> None:
    with postbox() as box:
        here(box.port, user="user", password="right").send(TO, "A reminder", LINK)
        with pytest.raises(NotSent, match="name and password"):
            here(box.port, user="user", password="wrong").send(TO, "A reminder", LINK)
    assert len(box.taken) == 1
    assert "right" not in repr(here(box.port, password="right"))


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_over_tls_a_server_that_cannot_show_who_it_is_gets_nothing(
    security: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = certificate(tmp_path)
    with postbox(file, at_once=security == "tls") as box:
        post = here(box.port, security=security)
        with pytest.raises(NotSent, match="TLS"):
            post.send(TO, "A reminder", LINK)
        assert not any(TO in line for line in box.heard)
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        post.send(TO, "A reminder", LINK)
    assert len(box.taken) == 1


def test_a_server_that_takes_no_tls_gets_nothing() -> None:
    with postbox() as box:
        with pytest.raises(NotSent):
            here(box.port, security="starttls").send(TO, "A reminder", LINK)
        assert not any(TO in line for line in box.heard)


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, None),
        ({"HOST": "mail.x.example", "FROM": SENDER}, ("starttls", 0)),
        ({"HOST": "mail.x.example", "FROM": SENDER, "STARTTLS": "no"}, ("tls", 0)),
        ({"HOST": "mail.x.example", "FROM": SENDER, "PORT": "465"}, ("tls", 465)),
        ({"HOST": "127.0.0.1", "FROM": SENDER, "PORT": "25"}, ("none", 25)),
        ({"HOST": "127.0.0.1", "FROM": SENDER, "STARTTLS": "yes"}, ("starttls", 0)),
    ],
)
def test_mail_leaves_this_machine_over_tls_alone(
    settings: dict[str, str], found: tuple[str, int] | None
) -> None:
    post = post_from(lambda name: settings.get(name.removeprefix("ATTUNEMENT_SMTP_")))
    assert (post and (post.security, post.port)) == found


@pytest.mark.parametrize(
    "settings",
    [
        {"HOST": "mail.x.example"},
        {"HOST": "mail x", "FROM": SENDER},
        {"HOST": "mail.x.example", "FROM": "nobody"},
        {"HOST": "mail.x.example", "FROM": SENDER, "PORT": "99999"},
        {"HOST": "mail.x.example", "FROM": SENDER, "PORT": "²"},
        {"HOST": "mail.x.example", "FROM": SENDER, "STARTTLS": "maybe"},
    ],
)
def test_a_setting_that_cannot_be_is_one_sentence(settings: dict[str, str]) -> None:
    with pytest.raises(InputError):
        post_from(lambda name: settings.get(name.removeprefix("ATTUNEMENT_SMTP_")))


def test_mail_in_the_clear_goes_nowhere_else() -> None:
    with pytest.raises(InputError, match="over TLS"):
        Post("mail.x.example", SENDER, security="none")
