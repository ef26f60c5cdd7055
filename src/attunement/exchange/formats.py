"""The formats by name: what comes in, and what goes out. A name here costs no import of what reads or writes it."""

from __future__ import annotations

from typing import Final, Literal

Kind = Literal["fhir", "tables", "redcap", "recipe"]
KINDS: Final[dict[Kind, str]] = {
    "fhir": "FHIR: a Bundle, or a resource a line",
    "tables": "Attunement’s own tables: a ZIP archive, or one of them",
    "redcap": "REDCap: the records of a project",
    "recipe": "the export of another program, by a recipe",
}
"""What comes in, and what it is in words."""
Format = Literal["fhir", "ndjson", "csv", "parquet", "redcap"]
FORMATS: Final[dict[Format, tuple[str, str]]] = {
    "fhir": ("application/fhir+json", "json"),
    "ndjson": ("application/fhir+ndjson", "ndjson"),
    "csv": ("application/zip", "zip"),
    "parquet": ("application/zip", "zip"),
    "redcap": ("text/csv", "csv"),
}
"""What goes out: a format's media type, and how its file's name ends."""
