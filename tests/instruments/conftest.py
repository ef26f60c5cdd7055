"""Warmth: a small instrument invented for these tests, with all that a description can hold."""

import pytest

from attunement.instruments import Instrument, loads

WARMTH = """
id = "warmth"
version = "1"
licence = "CC0-1.0"
source = "Invented for the tests"
validated = true
asked_of = "client"
how_often = "after each session"
name = { en = "Warmth", es = "Calidez" }
intro = { en = "How was it?", es = "¿Cómo fue?" }

[ends]
low = 1
high = 5
at_low = { en = "Never", es = "Nunca" }
at_high = { en = "Always", es = "Siempre" }

[[items]]
id = "near"
en = "It felt near."
es = "Se sintió cerca."

[[items]]
id = "cold"
en = "It felt cold."
es = "Se sintió frío."
reverse = true

[[items]]
id = "light"
en = "It felt light."
es = "Se sintió ligero."

[[items]]
id = "noise"
en = "It was loud."
es = "Hubo ruido."
apart = true

[[scales]]
id = "total"
name = { en = "Warmth", es = "Calidez" }
items = ["near", "cold", "light"]
method = "mean"
higher = "closer"
at_least = 2
established = { value = 4, note = { en = "A convention.", es = "Una convención." } }
reliability = { value = 0.91, source = "A study, table 1" }
sd = { value = 0.75, source = "A study, table 1" }

[[scales]]
id = "points"
name = { en = "Points", es = "Puntos" }
items = ["near", "cold", "light"]
method = "sum"
higher = "closer"
at_least = 2
reliability = { value = 0.88, source = "A study, table 2" }

[[scales]]
id = "nearness"
name = { en = "Nearness", es = "Cercanía" }
items = ["near"]
method = "mean"
higher = "closer"
"""


@pytest.fixture(scope="session")
def warmth_toml() -> str:
    return WARMTH


@pytest.fixture(scope="session")
def warmth() -> Instrument:
    return loads(WARMTH)
