"""A page: what is asked, and how an answer is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from attunement.library import to_read
from attunement.practice.policy import Role
from attunement.sessions import UNDATED
from attunement.web.forms import Form
from attunement.web.statics import environment, static_url
from attunement.web.words import called, language_of, say, word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Environment
    from starlette.requests import Request

    from attunement.instruments.description import Language
    from attunement.practice import Practice
    from attunement.web.rooms import Rooms
    from attunement.web.visits import Visit


@dataclass(slots=True)
class Ask:
    """One request, read.

    Parameters
    ----------
    rooms
        Everything that outlives a request.
    request
        As it came.
    form
        What was sent; empty for what is only looked at.
    visit
        Who has signed in in this browser, if anybody.
    cookie
        A token that this browser is to have from now on.
    """

    rooms: Rooms
    request: Request
    form: Form = field(default_factory=Form)
    visit: Visit | None = None
    cookie: str | None = None
    upload: tuple[str, bytes] | None = None

    @property
    def signed_in(self) -> Visit:
        """Who asks; a way that lets only those in has made sure of it."""
        if self.visit is None:
            raise AssertionError
        return self.visit

    @property
    def practice(self) -> Practice:
        """The practice, as who asks stands before it."""
        return self.signed_in.practice

    @property
    def code(self) -> str:
        """The client's code in the path."""
        return str(self.request.path_params["code"])

    @property
    def number(self) -> int:
        """The session's number in the path."""
        return int(self.request.path_params["number"])

    @property
    def origin(self) -> str:
        """What this browser's addresses begin with."""
        scheme = "https" if self.rooms.names.secure else self.request.url.scheme
        return f"{scheme}://{self.request.headers['host']}"

    @property
    def language(self) -> Language:
        """The language of the rooms that have both: what was last asked for in this browser, or what it prefers."""
        chosen = self.query("language", 2)
        if self.visit is not None:
            chosen = chosen or self.visit.kept.get("language", "")
            self.visit.kept["language"] = chosen
        return language_of(chosen, self.request.headers.get("accept-language", ""))

    def query(self, name: str, most: int = 80) -> str:
        """A word of the query, cut to a length that a search can have."""
        return self.request.query_params.get(name, "")[:most].strip()

    def page(self, template: str, status: int = 200, **values: Any) -> Response:  # noqa: ANN401 - values of a template
        """Draw a page; one that has both languages says in which."""
        return drawn(template, status, ask=self, visit=self.visit, rooms=self.rooms, **values)

    def plain(self, template: str, status: int = 200, **values: Any) -> Response:  # noqa: ANN401 - see above
        """Draw a page as for one who is not in."""
        return drawn(template, status, ask=self, visit=None, rooms=self.rooms, **values)

    def go(self, path: str, said: str = "", undo: tuple[str, Mapping[str, str]] | None = None) -> Response:
        """Go to another page, where something is said, and perhaps undone."""
        if self.visit is not None and said:
            self.visit.kept["said"] = (said, undo)
        return RedirectResponse(path, status_code=303)


def drawn(template: str, status: int = 200, **values: Any) -> Response:  # noqa: ANN401 - values of a template
    """Fill a template."""
    content = _environment().get_template(template).render(**values)
    return Response(content, status, media_type="text/html")


def qr(text: str) -> str:
    """Draw a QR code; on white in the dark too, or no camera reads it."""
    import segno  # noqa: PLC0415 - for two pages

    return str(segno.make(text, error="m").svg_inline(scale=5, light="#fff", dark="#000", border=3))


@cache
def _environment() -> Environment:
    made = environment()
    made.filters |= {
        "day": day,
        "clock": clock,
        "ago": ago,
        "points": points,
        "svg": Markup,
        "cell": cell,
    }
    made.globals |= {
        "static_url": static_url,
        "Role": Role,
        "sources_on": to_read,
        "words": say,
        "word": word,
        "called": called,
    }
    return made


def day(at: datetime) -> str:
    """Write a day as one says it: Mon 2 Mar."""
    if at == UNDATED:
        return "undated"
    local = at.astimezone()
    year = "" if local.year == datetime.now(UTC).astimezone().year else f" {local.year}"
    return f"{local:%a} {local.day} {local:%b}{year}"


def clock(at: datetime) -> str:
    """Write a time of day."""
    if at == UNDATED:
        return "no time known"
    return f"{at.astimezone():%H:%M}"


def ago(at: datetime, now: datetime) -> str:
    """Write how long ago something was."""
    minutes = (now - at).total_seconds() / 60
    if minutes < 1.5:
        return "just now"
    if minutes < 90:
        return f"{minutes:.0f} minutes ago"
    if minutes < 36 * 60:
        return f"{minutes / 60:.0f} hours ago"
    return f"{minutes / 1440:.0f} days ago"


def points(value: float | None) -> str:
    """Write points as one says them; nothing for what was skipped."""
    return "–" if value is None else f"{value + 0.0:.1f}".removesuffix(".0")


def cell(value: object) -> str:
    """Write a value of a table: numbers to two digits, nothing where there is nothing."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.2f}"
    return "; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
