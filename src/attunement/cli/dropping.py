"""The commands of the drop box: `drop-box serve`, `drop-box link`, `drop-box unlink`, and `pull`."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - cyclopts reads the types
from typing import TYPE_CHECKING, Annotated

from cyclopts import App

from attunement.cli.opening import HOME, SWITCH, Folder, Me, opened, say
from attunement.errors import InputError

if TYPE_CHECKING:
    from attunement.practice import Fetched


def add_to(app: App) -> None:
    """Give the command line these commands."""
    box = App(name="drop-box", help="A public place where clients answer, which can open nothing.")
    box.command(serve)
    box.command(link)
    box.command(unlink)
    app.command(box)
    app.command(pull)


def serve(
    box: Path,
    /,
    *,
    owner: str = "",
    host: str = "127.0.0.1",
    port: int = 8438,
    url: str = "",
    certificate: Path | None = None,
    key: Path | None = None,
) -> None:
    """Serve a drop box: it shows check-ins, seals what is sent, and can open nothing.

    Parameters
    ----------
    box
        The folder of the box; made if it is not there. No practice is in it.
    owner
        The practice's key, as `drop-box link` shows it; needed the first time.
    host
        Where to listen; any other place than this computer needs a certificate.
    port
        The port; 0 takes a free one.
    url
        The address of the box from outside, such as https://answers.practice.example.
    certificate
        The file of a certificate for TLS, with its chain.
    key
        The file of the certificate's key.
    """
    from attunement.dropbox.serving import serve as serving
    from attunement.web.place import Place

    def ready(address: str) -> None:
        say(f"The drop box is at {address} (Ctrl+C closes it)")
        sys.stdout.flush()

    serving(box, Place(host, port, url, certificate, key), _key(owner), ready=ready)


def link(url: str, /, *, folder: Folder = HOME, me: Me = "") -> None:
    """Let clients' links lead to a drop box, and show the key by which the box knows this practice.

    Parameters
    ----------
    url
        The address of the box, such as https://answers.practice.example.
    folder
        The practice.
    me
        The account; the only one, if there is one.
    """
    with opened(folder, me) as practice:
        owner = practice.link_drop_box(url)
    say("Where the box is, run this once; the key is public:")
    address = url.rstrip("/")
    where = f"--url {address}" if address.startswith("https") else f"--port {address.rpartition(':')[2]}"
    say(f"attunement drop-box serve FOLDER {where} --owner {owner}")
    say("Then `attunement pull` opens its slots and fetches what clients sent.")


def unlink(*, folder: Folder = HOME, me: Me = "") -> None:
    """Let clients' links lead to this practice again; fetch what lies in the box before.

    Parameters
    ----------
    folder
        The practice.
    me
        The account; the only one, if there is one.
    """
    with opened(folder, me) as practice:
        practice.link_drop_box("")
    say("Clients' links lead here again.")


def pull(*, discard: Annotated[bool, SWITCH] = False, folder: Folder = HOME, me: Me = "") -> None:
    """Fetch what clients sent to the drop box, delete it there, and open slots for the links made since.

    Parameters
    ----------
    discard
        Delete what cannot be opened there as well.
    folder
        The practice.
    me
        The account; the only one, if there is one.
    """
    from attunement.remote.drop_box import DropBoxLine

    with opened(folder, me) as practice:
        if not practice.drop_box:
            raise InputError("There is no drop box yet; `attunement drop-box link` names one.")
        line = DropBoxLine(practice.drop_box)
        fetched = practice.fetch_drops(line, discard=discard)
        slots = practice.open_slots(line)
    _tell(fetched, slots, discard=discard)


def _tell(fetched: Fetched, slots: int, *, discard: bool) -> None:
    say(f"Check-ins fetched: {fetched.taken}. Links that are open: {slots}.")
    if fetched.at_risk:
        say(f"Answers of {fetched.at_risk} ask for a look at somebody's safety: see Today.")
    if fetched.refused:
        say(f"Not taken: {fetched.refused}, sent too late or by a link that was used here.")
    if fetched.left:
        where = "They were deleted." if discard else "They stay in the box; --discard deletes them."
        say(f"Could not be opened: {fetched.left}; please send new links. {where}")


def _key(owner: str) -> bytes:
    try:
        return bytes.fromhex(owner)
    except ValueError:
        raise InputError(
            "--owner has 64 hexadecimal digits, as `attunement drop-box link` shows them."
        ) from None
