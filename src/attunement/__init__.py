"""Attunement: see, understand and keep the connection between psychotherapists and their clients.

The doors of the library: `attunement.trajectories` (from ratings to the state of every connection),
`attunement.ruptures` (which ratings fell below what was expected of them), `attunement.trust` (what trust rests on),
`attunement.agreement` (guesses and answers), `attunement.countertransference` (where feelings come from and what they
tell), `attunement.connecting` (why a bond may not form), `attunement.impact` (what a bond carries), `attunement.change`
(of outcomes), `attunement.mixed.fit` (the engine), `attunement.instruments` (what is asked), `attunement.simulate` (a
practice whose truth is known), `attunement.exchange` (tables in and out).

Each door takes a practice or a table: ``from attunement.ruptures import ruptures; ruptures(practice)``.
"""

from importlib.metadata import version

__version__ = version("attunement")
__all__ = ["__version__"]
