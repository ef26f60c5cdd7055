"""Ruptures: where a rating was far below what was to be expected of it, and whether the connection came back.

Each alert states how often it is wrong, there is one an episode, and it is called probable: what tore, and whether
anything did, only the two who were in the room can tell.

The rooms, in the order in which data flow::

    foreseen   what was expected of each rating, from the earlier ones
    signs      what else was unusual in that session, as evidence
    alarm      thresholds from a budget of false alarms, and the power that is left
    episodes   from surprises to one alert an episode, and its repair
    rules      the rules in use elsewhere, for comparison
    ruptures   the door: all of it in words
"""

from attunement.ruptures.alarm import BUDGET, DROPS, Alarm
from attunement.ruptures.episodes import BACK, LONGEST, Episode
from attunement.ruptures.ruptures import EPISODES, Ruptures, ruptures

__all__ = ["BACK", "BUDGET", "DROPS", "EPISODES", "LONGEST", "Alarm", "Episode", "Ruptures", "ruptures"]
