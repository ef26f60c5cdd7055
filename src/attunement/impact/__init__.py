"""Impact: what a bond carries. Outcome, steadiness and growth go with it or do not; all of it is association.

The rooms, in the order in which data flow::

    series         ratings with outcomes, taken at the door
    lagged         connection and the next outcome, within clients and between them
    outcome        a door: does a closer session go with a better state next time?
    phases         how widely an outcome swings before and after
    stability      a door: is the state steadier once the bond was established?
    prior          what is expected of the growth item before a practice's own answers
    growth         a door: does growth rise, and faster where the bond is deeper?
    first_to_last  a door: did each client's outcome change by more than error explains?
"""

from attunement.impact.first_to_last import FirstToLast, first_to_last
from attunement.impact.growth import Growth, growth
from attunement.impact.outcome import Outcome, outcome
from attunement.impact.prior import growth_prior
from attunement.impact.stability import Stability, stability

__all__ = [
    "FirstToLast",
    "Growth",
    "Outcome",
    "Stability",
    "first_to_last",
    "growth",
    "growth_prior",
    "outcome",
    "stability",
]
