"""A life of a practice with secrets planted in every field, run as a program of its own.

Usage: planted.py FOLDER [open] [box].

FOLDER/secrets.json is read, never written: by field, what to plant. The practice is in files, or in the database that
ATTUNEMENT_DATABASE_URL names. With ``open``, nothing is encrypted or sealed but what envelopes hold: the negative
control. With ``box``, check-ins are left in a drop box. The program ends by being killed, so that a WAL is left.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from cast import elsewhere

from attunement.concerns import Protocol
from attunement.errors import AttunementError, NotSent
from attunement.norms import dump
from attunement.practice import Practice, Role
from attunement.sessions import Purpose, Reflection
from attunement.supervising import Feeling, Moment, Parts, Report, Told
from attunement.trajectories import Measure
from attunement.vault import cipher, seals
from attunement.vault.backup import new_identity
from attunement.vault.locks import LEAST
from attunement.vault.recovery import RecoveryCode
from attunement.vault.store import VARIABLE

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
ITEMS = ("safe", "understood", "supported", "not_judged", "could_say", "contact", "matters", "hindering")


def live(folder: Path, secrets: dict[str, list[str]]) -> None:
    """Plant, erase, back up, fail, and be killed."""
    logging.basicConfig(filename=folder / "debug.log", level=logging.DEBUG)
    planted = {name: iter(values) for name, values in secrets.items()}
    phrase, other, third = (f"{next(planted['passphrase'])} {next(planted['passphrase'])}" for _ in range(3))
    code = RecoveryCode.fresh()
    drawn = {"recovery code": [str(code), code.secret.hex()], "token": []}  # for the test; it removes them
    practice = Practice.found(
        folder / "practice", "T-1", phrase, code, name=next(planted["name"]), cost=LEAST,
        database=os.environ.get(VARIABLE),
    )  # fmt: skip
    practice.add_account("S-1", other, RecoveryCode.fresh(), roles=frozenset({Role.SUPERVISOR}), cost=LEAST)
    practice.add_account(
        "T-2",
        third,
        RecoveryCode.fresh(),
        name=next(planted["name"]),
        roles=frozenset({Role.THERAPIST}),
        cost=LEAST,
    )
    supervisor, colleague = practice.sign_in("S-1", other), practice.sign_in("T-2", third)
    practice.unlock(phrase)
    supervisor.unlock(other)
    practice.pin("S-1", practice.fingerprint("S-1"))
    supervisor.pin("T-1", practice.fingerprint("T-1"))
    for place, client in enumerate(planted["code"]):
        weeks(practice, client, planted)
        if place % 3 == 0:
            practice.share(
                client, 1, "S-1", until=datetime.now(UTC) + timedelta(days=3), basis=next(planted["basis"])
            )
        practice.share_report(
            client, brought(client, planted), "S-1", until=datetime.now(UTC) + timedelta(days=3)
        )
        if place % 3 == 1:
            covered(practice, colleague, client, next(planted["taken code"]))
        if place % 3 == 2:
            practice.release(client)
            practice.erase(client)
    norms(practice, next(planted["site"]))
    locked(colleague, third, planted)
    remind(practice, next(planted["email"]))
    own_names(practice, planted)
    if "box" in sys.argv:
        drawn["token"] = leave_in_box(practice, folder, planted)
    for shared in supervisor.shares():
        if shared.kind == "report":
            supervisor.open_report(shared.id)
        else:
            supervisor.open_share(shared.id)
    practice.back_up(folder / "backup.age", new_identity()[1])
    if "open" not in sys.argv:  # new keys would encrypt
        practice.rotate_keys(phrase, RecoveryCode.fresh(), cost=LEAST)
        practice.unlock(phrase)
    fail(practice, planted)
    weeks(practice, next(planted["last code"]), planted)
    (folder / "told").write_text(json.dumps(drawn))
    os.kill(os.getpid(), signal.SIGKILL)


def locked(colleague: Practice, phrase: str, planted: dict[str, Any]) -> None:
    """Let another therapist see a client and reflect, whose reflections are locked at the end."""
    colleague.unlock(phrase)
    weeks(colleague, next(planted["last code"]), planted)
    colleague.lock()


def own_names(practice: Practice, planted: dict[str, Any]) -> None:
    """Name what one may name, and say what the practice says to everybody."""
    ratings = pl.DataFrame({"client": ["K-rated"], "session": [1], "score": [4.0]})
    practice.take_in(ratings, next(planted["measure"]), Measure(0, 10))
    practice.add_factor("code", next(planted["factor"]), next(planted["factor"]).encode())
    practice.set_protocol(Protocol(steps=next(planted["protocol"])))


def leave_in_box(practice: Practice, folder: Path, planted: dict[str, Any]) -> list[str]:
    """Let clients answer at a drop box, and fetch nothing; returns the tokens by which they did."""
    from street import free_port, send, served  # noqa: PLC0415 - for a box alone

    from attunement.remote.drop_box import DropBoxLine  # noqa: PLC0415 - see above

    port, tokens = free_port(), []
    url = f"http://127.0.0.1:{port}"
    owner = practice.link_drop_box(url)
    with served(folder / "box", port, owner, folder / "box.log"):
        for client in planted["at the box"]:
            practice.take_on(client, agreed=tuple(Purpose))
            practice.identify(client, next(planted["person"]), next(planted["contact"]))
            practice.log_session(client, BEGAN)
            tokens.append(practice.invite(client, 1).token)
        practice.open_slots(DropBoxLine(url))
        for token in tokens:
            assert send(url, token, {f"a-{item}": "7" for item in ITEMS}, next(planted["sending"])) == 303
    return tokens


def weeks(practice: Practice, client: str, planted: dict[str, Any]) -> None:
    """What happens with one client."""
    practice.take_on(client, agreed=tuple(Purpose))
    practice.identify(client, next(planted["person"]), next(planted["contact"]))
    practice.log_session(client, BEGAN)
    practice.choose_step(client, next(planted["step"]), "strain")
    practice.close_step(practice.steps(client)[0].id, next(planted["outcome"]), "partly")
    practice.end(client, "left")
    practice.resume(client)
    practice.hold(client, next(planted["reason"]))
    concern = practice.raise_concern(client, next(planted["concern"]))
    practice.close_concern(concern.id, next(planted["done"]), BEGAN)
    token = practice.invite(client, 1).token
    practice.for_client().receive(token, dict.fromkeys(ITEMS, 7), next(planted["sending"]))
    tags = (f"origin: {next(planted['tag'])}",)
    feelings = {next(planted["feeling"]): 6.0}
    words = Reflection(connection=4, words=next(planted["words"]), tags=tags, feelings=feelings)
    practice.reflect(client, 1, words)
    practice.reflections(client)
    practice.by_token(practice.add_token(next(planted["program"]), ["sessions:read"]).secret).sessions(client)


def covered(practice: Practice, colleague: Practice, client: str, taken: str) -> None:
    """A colleague takes a client on for a while, by a code of their own."""
    day = datetime.now(UTC) + timedelta(days=3)
    colleague.accept(practice.offer(client, "T-2", kind="cover", until=day, course=True).id, taken)
    colleague.met_before(taken)
    sys.stderr.write(f"{len(practice.handovers())} {len(colleague.handovers())}\n")


def norms(practice: Practice, site: str) -> None:
    """Load norms of a site with a secret for a name, and sign out what was felt with five clients."""
    practice.load_norm(dump(elsewhere(site)).encode())
    for client in range(5):
        practice.take_on(f"felt-{client}")
        for hour in range(4):
            number = practice.log_session(f"felt-{client}", BEGAN).number
            felt = {"tense": float((client * hour) % 7), "bored": 1.5 + client}
            practice.reflect(f"felt-{client}", number, Reflection(connection=4, feelings=felt))
    practice.sign_out(practice.to_sign_out())
    practice.take_back_signed(practice.signed_out()[0].id)
    practice.sign_out(practice.to_sign_out())


class Broken:
    """A mail server that takes nothing."""

    def send(self, to: str, subject: str, link: str) -> None:
        logging.getLogger("planted").info("asked to send %d letters", len(to + subject + link))
        raise NotSent("The mail server cannot be reached, or broke off; nothing was sent.")


def remind(practice: Practice, email: str) -> None:
    """Remind of a session that was held this morning; the client can be reached, the server cannot."""
    practice.set_email(f"{email}@practice.example")
    practice.take_on("reached", agreed=tuple(Purpose))
    practice.identify("reached", "Somebody", f"{email}@home.example")
    practice.log_session("reached", datetime.now(UTC) - timedelta(hours=5))
    sys.stderr.write(f"{practice.remind(Broken(), 'https://practice.example')} {practice.due()}\n")


def brought(client: str, planted: dict[str, Any]) -> Report:
    """A report with a secret in what is asked, in the moment and in the pattern."""
    moment = Moment(
        1, words=next(planted["own words"]), feelings=(Feeling(next(planted["own feeling"]), 6.0),)
    )
    parts = Parts(moment=moment, pattern=(Told("found", next(planted["pattern"])),))
    return Report(client, "T-1", BEGAN.date(), next(planted["question"]), parts)


def fail(practice: Practice, planted: dict[str, Any]) -> None:
    """Fail in many ways with secrets at hand; what is said goes to standard error, as a program would."""
    wrong = next(planted["wrong"])
    attempts = (
        lambda: practice.unlock(wrong),
        lambda: practice.sign_in("T-1", wrong),
        lambda: practice.change_passphrase(wrong, wrong),
        lambda: practice.receive(wrong, dict.fromkeys(ITEMS, 7), "some-sending"),
        lambda: practice.reflect(wrong, 1, Reflection(words=next(planted["wrong"]))),
        lambda: practice.sessions(wrong),
        lambda: practice.pin("S-1", wrong),
        lambda: Reflection(words=wrong * 2_000),
        lambda: Reflection(pull=(wrong,)),
        lambda: RecoveryCode.read(wrong),
        lambda: practice.end_account(wrong),
        lambda: practice.open_share(wrong),
        lambda: practice.load_norm(wrong.encode()),
        lambda: practice.publish_norm(wrong),
        lambda: practice.take_back_signed(wrong),
        lambda: practice.by_token(wrong),
        lambda: practice.offer(wrong, "S-1", kind="transfer"),
        lambda: practice.accept(wrong, wrong),
        lambda: practice.add_token(wrong, [wrong]),
        lambda: practice.open_report(wrong),
        lambda: practice.share_report(wrong, Report("K", "T-1", BEGAN.date(), wrong), "S-1", until=BEGAN),
        lambda: Report("K", "T-1", BEGAN.date(), wrong * 2_000),
        lambda: Parts().only({wrong}),
        lambda: Report.from_json(wrong),
    )
    for attempt in attempts:
        try:
            attempt()
        except AttunementError as problem:
            sys.stderr.write(f"{problem}\n")
            logging.getLogger("planted").exception("failed")


if __name__ == "__main__":
    where = Path(sys.argv[1])
    if "open" in sys.argv[2:]:
        cipher._give_key = lambda connection, key: None  # noqa: ARG005, SLF001
        cipher._authenticated = lambda connection: True  # noqa: ARG005, SLF001
        seals.Seals.seal = lambda self, value, about, **_: seals._as_bytes(value)  # type: ignore[method-assign]  # noqa: ARG005, SLF001
        seals.Seals.open = lambda self, blob, about, **_: seals._from_bytes(blob)  # type: ignore[method-assign]  # noqa: ARG005, SLF001
    with contextlib.suppress(KeyboardInterrupt):
        live(where, json.loads((where / "secrets.json").read_text()))
