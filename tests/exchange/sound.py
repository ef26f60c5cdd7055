"""Sound files of each format that other systems give; what is malformed begins from them."""

from __future__ import annotations

import io
import json
import zipfile
from functools import cache
from typing import Final

_CHOICES: Final = [
    {"valueCoding": {"code": str(value), "display": f"so much: {value}",
                     "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue",
                                    "valueDecimal": value}]}}
    for value in range(4)
]  # fmt: skip
QUESTIONNAIRE: Final = json.dumps({
    "resourceType": "Questionnaire", "id": "q", "url": "http://made.up/q", "version": "1", "status": "active",
    "title": "Made up", "language": "en",
    "item": [{"linkId": str(number), "text": f"Made-up line {number}", "type": "choice", "answerOption": _CHOICES}
             for number in range(1, 5)],
}).encode()  # fmt: skip
BUNDLE: Final = json.dumps({
    "resourceType": "Bundle", "type": "collection",
    "entry": [
        {"resource": {"resourceType": "Patient", "id": "K-01"}},
        {"resource": {"resourceType": "Encounter", "id": "e", "status": "finished",
                      "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
                      "subject": {"reference": "Patient/K-01"}, "period": {"start": "2026-03-02T09:00:00Z"}}},
        {"resource": {"resourceType": "Observation", "id": "o", "status": "final",
                      "code": {"coding": [{"system": "http://loinc.org", "code": "44261-6"}]},
                      "subject": {"reference": "Patient/K-01"}, "encounter": {"reference": "Encounter/e"},
                      "effectiveDateTime": "2026-03-02T09:50:00Z", "valueInteger": 7}},
    ],
}).encode()  # fmt: skip
RECORDS: Final = (
    b"record_id,redcap_repeat_instrument,redcap_repeat_instance,session_number,session_began,session_attendance,"
    b"session_lateness,session_complete\nK-01,session,1,1,2026-03-02 09:00:00,held,,2\n"
    b"K-01,session,2,2,2026-03-09 09:00:00,late,10,2\n"
)
TOTALS: Final = b"client,session,date,ors,srs\nK-01,1,2026-03-02,18.5,34\nK-01,2,2026-03-09,22,36.5\n"
DICTIONARY: Final = (
    b"field_name,form_name,section_header,field_type,field_label,select_choices_or_calculations,field_note,"
    b"text_validation_type_or_show_slider_number,text_validation_min,text_validation_max,identifier,branching_logic,"
    b"required_field,custom_alignment,question_number,matrix_group_name,matrix_ranking,field_annotation\n"
    b"record_id,made_up,,text,Record,,,,,,,,,,,,,\n"
    b'q1,made_up,,radio,"Made-up line?","0, no | 1, yes",,,,,,,,,,,,\n'
    b"q2,made_up,,text,How much?,,,integer,0,10,,,,,,,,\n"
)


_ROWS: Final = [
    f"K-{client:02d},{session},{(client * 7 + session * 3) % 11},2026-0{session}-1{client} 10:00"
    for client in range(1, 4)
    for session in range(1, 6)
]
TABLE: Final = ("client,session,score,time\n" + "\n".join(_ROWS) + "\n").encode()
DESCRIPTION: Final = """
id = "made_up"
version = "1"
licence = "CC0-1.0"
source = "nobody; made for a test"
validated = false
asked_of = "client"
how_often = "each month"
words = "missing"
count = 3

[name]
en = "Made up"
es = "Inventado"

[intro]
en = "Say how it was."
es = "Diga cómo fue."

[note]
en = "A made-up one."
es = "Uno inventado."

[ends]
low = 0
high = 4

[[items]]
id = "item2"
reverse = true
loinc = "1-8"

[[items]]
id = "extra"
en = "More"
es = "Más"
apart = true
risk_from = 1
choices = [0, 1, 2, 3, 4]

[[scales]]
id = "total"
items = [1, 2, 3]
method = "sum"
higher = "worse"
at_least = 2
factor = 1.5
reliability = { value = 0.8, source = "made up" }
sd = { value = 2.5, source = "made up" }
established = { value = 9, note = { en = "a convention", es = "una convención" } }
name = { en = "Total", es = "Total" }
cutoffs = [{ value = 9, side = "from", means = "much", source = "made up" }]
bands = [{ id = "three", source = "made up", bands = [{ start = 0, name = "low" }, { start = 9, name = "high" }] }]
changes = [{ points = 4, means = "reliable", source = "made up" }]

[[scales]]
id = "typed"
items = [1]
method = "mean"
higher = "better"
name = { en = "Typed", es = "Escrito" }
limits = [0, 4]
""".encode()
WORDS: Final = b"""
instrument = "made_up"
right = "made for a test"

[en]
intro = "Say how it was."
items = ["One", "Two", "Three", "Four"]
at_low = "none"
at_high = "all"

[en.own]
extra = ["a", "b", "c", "d", "e"]
"""
RESOURCE: Final = json.dumps({
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {"resource": {"resourceType": "Observation", "status": "final",
        "subject": {"reference": "Patient/K-01"},
                      "effectiveDateTime": "2026-03-04T10:00:00Z", "valueQuantity": {"value": 7.5}}},
        {"resource": {"resourceType": "QuestionnaireResponse", "status": "completed",
        "questionnaire": "made_up",
                      "item": [{"linkId": "item1", "answer": [{"valueInteger": 3}]}]}},
    ],
}).encode()  # fmt: skip


@cache
def parquet() -> bytes:
    """The table as Parquet."""
    import polars as pl

    made = io.BytesIO()
    pl.read_csv(io.BytesIO(TABLE), try_parse_dates=True).write_parquet(made)
    return made.getvalue()


@cache
def archive() -> bytes:
    """The table in an archive."""
    return zipped({"clients.csv": b"code\nK-01\n", "totals.csv": TABLE})


def zipped(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return made.getvalue()


@cache
def tables() -> bytes:
    """Our own tables in an archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("clients.csv", "client,since,ended,ending\nK-01,2026-03-02T09:00:00Z,,\n")
        archive.writestr(
            "sessions.csv", "client,session,began,attendance,lateness\nK-01,1,2026-03-02T09:00:00Z,held,\n"
        )
        archive.writestr("totals.csv", "client,session,at,instrument,scale,value\nK-01,1,,ors,total,20\n")
    return packed.getvalue()
