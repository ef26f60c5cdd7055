"""Not connecting is information: hypotheses side by side, with what speaks for each, against it, and what is missing.

The rooms, in the order in which data flow::

    known    the tables that are read, each of which may be missing
    signs    one number a hypothesis
    board    the weighing, in words
"""

from attunement.connecting.board import CALLED, HYPOTHESES, NONE, OPENS, Support, board, supports
from attunement.connecting.known import Known

__all__ = ["CALLED", "HYPOTHESES", "NONE", "OPENS", "Known", "Support", "board", "supports"]
