"""A report as a page tells it: to the therapist before it is shared, and to the supervisor after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attunement.reports.supervision import course_rows, day_of, legend, own_lines
from attunement.supervising import course_picture
from attunement.wording import plain, say

if TYPE_CHECKING:
    from attunement.supervising import Report

_WIDE, _NARROW = 640, 340
LABELS: Final = (
    "question", "course", "rupture", "answers", "own", "words", "pattern", "steps", "line", "skipped", "session",
    "rating", "connection", "interval", "chosen", "step", "outcome", "open", "no_more", "limits", "numbers",
)  # fmt: skip


def on_page(report: Report) -> dict[str, Any]:
    """What a report's page is filled with: its words in its language, and the course as a picture."""
    language, parts = report.language, report.parts
    wide, narrow = (course_picture(parts, language, width) for width in (_WIDE, _NARROW))
    moment = parts.moment
    own = own_lines(moment, language) if moment else []
    return {
        "title": say("supervision_title", language, client=report.client),
        "byline": say("supervision_from", language, sender=report.sender, day=day_of(report.made, language)),
        "words": {name: say(f"supervision_{name}", language) for name in LABELS},
        "wide": wide.themed() if wide else "",
        "narrow": narrow.themed() if narrow else "",
        "legend": legend(report),
        "rows": course_rows(report),
        "moment": say("supervision_moment", language, session=moment.session) if moment else "",
        "day": day_of(moment.day, language) if moment and moment.day else "",
        "of": say("supervision_of", language, high=plain(moment.most, language)) if moment else "",
        "own": own,
        "steps": [(day_of(each.chosen, language), each) for each in parts.steps],
    }
