"""Steps: what a therapist could try next, and what clients said of what was tried.

What can be tried is suggested in plain words (`suggestions`, `openings`) for everything that a step can answer
(`ABOUT`); whether it helped is told from the clients' own answers (`helped`), as association, with its interval.

>>> openings("rupture")[0]
'Your last answers made me wonder if something went wrong between us. Did it?'
"""

from attunement.sessions import ABOUT, REPAIRED
from attunement.steps.helping import ANSWERS, CLIENTS, Helped, helped, table
from attunement.steps.suggesting import named, openings, suggestions

__all__ = [
    "ABOUT",
    "ANSWERS",
    "CLIENTS",
    "REPAIRED",
    "Helped",
    "helped",
    "named",
    "openings",
    "suggestions",
    "table",
]
