"""Countertransference: the therapist's own feelings as a tool, split into what is theirs and what is stirred in them.

A feeling after a session has several sources at once: what the therapist feels with everybody (*habitual*), what this
client stirs (*elicited*), the therapist's own day, and this hour (*momentary*). Positive feelings count as much as
negative ones. It is for the therapist's eyes alone.

The rooms, in the order in which data flow::

    feelings    each feeling, and the two factors
    prior       what is known before a practice's own
    sources     one feeling split, and what could be told apart
    mirror      the door: all of it in words
    awareness   whose one says it is, beside the split
    tags        what one marks again and again, shrunk over clients
"""

from attunement.countertransference.awareness import awareness
from attunement.countertransference.feelings import NEGATIVE, POSITIVE
from attunement.countertransference.mirror import Countertransference, Norm, countertransference
from attunement.countertransference.prior import published_prior
from attunement.countertransference.sources import Design, Sources
from attunement.countertransference.tags import Tags, tags

__all__ = [
    "NEGATIVE",
    "POSITIVE",
    "Countertransference",
    "Design",
    "Norm",
    "Sources",
    "Tags",
    "awareness",
    "countertransference",
    "published_prior",
    "tags",
]
