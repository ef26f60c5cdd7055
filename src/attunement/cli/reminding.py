"""The commands `remind` and `email`: what is due, and reminders of it by mail."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

from attunement.cli.opening import HOME, SWITCH, Folder, Me, opened, say
from attunement.cli.secrets import from_environment
from attunement.errors import InputError, InUse, NotSent

if TYPE_CHECKING:
    from cyclopts import App

    from attunement.practice import Due

_SAID = {
    "check-in": "a check-in is not answered yet",
    "reflection": "a reflection, if it is not written yet",
    "backup": "a backup",
}


def add_to(app: App) -> None:
    """Give the command line these commands."""
    app.command(remind)
    app.command(email)


def remind(
    *, folder: Folder = HOME, me: Me = "", send: Annotated[bool, SWITCH] = False, url: str = ""
) -> None:
    """Print what is due: check-ins, reflections, a backup; with --send, remind of it by mail, with a link alone.

    The mail server is named by ATTUNEMENT_SMTP_HOST and its kin. While `attunement serve` has the practice open, it
    sends reminders itself.

    Parameters
    ----------
    folder
        The practice.
    me
        The account; the only one, if there is one.
    send
        Send reminders: to your own address, and to clients who agreed to check-ins.
    url
        What links begin with, such as https://practice.example; without it nothing goes to clients.
    """
    from attunement.post import post_from
    from attunement.web.place import refuse_odd_url

    refuse_odd_url(url)
    post = post_from(from_environment) if send else None
    if send and post is None:
        raise InputError("No mail server is named; ATTUNEMENT_SMTP_HOST and ATTUNEMENT_SMTP_FROM do.")
    try:
        with opened(folder, me) as practice:
            due = practice.due()
            sent = practice.remind(post, url) if post else None
    except InUse as problem:
        raise InUse(f"{problem} Where `attunement serve` has it open, it sends reminders itself.") from None
    for line in _lines(due):
        say(line)
    if sent is not None:
        sys.stdout.flush()
        if sent.failed:
            raise NotSent(sent.failed)
        say(f"Sent: {sent.mails}.")


def email(address: str, /, *, folder: Folder = HOME, me: Me = "") -> None:
    """Set to which address your own reminders go.

    Parameters
    ----------
    address
        One address; "none" takes it back.
    folder
        The practice.
    me
        The account; the only one, if there is one.
    """
    with opened(folder, me) as practice:
        practice.set_email("" if address == "none" else address)
    say("Reminders go nowhere now." if address == "none" else "Reminders go there from now on.")


def _lines(due: tuple[Due, ...]) -> list[str]:
    """A row each, tab-separated; codes and no names."""
    if not due:
        return ["Nothing is due."]
    rows = [("client", "session", "since", "for", "what")]
    for each in due:
        since = f"{each.since.astimezone():%Y-%m-%d}" if each.since else "never"
        session = "-" if each.session is None else str(each.session)
        rows.append((each.client or "-", session, since, each.to, _SAID[each.kind]))
    return ["\t".join(row) for row in rows]
