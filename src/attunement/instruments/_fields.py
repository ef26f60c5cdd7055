"""One table of a description, read field by field: each is there, of its kind, and known, or it is refused.

An unknown field is refused because a slip such as ``reversed = true`` would otherwise turn no item, and give
wrong scores in silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from attunement.errors import InstrumentProblem
from attunement.instruments.description import Wording
from attunement.instruments.published import Established, Published

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_Read = TypeVar("_Read")
_Word = TypeVar("_Word", bound=str)
_FAR = 1e9
_SAID = 80  # signs of a value in a sentence


def in_reach(value: Any) -> bool:  # noqa: ANN401 - whatever a table holds
    """Whether it is a number that points, a cutoff or a count could be; infinity is none."""
    return type(value) in {int, float} and -_FAR <= value <= _FAR


@dataclass(frozen=True, slots=True)
class Fields:
    """A table, and where it stands, as an error would say it: ``connection, item safe``.

    Its words are in the languages of the whole; where there is but one, it stands for both.
    """

    where: str
    table: Mapping[str, Any]
    languages: tuple[str, ...] = ("en", "es")

    def know(self, *names: str) -> None:
        """Refuse a field that is none of these."""
        for name in self.table:
            if name not in names:
                self._refuse(f"{name} is no field of it; its fields are {', '.join(names)}")

    def text(self, name: str, kind: str = "a text") -> str:
        """Return a text that is not blank."""
        value = self.table.get(name)
        return value if isinstance(value, str) and value.strip() else self._refuse_field(name, kind)

    def whole(self, name: str) -> int:
        """Return a whole number."""
        value = self.table.get(name)
        return value if type(value) is int and in_reach(value) else self._refuse_field(name, "a whole number")

    def number(self, name: str) -> float:
        """Return a number."""
        value: Any = self.table.get(name)
        return float(value) if in_reach(value) else self._refuse_field(name, "a number")

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self.table.get(name)
        return value if isinstance(value, bool) else self._refuse_field(name, "true or false")

    def word(self, name: str, words: tuple[_Word, ...]) -> _Word:
        """Return one of the words that the field can hold."""
        found = next((word for word in words if word == self.table.get(name)), None)
        return found or self._refuse_field(name, "one of " + ", ".join(words))

    def names(self, name: str) -> tuple[str, ...]:
        """Return a list of ids."""
        return tuple(self._list(name, str, "a list of ids"))

    def rows(self, name: str, kind: str) -> list[Fields]:
        """Return the tables of a list, each placed by its kind and its id."""
        rows = self._list(name, dict, f"one [[{name}]] or more")
        return [
            Fields(f"{self.where}, {kind} {row.get('id', number)}", row, self.languages)
            for number, row in enumerate(rows, 1)
        ]

    def inner(self, name: str) -> Fields:
        """Return the table that the field holds."""
        value = self.table.get(name)
        table = value if isinstance(value, dict) else self._refuse_field(name, "a table")
        return Fields(f"{self.where}, {name}", table, self.languages)

    def wording(self, name: str) -> Wording:
        """Return the words of a field, in each language."""
        inner = self.inner(name)
        inner.know("en", "es")
        return inner.spoken()

    def spoken(self) -> Wording:
        """Return the words that stand in the table itself, in each language.

        A language that the whole has not is read all the same where it is there: names have both.
        """
        said: dict[str, str] = {
            each: self.text(each) for each in ("en", "es") if each in (*self.languages, *self.table)
        }
        other = said[self.languages[0]]
        return Wording(said.get("en", other), said.get("es", other))

    def published(self, name: str) -> Published:
        """Return a figure with its source."""
        inner = self.inner(name)
        inner.know("value", "source")
        return Published(inner.number("value"), inner.text("source", "the study that the figure stands in"))

    def established(self, name: str) -> Established:
        """Return the score from where on it is called established, with its note."""
        inner = self.inner(name)
        inner.know("value", "note")
        return Established(inner.number("value"), inner.wording("note"))

    def optional(self, name: str, read: Callable[[str], _Read], without: _Read) -> _Read:
        """Return the field as `read` has it, or something else where the table leaves it out."""
        return read(name) if name in self.table else without

    def refuse(self, what: str) -> NoReturn:
        """Refuse the table, for a reason that is not one field's."""
        self._refuse(what)

    def _list(self, name: str, kind: type[_Read], said: str) -> list[_Read]:
        value = self.table.get(name)
        if not (isinstance(value, list) and value and all(isinstance(one, kind) for one in value)):
            self._refuse_field(name, said)
        return value

    def _refuse_field(self, name: str, kind: str) -> NoReturn:
        value = repr(self.table[name]) if name in self.table else "missing"
        said = value if len(value) <= _SAID else f"{value[: _SAID - 1]}…"
        self._refuse(f"{name} is {said}; it takes {kind}")

    def _refuse(self, what: str) -> NoReturn:
        raise InstrumentProblem(f"{self.where}: {what}.")
