"""Kinds of answers: JSON, CSV, Parquet; and a long list in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from starlette.exceptions import HTTPException

from attunement.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Item = TypeVar("Item")
JSON: Final = "application/json"
CSV: Final = "text/csv"
PARQUET: Final = "application/vnd.apache.parquet"
MOST: Final = 500
USUAL: Final = 100


def chosen(accepted: str, *kinds: str) -> str:
    """Return the kind of answer that is liked best, the first of ours where several are.

    Examples
    --------
    >>> chosen("text/csv, */*;q=0.1", "application/json", "text/csv"), chosen("", "application/json")
    ('text/csv', 'application/json')
    """
    liked: dict[str, float] = {}
    for each in accepted.split(",") if accepted.strip() else ["*/*"]:
        kind, *parameters = (part.strip().lower() for part in each.split(";"))
        liked[kind] = max(liked.get(kind, 0.0), _weight(parameters))
    weights = {kind: _liking(liked, kind) for kind in kinds}
    best = max(kinds, key=weights.__getitem__)
    if weights[best] <= 0:
        raise HTTPException(406, f"The answer can be {' or '.join(kinds)}.")
    return best


def _liking(liked: dict[str, float], kind: str) -> float:
    """By the most exact word that is said of it."""
    for name in (kind, f"{kind.partition('/')[0]}/*", "*/*"):
        if name in liked:
            return liked[name]
    return 0.0


def _weight(parameters: list[str]) -> float:
    for each in parameters:
        if each.startswith("q="):
            try:
                return min(max(float(each[2:]), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0


def paged(
    items: Sequence[Item], key: Callable[[Item], str], limit: int, after: str | None
) -> tuple[Sequence[Item], str | None]:
    """Return one page of a list, and what to ask for the next one by; None at the end.

    Parameters
    ----------
    items, key
        The list, and what each is called.
    limit, after
        How many, after which one.
    """
    start = 0
    if after is not None:
        start = next((place for place, each in enumerate(items, 1) if key(each) == after), 0)
        if not start:
            raise InputError("After: there is nothing of that name in this list; take it from next.")
    page = items[start : start + limit]
    more = start + limit < len(items)
    return page, key(page[-1]) if more and page else None
