"""Which instrument a form of REDCap is, by its name: people call a form of the PHQ-9 ``phq_9`` or ``phq9_survey``.

A name is compared by its letters and digits, with and without words that say when or how it is asked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from attunement.exchange.entries import asked_now

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from attunement.instruments import Instrument

_USUAL: Final[Mapping[str, tuple[str, ...]]] = {
    "phq9": ("patient_health_questionnaire_9", "patient_health_questionnaire", "phq_9_depression", "phq"),
    "gad7": (
        "generalized_anxiety_disorder_7", "generalised_anxiety_disorder_7", "general_anxiety_disorder_7",
        "generalized_anxiety_disorder", "generalised_anxiety_disorder", "gad_7_anxiety", "gad",
    ),
    "pcl5": ("ptsd_checklist_for_dsm_5", "ptsd_checklist_5", "ptsd_checklist"),
    "dass21": ("depression_anxiety_stress_scales_21", "depression_anxiety_and_stress_scale_21"),
    "k10": ("kessler_10", "kessler_psychological_distress_scale", "kessler_psychological_distress_scale_10"),
    "who5": ("who_5_well_being_index", "who_five", "who_5_index"),
    "core10": ("clinical_outcomes_in_routine_evaluation_10",),
    "core_om": ("clinical_outcomes_in_routine_evaluation", "clinical_outcomes_in_routine_evaluation_outcome_measure"),
    "ors": ("outcome_rating_scale",),
    "srs": ("session_rating_scale",),
    "oq45": ("oq_45_2", "outcome_questionnaire_45", "outcome_questionnaire"),
    "wai_sr": ("working_alliance_inventory_short_revised",),
    "ptgi": ("posttraumatic_growth_inventory",),
}  # fmt: skip
_BESIDES: Final = frozenset({
    "survey", "form", "scale", "questionnaire", "instrument", "measure", "index", "baseline", "intake", "screening",
    "pre", "post", "follow", "followup", "up", "weekly", "monthly", "daily", "client", "patient", "participant", "self",
    "report", "english", "spanish", "en", "es", "the", "of", "version",
})  # fmt: skip
_COPY: Final = re.compile(r"v[0-9]{1,2}")


def named(form: str, shelf: Mapping[str, Instrument]) -> Instrument | None:
    """Return the instrument of the shelf that a form is called like; None where it is none."""
    if form in shelf:
        return shelf[form]
    names = {_plain(form), _plain("_".join(_telling(form)))} - {""}
    return next(
        (each for each in asked_now(shelf) if _is_known(each) and not names.isdisjoint(_names(each))), None
    )


def _is_known(instrument: Instrument) -> bool:
    """Whether it is one of others' that many use: ours, and what somebody made, go by their id alone."""
    return instrument.words in {"missing", "totals only"} or (
        instrument.words == "loaded" and instrument.validated
    )


def _telling(form: str) -> Iterator[str]:
    """The words of a name that tell what it is."""
    return (word for word in form.lower().split("_") if word not in _BESIDES and not _COPY.fullmatch(word))


def _names(instrument: Instrument) -> Iterator[str]:
    for name in (instrument.id, instrument.name.en, instrument.name.es, *_USUAL.get(instrument.id, ())):
        yield _plain(name)
        yield _plain("_".join(_telling(re.sub(r"[\W_]+", "_", name))))


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.lower())
