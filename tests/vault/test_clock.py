"""The clock: nothing expires by a leap, nothing is revived by going back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from attunement.vault.clock import Clock

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Hands:
    """A computer's clock that a test sets."""

    def __init__(self) -> None:
        self.shown, self.seconds = START, 0.0

    def pass_by(self, span: timedelta, *, shown: timedelta | None = None) -> None:
        self.seconds += span.total_seconds()
        self.shown += span if shown is None else shown

    def clock(self) -> Clock:
        return Clock(lambda: self.shown, lambda: self.seconds)


def test_time_goes_on_as_it_should() -> None:
    hands = Hands()
    clock = hands.clock()
    hands.pass_by(timedelta(hours=3))
    assert clock.now().steady == clock.now().at == START + timedelta(hours=3)
    assert clock.notice is None


def test_a_clock_two_years_ahead_lets_nothing_expire() -> None:
    hands = Hands()
    clock = hands.clock()
    clock.now()
    hands.pass_by(timedelta(minutes=1), shown=timedelta(days=730))
    assert clock.now().steady == START + timedelta(minutes=1)
    assert clock.notice is not None
    assert "leapt forward" in clock.notice
    hands.pass_by(timedelta(minutes=1), shown=timedelta(days=-730))
    assert START < clock.now().steady <= START + timedelta(minutes=2)


def test_a_clock_set_back_revives_nothing() -> None:
    hands = Hands()
    clock = hands.clock()
    hands.pass_by(timedelta(days=4))
    before = clock.now().steady
    hands.pass_by(timedelta(minutes=1), shown=timedelta(days=-400))
    assert clock.now().steady >= before
    assert clock.notice is not None
    assert "behind the last entry" in clock.notice


def test_after_a_restart_it_is_no_earlier_than_the_journal() -> None:
    hands = Hands()
    clock = hands.clock()
    clock.not_before(START + timedelta(days=30))
    assert clock.now().steady >= START + timedelta(days=30)
    assert clock.now().at == START


def test_a_computer_that_slept_for_a_week_is_believed() -> None:
    hands = Hands()
    clock = hands.clock()
    hands.pass_by(timedelta(days=7))
    assert clock.now().steady == START + timedelta(days=7)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(-(10**8), 10**8)), max_size=30))
def test_steady_time_never_runs_backwards(steps: list[tuple[int, int]]) -> None:
    hands = Hands()
    clock = hands.clock()
    before = clock.now().steady
    for passed, shown in steps:
        hands.pass_by(timedelta(seconds=passed), shown=timedelta(seconds=shown))
        now = clock.now().steady
        assert now >= before
        before = now
