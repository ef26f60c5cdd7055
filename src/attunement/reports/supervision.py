"""A report for supervision on paper: a tagged PDF that a screen reader reads as it is meant (PDF/UA-1).

Typst sets it from a template of ours; what somebody wrote goes in as data. Fonts are those that typst brings along, no
package and no network is asked, and the day of the document is the report's: the same report gives the same bytes.
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Literal

import typst

from attunement.drawing import PALETTE
from attunement.supervising import Report, course_picture
from attunement.wording import number, plain, say

if TYPE_CHECKING:
    from datetime import date

    from attunement.instruments.description import Language
    from attunement.supervising import Course, Moment, Told

Paper = Literal["us-letter", "a4"]
PAPERS: Final[dict[Paper, str]] = {"us-letter": "US Letter", "a4": "A4"}
FONT: Final = "Libertinus Serif"
WORDS: Final = (
    "question", "course", "rupture", "answers", "own", "words", "pattern", "steps", "numbers", "footer", "page",
)  # fmt: skip
_UNSET: Final = re.compile(r'the text `"((?:[^"\\`]|\\.)+)"`')
_ESCAPE: Final = re.compile(r"\\u\{([0-9a-f]+)\}|\\(.)")
_RUN: Final = re.compile(r"\S{31,}")
_EMPTY: Final = re.compile(r"\s*\n\s*")
_TRIES: Final = 6


def supervision_pdf(report: Report, *, paper: Paper = "us-letter", until: date | None = None) -> bytes:
    """Set a report as a PDF/UA-1 document.

    Parameters
    ----------
    report
        What was chosen.
    paper
        US Letter, or A4.
    until
        Until when it is shared, if it is.
    """
    shown, unset = _shown(report, paper, until), frozenset[str]()
    for _ in range(_TRIES):
        try:
            return _set(shown, unset)
        except typst.TypstError as problem:
            more = _without_letters(problem.diagnostic) - unset
            if not more:
                break
            unset |= more
    return _set(shown, frozenset(sign for sign in json.dumps(shown, ensure_ascii=False) if not _latin(sign)))


def _set(shown: dict[str, Any], unset: frozenset[str]) -> bytes:
    """Set it; signs without letters stand as their name."""
    if unset:
        notes = [*shown["notes"], say("supervision_signs", shown["lang"])]
        shown = {**_spelt(shown, unset), "notes": notes}
    made = typst.compile(
        _template(), format="pdf", ignore_system_fonts=True, pdf_standards=["ua-1"],
        sys_inputs={"report": json.dumps(shown)},
    )  # fmt: skip
    assert isinstance(made, bytes)  # noqa: S101 - without an output, one document comes back
    return made


@cache
def _template() -> bytes:
    return (files("attunement.reports") / "templates" / "supervision.typ").read_bytes()


# -- what the template is given


def _shown(report: Report, paper: Paper, until: date | None) -> dict[str, Any]:
    language, parts = report.language, report.parts
    byline = say("supervision_from", language, sender=report.sender, day=day_of(report.made, language))
    course = parts.course
    steps = [
        [day_of(each.chosen, language), each.what, each.outcome or say("supervision_open", language)]
        for each in parts.steps
    ]
    names = ("chosen", "step", "outcome")
    shown = {
        "title": say("supervision_title", language, client=report.client),
        "author": report.sender,
        "lang": language,
        "paper": paper,
        "day": [report.made.year, report.made.month, report.made.day],
        "byline": byline,
        "until": say("supervision_until", language, day=day_of(until, language)) if until else None,
        "palette": {name: light for name, (light, _) in PALETTE.items()},
        "words": {name: sentence(f"supervision_{name}", language) for name in WORDS},
        "question": _lines(report.question),
        "course": _course(report, course) if course else None,
        "rupture": (
            {"sentence": parts.rupture.sentence, "limits": parts.rupture.limits} if parts.rupture else None
        ),
        "moment": _moment(parts.moment, language) if parts.moment else None,
        "pattern": [_told(each) for each in parts.pattern],
        "steps": steps,
        "steps_head": [say(f"supervision_{name}", language) for name in names],
        "notes": [say("supervision_limits", language)],
    }
    return {name: _breakable(value) if name != "words" else value for name, value in shown.items()}


def _course(report: Report, course: Course) -> dict[str, Any]:
    language, picture = report.language, course_picture(report.parts, report.language)
    head = ("session", "rating", "connection")
    return {
        "picture": _Markup(picture.markup.replace("<svg ", f'<svg font-family="{FONT}" ', 1))
        if picture
        else None,
        "alt": picture.sentence if picture else "",
        "legend": legend(report),
        "sentences": course.sentences,
        "limits": course.limits,
        "head": [
            *(say(f"supervision_{name}", language) for name in head),
            say("supervision_interval", language),
        ],
        "rows": course_rows(report),
    }


def _moment(moment: Moment, language: Language) -> dict[str, Any]:
    return {
        "heading": say("supervision_moment", language, session=moment.session),
        "day": day_of(moment.day, language) if moment.day else None,
        "head": [say("supervision_line", language), say("supervision_of", language, high=plain(moment.most))],
        "answers": [
            [
                each.line,
                say("supervision_skipped", language)
                if each.points is None
                else _points(each.points, language),
            ]
            for each in moment.answers
        ],
        "own": own_lines(moment, language),
        "words": _lines(moment.words) if moment.words else [],
    }


def _told(told: Told) -> dict[str, Any]:
    return {
        "heading": told.heading, "sentence": _lines(told.sentence), "limits": told.limits,
        "columns": told.columns, "rows": told.rows,
    }  # fmt: skip


# -- what a page shows too


def legend(report: Report) -> list[tuple[str, str]]:
    """What the marks of the picture are: a sign's name, and its words."""
    parts, language = report.parts, report.language
    course = parts.course
    if course is None:
        return []
    told = [("rating", say("supervision_rating", language).lower())]
    if any(each.connection is not None for each in course.points):
        both = f"{say('supervision_connection', language)}, {say('supervision_interval', language)}".lower()
        told += [("connection", both), ("expected", say("supervision_expected", language))]
    if parts.moment:
        told.append(("moment", say("supervision_legend_moment", language)))
    if parts.rupture and parts.rupture.fell:
        told.append(("fell", say("supervision_legend_fell", language)))
    if parts.rupture and parts.rupture.back:
        told.append(("back", say("supervision_legend_back", language)))
    return told


