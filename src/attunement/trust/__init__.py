"""Trust: what it rests on with each client, and whether talk goes deeper once it is there.

Three practices that trust comes from, *empathy*, *non-judgment* and *consistent communication*, and *openness*, which
it makes possible. Each is told for a client and for all, with its course and with how it goes along with connection in
the same session. Last, whether trust comes before openness and openness before depth, session by session, and more
so than one bond behind all of them would make it look.

The rooms, in the order in which data flow::

    prior       what is known of such answers before a practice's own
    lines       check-ins laid out: the lines, trust, openness, depth
    courses     level and change of each line, partially pooled
    links       how a line goes along with the rest of the connection
    keeping     sessions held as planned, late starts, regularity
    leads       which of two lines leads the other, whatever bond is behind both
    order       trust, openness, depth: the test
    telling     the sentences
    trust       the door: all of it in words
"""

from attunement.trust.keeping import Keeping, keeping
from attunement.trust.leads import Lead, lead
from attunement.trust.lines import DYAD, LINES
from attunement.trust.order import Order, order
from attunement.trust.prior import Priors, published_prior
from attunement.trust.trust import Trust, trust

__all__ = [
    "DYAD",
    "LINES",
    "Keeping",
    "Lead",
    "Order",
    "Priors",
    "Trust",
    "keeping",
    "lead",
    "order",
    "published_prior",
    "trust",
]
