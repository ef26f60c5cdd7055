"""What a practice's norms tell to whoever runs it: of all who signed out together, never of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attunement.countertransference.feelings import called
from attunement.countertransference.words import ends, table_of
from attunement.findings import Finding
from attunement.norms.designs import LEAST_THERAPISTS
from attunement.norms.peers import Peers
from attunement.wording import counted, not_yet, say

if TYPE_CHECKING:
    from attunement.findings import NotYet
    from attunement.instruments.description import Language
    from attunement.norms.norms import Norms


def told(norms: Norms | None, measure: str, waiting: int, language: Language = "en") -> Finding | NotYet:
    """Say how strong a feeling usually is with the therapists of a practice, and how far apart they are.

    Parameters
    ----------
    norms
        Of the practice, as far as it has been added up.
    measure
        Which feeling.
    waiting
        How many therapists have signed out whose numbers are not added yet.
    language
        Of the sentences.
    """
    feeling = called(measure, language)
    about = say("norms_about", language, feeling=feeling)
    if norms is None or measure not in norms.measures:
        missing = say("norms_few", language, waiting=counted(waiting, language))
        return not_yet(about, missing, say("norms_from", language, number=LEAST_THERAPISTS), language)
    peers = Peers(norms, measure)
    usual, spread = peers.usual(), peers.spread()
    said = (
        say("norms_usual", language, feeling=feeling, **ends(usual, language)),
        say("feelings_habit_spread", language, **ends(spread, language)),
    )
    limits = (
        say("norms_limit_who", language, therapists=counted(norms.therapists(measure), language)),
        say("feelings_limit_rough", language),
        say("feelings_limit_prior", language, source=peers.prior.source),
    )
    return Finding(about, " ".join(said), usual, table_of({"usual": usual, "spread": spread}), limits)
