"""Points in time as a vault keeps them: in UTC, as text of one length, the same in every store."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from attunement.errors import Damaged


def written(instant: datetime) -> str:
    """Write a point in time as it is kept."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def read(value: Any) -> datetime | None:  # noqa: ANN401 - what a driver gave
    """Read what `written` wrote.

    Raises
    ------
    Damaged
        Where it is something else.
    """
    try:
        return None if value is None else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise Damaged("A point in time is not as it was written; put the vault back from a backup.") from None
