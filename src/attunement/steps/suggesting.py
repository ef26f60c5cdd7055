"""What could be tried next, in our own words, for everything that a step can answer.

Each suggestion asks for the client's view; none is a recipe. What it rests on:

- Strain and ruptures: in a consensus of experts, to validate and to explore how it was for the client come first, and
  what aims at change comes later (Eubanks, Burckell & Goldfried 2018, J Psychother Integr 28:60,
  doi 10.1037/int0000097).
- Talking about the client's own answers: structured talk about the feedback moved the bond in a single-case trial of
  2026 (g 1.33); feedback alone moves little (de Jong et al. 2021, d 0.15, doi 10.1016/j.cpr.2021.102002).
- What went unsaid: clients who see their therapist as culturally humble rate the bond higher (Hook et al. 2013,
  J Couns Psychol 60:353, doi 10.1037/a0032595); association, no more.

No suggestion has been tried against another, and nothing here says that one helps with a given client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attunement.errors import InputError
from attunement.sessions import ABOUT
from attunement.wording import say, sentences

if TYPE_CHECKING:
    from attunement.instruments.description import Language

_OWN_NAMES: Final = ("rupture", "course", "strain", "hindering")
"""What is no hypothesis of the board, whose names stand with the board."""


def suggestions(about: str, language: Language = "en") -> tuple[str, ...]:
    """Return two or three things that could be tried next.

    Parameters
    ----------
    about
        One of `ABOUT`.
    language
        Of the sentences.

    Raises
    ------
    InputError
        Where a step cannot be about that.

    Examples
    --------
    >>> suggestions("torn")[0]
    'Name what happened last time, and ask how it was for them.'
    """
    _refuse_unknown(about)
    names = (f"steps_{about}_{number}" for number in (1, 2, 3))
    return tuple(say(name, language) for name in names if name in sentences())


def openings(about: str, language: Language = "en") -> tuple[str, ...]:
    """Return sentences with which the therapist could open the talk, in their own voice.

    Raises
    ------
    InputError
        Where a step cannot be about that.
    """
    _refuse_unknown(about)
    return (say(f"steps_{about}_opening", language),)


def named(about: str, language: Language = "en") -> str:
    """Name what a step is about, as a list has it.

    Examples
    --------
    >>> named("unsaid"), named("strain")
    ('something cultural went unsaid', 'a strain that I noted')
    """
    _refuse_unknown(about)
    return say(f"steps_{about}_name" if about in _OWN_NAMES else f"{about}_name", language)


def _refuse_unknown(about: str) -> None:
    if about not in ABOUT:
        raise InputError(f"A step is about one of {', '.join(ABOUT)}, or about nothing named.")
