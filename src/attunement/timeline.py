"""One dyad's whole course on one line of sessions: a value, with its sentence and its table.

Above, the connection: the client's ratings with the course behind them, what is expected of a new client here, and,
from one's own reflections, how it felt and what one guessed. Below, on the same sessions: state, attendance, strain and
repair, steps. Nothing but plain shapes, so that a page draws it in a millisecond; each mark has a form of its own, so
that colour is never the only sign.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from attunement.drawing import FONT, Chart, light

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from attunement.sessions import Session
    from attunement.trajectories import Trajectory

TRACKS: Final = ("state", "attendance", "ruptures", "strain", "steps")
RUPTURES: Final = {"fell": "probable rupture", "back": "back"}
LABELS: Final = {"strain": "strain and repair", "ruptures": "probable ruptures", "steps": "steps and repair"}
REPAIRS: Final = {"yes": "repaired", "partly": "partly repaired"}
_TOP, _ROW, _LEFT, _RIGHT = 176, 42, 26, 12


@dataclass(frozen=True, slots=True)
class Course:
    """What is known of one dyad, by the number of the session.

    Parameters
    ----------
    client
        The code.
    sessions
        In order.
    trajectory
        What was worked out of the ratings, where there is something.
    low, high
        The ends of the rating's scale.
    state
        How the client was, 0 to 10, where it was asked.
    felt, guess, strain
        From one's own reflections, while they are open: connection as it felt, the guess of the rating, and what was
        strained or repaired.
    ruptures
        What the ratings tell of a session: ``fell`` (a probable rupture) or ``back``.
    steps, repairs
        What was chosen after a session; and, for a step that was closed as repaired or partly so, that word, at the
        session of which the client last spoke of it, else after which it was chosen.
    concerns
        Sessions with a concern about safety.
    """

    client: str
    sessions: Sequence[Session]
    trajectory: Trajectory | None = field(default=None, repr=False)
    low: float = 0.0
    high: float = 10.0
    state: Mapping[int, float] = field(default_factory=dict, repr=False)
    felt: Mapping[int, float] = field(default_factory=dict, repr=False)
    guess: Mapping[int, float] = field(default_factory=dict, repr=False)
    strain: Mapping[int, tuple[str, ...]] = field(default_factory=dict, repr=False)
    ruptures: Mapping[int, str] = field(default_factory=dict, repr=False)
    steps: Mapping[int, str] = field(default_factory=dict, repr=False)
    repairs: Mapping[int, str] = field(default_factory=dict, repr=False)
    concerns: frozenset[int] = frozenset()

    @property
    def last(self) -> int:
        """The last session that is known of."""
        rated = [self.trajectory.now] if self.trajectory else []
        return max([each.number for each in self.sessions] + rated, default=1)

    @property
    def tracks(self) -> tuple[str, ...]:
        """Which rows there is something in."""
        there = {
            "state": self.state, "attendance": self.sessions, "ruptures": self.ruptures, "strain": self.strain,
            "steps": self.steps or self.repairs,
        }  # fmt: skip
        return tuple(name for name in TRACKS if there[name])

    def curve(self) -> list[dict[str, Any]]:
        """The course behind the ratings, a row a session; empty where nothing was rated."""
        return self.trajectory.curve().to_dicts() if self.trajectory else []

    def table(self) -> pl.DataFrame:
        """The numbers: a row a session."""
        rated = {row["session"]: row for row in self.curve()}
        rows = []
        attendance = {each.number: each for each in self.sessions}
        for number in sorted({*attendance, *(int(each) for each in rated)}):
            row, session = rated.get(number, {}), attendance.get(number)
            rows.append(
                {
                    "session": number,
                    "attendance": _attended(session) if session else None,
                    "rating": row.get("rating"),
                    "connection": row.get("connection"),
                    "from": row.get("low"),
                    "to": row.get("high"),
                    "felt": self.felt.get(number),
                    "guess": self.guess.get(number),
                    "state": self.state.get(number),
                    "rupture": RUPTURES.get(self.ruptures.get(number, "")),
                    "strain": ", ".join(self.strain.get(number, ())) or None,
                    "step": self.steps.get(number),
                    "repair": REPAIRS.get(self.repairs.get(number, "")),
                }
            )
        columns = {"session": pl.Int64, "attendance": pl.String, **dict.fromkeys(_NUMBERS, pl.Float64)}
        whole = pl.DataFrame(
            rows, schema={**columns, **dict.fromkeys(("rupture", "strain", "step", "repair"), pl.String)}
        )
        kept = [name for name in whole.columns if name == "session" or whole[name].is_not_null().any()]
        return whole.select(kept)

    def sentence(self) -> str:
        """What it shows, in words."""
        held = [each for each in self.sessions if each.attendance in {"held", "late"}]
        parts = [f"{len(held)} session{'s' * (len(held) != 1)} held with {self.client}"]
        not_held = len(
            [each for each in self.sessions if each.attendance.startswith(("cancelled", "missed"))]
        )
        if not_held:
            parts.append(f"{not_held} not held")
        told = ", ".join(parts) + "."
        if self.trajectory:
            told += f" {self.trajectory.rated.size} rated, from {self.trajectory.score[0]:g} to "
            told += f"{self.trajectory.score[-1]:g} of {self.high:g}. {self.trajectory.depth.sentence}"
        fell = sorted(number for number, what in self.ruptures.items() if what == "fell")
        if fell:
            told += f" Probable rupture at session{'s' * (len(fell) > 1)} {', '.join(map(str, fell))}."
        strained = [
            number for number, kinds in self.strain.items() if set(kinds) & {"withdrew", "confronted"}
        ]
        if strained:
            told += f" Strain noted in session{'s' * (len(strained) > 1)} {', '.join(map(str, sorted(strained)))}."
        for number, word in sorted(self.repairs.items()):
            told += f" A step was closed as {REPAIRS[word]} (session {number})."
        return told


_NUMBERS: Final = ("rating", "connection", "from", "to", "felt", "guess", "state")


def timeline(course: Course, *widths: int) -> tuple[Chart, ...]:
    """Draw it, once for each width: so wide that letters are as large as those around it."""
    sentence, table, curve = course.sentence(), course.table(), course.curve()
    return tuple(Chart(_Drawing(course, curve, width).markup(sentence), sentence, table) for width in widths)


class _Drawing:
    """Places on one picture."""

    def __init__(self, course: Course, curve: Sequence[Mapping[str, Any]], width: int) -> None:
        self.course, self.curve, self.width = course, curve, width
        self.last = max(course.last, 2)
        self.height = _TOP + 26 + _ROW * len(course.tracks) + (10 if course.tracks else 0)

    def x(self, session: float) -> float:
        inner = self.width - _LEFT - _RIGHT - 16
        return _LEFT + 8 + inner * (session - 1) / max(self.last - 1, 1)

    def y(self, points: float) -> float:
        share = (points - self.course.low) / (self.course.high - self.course.low)
        return 10 + (_TOP - 22) * (1 - min(max(share, 0), 1))

    def markup(self, sentence: str) -> str:
        parts = [*self._axes(), *self._band(), *self._both_sides(), *self._connection(), *self._concerns()]
        for place, name in enumerate(self.course.tracks):
            top = _TOP + 26 + _ROW * place
            parts += [*self._row(name, top), *getattr(self, f"_of_{name}")(top + 24)]
        label = escape(sentence, quote=True)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" '
            f'viewBox="0 0 {self.width} {self.height}" font-family="{FONT}" font-size="13">{"".join(parts)}</svg>'
        )

    def _axes(self) -> list[str]:
        drawn, low, high = [], self.course.low, self.course.high
        for points in (low, (low + high) / 2, high):
            y = self.y(points)
            drawn.append(_line(_LEFT, y, self.width - _RIGHT, y, "rule"))
            drawn.append(_text(_LEFT - 6, y + 4, f"{points:g}", "end"))
        steps = (digit * 10**power for power in range(6) for digit in (1, 2, 5))
        every = next(step for step in steps if self.last / step <= self.width / 32)
        labelled = (n for n in range(1, self.last + 1) if n == 1 or n % every == 0)
        return [*drawn, *(_text(self.x(number), _TOP + 8, str(number), "middle") for number in labelled)]

    def _band(self) -> list[str]:
        if not self.curve or "expected_low" not in self.curve[0]:
            return []
        edge = [*self._path("expected_low"), *reversed(self._path("expected_high"))]
        ribbon = [*self._path("low"), *reversed(self._path("high"))]
        return [
            f'<polygon points="{" ".join(edge)}" fill="{light("band")}"/>',
            f'<polygon points="{" ".join(ribbon)}" fill="{light("accent")}" opacity="0.18"/>',
        ]

    def _connection(self) -> list[str]:
        trajectory = self.course.trajectory
        if trajectory is None:
            return []
        drawn = []
        if "connection" in self.curve[0]:
            points = " ".join(self._path("connection"))
            drawn.append(
                f'<polyline points="{points}" fill="none" stroke="{light("accent")}" stroke-width="2.5"/>'
            )
        for session, rating in zip(trajectory.rated, trajectory.score, strict=True):
            drawn.append(
                f'<circle cx="{self.x(session):.1f}" cy="{self.y(rating):.1f}" r="4" fill="{light("card")}" '
                f'stroke="{light("accent")}" stroke-width="2"/>'
            )
        return drawn

    def _both_sides(self) -> list[str]:
        """One's own side: squares for how it felt, a dashed line for what was guessed; on the scale from 0 to 10."""
        scale = (self.course.high - self.course.low) / 10
        drawn = []
        guessed = sorted(self.course.guess.items())
        if len(guessed) > 1:
            points = " ".join(
                f"{self.x(n):.1f},{self.y(self.course.low + v * scale):.1f}" for n, v in guessed
            )
            drawn.append(
                f'<polyline points="{points}" fill="none" stroke="{light("attention")}" stroke-width="2" '
                'stroke-dasharray="5 4"/>'
            )
        for number, value in self.course.felt.items():
            x, y = self.x(number), self.y(self.course.low + value * scale)
            drawn.append(
                f'<rect x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7" fill="{light("attention")}"/>'
            )
        return drawn

    def _concerns(self) -> list[str]:
        drawn = []
        for number in self.course.concerns:
            x = self.x(number)
            drawn.append(_line(x, 10, x, _TOP - 12, "attention", dash="2 3"))
            drawn.append(_text(x, 9, "!", "middle", "attention"))
        return drawn

    def _row(self, name: str, top: float) -> list[str]:
        label = LABELS.get(name, name)
        return [
            _line(_LEFT, top, self.width - _RIGHT, top, "rule"),
            _text(_LEFT, top + 13, label, "start", size=11),
        ]

    def _of_state(self, y: float) -> list[str]:
        return [_text(self.x(n), y + 4, f"{v:.0f}", "middle", "ink") for n, v in self.course.state.items()]

    def _of_attendance(self, y: float) -> list[str]:
        return [_sign(self.x(each.number), y, each) for each in self.course.sessions]

    def _of_ruptures(self, y: float) -> list[str]:
        """A wedge that points down where it fell, a ring where it was back."""
        return [
            f'<path d="M{self.x(n) - 5:.1f} {y - 4} h10 l-5 9 z" fill="{light("attention")}"/>'
            if what == "fell"
            else _ring(self.x(n), y)
            for n, what in self.course.ruptures.items()
        ]

    def _of_strain(self, y: float) -> list[str]:
        drawn = []
        for number, kinds in self.course.strain.items():
            x = self.x(number)
            if set(kinds) & {"withdrew", "confronted"}:
                drawn.append(f'<path d="M{x - 5:.1f} {y + 4} h10 l-5 -9 z" fill="{light("attention")}"/>')
            if "repaired" in kinds:
                drawn.append(_ring(x, y))
        return drawn

    def _of_steps(self, y: float) -> list[str]:
        """A flag where one was chosen, a ring where something was repaired, a broken one where partly."""
        rings = [_ring(self.x(n), y, broken=word == "partly") for n, word in self.course.repairs.items()]
        return rings + [
            f'<path d="M{self.x(n):.1f} {y + 5} v-11 l8 3.5 l-8 3.5" fill="{light("accent")}" '
            f'stroke="{light("accent")}" stroke-width="1.5"/>'
            for n in self.course.steps
        ]

    def _path(self, column: str) -> list[str]:
        rows = ((row["session"], row[column]) for row in self.curve if row[column] is not None)
        return [f"{self.x(session):.1f},{self.y(points):.1f}" for session, points in rows]


