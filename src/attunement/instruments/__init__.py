"""What is asked, and what the answers come to: `Instrument`, `Item`, `Scale`; `Answers` → `Score`.

Three instruments are shipped, in our own words and free for all: ``connection`` (the client's check-in after
a session), ``state`` (how the last days were, before a session) and ``growth`` (one line a month). None of
them is validated, and each says so.

>>> connection = instrument("connection")
>>> answers = {"safe": 8, "understood": 9, "supported": 8, "not_judged": 10, "could_say": 7, "contact": 6,
...            "matters": None, "hindering": 2}
>>> print(score(connection, answers))
connection, version 1
  total: 8.0 on 0 to 10, higher is closer, 6 of 7 answered
  empathy: 9.0 on 0 to 10, higher is closer, 1 of 1 answered
  non_judgment: 10.0 on 0 to 10, higher is closer, 1 of 1 answered
  openness: 7.0 on 0 to 10, higher is closer, 1 of 1 answered
  hindering, apart: 2
  skipped: matters
>>> print(connection.note.en)
Not a validated scale; compare only with this client's own earlier answers.
>>> print(reliable_change(connection).sentence)
Not yet: no published reliability and standard deviation; a study that reports it, named as its source in the
instrument's file, would supply it.
"""

from attunement.instruments.change import reliable_change
from attunement.instruments.description import (
    AskedOf,
    Choice,
    Ends,
    Higher,
    HowOften,
    Instrument,
    Item,
    Language,
    Method,
    Scale,
    Wording,
)
from attunement.instruments.known import refuse_otherwise
from attunement.instruments.published import Band, Bands, Change, Cutoff, Established, Published
from attunement.instruments.reading import from_table, loads
from attunement.instruments.scoring import Answers, ScaleScore, Score, held, score, score_frame
from attunement.instruments.shelf import catalogue, instrument, of_others
from attunement.instruments.words import is_words, worded
from attunement.instruments.writing import to_table

__all__ = [
    "Answers",
    "AskedOf",
    "Band",
    "Bands",
    "Change",
    "Choice",
    "Cutoff",
    "Ends",
    "Established",
    "Higher",
    "HowOften",
    "Instrument",
    "Item",
    "Language",
    "Method",
    "Published",
    "Scale",
    "ScaleScore",
    "Score",
    "Wording",
    "catalogue",
    "from_table",
    "held",
    "instrument",
    "is_words",
    "loads",
    "of_others",
    "refuse_otherwise",
    "reliable_change",
    "score",
    "score_frame",
    "to_table",
    "worded",
]
