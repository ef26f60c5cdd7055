"""Attunement: see, understand and keep the connection between psychotherapists and their clients.

The doors of the library: `attunement.trajectories` (from ratings to the state of every connection),
`attunement.ruptures` (which ratings fell below what was expected of them), `attunement.trust` (what trust rests on),
`attunement.agreement` (guesses and answers), `attunement.countertransference` (where feelings come from and what they
tell), `attunement.connecting` (why a bond may not form), `attunement.impact` (what a bond carries), `attunement.change`
(of outcomes), `attunement.mixed.fit` (the engine), `attunement.instruments` (what is asked), `attunement.simulate` (a
practice whose truth is known), `attunement.exchange` (tables in and out).

Each door takes a practice or a table: ``from attunement.ruptures import ruptures; ruptures(practice)``. A practice that
is served elsewhere is asked by a token: ``attunement.connect(url, token)``.
"""

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attunement.remote import connect

__version__ = version("attunement")
__all__ = ["__version__", "connect"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever is asked for
    """Load what reaches elsewhere when it is asked for: importing the library opens nothing and stays quick."""
    if name == "connect":
        from attunement.remote import connect  # noqa: PLC0415 - see above

        return connect
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
