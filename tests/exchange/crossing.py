"""What crosses in these tests: a few instruments of our own invention, and entries of every kind."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from attunement.exchange.entries import AnswersEntry, ClientEntry, Entry, SessionEntry, TotalEntry
from attunement.instruments import Choice, Ends, Instrument, Item, Wording, from_table

if TYPE_CHECKING:
    from collections.abc import Iterable

_BOTH = {"en": "Weather", "es": "Tiempo"}
_TABLE: dict[str, Any] = {
    "id": "weather", "name": _BOTH, "version": "1", "licence": "CC0-1.0", "source": "These tests", "validated": False,
    "note": {"en": "Made up.", "es": "Inventado."}, "asked_of": "client", "how_often": "after each session",
    "intro": {"en": "How was it?", "es": "¿Cómo estuvo?"},
    "ends": {"low": 0, "high": 10, "at_low": {"en": "Grey", "es": "Gris"}, "at_high": {"en": "Blue", "es": "Azul"}},
}  # fmt: skip
WEATHER = from_table(
    _TABLE | {
        "items": [
            {"id": "sun", "en": "There was sun & warmth.", "es": "Hubo sol."},
            {"id": "rain", "en": "There was rain < snow.", "es": "Hubo lluvia.", "reverse": True, "risk_from": 9},
            {"id": "wind", "en": "- and wind?", "es": "Hubo viento.", "apart": True, "loinc": "1-2"},
        ],
        "scales": [
            {"id": "total", "name": _BOTH, "items": ["sun", "rain"], "method": "mean", "higher": "better"}
        ],
    }
)  # fmt: skip
SKELETON = from_table(
    {name: value for name, value in _TABLE.items() if name not in {"intro", "note"}} | {
        "id": "clouds", "words": "missing", "validated": True, "count": 4, "reverse": [2], "key": "These tests",
        "ends": {"low": 0, "high": 3}, "choices": [{"value": value, "loinc": f"LA{value}"} for value in range(4)],
        "items": [
            {"id": "item4", "risk_from": 1, "loinc": "44-4"},
            {"id": "more", "en": "Item 5", "es": "Ítem 5", "apart": True, "choices": [0, 1]},
        ],
        "scales": [
            {"id": "total", "name": _BOTH, "items": [1, 2, 3, 4], "method": "sum", "higher": "worse", "at_least": 3}
        ],
    }
)  # fmt: skip
ONLY_TOTALS = from_table(
    {name: value for name, value in _TABLE.items() if name not in {"intro", "note"}} | {
        "id": "storms", "words": "totals only", "validated": True, "ends": {"low": 0, "high": 40},
        "scales": [{"id": "total", "name": _BOTH, "limits": [0, 40], "higher": "better"}],
    }
)  # fmt: skip


def worded(bare: Instrument, right: str = "a letter of 2026") -> Instrument:
    """A skeleton with words, as a practice loads them."""
    own = tuple(
        Choice(each.value, Wording(f"So {each.value}", f"So {each.value}"), each.loinc)
        for each in bare.choices
    )
    return replace(
        bare, words="loaded", right=right, languages=("en",), choices=own,
        intro=Wording("Look up.", "Look up."),
        ends=Ends(bare.ends.low, bare.ends.high, Wording("So 0", "So 0"), Wording("So 3", "So 3")),
        items=tuple(
            replace(
                each, wording=Wording(f"Cloud {each.id}", f"Cloud {each.id}"),
                choices=tuple(Choice(c.value, Wording(f"Yes {c.value}", f"Yes {c.value}")) for c in each.choices),
            )
            for each in bare.items
        ),
    )  # fmt: skip


SHELF: dict[str, Instrument] = {each.id: each for each in (WEATHER, SKELETON, ONLY_TOTALS)}
LOADED = worded(SKELETON)

RISKY = [
    "=1+1",
    "+1",
    "-5",
    "@sum",
    "'=1+1",
    "''-x",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    "'tis",
    "K-07",
    "007",
    "true",
    "null",
    "a,b;c\"d'",
]
CODES = st.one_of(
    st.sampled_from(RISKY),
    st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=8)
    .map(str.strip)
    .filter(bool),
)


def times(*, whole: bool) -> st.SearchStrategy[datetime | None]:
    """Times in UTC, to the second or to the microsecond; or none."""
    known = st.datetimes(datetime(1900, 1, 2), datetime(2199, 12, 30), timezones=st.just(UTC))
    return st.none() | (known.map(lambda time: time.replace(microsecond=0)) if whole else known)


def numbers(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False, allow_subnormal=False)


def answers_of(instrument: Instrument) -> st.SearchStrategy[dict[str, float | None]]:
    def one(item: Item) -> st.SearchStrategy[float | None]:
        choices = [float(each.value) for each in instrument.choices_of(item)]
        ends = instrument.ends
        return st.none() | (st.sampled_from(choices) if choices else numbers(ends.low, ends.high))

    return st.fixed_dictionaries({item.id: one(item) for item in instrument.items})


def entries(*, whole: bool = False, codes: st.SearchStrategy[str] = CODES) -> st.SearchStrategy[list[Entry]]:
    """Entries of every kind, in any order."""
    time, session = times(whole=whole), st.integers(1, 500)
    answered = [
        st.builds(
            AnswersEntry, codes, session, time, st.just(each.id), st.just(each.version), answers_of(each)
        )
        for each in (WEATHER, SKELETON)
    ]
    clients = st.builds(
        ClientEntry, codes, time, time, st.sampled_from([None, "agreed", "left", "still here"])
    )
    sessions = st.builds(
        SessionEntry, codes, session, time, st.sampled_from(["held", "late", "cancelled by client", "missed"]),
        st.none() | numbers(-60, 600),
    )  # fmt: skip
    totals = st.builds(TotalEntry, codes, session, time, st.just("storms"), st.just("total"), numbers(0, 40))
    return st.lists(st.one_of(clients, sessions, totals, *answered), max_size=12)


def by_table(given: Iterable[Entry]) -> list[Entry]:
    """Entries as the four tables have them: clients first, then sessions, answers, totals."""
    order = [ClientEntry, SessionEntry, AnswersEntry, TotalEntry]
    return sorted(given, key=lambda entry: order.index(type(entry)))


SOME: list[Entry] = [
    ClientEntry("K-07", datetime(2026, 1, 2, tzinfo=UTC), None, "still here"),
    ClientEntry("=K-08", None, datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC), "left"),
    *(
        SessionEntry("K-07", number, datetime(2026, 1, 2 + number, 9, tzinfo=UTC), "late", 7.5)
        for number in range(1, 4)
    ),
    *(
        AnswersEntry("K-07", number, datetime(2026, 1, 2 + number, 10, tzinfo=UTC), "clouds", "1",
                     {"item1": 0.0, "item2": 1.0, "item3": 2.0, "item4": 3.0, "more": None})
        for number in range(1, 4)
    ),
    AnswersEntry("=K-08", 1, None, "weather", "1", {"sun": 7.5, "rain": 0.0, "wind": None}),
    *(
        TotalEntry("K-07", number, datetime(2026, 1, 2 + number, tzinfo=UTC), "storms", "total", 30.25)
        for number in range(1, 4)
    ),
]  # fmt: skip
