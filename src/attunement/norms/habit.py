"""What is habitual of somebody, held against a norm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attunement.countertransference import NEGATIVE, POSITIVE, countertransference
from attunement.errors import InputError
from attunement.norms.norms import FEELINGS
from attunement.norms.peers import Peers

if TYPE_CHECKING:
    from attunement.countertransference import Elsewhere
    from attunement.findings import Finding, NotYet
    from attunement.instruments.description import Language
    from attunement.norms.norms import Norms


def habitual(
    reflections: Any,  # noqa: ANN401 - any eager frame narwhals knows
    norms: Norms,
    *,
    feeling: str = "negative",
    therapist: str | None = None,
    language: Language = "en",
) -> Finding | NotYet:
    """Say what a therapist brings to every hour, against the therapists of a norm, and labelled so.

    Parameters
    ----------
    reflections
        `frames.REFLECTIONS`, the therapist's own.
    norms
        As `norms.load` reads them.
    feeling
        Which; a factor or a single one.
    therapist
        Who; the only one, if there is one.
    language
        Of the sentences.

    Raises
    ------
    InputError
        Where the norms are of something else.
    """
    known = by_feeling(norms)
    found = countertransference(reflections, only=[feeling], norms=known, language=language)
    return found.habitual(therapist, feeling)


def by_feeling(norms: Norms) -> dict[str, Elsewhere]:
    """What `countertransference` takes as ``norms``.

    Raises
    ------
    InputError
        Where they are of something else than our feelings.
    """
    refuse_other(norms)
    return {measure: Peers(norms, measure) for measure in norms.measures}


def refuse_other(norms: Norms) -> None:
    """Refuse norms of something else than our feelings.

    Raises
    ------
    InputError
        Says of what they are.
    """
    if norms.about != FEELINGS:
        raise InputError(
            f"These norms are of {norms.about.name} (version {norms.about.version}); a habit is told against "
            f"{FEELINGS.name} (version {FEELINGS.version}: {len(POSITIVE)} pleasant, {len(NEGATIVE)} unpleasant)."
        )
