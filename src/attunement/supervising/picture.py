"""The course of a report as a picture: the same on the supervisor's page and in the PDF.

Plain shapes, each mark with a form of its own, so that it is read in black and white too. Letters have no font of their
own: they take the page's, or the document's.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import polars as pl

from attunement.drawing import Chart, light
from attunement.wording import plain, say

if TYPE_CHECKING:
    from attunement.supervising.report import Parts, Point

_LEFT, _RIGHT, _TOP, _BASE, _HEIGHT = 30, 12, 12, 172, 200


def course_picture(parts: Parts, language: str = "en", width: int = 640) -> Chart | None:
    """Draw the course of a report, with the moment and a rupture where those are in it too.

    Parameters
    ----------
    parts
        Of the report; None is returned where it has no course.
    language
        Of the sentence that it says the same with.
    width
        In the units of its letters, which are 13 high.
    """
    if parts.course is None or not parts.course.points:
        return None
    drawing = _Drawing(parts, width)
    sentence = _sentence(parts, language)
    return Chart(drawing.markup(sentence), sentence, pl.DataFrame(parts.course.points))


def _sentence(parts: Parts, language: str) -> str:
    course = parts.course
    assert course is not None  # noqa: S101 - asked before
    rated = [each for each in course.points if each.rating is not None]
    ends = {"high": plain(course.high, language)}  # type: ignore[arg-type]
    if not rated:
        return say("supervision_picture_empty", language, **ends)  # type: ignore[arg-type]
    for name, each in (("first", rated[0]), ("last", rated[-1])):
        ends[name] = plain(round(each.rating or 0.0, 2), language)  # type: ignore[arg-type]
    told = say("supervision_picture", language, count=len(rated), **ends)  # type: ignore[arg-type]
    fell = parts.rupture.fell if parts.rupture else ()
    if fell:
        which = ", ".join(map(str, fell))
        told += " " + say("supervision_picture_fell", language, which=which)  # type: ignore[arg-type]
    return told


class _Drawing:
    """Places on one picture."""

    def __init__(self, parts: Parts, width: int) -> None:
        assert parts.course is not None  # noqa: S101 - asked before
        self.course, self.parts, self.width = parts.course, parts, width
        self.last = max(2, *(each.session for each in self.course.points))

    def x(self, session: float) -> float:
        inner = self.width - _LEFT - _RIGHT - 16
        return _LEFT + 8 + inner * (session - 1) / (self.last - 1)

    def y(self, points: float) -> float:
        share = (points - self.course.low) / (self.course.high - self.course.low)
        return _BASE - (_BASE - _TOP) * min(max(share, 0.0), 1.0)

    def markup(self, sentence: str) -> str:
        drawn = [*self._band(), *self._axes(), *self._moment(), *self._connection(), *self._ruptures()]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(sentence, quote=True)}" '
            f'viewBox="0 0 {self.width} {_HEIGHT}" font-size="13">{"".join(drawn)}</svg>'
        )

    def _axes(self) -> list[str]:
        low, high = self.course.low, self.course.high
        drawn = []
        for points in (low, (low + high) / 2, high):
            y = self.y(points)
            drawn.append(_line(_LEFT, y, self.width - _RIGHT, y, "rule"))
            drawn.append(_text(_LEFT - 6, y + 4, f"{points:g}", "end"))
        steps = (digit * 10**power for power in range(7) for digit in (1, 2, 5))
        every = next(step for step in steps if self.last / step <= self.width / 32)
        labelled = (n for n in range(1, self.last + 1) if n == 1 or n % every == 0)
        return [*drawn, *(_text(self.x(n), _BASE + 20, str(n), "middle") for n in labelled)]

    def _band(self) -> list[str]:
        return [
            *self._ribbon("expected_low", "expected_high", f'fill="{light("band")}"'),
            *self._ribbon("low", "high", f'fill="{light("accent")}" opacity="0.22"'),
        ]

    def _ribbon(self, low: str, high: str, filled: str) -> list[str]:
        edges = [*self._path(low), *reversed(self._path(high))]
        return [f'<polygon points="{" ".join(edges)}" {filled}/>'] if edges else []

    def _path(self, name: str) -> list[str]:
        values = ((each.session, getattr(each, name)) for each in self.course.points)
        return [
            f"{self.x(session):.1f},{self.y(value):.1f}" for session, value in values if value is not None
        ]

    def _connection(self) -> list[str]:
        path = " ".join(self._path("connection"))
        line = f'<polyline points="{path}" fill="none" stroke="{light("accent")}" stroke-width="2.5"/>'
        return [line, *(self._rating(each) for each in self.course.points if each.rating is not None)]

    def _rating(self, each: Point) -> str:
        return (
            f'<circle cx="{self.x(each.session):.1f}" cy="{self.y(each.rating or 0.0):.1f}" r="3.6" '
            f'fill="{light("card")}" stroke="{light("accent")}" stroke-width="1.8"/>'
        )

    def _moment(self) -> list[str]:
        moment = self.parts.moment
        if moment is None or not 1 <= moment.session <= self.last:
            return []
        x = self.x(moment.session)
        return [_line(x, _TOP - 6, x, _BASE, "ink", "3 3")]

    def _ruptures(self) -> list[str]:
        """A triangle at the rating that fell, a ring where it was back."""
        rupture, rated = self.parts.rupture, {each.session: each.rating for each in self.course.points}
        if rupture is None:
            return []
        fell, back = (
            [each for each in which if rated.get(each) is not None] for which in (rupture.fell, rupture.back)
        )
        return [self._fell(each, rated[each] or 0.0) for each in fell] + [
            self._back(each, rated[each] or 0.0) for each in back
        ]

    def _fell(self, session: int, rating: float) -> str:
        x, y = self.x(session), self.y(rating) - 8
        return f'<path d="M{x:.1f} {y:.1f} l-6 -10 h12 z" fill="{light("attention")}"/>'

    def _back(self, session: int, rating: float) -> str:
        return (
            f'<circle cx="{self.x(session):.1f}" cy="{self.y(rating):.1f}" r="8" fill="none" '
            f'stroke="{light("attention")}" stroke-width="1.6"/>'
        )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, dash: str = "") -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="M{x1:.1f} {y1:.1f} L{x2:.1f} {y2:.1f}" stroke="{light(colour)}"{dashed}/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{light("quiet")}">{escape(text)}</text>'
    )
