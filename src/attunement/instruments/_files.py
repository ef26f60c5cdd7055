"""The only place here that reads: TOML text into tables, and the files that were shipped with the package."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from typing import Any, Final

from attunement.errors import InstrumentProblem

_LONG_NAME: Final = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){24}""")


def parse(toml: str) -> dict[str, Any]:
    """Read a TOML text as a table.

    Python's reader takes a second for a name of a thousand parts, which no description has: time and memory grow with
    the square of them.
    """
    if _LONG_NAME.search(toml):
        raise InstrumentProblem(
            "An instrument's description has a name of more than 24 parts; none has three."
        )
    try:
        return tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        raise InstrumentProblem(f"An instrument's description is not TOML: {error}.") from None
    except RecursionError:
        raise InstrumentProblem("An instrument's description nests more deeply than any does.") from None
    except ValueError:  # a whole number of thousands of digits
        raise InstrumentProblem("An instrument's description holds a number that is too large.") from None


def shipped() -> list[str]:
    """Return the text of every file of the catalogue, in the order of their names."""
    folder = files("attunement.instruments") / "catalogue"
    found = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name
    )
    return [file.read_text(encoding="utf-8") for file in found]
