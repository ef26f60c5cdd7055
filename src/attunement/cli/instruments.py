"""The commands on what can be asked: `instruments list`, `show`, `words`, `load`, `retire`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path  # noqa: TC003 - cyclopts reads the types
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from attunement.cli.opening import HOME, SWITCH, Folder, Me, opened, say
from attunement.errors import InputError

if TYPE_CHECKING:
    from attunement.instruments import Instrument


def add_to(app: App) -> None:
    """Give the command line these commands."""
    instruments = App(name="instruments", help="What can be asked: ours, and what others wrote.")
    for command in (show, words, load, retire):
        instruments.command(command)
    instruments.command(list_, name="list")
    app.command(instruments)


def list_(*, loaded: Annotated[bool, SWITCH] = False, folder: Folder = HOME, me: Me = "") -> None:
    """List the instruments that are known: ours with their words, those of others without.

    Parameters
    ----------
    loaded
        List those that the practice has loaded instead; asks for the passphrase.
    folder
        The practice.
    me
        The account; the only one, if there is one.
    """
    from attunement.instruments import catalogue, of_others
    from attunement.instruments.telling import listed

    if not loaded:
        say(listed((*catalogue(), *of_others())))
        return
    with opened(folder, me) as practice:
        kept = practice.instruments()
    if not kept:
        say(
            "Nothing is loaded. `attunement instruments load FILE` loads words that you have the right to use."
        )
    for each in kept:
        state = "asked" if each.asked else "asked no longer"
        say(
            f"{each.instrument.id}\tversion {each.instrument.version}\t{state}\tby right: {each.instrument.right}"
        )


def show(name: str, /) -> None:
    """Show what is known of an instrument: items, answers, scales, figures and sources, who holds the rights.

    Parameters
    ----------
    name
        Its id, as `instruments list` has it.
    """
    from attunement.instruments import instrument
    from attunement.instruments.telling import told

    say(told(instrument(name)))


def words(name: str, file: Path, /) -> None:
    """Write an empty form for the words of an instrument of others, to be filled in from your own copy.

    Parameters
    ----------
    name
        Its id, as `instruments list` has it.
    file
        A new file; what it lacks is said when it is loaded.
    """
    from attunement.instruments import instrument
    from attunement.instruments.words import form
    from attunement.practice.release import write_new

    write_new(file, form(instrument(name)).encode())
    say(f"Written: {file}. Fill it in from your own copy, say by what right, and load it.")


def load(  # noqa: PLR0913 - each is said once
    file: Path, /, *, right: str = "", credit: str = "", called: Annotated[str, Parameter(name="--as")] = "",
    higher: str = "", language: str = "", yes: Annotated[bool, SWITCH] = False, folder: Folder = HOME, me: Me = "",
) -> None:  # fmt: skip
    """Load words that you have the right to use, so that clients can be asked: shown first, kept with --yes.

    Parameters
    ----------
    file
        Words or a description (TOML), a FHIR Questionnaire (JSON), or a REDCap data dictionary (CSV).
    right
        By what right the words are shown, such as “licence 2026-114 of the publisher”; words in TOML say it themselves.
    credit
        The line that their owners want under the words, where the file does not say it.
    called
        The id of the instrument that a Questionnaire is; `phq9` takes the known scoring of the PHQ-9.
    higher
        What a higher total means, where that is not known: closer, better or worse.
    language
        Of the words in a data dictionary: en or es.
    yes
        Keep what was shown.
    folder
        The practice.
    me
        The account; the only one, if there is one.
    """
    from attunement.exchange.incoming import instruments_of
    from attunement.instruments.telling import told

    with opened(folder, me) as practice:
        found = instruments_of(
            file, file.name, practice.shelf(), right, name=called, higher=higher, language=language
        )
        found = tuple(replace(each, credit=credit or each.credit) for each in found)
        for each in found:
            say(told(each))
            say(_items(each))
            if all(item.risk_from is None for item in each.items):
                say("No answer of it asks for a look at somebody's safety.")
        if not yes:
            say("Nothing is kept yet; look whether this is right, and load it with --yes.")
            return
        practice.load_instruments(*found)
    say(f"Loaded: {', '.join(each.id for each in found)}. Clients can be asked from their pages.")


def retire(name: str, /, *, folder: Folder = HOME, me: Me = "") -> None:
    """Ask an instrument no longer, such as when the right to its words has ended; what was answered stays.

    Parameters
    ----------
    name
        Its id.
    folder
        The practice.
    me
        The account; the only one, if there is one.
    """
    with opened(folder, me) as practice:
        if name not in {each.instrument.id for each in practice.instruments() if each.asked}:
            raise InputError(
                f"{name} is not loaded here; `attunement instruments list --loaded` shows what is."
            )
        practice.retire_instrument(name)
    say(f"{name} is asked no longer.")


def _items(each: Instrument) -> str:
    """The words as a client would read them."""
    language = each.languages[0]
    lines = [each.intro.say(language)]
    for item in each.items:
        lines.append(f"  {item.id}: {item.wording.say(language)}")
        answers = [
            f"{choice.value} {choice.wording.say(language)}"
            for choice in each.choices_of(item)
            if choice.wording
        ]
        lines += [f"    {' · '.join(answers)}"] if answers else []
    return "\n".join(lines)
