"""The shelves: the sources that are shipped, as their files list them."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from functools import cache
from importlib.resources import files
from typing import Any, Final

from attunement.errors import InputError
from attunement.library.source import About, Source, Topic

_LISTS: Final = {"authors": str, "editors": str, "topics": Topic, "bears_on": About}


@cache
def sources() -> tuple[Source, ...]:
    """Return all sources: by what they are about, in the order in which one would read them."""
    folder = files("attunement.library") / "shelves"
    texts = sorted(
        (each.name, each.read_text("utf-8")) for each in folder.iterdir() if each.name.endswith(".toml")
    )
    return tuple(_source(name, told) for _, text in texts for name, told in tomllib.loads(text).items())


@cache
def _by_id() -> dict[str, Source]:
    return {each.id: each for each in sources()}


def source(id: str) -> Source:  # noqa: A002 - what it is called
    """Return the source of that id.

    Raises
    ------
    InputError
        Where there is none.
    """
    found = _by_id().get(id)
    if found is None:
        raise InputError(f"The library has no source {id!r}; search finds those that it has.")
    return found


@cache
def to_read(about: About | str) -> tuple[Source, ...]:
    """Return what bears on a finding: first what says most about it, and of those the guides.

    Raises
    ------
    ValueError
        Where nothing is called so: a page asks for what is in `About`.
    """
    kind = About(about)
    found = [each for each in sources() if kind in each.bears_on]
    return tuple(sorted(found, key=lambda each: (each.bears_on.index(kind), not each.guide)))


def _source(name: str, told: dict[str, Any]) -> Source:
    """Read one; a field that no source has is an error of ours, and said as one."""
    known = {each.name for each in fields(Source)}
    if not told.keys() <= known:
        raise ValueError(f"{name}: {', '.join(sorted(told.keys() - known))}")
    lists = {field: tuple(of(each) for each in told.get(field, ())) for field, of in _LISTS.items()}
    return Source(id=name, **{**told, **lists})
