"""What `keys.json` calls a vault: its family, which generation it is of, and where it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

IN_FILE, IN_DATABASE, SEALED = ".vault", ".schema", ".sealed"
"""How a name tells where a vault is: a file of our own, a schema of a database, a file whose fields are sealed."""
_PLAIN: Final = re.compile(r"[a-z0-9-]+\.(vault|schema|sealed)")


def next_name(file: str, suffix: str = "") -> str:
    """Return the name of the next generation of a vault: ``record-2.vault`` after ``record-1.vault``.

    Parameters
    ----------
    file
        Its present name.
    suffix
        Where it is to be from then on; as it is, if left out.
    """
    family, number = generation(file)
    return f"{family}-{number + 1}{suffix or suffix_of(file)}"


def generation(file: str) -> tuple[str, int]:
    """Return the family of a vault, and which generation it is.

    >>> generation("reflections-1a2b3c4d-2.schema")
    ('reflections-1a2b3c4d', 2)
    """
    family, _, number = file.removesuffix(suffix_of(file)).rpartition("-")
    return family, int(number) if number.isdecimal() else 0


def schema_of(file: str) -> str:
    """Return the name of a vault's schema: ``record_2`` for ``record-2.schema``."""
    return file.removesuffix(suffix_of(file)).replace("-", "_")


def suffix_of(file: str) -> str:
    """Return what tells where a vault is."""
    return file[file.rindex(".") :]


def plain_name(file: str) -> str:
    """Only a plain name: a path would let whoever edits the file point elsewhere."""
    if not _PLAIN.fullmatch(file):
        raise ValueError("no plain name")
    return file


def plain_names(files: Mapping[str, str], wanted: Iterable[str]) -> dict[str, str]:
    """Only plain names, of the files that are wanted and no other."""
    if set(files) != set(wanted):
        raise ValueError("other files")
    return {name: plain_name(file) for name, file in files.items()}
