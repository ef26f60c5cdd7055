"""Words that a practice has the right to show, laid over an instrument of others that is shipped without any."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self, get_args

from attunement.errors import InstrumentProblem
from attunement.instruments._fields import Fields
from attunement.instruments._files import parse
from attunement.instruments.description import Choice, Ends, Instrument, Item, Language, Wording

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LANGUAGES: tuple[Language, ...] = get_args(Language)


def worded(toml: str, shelf: Mapping[str, Instrument]) -> Instrument:
    """Lay words over the instrument that they name.

    Parameters
    ----------
    toml
        ``instrument``, its id; ``right``, by what right the words are shown; ``credit``, the line that their owners
        want under them; and for ``[en]``, ``[es]`` or both: ``intro``; ``items``, in their order; ``choices``, in
        theirs, or ``at_low`` and ``at_high`` where there are none; and ``[en.own]`` with the choices of each item that
        has others than the rest.
    shelf
        The instruments of others, by id.

    Raises
    ------
    InstrumentProblem
        Where there is no such instrument, it takes no words, or there are more or fewer words than it has items.

    Examples
    --------
    >>> from attunement.instruments import of_others
    >>> worded('instrument = "ors"', {each.id: each for each in of_others() if each.id == "ors"})
    Traceback (most recent call last):
    attunement.errors.InstrumentProblem: There is no instrument 'ors' that takes words; there is none.
    """
    fields = Fields("the words", parse(toml))
    fields.know("instrument", "right", "credit", *_LANGUAGES)
    bare = _bare(fields.text("instrument", "the id of the instrument that they belong to"), shelf)
    languages = tuple(each for each in _LANGUAGES if each in fields.table)
    if not languages:
        fields.refuse("neither [en] nor [es] is there; words are in one of them, or in both")
    said = [_Said.of(fields.inner(each), bare) for each in (languages[0], languages[-1])]
    return replace(
        bare,
        words="loaded",
        right=fields.text("right", "by what right these words are shown"),
        credit=fields.optional("credit", fields.text, None),
        languages=languages,
        intro=Wording(*(each.intro for each in said)),
        ends=Ends(
            bare.ends.low,
            bare.ends.high,
            Wording(*(each.ends[0] for each in said)),
            Wording(*(each.ends[1] for each in said)),
        ),
        choices=_spoken(bare.choices, *(each.choices for each in said)),
        items=tuple(_item(item, place, said) for place, item in enumerate(bare.items)),
    )


def form(bare: Instrument) -> str:
    """Return an empty form for the words of an instrument of others, in TOML, to be filled in from one's own copy.

    Raises
    ------
    InstrumentProblem
        Where it takes no words: ours has its own, and of some a total alone is taken.

    Examples
    --------
    >>> from attunement.instruments import instrument
    >>> print(form(instrument("who5"))[:64])
    # The words of WHO-5, from your own copy. Delete [en] or [es] if
    """
    if not bare.takes_words:
        raise InstrumentProblem(f"{bare.id} takes no words: {_why_not(bare)}.")
    lines = [
        f"# The words of {bare.name.en}, from your own copy. Delete [en] or [es] if you have one language alone.",
        f'instrument = "{bare.id}"',
        'right = ""  # by what right you show them, such as a licence and its number',
        'credit = ""  # the line that their owners want under them; delete it where they want none',
    ]
    for language in _LANGUAGES:
        lines += ["", f"[{language}]", 'intro = ""', _empty("items", len(bare.items))]
        if bare.choices:
            values = ", ".join(str(choice.value) for choice in bare.choices)
            lines += [
                f"# the answers that count {values}, in this order",
                _empty("choices", len(bare.choices)),
            ]
        else:
            lines += [
                f'at_low = ""  # what {bare.ends.low} means',
                f'at_high = ""  # what {bare.ends.high} means',
            ]
        own = [item for item in bare.items if item.choices]
        lines += [f"[{language}.own]"] if own else []
        lines += [_empty(item.id, len(item.choices)) for item in own]
    return "\n".join(lines) + "\n"


def _why_not(bare: Instrument) -> str:
    if bare.words == "shipped":
        return "it is ours, and has its own"
    if bare.words == "totals only":
        return "its owners bar it, and a total from elsewhere is taken"
    return f"it is answered by a {bare.asked_of}, and here clients are asked"


def _empty(name: str, count: int) -> str:
    return f"{name} = [\n" + "".join(f'  "",  # {place}\n' for place in range(1, count + 1)) + "]"


def is_words(toml: str) -> bool:
    """Whether a text is words for another's instrument, and no description of its own."""
    return "instrument" in parse(toml)


@dataclass(frozen=True, slots=True)
class _Said:
    """The words of one language, as many as there are places for them."""

    intro: str
    items: tuple[str, ...]
    choices: tuple[str, ...]
    ends: tuple[str, str]
    own: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, fields: Fields, bare: Instrument) -> Self:
        fields.know("intro", "items", "choices", "at_low", "at_high", "own")
        choices = _as_many(fields, "choices", len(bare.choices)) if bare.choices else ()
        ends = (choices[0], choices[-1]) if choices else (fields.text("at_low"), fields.text("at_high"))
        others = {item.id: len(item.choices) for item in bare.items if item.choices}
        own = fields.optional("own", fields.inner, Fields(f"{fields.where}, own", {}))
        own.know(*others)
        return cls(
            fields.text("intro"),
            _as_many(fields, "items", len(bare.items)),
            choices,
            ends,
            {name: _as_many(own, name, count) for name, count in others.items()},
        )


def _bare(name: str, shelf: Mapping[str, Instrument]) -> Instrument:
    takes = [name for name, each in shelf.items() if name == each.id and each.words != "totals only"]
    if name not in takes:
        raise InstrumentProblem(
            f"There is no instrument {name!r} that takes words; there is {', '.join(takes) or 'none'}."
        )
    return shelf[name]


def _as_many(fields: Fields, name: str, count: int) -> tuple[str, ...]:
    given = fields.names(name)
    if len(given) != count or not all(each.strip() for each in given):
        fields.refuse(f"{name} has {len(given)} texts; it takes {count}, none of them empty")
    return given


def _item(item: Item, place: int, said: Sequence[_Said]) -> Item:
    wording = Wording(*(each.items[place] for each in said))
    own = _spoken(item.choices, *(each.own.get(item.id, ()) for each in said))
    return replace(item, wording=wording, choices=own)


def _spoken(choices: Sequence[Choice], one: Sequence[str], other: Sequence[str]) -> tuple[Choice, ...]:
    return tuple(
        replace(choice, wording=Wording(*both)) for choice, *both in zip(choices, one, other, strict=True)
    )