def _ring(x: float, y: float, *, broken: bool = False) -> str:
    dash = ' stroke-dasharray="3 3"' if broken else ""
    return (
        f'<circle cx="{x:.1f}" cy="{y}" r="7" fill="none" stroke="{light("accent")}" stroke-width="2"{dash}/>'
    )


def _sign(x: float, y: float, session: Session) -> str:
    """A form each: full for held, half for late, crossed for not held, a ring for planned."""
    ink, quiet = light("ink"), light("quiet")
    if session.attendance == "held":
        return f'<circle cx="{x:.1f}" cy="{y}" r="4" fill="{ink}"/>'
    if session.attendance == "late":
        return (
            f'<circle cx="{x:.1f}" cy="{y}" r="4" fill="none" stroke="{ink}" stroke-width="1.5"/>'
            f'<path d="M{x:.1f} {y - 4} a4 4 0 0 1 0 8 z" fill="{ink}"/>'
        )
    if session.attendance == "planned":
        return f'<circle cx="{x:.1f}" cy="{y}" r="4" fill="none" stroke="{quiet}" stroke-dasharray="2 2"/>'
    cross = f'<path d="M{x - 4:.1f} {y - 4} l8 8 m0 -8 l-8 8" stroke="{ink}" stroke-width="2"/>'
    if session.attendance == "missed":
        return cross + f'<circle cx="{x:.1f}" cy="{y}" r="7" fill="none" stroke="{ink}"/>'
    return cross


def _attended(session: Session) -> str:
    late = f", {session.lateness:g} min" if session.attendance == "late" and session.lateness else ""
    return session.attendance + late


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, dash: str = "") -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="M{x1:.1f} {y1:.1f} L{x2:.1f} {y2:.1f}" stroke="{light(colour)}"{dashed}/>'


def _text(x: float, y: float, text: str, anchor: str, colour: str = "quiet", size: int = 13) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{light(colour)}">'
        f"{escape(text)}</text>"
    )
