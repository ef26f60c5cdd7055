"""What is brought to supervision: a value that holds what a therapist ticked, and nothing else."""

from attunement.supervising.picture import course_picture
from attunement.supervising.report import (
    LONGEST_QUESTION,
    TICKS,
    Answer,
    Course,
    Feeling,
    Moment,
    Parts,
    Point,
    Report,
    Rupture,
    Told,
    Tried,
    pattern_tick,
)

__all__ = [
    "LONGEST_QUESTION",
    "TICKS",
    "Answer",
    "Course",
    "Feeling",
    "Moment",
    "Parts",
    "Point",
    "Report",
    "Rupture",
    "Told",
    "Tried",
    "course_picture",
    "pattern_tick",
]
