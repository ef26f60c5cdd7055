"""What programs can ask: the table of endpoints, as a page without a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attunement.web.api.app import OPENS
from attunement.web.api.endpoints import ENDPOINTS

if TYPE_CHECKING:
    from starlette.responses import Response

    from attunement.web.page import Ask


def programs(ask: Ask) -> Response:
    """Show it; there is nothing of anybody's in it."""
    asked = {scope: [each for each in ENDPOINTS if each.scope is scope] for scope in (None, *OPENS)}
    return ask.page("programs.html", asked=asked, opens=OPENS)
