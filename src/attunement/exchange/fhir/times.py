"""Points in time: FHIR's dateTime and instant, with a zone, and ours, in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from attunement.errors import InputError

_DAY: Final = r"(\d{4})-(\d{2})-(\d{2})"
_CLOCK: Final = r"(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|([+-])(\d{2}):(\d{2}))"
_PARTIAL: Final = re.compile(r"(\d{4})(?:-(\d{2}))?", re.ASCII)
_MOMENT: Final = re.compile(rf"{_DAY}(?:T{_CLOCK})?", re.ASCII)


def written(time: datetime) -> str:
    """Return a point in time as FHIR has it, in UTC; one without a zone is in UTC already.

    >>> written(datetime(2026, 3, 2, 10, 30))
    '2026-03-02T10:30:00Z'
    """
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")


def moment(text: str) -> datetime | None:
    """Read a dateTime: in UTC, a day alone as its beginning; None where only a year or a month is told.

    >>> moment("2026-03-02T10:30:00+01:00").isoformat(), moment("2026-03")
    ('2026-03-02T09:30:00+00:00', None)

    Raises
    ------
    InputError
        Where it is none; a clause without its place.
    """
    partial = _PARTIAL.fullmatch(text)
    if partial and partial[1] != "0000" and 1 <= int(partial[2] or 1) <= 12:
        return None
    found = _MOMENT.fullmatch(text)
    try:
        if found:
            return _at(*found.groups())
    except (ValueError, OverflowError):
        pass
    raise InputError("it is no date or time of FHIR, such as 2026-03-02 or 2026-03-02T10:30:00Z")


def _at(*parts: str | None) -> datetime:
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = parts
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    if offset > timedelta(hours=14) or int(minutes or 0) > 59:
        raise ValueError
    zone = timezone(-offset if sign == "-" else offset)
    clock = (int(hour or 0), int(minute or 0), min(int(second or 0), 59 if second == "60" else 60))
    return datetime(
        int(year or 0), int(month or 0), int(day or 0), *clock, int((fraction or "0")[:6].ljust(6, "0")), zone
    ).astimezone(UTC)
