"""Trajectories: how deep each connection is, how fast it formed, and what is expected here.

Connection differs in speed and depth, and that is normal. A client is compared with their own course and with what
is expected of a new client of this practice; nobody is ranked.
"""

from attunement.trajectories.asked import asked, measure_of
from attunement.trajectories.caseload import Caseload, trajectories
from attunement.trajectories.course import STATES
from attunement.trajectories.measure import CONVENTION, Measure
from attunement.trajectories.pairing import pairing
from attunement.trajectories.prior import published_prior
from attunement.trajectories.scales import guess_scale
from attunement.trajectories.shares import shares
from attunement.trajectories.trajectory import Trajectory

__all__ = [
    "CONVENTION",
    "STATES",
    "Caseload",
    "Measure",
    "Trajectory",
    "asked",
    "guess_scale",
    "measure_of",
    "pairing",
    "published_prior",
    "shares",
    "trajectories",
]
