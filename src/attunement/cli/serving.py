"""The commands that open the rooms: `serve`, and `demo` with a practice in which nobody is real."""

from __future__ import annotations

import sys
import tempfile
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from attunement.cli.opening import HOME, Folder, Me, account_of, say
from attunement.cli.secrets import PASSPHRASE, from_environment

if TYPE_CHECKING:
    from cyclopts import App

    from attunement.web import Rooms


def add_to(app: App) -> None:
    """Give the command line these commands."""
    app.command(serve)
    app.command(demo)


def serve(  # noqa: PLR0913 - each is an option
    *,
    folder: Folder = HOME,
    me: Me = "",
    host: str = "127.0.0.1",
    port: int = 8437,
    url: str = "",
    certificate: Path | None = None,
    key: Path | None = None,
    open_page: Annotated[bool, Parameter(name="--open", negative="--no-open")] = True,
) -> None:
    """Open the rooms: pages for a therapist's day and a client's minute, on this computer.

    Where there is no practice yet, the address that is shown opens the first run. The practice opens when somebody
    signs in; with ATTUNEMENT_PASSPHRASE or its _FILE set, at once, so that answers are taken from the start. With
    ATTUNEMENT_SMTP_HOST and ATTUNEMENT_SMTP_FROM set, it sends reminders once a day.

    Parameters
    ----------
    folder
        The practice; made in the first run if it is not there.
    me
        The account that opens it at once; the only one, if there is one.
    host
        Where to listen; any other place than this computer needs a certificate.
    port
        The port; 0 takes a free one.
    url
        What clients' links begin with, such as https://practice.example.
    certificate
        The file of a certificate for TLS, with its chain.
    key
        The file of the certificate's key.
    open_page
        Open the browser.
    """
    from attunement.post import post_from
    from attunement.web.serving import Place
    from attunement.web.serving import serve as serving

    phrase, post = from_environment(PASSPHRASE), post_from(from_environment)

    def ready(address: str, rooms: Rooms) -> None:
        if phrase and rooms.door.founded:
            rooms.door.sign_in(account_of(folder, me), phrase)
        say(f"The practice is at {address} (Ctrl+C closes it)")
        sys.stdout.flush()
        if open_page:
            webbrowser.open(address)

    serving(folder, Place(host, port, url, certificate, key), ready=ready, post=post)


def demo(
    *,
    clients: int = 16,
    seed: int = 13,
    port: int = 8437,
    out: Path | None = None,
    therapists: int = 1,
    open_page: Annotated[bool, Parameter(name="--open", negative="--no-open")] = True,
) -> None:
    """Open the rooms of a simulated practice, whose truth is known; nobody in it is real.

    Parameters
    ----------
    clients
        How many clients a therapist has.
    seed
        The same seed gives the same practice.
    port
        The port; 0 takes a free one.
    out
        Write one page of the courses instead, as `look` does, and open no rooms.
    therapists
        How many therapists the page is about; with --out alone.
    open_page
        Open the browser.
    """
    from attunement.cli.looking import demo_page

    if out is not None:
        demo_page(therapists, clients, seed, out, open_page=open_page)
        return
    from attunement.web.demonstration import ACCOUNT, PHRASE, SUPERVISOR, SUPERVISORS_PHRASE, demonstration
    from attunement.web.serving import Place
    from attunement.web.serving import serve as serving

    def ready(address: str, rooms: Rooms) -> None:
        rooms.door.sign_in(ACCOUNT, PHRASE)
        say(f"A simulated practice is at {address} (Ctrl+C closes it, and nothing of it stays)")
        say(f"Account: {ACCOUNT}   Passphrase: {PHRASE}")
        say(f"Supervisor: {SUPERVISOR}   Passphrase: {SUPERVISORS_PHRASE}")
        sys.stdout.flush()
        if open_page:
            webbrowser.open(address)

    with tempfile.TemporaryDirectory(prefix="attunement-demo-") as folder:
        place = Path(folder) / "practice"
        demonstration(place, clients=clients, seed=seed)
        serving(place, Place(port=port), ready=ready)
