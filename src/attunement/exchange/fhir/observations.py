"""A score is an Observation: worked out from answers that stand beside it, or a total that somebody else worked out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from attunement.errors import InputError
from attunement.exchange.entries import AnswersEntry, TotalEntry, asked_now
from attunement.exchange.fhir.names import BAND, LOINC, ORIGIN, SCORE, WORKED_OUT, client, ident, session
from attunement.exchange.fhir.responses import response_id
from attunement.exchange.fhir.times import written
from attunement.instruments import score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from attunement.instruments import Instrument, Scale

_SURVEY: Final = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "survey",
            "display": "Survey",
        }
    ]
}
_POINTS: Final = {"unit": "{score}", "system": "http://unitsofmeasure.org", "code": "{score}"}
UNUSED: Final = ("entered-in-error", "cancelled", "registered", "unknown")


def scores_of(entry: AnswersEntry, instrument: Instrument) -> Iterator[dict[str, Any]]:
    """Return an Observation a scale; none where too few items were answered, or no score is made of them."""
    if instrument.unscored:
        return
    source = {"reference": f"QuestionnaireResponse/{response_id(entry)}"}
    for scored, scale in zip(score(instrument, entry.answers).scales, instrument.scales, strict=True):
        if scored.value is None:
            continue
        observation = _observation(entry, instrument, scale, scored.value)
        observation["meta"] = {"tag": [{"system": ORIGIN, "code": WORKED_OUT}]}
        observation["derivedFrom"] = [source]
        if scored.skipped:
            answered = f"{scored.answered} of {scored.answered + scored.skipped} items were answered"
            how = "; the sum is prorated" if scale.method == "sum" else ""
            observation["note"] = [{"text": f"{answered}{how}."}]
        yield observation


def total_of(entry: TotalEntry, instrument: Instrument) -> dict[str, Any]:
    """Return a total as an Observation."""
    return _observation(entry, instrument, instrument.scale(entry.scale), entry.value)


def _observation(
    entry: AnswersEntry | TotalEntry, instrument: Instrument, scale: Scale, value: float
) -> dict[str, Any]:
    version = entry.version if isinstance(entry, AnswersEntry) else ""
    own = {
        "system": SCORE, "code": f"{instrument.id}.{scale.id}",
        "display": f"{instrument.name.en}: {scale.name.en}",
    }  # fmt: skip
    return {
        "resourceType": "Observation",
        "id": ident(entry.client, entry.session, instrument.id, version, entry.at, scale.id),
        "status": "final",
        "category": [_SURVEY],
        "code": {"coding": [*([{"system": LOINC, "code": scale.loinc}] if scale.loinc else []), own]},
        "subject": client(entry.client),
        "encounter": session(entry.client, entry.session),
        **({"effectiveDateTime": written(entry.at)} if entry.at else {}),
        "valueQuantity": {"value": value, **_POINTS},
        **_interpreted(instrument, scale, value),
    }


def _interpreted(instrument: Instrument, scale: Scale, value: float) -> dict[str, Any]:
    """The published bands that a score lies in: each set by name, as two sets of one scale may not agree."""
    low, high = instrument.bounds(scale)
    if not scale.bands or not low <= value <= high:
        return {}
    return {
        "interpretation": [
            {
                "coding": [
                    {
                        "system": BAND,
                        "code": f"{instrument.id}.{scale.id}.{bands.id}",
                        "display": bands.of(value),
                    }
                ],
                "text": f"{bands.of(value)} ({bands.source})",
            }
            for bands in scale.bands
        ]
    }


Measures: TypeAlias = dict[tuple[str, str], "tuple[Instrument, Scale]"]
"""What is scored, by the system and the code of an Observation."""


def measures(shelf: Mapping[str, Instrument]) -> Measures:
    """Return what the shelf scores, by the codes that it may come under."""
    found: Measures = {}
    for instrument in asked_now(shelf):
        for scale in instrument.scales:
            found[SCORE, f"{instrument.id}.{scale.id}"] = (instrument, scale)
            if scale.loinc:
                found.setdefault((LOINC, scale.loinc), (instrument, scale))
    return found


def measured(observation: Mapping[str, Any], known: Measures) -> tuple[Instrument, Scale] | None:
    """Return what an Observation is a score of; None where it is none that the shelf knows."""
    codings = (
        (each.get("system", ""), each.get("code", "")) for each in observation["code"].get("coding", ())
    )
    return next((known[each] for each in codings if each in known), None)


def value_of(observation: Mapping[str, Any], instrument: Instrument, scale: Scale) -> float | None:
    """Return the score of an Observation; None where it is withdrawn, or has none.

    Raises
    ------
    InputError
        Where the scale cannot have such a score, as where DASS-21 sums were not doubled twice; a clause.
    """
    if observation["status"] in UNUSED:
        return None
    value = observation.get("valueQuantity", {}).get("value", observation.get("valueInteger"))
    if value is None:
        return None
    low, high = instrument.bounds(scale)
    if not low <= value <= high:
        raise InputError(
            f"Observation.value is {value:g}; {scale.id} of {instrument.id} goes from {low:g} to {high:g}"
        )
    return float(value)


def is_worked_out(observation: Mapping[str, Any]) -> bool:
    """Tell whether it is a score that we worked out from answers in the same file."""
    tags = observation.get("meta", {}).get("tag", ())
    return any(each.get("system") == ORIGIN and each.get("code") == WORKED_OUT for each in tags)
