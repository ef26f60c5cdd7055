"""Slots: what a drop box may show and take, as the practice publishes it. Nothing here says about whom.

A slot is an invitation without its client: the SHA-256 of its token, what is asked, until when. Whoever has them all
can show every check-in and open none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from attunement.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

ID_BYTES: Final = 32
_NOT_READ: Final = "The slots could not be read; does the box have the same version of attunement?"


@dataclass(frozen=True, slots=True)
class Slot:
    """One invitation, as the box knows it.

    Parameters
    ----------
    id
        The SHA-256 of the token.
    asked
        What is asked, as `Published.asked` names it.
    expires
        Until when.
    step
        Whether the two questions about a step are asked as well.
    used
        Whether the practice has an answer by it already.
    """

    id: bytes
    asked: str
    expires: datetime
    step: bool = False
    used: bool = False


@dataclass(frozen=True, slots=True)
class Published:
    """Everything that a practice tells its drop box; the next one takes the place of the whole.

    Parameters
    ----------
    sealing
        The practice's public key, to which answers are sealed (X25519, 32 bytes).
    help
        The lines that every page for a client shows: ``help_en``, ``help_es``, ``number``.
    asked
        The descriptions of what is asked, by a name of their own.
    slots
        All that are open, and those used whose time is not over.
    """

    sealing: bytes
    help: Mapping[str, str]
    asked: Mapping[str, Mapping[str, Any]]
    slots: tuple[Slot, ...] = ()

    def written(self) -> bytes:
        """As bytes; the same for the same."""
        plain = {
            "sealing": self.sealing.hex(),
            "help": dict(self.help),
            "asked": dict(self.asked),
            "slots": [
                [each.id.hex(), each.asked, each.expires.isoformat(), each.step, each.used]
                for each in self.slots
            ],
        }
        return json.dumps(plain, ensure_ascii=False, sort_keys=True, allow_nan=False).encode()

    @classmethod
    def read(cls, content: bytes) -> Published:
        """Read what `written` gave.

        Raises
        ------
        InputError
            Where it is something else.
        """
        try:
            plain = json.loads(content)
            slots = tuple(_slot(*each) for each in plain["slots"])
            known = {each.asked for each in slots} <= set(plain["asked"])
            sealing = bytes.fromhex(plain["sealing"])
            if not known or len(sealing) != ID_BYTES:
                raise ValueError  # noqa: TRY301 - one way out
            return cls(
                sealing, {str(key): str(said) for key, said in plain["help"].items()}, plain["asked"], slots
            )
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
            raise InputError(_NOT_READ) from None


def _slot(name: str, asked: str, expires: str, step: bool, used: bool) -> Slot:  # noqa: FBT001 - as they are written
    at = datetime.fromisoformat(expires).astimezone(UTC)
    number = bytes.fromhex(name)
    if len(number) != ID_BYTES or not (isinstance(step, bool) and isinstance(used, bool)):
        raise ValueError
    return Slot(number, str(asked), at, step, used)
