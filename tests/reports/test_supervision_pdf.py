"""The PDF for supervision: tagged as PDF/UA-1 asks, the same bytes each time, and no text breaks out of it."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Literal

import pytest
from pypdf import PdfReader

from attunement.reports.choosing import moment_of, to_choose_from
from attunement.reports.supervision import supervision_pdf
from attunement.ruptures import ruptures
from attunement.sessions import Reflection, Session, Step
from attunement.simulate import simulate
from attunement.supervising import Moment, Parts, Report, Told, Tried
from attunement.trajectories import Measure, trajectories

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = date(2026, 3, 2)
BEGAN = datetime(2026, 2, 16, 9, tzinfo=UTC)
TEN = Measure(0, 10)


@pytest.fixture(scope="module")
def brought() -> Report:
    """A dyad whose connection falls, with everything ticked."""
    made = simulate(1, 12, seed=4, plant={"falling": 1})
    client = made.clients.filter(made.clients["course"] == "falling")["client"][0]
    caseload = trajectories(made.ratings, TEN)
    (trajectory,) = (each for each in caseload if each.client == client)
    own = Reflection(
        feelings={"tense": 7.0}, whose="between us", pull=("rescue",), strain=("withdrew",), words="mine"
    )
    parts = to_choose_from(
        "en", trajectory=trajectory, ruptures=ruptures(caseload), session=Session("s", client, 7, BEGAN),
        reflection=own, found=(trajectory.depth,), steps=(Step("a", client, BEGAN, "ask about it", None),),
    )  # fmt: skip
    return Report("K-7", "T-1", DAY, "What is it that I cannot bear?", parts)


def read(pdf: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(pdf))


def text(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in read(pdf).pages)


def root_of(reader: PdfReader) -> Any:  # noqa: ANN401 - a PDF's own objects
    return reader.root_object


def tags(reader: PdfReader) -> Iterator[Any]:
    """Every element of the structure tree."""
    left: list[Any] = [root_of(reader)["/StructTreeRoot"]]
    while left:
        node: Any = left.pop().get_object()
        if isinstance(node, list):
            left.extend(node)
        elif isinstance(node, dict) and "/K" in node:
            yield node
            kids = node["/K"]
            left.extend(kids if isinstance(kids, list) else [kids])


@pytest.mark.parametrize("paper", ["us-letter", "a4"])
@pytest.mark.parametrize("language", ["en", "es"])
def test_it_is_tagged_as_pdf_ua_1_asks(
    brought: Report, paper: Literal["us-letter", "a4"], language: Literal["en", "es"]
) -> None:
    reader = read(supervision_pdf(replace(brought, language=language), paper=paper))
    root = root_of(reader)
    assert root["/MarkInfo"]["/Marked"]
    assert str(root["/Lang"]).startswith(language)
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert "K-7" in str(reader.metadata.title if reader.metadata else "")
    assert b"pdfuaid:part" in root["/Metadata"].get_object().get_data().replace(
        b"<pdfuaid:part>1<", b"pdfuaid:part"
    )
    found = list(tags(reader))
    kinds = [str(each.get("/S")) for each in found]
    figures = [each for each in found if each.get("/S") == "/Figure"]
    assert figures
    assert all(str(each.get("/Alt", "")).strip() for each in figures)
    assert {"/H1", "/H2", "/Table", "/TH", "/TD"} <= set(kinds)
    assert kinds.count("/H1") == 1
    heads = [each for each in found if each.get("/S") == "/TH"]
    assert all("/Scope" in str(each.get("/A")) for each in heads)
    assert all(str(page["/Tabs"]) == "/S" for page in reader.pages)
    assert not reader.attachments
    width, height = (float(each) for each in reader.pages[0].mediabox[2:])
    assert (round(width), round(height)) == {"us-letter": (612, 792), "a4": (595, 842)}[paper]


def test_every_font_is_in_it_and_nothing_runs_or_leads_elsewhere(brought: Report) -> None:
    pdf = supervision_pdf(brought)
    for page in read(pdf).pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]
            inner = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"]
            assert {"/FontFile2", "/FontFile3"} & set(inner.get_object())
    assert not any(word in pdf for word in (b"/JavaScript", b"/URI", b"/Launch", b"/EmbeddedFile"))


def test_the_same_report_gives_the_same_bytes(brought: Report) -> None:
    assert supervision_pdf(brought) == supervision_pdf(Report.from_json(brought.as_json()))
    assert supervision_pdf(brought, until=DAY) != supervision_pdf(brought)


def test_what_is_read_is_what_was_found(brought: Report) -> None:
    told = " ".join(text(supervision_pdf(brought)).split())
    course, rupture = brought.parts.course, brought.parts.rupture
    assert course
    assert rupture
    for sentence in (brought.question, *course.sentences, rupture.sentence, *rupture.limits):
        assert " ".join(sentence.split()) in told, sentence
    assert "Shared until" not in told


def saying(words: str) -> Report:
    """The same text wherever somebody can write one."""
    told = Told(words[:300], words[:3000], (words[:3000],), (words[:300],), ((words[:300],),))
    parts = Parts(
        moment=Moment(1, words=words), pattern=(told,), steps=(Tried(DAY, words[:3000], words[:3000]),)
    )
    return Report("K-7", "T-1", DAY, words[:1000], parts)


@pytest.mark.parametrize(
    "hostile",
    [
        '#panic("x") #import "@preview/a:1.0.0": * #sys.inputs #read("/etc/passwd")',
        "*bold* _it_ `raw` $x^2$ = heading - item + item / term: \\ \\u{41} ~ -- ...",
        "] } ) { ( [ // comment /* comment @label <label> #",
        '{"json": "\\"}", \\',
        "<svg><script>alert(1)</script></svg>",
    ],
)
def test_markup_stays_text(hostile: str) -> None:
    told = "".join(text(supervision_pdf(saying(hostile))).split())
    assert told.count("".join(hostile.split())) >= 5


@pytest.mark.parametrize(
    "odd",
    [
        "w" * 20_000, "\n".join(f"line {number}" for number in range(1_000)), "\n" * 500 + "x",
        "עברית العربية \u202eabc", "漢" * 3_000, "🙂👩\u200d👩\u200d👧🏽 \ue000 \U000f0000 \ufeff\u00ad",
        "".join(map(chr, range(0xA0, 0x2FF))), "".join(map(chr, range(0x1F300, 0x1F400))),
        'the text `"x"` could not be displayed with font',
    ],
    ids=range(9),
)  # fmt: skip
def test_any_text_can_be_set(odd: str) -> None:
    pdf = supervision_pdf(saying(odd))
    assert pdf.startswith(b"%PDF-")
    assert len(read(pdf).pages) < 120


def test_a_sign_without_a_letter_stands_by_its_name_and_that_is_said() -> None:
    told = text(supervision_pdf(saying("glad 🙂 漢")))
    assert "[slightly smiling face] □" in told
    assert "Some signs have no letters in this file" in told
    assert "Some signs" not in text(supervision_pdf(saying("glad")))


def test_a_long_word_stays_on_the_paper() -> None:
    reader = read(supervision_pdf(saying("w" * 900)))
    right = float(reader.pages[0].mediabox[2])
    ends: list[float] = []

    def end(said: str, _: object, matrix: list[float], *__: object) -> None:
        ends.extend([matrix[4]] if said.strip() else [])

    reader.pages[0].extract_text(visitor_text=end)
    assert max(ends) < right - 60


def test_own_words_are_told_in_the_language_of_the_report() -> None:
    own = Reflection(
        feelings={"at ease": 3.0}, whose="don't know", pull=("teach",), strain=("named",), words=" a "
    )
    told = moment_of(Session("s", "K-7", 2, BEGAN), None, own, "es")
    assert (told.feelings[0].word, told.whose, told.pull, told.strain, told.words) == (
        "a gusto", "no lo sé", ("enseñar",), ("se nombró",), "a",
    )  # fmt: skip