def course_rows(report: Report) -> list[list[str]]:
    """The numbers of the course as they are written: session, rating, connection and its interval."""
    course, language = report.parts.course, report.language
    if course is None:
        return []
    return [
        [
            str(each.session),
            _points(each.rating, language),
            "–" if each.connection is None else number(each.connection, 1, language),
            _interval(each.low, each.high, language),
        ]
        for each in course.points
    ]


def own_lines(moment: Moment, language: Language) -> list[tuple[str, str]]:
    """What is shown of the therapist's own reflection, but for the words: a label, and what it says."""
    felt = ", ".join(f"{each.word} {_points(each.strength, language)}" for each in moment.feelings)
    told = (
        ("feelings", felt), ("whose", moment.whose), ("pull", ", ".join(moment.pull)),
        ("strain", ", ".join(moment.strain)),
    )  # fmt: skip
    return [(say(f"supervision_{name}", language), text) for name, text in told if text]


def sentence(name: str, language: Language) -> str:
    """A sentence whose values the template puts in."""
    return say(name, language, page="{page}", pages="{pages}")


def day_of(day: date, language: Language) -> str:
    """Write a day so that nobody takes the month for the day."""
    month = say("supervision_months", language).split()[day.month - 1]
    return say("supervision_day", language, day=day.day, month=month, year=day.year)


def _points(value: float | None, language: Language) -> str:
    return "–" if value is None else plain(round(value, 2), language)


def _interval(low: float | None, high: float | None, language: Language) -> str:
    if low is None or high is None:
        return "–"
    ends = {"low": number(low, 1, language), "high": number(high, 1, language)}
    return say("supervision_between", language, **ends)


# -- what typst cannot set as it is


class _Markup(str):
    """A picture of ours, whose signs are left alone."""

    __slots__ = ()


def _lines(text: str) -> list[str]:
    return [line for line in text.replace("\r\n", "\n").split("\n") if line.strip()] or [""]


def _breakable(value: Any) -> Any:  # noqa: ANN401 - whatever the template is given
    """Let a run without a blank break, so that it stays on the paper; and leave no page of empty lines."""
    return _each(value, lambda text: _RUN.sub(_broken, _EMPTY.sub("\n", text)))


def _broken(found: re.Match[str]) -> str:
    run = found[0]
    return "\N{ZERO WIDTH SPACE}".join(run[at : at + 12] for at in range(0, len(run), 12))


def _spelt(value: Any, unset: frozenset[str]) -> Any:  # noqa: ANN401 - see above
    """Put a name for a picture sign and a square for a letter that no font here has."""
    return _each(value, lambda text: "".join(_name(sign) if sign in unset else sign for sign in text))


def _each(value: Any, change: Any) -> Any:  # noqa: ANN401 - see above
    if isinstance(value, _Markup) or value is None or isinstance(value, int | float):
        return value
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {name: _each(each, change) for name, each in value.items()}
    return [_each(each, change) for each in value]


def _name(sign: str) -> str:
    kind = unicodedata.category(sign)
    if kind[0] in "SP":
        return f"[{unicodedata.name(sign, 'sign').lower()}]"
    return "" if kind[0] in "CM" else "\N{WHITE SQUARE}"


def _without_letters(diagnostic: str) -> frozenset[str]:
    """The signs that typst says it has no letters for."""
    found = (_ESCAPE.sub(_unescaped, text) for text in _UNSET.findall(diagnostic))
    return frozenset(sign for text in found for sign in text if not _latin(sign))


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else found[2]


def _latin(sign: str) -> bool:
    """Whether it is one of the signs that the fonts surely have."""
    return (sign.isascii() and sign.isprintable()) or "\u00a1" <= sign <= "\u017f" or sign in _SURE


_SURE: Final = frozenset("–—‘’“”…□\N{ZERO WIDTH SPACE}\N{NO-BREAK SPACE}")
