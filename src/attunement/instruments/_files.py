"""The only place here that reads: TOML text into tables, and the files that were shipped with the package."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

from attunement.errors import InstrumentProblem


def parse(toml: str) -> dict[str, Any]:
    """Read a TOML text as a table."""
    try:
        return tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        raise InstrumentProblem(f"An instrument's description is not TOML: {error}.") from None


def shipped() -> list[str]:
    """Return the text of every file of the catalogue, ours and those of others, in the order of their names."""
    ours = files("attunement.instruments") / "catalogue"
    found = [*ours.iterdir(), *(ours / "others").iterdir()]
    toml = (file for file in found if file.name.endswith(".toml"))
    return [file.read_text(encoding="utf-8") for file in sorted(toml, key=lambda file: file.name)]
