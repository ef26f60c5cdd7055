"""A practice that is served elsewhere, asked by a token: `connect`.

What comes back are the library's own values: sessions and check-ins, findings with their intervals, and ratings as the
table that `attunement.trajectories` reads. A token opens what its scopes name and nothing else.

>>> practice = connect("https://practice.example", "att_…")                # doctest: +SKIP
>>> practice.findings()[0].depth.sentence                                   # doctest: +SKIP
'Depth 7.4 of 10 at session 12 (6.8 to 8.0).'
"""

from attunement.remote.practice import Course, Link, Remote, connect

__all__ = ["Course", "Link", "Remote", "connect"]
