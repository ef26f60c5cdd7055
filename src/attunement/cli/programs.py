"""The commands of programs that may ask: `token add`, `token list`, `token remove`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from attunement.cli.opening import HOME, Folder, Me, opened, say


def add_to(app: App) -> None:
    """Give the command line these commands."""
    token = App(name="token", help="Let programs of yours ask at /api/v1, by tokens that say how far.")
    token.command(add)
    token.command(list_tokens, name="list")
    token.command(remove)
    app.command(token)


def add(
    name: str,
    /,
    *,
    scope: Annotated[list[str], Parameter(negative="")],
    days: int = 90,
    folder: Folder = HOME,
    me: Me = "",
) -> None:
    """Make a token for a program, and show it this once.

    Parameters
    ----------
    name
        What to call the program.
    scope
        What it may ask for, such as findings:read; given once for each.
    days
        For how many days, 1 to 365.
    folder
        The practice.
    me
        The account; the only one, if there is one.
    """
    with opened(folder, me) as practice:
        given = practice.add_token(name, scope, days)
    say(given.secret)
    say(
        f"Shown this once, and kept nowhere. It opens {', '.join(sorted(given.token.scopes))} "
        f"until {given.token.expires:%Y-%m-%d}; `attunement token remove {given.token.id}` ends it before."
    )


def list_tokens(*, folder: Folder = HOME, me: Me = "") -> None:
    """List your tokens, one a line, tab-separated: id, name, scopes, until when.

    Parameters
    ----------
    folder
        The practice.
    me
        The account; the only one, if there is one.
    """
    with opened(folder, me) as practice:
        for each in practice.tokens():
            until = f"{'ended' if each.over else 'until'} {each.expires:%Y-%m-%d}"
            say("\t".join((each.id, each.name, " ".join(sorted(each.scopes)), until)))


def remove(token: str, /, *, folder: Folder = HOME, me: Me = "") -> None:
    """Let a program in no more.

    Parameters
    ----------
    token
        The id of its token, as `attunement token list` shows it.
    folder
        The practice.
    me
        The account; the only one, if there is one.
    """
    with opened(folder, me) as practice:
        practice.remove_token(token)
    say("That program is let in no more.")
