"""What could be tried next: for everything that a step can answer, in both languages, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from attunement.connecting import HYPOTHESES
from attunement.errors import InputError
from attunement.sessions import ABOUT
from attunement.steps import named, openings, suggestions

if TYPE_CHECKING:
    from attunement.instruments.description import Language

LANGUAGES: tuple[Language, ...] = ("en", "es")


def test_a_step_can_answer_every_hypothesis_of_the_board_and_every_alert() -> None:
    assert (*HYPOTHESES, "rupture", "course", "strain", "hindering") == ABOUT


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("about", ABOUT)
def test_there_are_two_or_three_things_to_try_and_a_sentence_to_begin_with(
    about: str, language: Language
) -> None:
    offered = suggestions(about, language)
    assert 2 <= len(offered) <= 3
    assert len(set(offered)) == len(offered)
    assert all(each.endswith(".") and len(each) <= 500 for each in offered)
    assert any("?" in each for each in openings(about, language))  # it asks
    assert named(about, language)


@pytest.mark.parametrize("about", ABOUT)
def test_what_is_offered_asks_the_client(about: str) -> None:
    asks = ("ask", "let them choose", "agree with them")
    assert any(word in each.lower() for each in suggestions(about) for word in asks)


def test_of_anything_else_there_is_nothing_to_offer() -> None:
    for offered in (suggestions, openings, named):
        with pytest.raises(InputError):
            offered("diagnosis")
