"""What a recipe says, read from the files that stand beside this one."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Self

from attunement.errors import ColumnProblem, InputError
from attunement.exchange.columns import pairs
from attunement.exchange.raw import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

Named = tuple[str, ...]
"""Names that a column may have, the likeliest first; which of them is in a file is seen by its letters and digits."""


@dataclass(frozen=True, slots=True)
class Marked:
    """Rows in which a column holds one of some values."""

    column: Named
    values: Named

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Self:
        """Read it from a recipe's table."""
        return cls(tuple(table["column"]), tuple(table["is"]))


@dataclass(frozen=True, slots=True)
class TotalRecipe:
    """How one total is made.

    Parameters
    ----------
    instrument, scale
        Of what it is the total.
    limits
        Between which it lies.
    total
        The column that holds it.
    parts
        Else the columns that it is the sum of; all of them are needed, and none is kept.
    part_limits
        Between which each part lies.
    measured
        In a file with a row for each questionnaire: what its column `Recipe.measure` says for this one.
    unless
        Rows in which it was not answered.
    """

    instrument: str
    scale: str
    limits: tuple[float, float]
    total: Named = ()
    parts: tuple[Named, ...] = ()
    part_limits: tuple[float, float] = (0, 0)
    measured: Named = ()
    unless: Marked | None = None

    @property
    def key(self) -> str:
        """Its name in a mapping."""
        return self.instrument if self.scale == "total" else f"{self.instrument}.{self.scale}"

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Self:
        """Read it from a recipe's table."""
        return cls(
            table["instrument"],
            table["scale"],
            tuple(table["limits"]),
            tuple(table.get("total", ())),
            tuple(tuple(names) for names in table.get("parts", ())),
            tuple(table.get("part_limits", (0, 0))),
            tuple(table.get("measured", ())),
            Marked.of(table["unless"]) if "unless" in table else None,
        )


@dataclass(frozen=True, slots=True)
class Recipe:
    """A column mapping for the export of another program.

    Parameters
    ----------
    id, name
        Its file's name, and what it is for.
    known
        Whether the names of the columns are known; else they are guesses.
    source
        Where they are from.
    client, session, date
        The columns that say whose, which and when. Without a session they are numbered by date.
    totals
        What is taken.
    dates
        Forms of dates besides the usual ones, as `datetime.strptime` writes them.
    measure
        The column that says which questionnaire a row is.
    only
        The rows that are taken, where not all are.
    note
        What should be known before it is used.
    """

    id: str
    name: str
    known: bool
    source: str
    client: Named
    session: Named
    date: Named
    totals: tuple[TotalRecipe, ...]
    dates: Named = ()
    measure: Named = ()
    only: Marked | None = None
    note: str = ""

    @classmethod
    def of(cls, toml: str) -> Self:
        """Read it from its file."""
        table = tomllib.loads(toml)
        return cls(
            table["id"],
            table["name"],
            table["known"],
            table["source"],
            tuple(table["client"]),
            tuple(table["session"]),
            tuple(table["date"]),
            tuple(map(TotalRecipe.of, table["totals"])),
            tuple(table.get("dates", ())),
            tuple(table.get("measure", ())),
            Marked.of(table["only"]) if "only" in table else None,
            table.get("note", ""),
        )

    @property
    def keys(self) -> tuple[str, ...]:
        """What a mapping can name a column for: ``ors`` is its total, ``ors.1`` its first part."""
        parts = [f"{each.key}.{number}" for each in self.totals for number, _ in enumerate(each.parts, 1)]
        measure = ["measure"] if self.measure else []
        return ("client", "session", "date", *measure, *(each.key for each in self.totals), *parts)


@cache
def recipes() -> tuple[Recipe, ...]:
    """Return all recipes, in the order of their ids."""
    folder = files("attunement.exchange.recipes")
    texts = [file.read_text(encoding="utf-8") for file in folder.iterdir() if file.name.endswith(".toml")]
    return tuple(sorted(map(Recipe.of, texts), key=lambda each: each.id))


def recipe(name: str) -> Recipe:
    """Return the recipe of that id.

    Raises
    ------
    InputError
        Where there is none; it names those that there are.
    """
    found = {each.id: each for each in recipes()}
    if name not in found:
        raise InputError(f"There is no recipe {shown(name)}; there is {', '.join(found)}.")
    return found[name]


def parse_recipe_mapping(text: str, of: Recipe) -> dict[str, str]:
    """Read ``client=Code,ors=ORS sum`` for a recipe.

    >>> parse_recipe_mapping("client=Code, srs=SRS sum", recipe("ors_srs"))
    {'client': 'Code', 'srs': 'SRS sum'}

    Raises
    ------
    ColumnProblem
        Names the part that cannot be read.
    """

    def refuse_unknown(key: str) -> None:
        if key not in of.keys:
            raise ColumnProblem(
                f"--map: {shown(key)} is no key of the recipe {of.id}; its keys are {', '.join(of.keys)}."
            )

    return pairs(text, refuse_unknown)


def alike(name: str) -> str:
    """Return what a column's name is compared by: its letters and digits."""
    return re.sub(r"[\W_]+", "", name).lower()
