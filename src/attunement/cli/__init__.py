"""The command line: `attunement look FILE`, `library`, `serve`, `demo`, and those that keep a practice.

What a user can mend is one sentence and exit code 2; what they cannot is one sentence and exit code 70, with nothing
half-written. Nobody sees a stack trace (unless ATTUNEMENT_TRACE is set, for those who develop).
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

import cyclopts
from cyclopts import App

from attunement import __version__
from attunement.cli import (
    clients,
    crossing,
    dropping,
    fitting,
    instruments,
    keeping,
    looking,
    norms,
    people,
    programs,
    reading,
    reminding,
    serving,
)
from attunement.errors import AttunementError

if TYPE_CHECKING:
    from collections.abc import Sequence

USER_ERROR, OUR_ERROR, INTERRUPTED = 2, 70, 130
_LONGEST = 400  # characters of a message

app = App(
    name="attunement",
    help="See, understand and keep the connection between psychotherapists and their clients.",
    version=__version__,
)
for _commands in (
    looking,
    reading,
    serving,
    people,
    programs,
    keeping,
    reminding,
    dropping,
    clients,
    crossing,
    instruments,
    fitting,
    norms,
):
    _commands.add_to(app)


def main(arguments: Sequence[str] | None = None) -> int:  # noqa: PLR0911 - each end has its code
    """Run a command; returns the exit code, and ends in one sentence whatever happens."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a code in Korean on a console that has no Korean
    try:
        app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except AttunementError as problem:
        return _said(str(problem), USER_ERROR)
    except cyclopts.CycloptsError as problem:
        return _said(f"{_one_line(problem)} See attunement --help.", USER_ERROR)
    except KeyboardInterrupt:
        return _said("Stopped; nothing was half-written.", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SystemExit as ended:
        return int(ended.code or 0)
    except MemoryError:
        return _said("There is not enough memory for this table.", USER_ERROR)
    except Exception as problem:
        if os.environ.get("ATTUNEMENT_TRACE"):
            raise
        kind = type(problem).__name__
        return _said(
            f"Something went wrong inside ({kind}), and nothing was written; please report it.", OUR_ERROR
        )
    return 0


def _said(sentence: str, code: int) -> int:
    """One line on standard error: nothing that a terminal would obey, and no longer than can be read."""
    line = " ".join(sentence.split())
    line = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in line)
    sys.stderr.write(f"attunement: {line if len(line) <= _LONGEST else line[: _LONGEST - 2] + '….'}\n")
    return code


def _one_line(problem: Exception) -> str:
    text = " ".join(str(problem).split())
    return text if text.endswith((".", "?")) else f"{text}."
