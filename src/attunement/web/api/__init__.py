"""The rooms for programs: `/api/v1`, for check-ins, sessions, findings and exports, by tokens that say how far.

==============  =====================================================================
app             the application, mounted in the rooms
endpoints       the table of endpoints: what can be asked, by which scope
answering       who answers each of them
gate            the token, and everything that is looked at before a body is read
strict          what a program sent, read strictly
models          what comes in and goes out, with units: the documentation is made of it
telling         findings as they go out
negotiating     kinds of answers: JSON, CSV, Parquet; pages of a list
problems        one sentence where something is refused (RFC 9457)
==============  =====================================================================
"""

from attunement.web.api.app import HERE, api
from attunement.web.api.endpoints import ENDPOINTS

__all__ = ["ENDPOINTS", "HERE", "api"]
