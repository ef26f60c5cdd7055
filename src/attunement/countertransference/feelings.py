"""What is looked at: each feeling by itself, and two factors, the pleasant ones together and the unpleasant ones.

One rating of one feeling is rough; the mean of those of one kind is steadier, and there are as many pleasant words as
unpleasant ones to choose from. Both are countertransference: a positive one supports at first and may weaken the bond
later, so neither kind is the good one (reviewed over 15 studies, 1999 to 2024: EVIDENCE of the project, section 2.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from attunement.sessions import FEELINGS
from attunement.wording import say, sentences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attunement.instruments.description import Language

POSITIVE: Final = tuple(pleasant for pleasant, _ in FEELINGS)
"""Our own words for pleasant feelings."""
NEGATIVE: Final = tuple(unpleasant for _, unpleasant in FEELINGS)
"""Our own words for unpleasant ones."""
FACTORS: Final = ("positive", "negative")


def strengths(reflections: pl.DataFrame, positive: Sequence[str], negative: Sequence[str]) -> pl.DataFrame:
    """Lay out everything that is looked at: ``therapist, client, session, feeling, strength``, rated ones only.

    The two factors are feelings among the others; each is the mean of those of its kind that were rated that session.

    Parameters
    ----------
    reflections
        Holds `frames.REFLECTIONS`.
    positive, negative
        Which feelings are of which kind; one that is of neither stands by itself.
    """
    rated = reflections.select("therapist", "client", "session", "feeling", "strength").drop_nulls("strength")
    factors = [
        rated.filter(pl.col("feeling").is_in(list(words)))
        .group_by("therapist", "client", "session", maintain_order=True)
        .agg(pl.col("strength").mean())
        .with_columns(feeling=pl.lit(name))
        for name, words in zip(FACTORS, (positive, negative), strict=True)
    ]
    single = rated.filter(~pl.col("feeling").is_in(FACTORS))
    return pl.concat([*factors, single], how="diagonal").sort(
        "feeling", "therapist", "client", "session", maintain_order=True
    )


def called(feeling: str, language: Language) -> str:
    """Name a feeling in a sentence: ours in the language, somebody's own as it was written.

    Examples
    --------
    >>> called("relieved it was over", "es"), called("negative", "en"), called("heavy as lead", "en")
    ('alivio de que terminara', 'unpleasant feelings', 'heavy as lead')
    """
    name = f"feeling_{feeling.replace(' ', '_')}"
    return say(name, language) if name in sentences() else feeling
