"""Agreement of the two sides: how far off the therapist's guess of the client's answer is, and whether it moves along.

Two things that come apart (West & Kenny 2011, Psychological Review 118:357): *bias*, the mean gap between guess and
answer, and *tracking*, how far the guess goes along when the answer moves within the dyad. One can follow every turn
and sit too low throughout, or be right on average and miss all of them.

The rooms, in the order in which data flow::

    prior       what is known of guesses before a practice's own
    gaps        bias and tracking of each dyad and of all, partially pooled
    agreement   the door: all of it in words
"""

from attunement.agreement.agreement import Agreement, agreement
from attunement.agreement.gaps import CLIENTS, DYAD, LEAST, Gap, Gaps
from attunement.agreement.prior import published_prior

__all__ = ["CLIENTS", "DYAD", "LEAST", "Agreement", "Gap", "Gaps", "agreement", "published_prior"]
