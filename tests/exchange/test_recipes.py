"""Recipes: totals out of the exports of other programs, never the lines that they are made of."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from attunement.errors import InputError
from attunement.exchange.entries import ClientEntry, Entry, SessionEntry, TotalEntry
from attunement.exchange.recipes import Recipe, parse_recipe_mapping, read_by_recipe, recipe, recipes

TABLES_MD = (Path(__file__).parents[2] / "docs/reference/tables.md").read_text(encoding="utf-8")
FOLDER = Path(__file__).parents[2] / "src/attunement/exchange/recipes"


def day(number: int) -> datetime:
    return datetime(2026, 3, number, tzinfo=UTC)


def read(tmp_path: Path, of: str, *lines: str, mapping: str = "") -> list[Entry]:
    path = tmp_path / "export.csv"
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return list(read_by_recipe(path, of, parse_recipe_mapping(mapping, recipe(of)) if mapping else None))


def totals(found: list[Entry]) -> list[tuple[str, int, str, float]]:
    return [
        (each.client, each.session, each.instrument, each.value)
        for each in found
        if isinstance(each, TotalEntry)
    ]


@pytest.mark.parametrize("of", recipes(), ids=lambda of: of.id)
def test_every_recipe_is_listed_with_what_is_known_of_its_columns(of: Recipe) -> None:
    row = next(line for line in TABLES_MD.splitlines() if line.startswith(f"| `{of.id}` |"))
    assert row.split("|")[3].strip().startswith("known" if of.known else "guessed")
    for each in of.totals:
        assert f"`{each.instrument}`" in row


@pytest.mark.parametrize("of", recipes(), ids=lambda of: of.id)
def test_a_recipe_whose_names_are_guessed_says_so_in_its_file(of: Recipe) -> None:
    text = (FOLDER / f"{of.id}.toml").read_text(encoding="utf-8")
    assert ("GUESS" in text) is not of.known
    assert of.known or "--map" in text


def test_no_recipe_is_listed_that_is_not_there() -> None:
    section = TABLES_MD.partition("### Recipes")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == {of.id for of in recipes()}


def test_camcops_srs_is_summed_and_its_lines_are_gone(tmp_path: Path) -> None:
    found = read(
        tmp_path, "camcops_srs",
        "_pk\tq_session\tq_date\tq_relationship\tq_goals\tq_approach\tq_overall\t_patient_idnum1\t_patient_surname",
        "1\t1\t2026-03-01\t8.1\t9.2\t7.3\t8.4\t77\tDoe",
        "2\t2\t2026-03-08\t9\t9\t\t9\t77\tDoe",
    )  # fmt: skip
    assert found == [
        ClientEntry("77"),
        SessionEntry("77", 1, day(1)),
        TotalEntry("77", 1, day(1), "srs", "total", 33.0),
        SessionEntry("77", 2, day(8)),
    ]
    assert "Doe" not in repr(found)


def test_camcops_ors_is_taken_where_the_patient_answered(tmp_path: Path) -> None:
    found = read(
        tmp_path, "camcops_ors",
        "_patient_idnum1,q_session,q_date,q_who,q_individual,q_interpersonal,q_social,q_overall",
        "77,1,2026-03-01,0,5,6,7,8", "77,1,2026-03-01,1,1,1,1,1",
    )  # fmt: skip
    assert totals(found) == [("77", 1, "ors", 26.0)]


def test_openfit_has_a_total_or_its_parts_or_neither(tmp_path: Path) -> None:
    found = read(
        tmp_path, "openfit",
        "Client_ID,Session_ID,Session_Date,ORS_Skip,ORSQ1,ORSQ2,ORSQ3,ORSQ4,Total_ORS,SRS_Skip,SRSQ1,SRSQ2,SRSQ3,SRSQ4,Total_SRS",
        "C1,1,2026-03-01,N,5,5,5,5,,N,,,,,36", "C1,2,2026-03-08,Y,0,0,0,0,0,1,,,,,",
    )  # fmt: skip
    assert totals(found) == [("C1", 1, "ors", 20.0), ("C1", 1, "srs", 36.0)]
    assert SessionEntry("C1", 2, day(8)) in found


def test_sessions_without_numbers_are_numbered_by_date(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "ors_srs",
        "client,date,ors,srs",
        "a,3/8/2026,22,30",
        "a,3/1/2026,20,31",
        "b,2026-03-02,9,NA",
    )
    assert totals(found) == [
        ("a", 2, "ors", 22),
        ("a", 2, "srs", 30),
        ("a", 1, "ors", 20),
        ("a", 1, "srs", 31),
        ("b", 1, "ors", 9),
    ]


def test_a_row_a_questionnaire_makes_one_session_of_one_day(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "pcoms",
        "client,date,measure,score",
        "a,2026-03-01,ORS,20",
        "a,2026-03-01,SRS,36",
        "a,2026-03-01,GSRS,9",
    )
    assert found == [
        ClientEntry("a"),
        SessionEntry("a", 1, day(1), counted=True),
        TotalEntry("a", 1, day(1), "ors", "total", 20, counted=True),
        TotalEntry("a", 1, day(1), "srs", "total", 36, counted=True),
    ]


def test_oq_totals_are_taken(tmp_path: Path) -> None:
    assert totals(
        read(tmp_path, "oq_analyst", "Client ID,Administration Date,Total Score", "a,2026-03-01,88")
    ) == [("a", 1, "oq45", 88)]


@pytest.mark.parametrize(
    ("of", "date"),
    [("fit_outcomes", "01-03-2026"), ("fit_outcomes", "01.03.2026"), ("myoutcomes", "March 1, 2026")],
)
def test_dates_are_read_as_the_recipe_says(tmp_path: Path, of: str, date: str) -> None:
    found = read(tmp_path, of, "Client ID;Date;ORS;SRS", f"a;{date};22,5;")
    assert found == [
        ClientEntry("a"),
        SessionEntry("a", 1, day(1), counted=True),
        TotalEntry("a", 1, day(1), "ors", "total", 22.5, counted=True),
    ]


def test_a_guess_can_be_set_right_with_a_mapping(tmp_path: Path) -> None:
    found = read(
        tmp_path, "myoutcomes", "Who,When,Out,A,B,C,D", "a,2026-03-01,22,9,9,9,9",
        mapping="client=Who,date=When,ors=Out",
    )  # fmt: skip
    assert totals(found) == [("a", 1, "ors", 22)]
    mapping = "client=Who,date=When,srs.1=A,srs.2=B,srs.3=C,srs.4=D"
    found = read(tmp_path, "ors_srs", "Who,When,A,B,C,D", "a,2026-03-01,9,9,9,9", mapping=mapping)
    assert totals(found) == [("a", 1, "srs", 36)]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["client,date,ors", "a,2026-03-01,41"], "row 2, column 3 (ors): 41 does not lie between 0 and 40"),
        (["client,date,ors", "a,2026-03-01,good"], "row 2, column 3 (ors): “good” is not a number"),
        (["client,date,ors", "a,2026-03-01,1e999"], "row 2, column 3 (ors): “1e999” is not a number"),
        (["client,date,ors", "a,the 8th,4"], "row 2, column 2 (date): “the 8th” is no date we know"),
        (["client,date,ors", "a,,4"], "row 2, column 2 (date): it is empty, and without session numbers"),
        (["client,date,ors", ",2026-03-01,4"], "row 2, column 1 (client): it is empty"),
        (["client,session,ors", "a,x,4"], "row 2, column 2 (session): “x” is no session number"),
        (["client,session,ors", "a,1,4", "a,1,5"], "row 3, column 3 (ors): row 2 has this client's total of"),
        (["client,session,ors1,ors2,ors3,ors4", "a,1,9,9,9,11"], "row 2, column 6 (ors4): 11 does not lie between"),
        (["client,ors", "a,4"], "Neither a session number nor a date"),
        (["name,date,ors", "a,2026-03-01,4"], "No column is the client; name it: --map client=COLUMN."),
        (["client,date,phq", "a,2026-03-01,4"], "No column is a total; name one: --map ors=COLUMN or"),
        (["client,date,ors,ors", "a,2026-03-01,4,4"], "More than one column is called “ors”"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, lines: list[str], said: str) -> None:
    with pytest.raises(InputError) as refused:
        read(tmp_path, "ors_srs", *lines)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("mapping", "said"),
    [("client", "is not KEY=COLUMN"), ("srs.5=x", "is no key"), ("srs=a,srs=b", "named twice")],
)
def test_a_mapping_that_cannot_be_read_is_said(mapping: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_recipe_mapping(mapping, recipe("ors_srs"))


def test_a_mapping_to_a_column_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no column “Out”"):
        read(tmp_path, "ors_srs", "client,date,ors", "a,2026-03-01,4", mapping="ors=Out")


def test_there_is_no_recipe_of_another_name() -> None:
    with pytest.raises(InputError, match="There is no recipe “oq-46”; there is camcops_ors"):
        recipe("oq-46")


def test_sessions_that_the_file_numbers_are_not_counted(tmp_path: Path) -> None:
    found = read(tmp_path, "ors_srs", "client,session,date,ors", "a,4,2026-03-01,20")
    assert not any(getattr(entry, "counted", False) for entry in found)
