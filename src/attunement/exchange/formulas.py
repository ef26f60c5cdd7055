"""No cell of a CSV file is a formula to a spreadsheet, and what was done for that comes off again on reading.

A cell that would be run gets an apostrophe in front, and so does one that already begins with apostrophes and would
be run without them: so exactly one comes off, and no text is lost.

>>> defused("=1+1"), restored(defused("=1+1"))
("'=1+1", '=1+1')
>>> defused("'=1+1"), restored(defused("'=1+1"))
("''=1+1", "'=1+1")
>>> defused("it's 5-3"), restored("'tis")
("it's 5-3", "'tis")
"""

from __future__ import annotations

import re
from typing import Final

FORMULA: Final = r"^(?:[\t\r\n]|\s*[=+\-@＝＋－＠])"
"""What a spreadsheet would run: also behind blanks, and with the full-width signs that some of them fold."""

_RISKY: Final = re.compile(FORMULA.replace("^", "'*", 1))
_GUARDED: Final = re.compile(FORMULA.replace("^", "'+", 1))


def defused(text: str) -> str:
    """Return a cell's text as it can stand in a CSV file."""
    return f"'{text}" if _RISKY.match(text) else text


def restored(text: str) -> str:
    """Return the text that `defused` was given."""
    return text[1:] if text.startswith("'") and _GUARDED.match(text) else text
