"""A practice whose truth is known, so that what an analysis finds can be held against what was planted.

The connection of a dyad at its session s, on a scale from 0 to 10, is a sum of `PARTS`::

    usual         start + growth · log2(s)           what a client has on average
    of_therapist  + therapist                        this therapist, with every client
    of_client     + client                           this client, with every therapist
    of_pairing    + pairing                          these two
    of_slope      + the client's slope · log2(s)     faster or slower than usual
    of_drift      + a random walk, 0 at session 1    a bond also moves by itself
    of_rupture    + a dip, where there was one       V-shaped if repaired, else wearing off slowly

The client's rating is the connection with noise; the therapist's guess of it sits lower, tells clients apart
poorly and follows each one's ups and downs in part. Nobody here is real, and the calendar ends on `TODAY`. What else
may go on in a practice is laid over it, each with its own truth::

    guessing   guesses whose bias and tracking are known
    trusting   the lines of check-ins, an order among them or one bond behind all, and what was held as planned
    feeling    the therapist's feelings with their five sources, days, namings and tags
    telling    feelings that tell something of the client's state, and go with the next rating
    carrying   outcomes that a bond carries, steadiness, growth; check-ins skipped not at random
    leaving    endings that depend on the bond
    causes     a client with whom no bond forms, for a reason that is known: something cultural unsaid among them

>>> practice = simulate(clients=12, seed=7, plant={"falling": 1})
>>> print(practice)
A simulated practice (seed 7): 1 therapist, 12 clients, 12 dyads, 96 sessions.
>>> practice.clients.filter(course="falling").select("therapist", "client", "sessions", "ended").row(0)
('T1', 'B-06', 11, False)
"""

from attunement.simulate.connection import COURSES, PARTS
from attunement.simulate.diary import TODAY
from attunement.simulate.practice import SimulatedPractice, simulate
from attunement.simulate.published import PUBLISHED, Published

__all__ = ["COURSES", "PARTS", "PUBLISHED", "TODAY", "Published", "SimulatedPractice", "simulate"]
