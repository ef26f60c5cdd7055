"""Countertransference: the therapist's own feelings as a tool, split into what is theirs and what is stirred in them.

A feeling after a session has several sources at once: what the therapist feels with everybody (*habitual*), what this
client stirs (*elicited*), the therapist's own day, and this hour (*momentary*). Positive feelings count as much as
negative ones. It is for the therapist's eyes alone.

The rooms, in the order in which data flow::

    feelings    each feeling, and the two factors
    prior       what is known before a practice's own
    fitted      the model of one feeling
    sources     one feeling split, and what could be told apart
    elsewhere   what is usual elsewhere, where there are no colleagues
    gates       what has to be there before anything is told
    mirror      a door: habitual, elicited, of the day and of the hour, in words
    awareness   a door: whose one says it is, beside the split
    tags        a door: what one marks again and again, shrunk over clients
    pairs       feelings beside what the client reported of the same session
    moves       what was new in each, trends and levels taken out
    gain        whether a feeling predicts a state it was not fitted to
    slopes      what goes with a feeling, in all and with each client
    signal      a door: which feelings tell something of the client's state
    next_session   a door: whether the next rating goes with what was felt
"""

from attunement.countertransference.awareness import awareness
from attunement.countertransference.elsewhere import Elsewhere, Norm
from attunement.countertransference.feelings import FACTORS, NEGATIVE, POSITIVE
from attunement.countertransference.mirror import Countertransference, countertransference
from attunement.countertransference.next_session import NextSession, next_session
from attunement.countertransference.prior import published_prior
from attunement.countertransference.signal import Signal, signal
from attunement.countertransference.sources import Design, Sources
from attunement.countertransference.tags import Tags, tags

__all__ = [
    "FACTORS",
    "NEGATIVE",
    "POSITIVE",
    "Countertransference",
    "Design",
    "Elsewhere",
    "NextSession",
    "Norm",
    "Signal",
    "Sources",
    "Tags",
    "awareness",
    "countertransference",
    "next_session",
    "published_prior",
    "signal",
    "tags",
]
