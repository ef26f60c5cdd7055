"""Many at once: a link works once, and nothing is done twice."""

from __future__ import annotations

import threading
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from cast import ANSWERS, BEGAN, Cast

from attunement.errors import AttunementError
from attunement.sessions import Purpose

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RIVALS, LINKS = 60, 10


def at_once(calls: Sequence[Callable[[], object]]) -> Counter[str]:
    """Make all calls at the same time; returns how often each answer or refusal came."""
    answers: list[str] = []
    start = threading.Barrier(len(calls))

    def make(call: Callable[[], object]) -> None:
        start.wait()
        try:
            answers.append(str(call()))
        except AttunementError as refusal:
            answers.append(type(refusal).__name__)

    threads = [threading.Thread(target=make, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(answers)


def tokens(cast: Cast) -> list[str]:
    cast.first.take_on("K-01", agreed=[Purpose.CHECK_INS])
    cast.first.log_session("K-01", BEGAN)
    return [cast.first.invite("K-01", 1).token for _ in range(LINKS)]


def test_of_sixty_who_use_one_link_one_wins(cast: Cast) -> None:
    for token in tokens(cast):
        keys = [f"rival-{number:04d}" for number in range(RIVALS)]
        answers = at_once([partial(cast.client.receive, token, ANSWERS, key) for key in keys])
        assert answers.pop("Gone") == RIVALS - 1
        assert list(answers.values()) == [1]
    assert len(cast.first.check_ins("K-01")) == LINKS


def test_a_double_tap_gives_one_receipt(cast: Cast) -> None:
    for token in tokens(cast):
        answers = at_once([partial(cast.client.receive, token, ANSWERS, "the-same-sending")] * RIVALS)
        assert "Gone" not in answers
        assert list(answers.values()) == [RIVALS]
    assert len(cast.first.check_ins("K-01")) == LINKS


def test_a_client_is_erased_once(cast: Cast) -> None:
    tokens(cast)

    def erase() -> str:
        cast.first.erase("K-01")
        return "erased"

    assert at_once([erase] * 4) == {"erased": 1, "Refused": 3}
    assert cast.first.verify()["record"].whole


def test_two_sessions_logged_at_once_have_two_numbers(cast: Cast) -> None:
    tokens(cast)
    at_once([lambda: str(cast.first.log_session("K-01", BEGAN).number) for _ in range(20)])
    assert [session.number for session in cast.first.sessions("K-01")] == list(range(1, 22))
