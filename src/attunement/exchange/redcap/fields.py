"""A field of a REDCap project, which is a row of its data dictionary: eighteen columns under two sets of names."""

from __future__ import annotations

import csv
import html
import io
import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

from attunement.errors import UnreadableFile
from attunement.exchange.formulas import defused
from attunement.exchange.rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from attunement.exchange.rows import Row

NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
HEADERS: Final[Mapping[str, str]] = {
    "field_name": "Variable / Field Name",
    "form_name": "Form Name",
    "section_header": "Section Header",
    "field_type": "Field Type",
    "field_label": "Field Label",
    "select_choices_or_calculations": "Choices, Calculations, OR Slider Labels",
    "field_note": "Field Note",
    "text_validation_type_or_show_slider_number": "Text Validation Type OR Show Slider Number",
    "text_validation_min": "Text Validation Min",
    "text_validation_max": "Text Validation Max",
    "identifier": "Identifier?",
    "branching_logic": "Branching Logic (Show field only if...)",
    "required_field": "Required Field?",
    "custom_alignment": "Custom Alignment",
    "question_number": "Question Number (surveys only)",
    "matrix_group_name": "Matrix Group Name",
    "matrix_ranking": "Matrix Ranking?",
    "field_annotation": "Field Annotation",
}
"""The names of the API, and those of the file that is downloaded and uploaded; in the order of that file."""

TYPES: Final = (
    "text", "notes", "radio", "dropdown", "calc", "file", "checkbox", "yesno", "truefalse", "descriptive", "slider",
    "sql",
)  # fmt: skip
CHOSEN: Final = ("radio", "dropdown", "checkbox")
_NEEDED: Final = ("field_name", "form_name", "field_type", "field_label")
_TAG: Final = re.compile(r"<[^<>]{1,500}>")


@dataclass(frozen=True, slots=True)
class Field:
    """One row, all of it text; the names are those of REDCap's API."""

    field_name: str
    form_name: str
    field_type: str
    field_label: str = ""
    section_header: str = ""
    select_choices_or_calculations: str = ""
    field_note: str = ""
    text_validation_type_or_show_slider_number: str = ""
    text_validation_min: str = ""
    text_validation_max: str = ""
    identifier: str = ""
    branching_logic: str = ""
    required_field: str = ""
    custom_alignment: str = ""
    question_number: str = ""
    matrix_group_name: str = ""
    matrix_ranking: str = ""
    field_annotation: str = ""


@dataclass(frozen=True, slots=True)
class ReadField:
    """A field, and the row that it stands in, so that it can be refused with its place.

    Parameters
    ----------
    field
        The field.
    row
        Where it stands.
    header
        What the file calls each column of the API.
    choices
        The code and the label of each answer, in order, where it has some.
    """

    field: Field
    row: Row
    header: Mapping[str, str]
    choices: tuple[tuple[str, str], ...] = ()

    def refuse(self, column: str, why: str) -> None:
        """Refuse the cell of a column of the API; where the file lacks it, in the place of the variable."""
        self.row.refuse(self.header.get(column, self.header["field_name"]), why)


def to_csv(rows: Iterable[Field]) -> str:
    """Return the data dictionary as the file that REDCap takes."""
    text = io.StringIO(newline="")
    file = csv.writer(text)
    file.writerow(HEADERS.values())
    file.writerows([defused(getattr(row, name)) for name in HEADERS] for row in rows)
    return text.getvalue()


def from_csv(text: str, where: str) -> list[ReadField]:
    """Read a data dictionary under either set of names, and hold it to REDCap's rules.

    Raises
    ------
    UnreadableFile, ColumnProblem
        Where it is none: with the row and the column.
    """
    header: dict[str, str] = {}

    def check(names: tuple[str, ...]) -> None:
        called = {_plain(name): api for api, human in HEADERS.items() for name in (api, human)}
        header.update({called[_plain(name)]: name for name in names if _plain(name) in called})
        missing = [HEADERS[name] for name in _NEEDED if name not in header]
        if missing:
            raise UnreadableFile(
                f"{where} is no data dictionary of REDCap: row 1 has no column “{missing[0]}”; "
                "download the dictionary in REDCap, and give that file as it is."
            )

    found = [_field(row, header) for row in rows_of(io.StringIO(text, newline=""), where, check)]
    if not found:
        raise UnreadableFile(f"{where} has a header and no fields; a data dictionary has one row a field.")
    _refuse_order(found)
    return found


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", name.lower())


def _field(row: Row, header: Mapping[str, str]) -> ReadField:
    values = {each.name: row.text(header.get(each.name, "")) for each in fields(Field)}
    field = Field(**values)
    read = ReadField(field, row, header)
    if not NAME.fullmatch(field.field_name):
        read.refuse("field_name", "it is no variable; small letters, digits and _ make one, a letter first")
    if not NAME.fullmatch(field.form_name):
        read.refuse("form_name", "it is no form; small letters, digits and _ make one, a letter first")
    if field.field_type not in TYPES:
        read.refuse("field_type", f"it is no type of a field; REDCap has {', '.join(TYPES)}")
    return ReadField(field, row, header, tuple(_choices(read)))


def _choices(read: ReadField) -> Iterator[tuple[str, str]]:
    """Parse ``0, Never | 1, Always``."""
    field = read.field
    if field.field_type in {"yesno", "truefalse"}:
        yield from (
            (("0", "No"), ("1", "Yes")) if field.field_type == "yesno" else (("0", "False"), ("1", "True"))
        )
        return
    if field.field_type not in CHOSEN:
        return
    seen = set()
    for part in field.select_choices_or_calculations.split("|"):
        code, comma, label = (piece.strip() for piece in part.partition(","))
        if not comma or not code or code in seen:
            read.refuse(
                "select_choices_or_calculations", "it is no list of answers; write it as 0, Never | 1, Always"
            )
        seen.add(code)
        yield code, spoken(label) or code


def spoken(label: str) -> str:
    """Return a label as plain text, in one line, without the HTML that REDCap allows in it."""
    return " ".join(html.unescape(_TAG.sub(" ", label)).split())


def written(label: str) -> str:
    """Return plain text as a label, so that `spoken` gives it back: in one line, and nothing in it read as HTML."""
    return re.sub(r"&(?=[#A-Za-z])", "&amp;", " ".join(label.split())).replace("<", "&lt;")


def _refuse_order(found: list[ReadField]) -> None:
    """Refuse a variable that stands twice, and a form or a matrix that is torn apart."""
    seen: set[str] = set()
    over: set[tuple[str, str]] = set()
    last: ReadField | None = None
    for read in found:
        field = read.field
        if field.field_name in seen:
            read.refuse(
                "field_name", f"{field.field_name[:40]} stands twice; every variable has a name of its own"
            )
        seen.add(field.field_name)
        for column in ("form_name", "matrix_group_name"):
            mine, before = getattr(field, column), getattr(last.field, column) if last else ""
            if before and mine != before:
                over.add((column, before))
            if mine and (column, mine) in over:
                read.refuse(column, f"the rows of {mine[:40]} are apart; they follow one another")
        if field.matrix_group_name and last and last.field.matrix_group_name == field.matrix_group_name:
            _refuse_uneven(read, last)
        last = read


def _refuse_uneven(read: ReadField, last: ReadField) -> None:
    if read.field.field_type != last.field.field_type:
        read.refuse("field_type", "it is another than the rest of its matrix has; a matrix has one")
    if read.choices != last.choices:
        read.refuse(
            "select_choices_or_calculations",
            "they are others than the rest of its matrix has; it has one set",
        )
