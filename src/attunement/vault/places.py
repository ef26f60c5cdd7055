"""Writing files so that each is the old or the new one, and never half of either."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from attunement.errors import NotStored

if TYPE_CHECKING:
    from pathlib import Path

OWNER_ONLY = 0o600


def replace_file(path: Path, content: bytes) -> None:
    """Write aside, sync, rename, sync the folder.

    Raises
    ------
    NotStored
        Where the disk refuses; the old file is untouched.
    """
    aside = path.with_name(f".{path.name}.new")
    try:
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
        sync_folder(path.parent)
    except OSError as problem:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise NotStored(
            f"{path.name} could not be written: {problem.strerror}; nothing was changed."
        ) from None


def sync_file(path: Path) -> None:
    """Make a written file last."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Make a rename last; Windows has no such thing, and needs none."""
    if os.name != "nt":
        sync_file(folder)
