"""A bar for whoever watches and waits, nothing for anybody else."""

from __future__ import annotations

import io
import threading

import pytest
from rich.console import Console

from attunement.progress import Progress


@pytest.mark.parametrize("terminal", [True, False])
def test_a_bar_is_shown_on_a_terminal_only(terminal: bool) -> None:
    seen = io.StringIO()
    with Progress(patience=0.0, console=Console(file=seen, force_terminal=terminal)) as progress:
        while any(isinstance(each, threading.Timer) for each in threading.enumerate()):
            pass  # until patience has run out
        progress("drawing", 0.5)
    assert ("drawing" in seen.getvalue()) == terminal
    assert terminal or seen.getvalue() == ""


def test_what_is_over_soon_shows_nothing() -> None:
    seen = io.StringIO()
    with Progress(patience=1e6, console=Console(file=seen, force_terminal=True)) as progress:
        progress("drawing", 0.5)
    assert seen.getvalue() == ""
