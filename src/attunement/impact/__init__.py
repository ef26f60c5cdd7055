"""Impact: what a bond carries. Outcome, steadiness, growth and staying go with it or do not; all of it is association.

The rooms, in the order in which data flow::

    series         ratings with outcomes, taken at the door
    lagged         connection and the next outcome, within clients and between them
    outcome        a door: does a closer session go with a better state next time?
    phases         how widely an outcome swings before and after
    stability      a door: is the state steadier once the bond was established?
    prior          what is expected of the growth item before a practice's own answers
    growth         a door: does growth rise, and faster where the bond is deeper?
    first_to_last  a door: did each client's outcome change by more than error explains?
    at_risk        what was known before each next session
    hazard         the chance of leaving without agreement, from that
    calibration    whether it is so, out of sample
    staying        all of it for one practice
    engagement     a door: who leaves, and how far it can be foretold
"""

from attunement.impact.engagement import Engagement, engagement
from attunement.impact.first_to_last import FirstToLast, first_to_last
from attunement.impact.growth import Growth, growth
from attunement.impact.outcome import Outcome, outcome
from attunement.impact.prior import growth_prior
from attunement.impact.stability import Stability, stability

__all__ = [
    "Engagement",
    "FirstToLast",
    "Growth",
    "Outcome",
    "Stability",
    "engagement",
    "first_to_last",
    "growth",
    "growth_prior",
    "outcome",
    "stability",
]
