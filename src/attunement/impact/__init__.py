"""Impact: what goes along with the connection later on. All of it is association, and each finding says so.

The rooms::

    at_risk → hazard → calibration → staying → engagement   who leaves without agreement, and how far it can be foretold
"""

from attunement.impact.engagement import Engagement, engagement

__all__ = ["Engagement", "engagement"]
