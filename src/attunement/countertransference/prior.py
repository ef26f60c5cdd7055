"""What is known of therapists' feelings before a practice's own: published figures, with a switch."""

from __future__ import annotations

from typing import Final

from attunement.mixed import HalfNormal, LogNormal, Prior

SOURCE: Final = (
    "published figures of how therapists' feelings differ, put on a scale from 0 to 10; how far a practice may lie "
    "from them is our judgement"
)
SHARES: Final = {"habitual": 0.25, "elicited": 0.25, "momentary": 0.50}
"""Of all differences in a feeling. That therapists and clients both matter much: 4,443 ratings by 101 therapists of 191
patients (Lindqvist et al. 2017, 10.1080/10503307.2016.1143127, large shares between therapists); the round figures are
judgements."""
SPREAD: Final = 2.0
"""Standard deviation of all of it, in points of 0 to 10 [judgement]."""
USUAL: Final = (3.5, 2.0)
"""Where a feeling usually lies, and how far that may be off [judgement]: unpleasant ones lie lower, pleasant higher."""
DAY: Final = 0.3
"""How far a feeling may move with a point of one's own day, either way [judgement]."""


def published_prior() -> Prior:
    """The prior of one feeling, 0 to 10.

    Medians are the square roots of `SHARES` of the whole variance; what a client stirs is halved between the client
    and the pairing where both can be told apart. In two of three practices a spread lies within a factor of 1.6 of its
    median [judgement].
    """
    sd = {name: SPREAD * share**0.5 for name, share in SHARES.items()}
    half = sd["elicited"] * 0.5**0.5
    return Prior(
        spreads={
            "therapist: habit": LogNormal(sd["habitual"], 0.5),
            "dyad: elicited": LogNormal(sd["elicited"], 0.5),
            "client: own": LogNormal(half, 0.6),
            "dyad: pair": LogNormal(half, 0.6),
        },
        residual=LogNormal(sd["momentary"], 0.35),
        fixed={"usual": USUAL, "day": (0.0, DAY)},
        source=SOURCE,
    )


def vague_prior() -> Prior:
    """A prior that says next to nothing, for who wants the data alone."""
    wide = HalfNormal(5.0)
    spreads = dict.fromkeys(("therapist: habit", "dyad: elicited", "client: own", "dyad: pair"), wide)
    return Prior(spreads=spreads, residual=HalfNormal(5.0), fixed={"day": (0.0, 5.0)})
