"""FHIR R4B, both ways: Questionnaire, QuestionnaireResponse, Observation, Patient as a pseudonym, and Encounter.

`write_bundle` and `write_ndjson` write entries, `read_fhir` reads them; `to_questionnaire` and `from_questionnaire` do
it with an instrument; `faults` are our own checks. There is no entry for a reflection, so that none can leave.
"""

from attunement.exchange.fhir.bundle import write_bundle, write_ndjson
from attunement.exchange.fhir.checks import faults
from attunement.exchange.fhir.questionnaire import from_questionnaire, to_questionnaire
from attunement.exchange.fhir.reading import read_fhir

__all__ = ["faults", "from_questionnaire", "read_fhir", "to_questionnaire", "write_bundle", "write_ndjson"]
