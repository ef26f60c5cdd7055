"""What lies in a box: the slots that its owner has published, and one sealed drop a slot.

Each is a file, written aside, synced and renamed: it is there as a whole or not at all, and a client is thanked when it
is. A drop that was fetched leaves its mark, so that a phone that sends the same once more is thanked again; the mark
goes with its slot.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from filelock import FileLock, Timeout

from attunement.errors import Damaged, Gone, InputError, InUse, NotStored
from attunement.instruments import from_table, held
from attunement.vault.drops import (
    LONGEST_TOKEN,
    Told,
    is_signed,
    key_of_sending,
    published_to_sign,
    seal,
    size_of,
    slot_of,
)
from attunement.vault.places import replace_file, sync_folder
from attunement.vault.slots import ID_BYTES, Published, Slot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from attunement.instruments import Instrument

PAGE: Final = 100
"""So many drops are given at once."""
_NO_LINK: Final = "This link does not work, or no longer does; your therapist can send a new one."
_NOT_AS_WRITTEN: Final = (
    "The box is not as it was written; its owner can publish the slots anew (attunement pull)."
)


@dataclass(frozen=True, slots=True)
class Sending:
    """What a client has sent.

    Parameters
    ----------
    key
        Chosen by the page for this one sending.
    answers
        By item, None where skipped.
    talked, helped
        About a step.
    """

    key: str
    answers: Mapping[str, float | None] = field(repr=False)
    talked: str | None = None
    helped: float | None = None


@dataclass(frozen=True, slots=True)
class _Owner:
    """By whose signature the box is told something; `before` is who was, until slots are published anew."""

    key: bytes
    before: bytes = b""


class Box:
    """A box in a folder, for one process at a time.

    Parameters
    ----------
    folder
        Made if it is not there.
    owner
        The public key of the practice, 32 bytes; not needed again once it was given.
    now
        Tells the time, in UTC.

    Raises
    ------
    InputError
        Where the owner is not known, or another one's.
    """

    def __init__(
        self, folder: Path, owner: bytes = b"", now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._folder, self._drops, self._now = folder, folder / "drops", now
        self._guard = threading.Lock()
        self._lock = _claimed(folder, self._drops)
        try:
            self._owner = self._known_owner(owner)
            self._load()
        except BaseException:
            self._lock.release()
            raise

    @property
    def help(self) -> Mapping[str, str]:
        """The lines of help, as the practice has them; none before it has told."""
        return self._published.help if self._published else {}

    # -- a client's side

    def knows(self, token: str) -> bool:
        """Whether there ever was a link with this token, as far as the owner has told."""
        return slot_of(token) in self._slots

    def look(self, token: str) -> tuple[Instrument, bool]:
        """Return what a token asks, and whether about a step as well; looking uses nothing up.

        Raises
        ------
        Gone
            Alike where it is unknown, used or over.
        """
        slot = self._slot(token)
        if slot.used or self._file(slot.id).exists():
            raise Gone(_NO_LINK)
        return self._described(slot), slot.step

    def asked(self, token: str) -> Instrument:
        """Return what a token asks, also once it was used: what is sent again is read by it."""
        return self._described(self._slot(token))

    def put(self, token: str, sending: Sending) -> bool:
        """Seal what was sent and keep it; returns whether an answer asks for help at once.

        Raises
        ------
        Gone
            As `look`; not where the very same was sent before.
        """
        slot = self._slot(token)
        asked = self._described(slot)
        answers = held(asked, sending.answers)
        step = (sending.talked, sending.helped) if slot.step else (None, None)
        mark = key_of_sending(token, sending.key, [answers, *step])
        told = Told(token, mark, self._now(), answers, *step)
        size = size_of(item.id for item in asked.items)
        drop = seal(told, slot.id, (asked.id, asked.version), self._sealing, size)
        content = {
            "mark": mark, "instrument": asked.id, "version": asked.version,
            "sealed": base64.b64encode(drop.sealed).decode(),
        }  # fmt: skip
        with self._guard:
            if not self._is_again(slot.id, mark):
                if slot.used:
                    raise Gone(_NO_LINK)
                replace_file(self._file(slot.id), _as_bytes(content))
        return bool(asked.at_risk(answers))

    # -- the owner's side

    def is_owner(self, signature: bytes, content: bytes) -> bool:
        """Whether its owner has signed this."""
        return is_signed(self._owner.key, signature, content)

    def open(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """Take the slots that its owner publishes, in the place of those before."""
        try:
            content, signature = str(told["published"]).encode(), bytes.fromhex(told["signature"])
        except (KeyError, TypeError, ValueError):
            raise InputError("This does not publish slots.") from None
        if not is_signed(self._owner.key, signature, published_to_sign(content)):
            raise InputError("These slots are not signed by the owner of this box.")
        published = _checked(content)
        with self._guard:
            replace_file(
                self._folder / "slots.json",
                _as_bytes({"published": content.decode(), "signature": signature.hex()}),
            )
            self._set(published)
            if self._owner.before:
                self._set_owner(_Owner(self._owner.key))
            self._forget_marks()
        return {"slots": len(published.slots)}

    def drops(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """Return sealed drops in the order of slots, after one of them."""
        after = str(told.get("after", ""))
        names = sorted(each.stem for each in self._drops.glob("*.json") if each.stem > after)
        found: list[dict[str, str]] = []
        for place, name in enumerate(names):
            if len(found) == PAGE:
                return {"drops": found, "more": place < len(names)}
            kept = self._kept(bytes.fromhex(name))
            if kept and "sealed" in kept:
                found.append(
                    {"slot": name, **{key: kept[key] for key in ("instrument", "version", "sealed")}}
                )
        return {"drops": found, "more": False}

    def forget(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """Forget drops that their owner has; what is not there is forgotten already."""
        slots = [_slot_name(each) for each in told.get("slots", [])]
        with self._guard:
            for slot in slots:
                kept = self._kept(slot)
                if kept and "sealed" in kept:
                    replace_file(self._file(slot), _as_bytes({"mark": kept["mark"]}))
        return {"forgotten": len(slots)}

    def hand_over(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """Let another key of the same practice be the owner's: it has changed its keys."""
        key = _slot_name(told.get("owner"))
        with self._guard:
            self._set_owner(_Owner(key, self._owner.key))
        return {"owner": key.hex()}

    def close(self) -> None:
        """Let another process open it."""
        self._lock.release()

    # -- inside

    def _slot(self, token: str) -> Slot:
        slot = self._slots.get(slot_of(token)) if len(token) <= LONGEST_TOKEN else None
        if slot is None or self._now() >= slot.expires:
            raise Gone(_NO_LINK)
        return slot

    def _described(self, slot: Slot) -> Instrument:
        return self._asked[slot.asked]

    @property
    def _sealing(self) -> bytes:
        return self._published.sealing if self._published else b""

    def _is_again(self, slot: bytes, mark: str) -> bool:
        """Whether the very same was sent before; another sending is too late."""
        kept = self._kept(slot)
        if kept is not None and not hmac.compare_digest(str(kept["mark"]), mark):
            raise Gone(_NO_LINK)
        return kept is not None

    def _file(self, slot: bytes) -> Path:
        return self._drops / f"{slot.hex()}.json"

    def _kept(self, slot: bytes) -> dict[str, Any] | None:
        try:
            kept = json.loads(self._file(slot).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError):
            raise Damaged(_NOT_AS_WRITTEN) from None
        if not isinstance(kept, dict) or "mark" not in kept:
            raise Damaged(_NOT_AS_WRITTEN)
        return kept

    def _forget_marks(self) -> None:
        """Forget that something was sent by links that are no more."""
        for file in self._drops.glob("*.json"):
            slot = bytes.fromhex(file.stem)
            kept = self._kept(slot)
            if slot not in self._slots and kept and "sealed" not in kept:
                file.unlink(missing_ok=True)
        sync_folder(self._drops)

    def _load(self) -> None:
        self._published: Published | None = None
        self._slots: dict[bytes, Slot] = {}
        self._asked: dict[str, Instrument] = {}
        file = self._folder / "slots.json"
        if not file.exists():
            return
        try:
            kept = json.loads(file.read_bytes())
            content, signature = str(kept["published"]).encode(), bytes.fromhex(kept["signature"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            raise Damaged(_NOT_AS_WRITTEN) from None
        by = [key for key in (self._owner.key, self._owner.before) if key]
        if not any(is_signed(key, signature, published_to_sign(content)) for key in by):
            raise Damaged(_NOT_AS_WRITTEN)
        self._set(_checked(content))

    def _set(self, published: Published) -> None:
        self._asked = {name: from_table(dict(table)) for name, table in published.asked.items()}
        self._slots = {each.id: each for each in published.slots}
        self._published = published

    def _known_owner(self, given: bytes) -> _Owner:
        file = self._folder / "owner.json"
        if not file.exists():
            if len(given) != ID_BYTES:
                raise InputError(
                    "Whose box is it? `attunement drop-box link` shows the practice's key; --owner gives it."
                )
            owner = _Owner(given)
            self._set_owner(owner)
            return owner
        try:
            kept = json.loads(file.read_bytes())
            owner = _Owner(bytes.fromhex(kept["owner"]), bytes.fromhex(kept["before"]))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            raise Damaged(
                "owner.json is not as it was written; --owner with an empty folder begins anew."
            ) from None
        if given and given not in {owner.key, owner.before}:
            raise InputError("This box belongs to another practice; a box of your own needs an empty folder.")
        return owner

    def _set_owner(self, owner: _Owner) -> None:
        content = {"owner": owner.key.hex(), "before": owner.before.hex()}
        replace_file(self._folder / "owner.json", _as_bytes(content))
        self._owner = owner


def _checked(content: bytes) -> Published:
    """Read what was published, and every description in it, before anything is kept."""
    published = Published.read(content)
    for table in published.asked.values():
        from_table(dict(table))
    return published


def _claimed(folder: Path, drops: Path) -> FileLock:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        drops.mkdir(exist_ok=True, mode=0o700)
        for left in drops.glob(".*.new"):  # a sending that nobody was thanked for
            left.unlink()
        lock = FileLock(folder / ".lock", timeout=0, thread_local=False)
        lock.acquire()
    except Timeout:
        raise InUse(f"The box in {folder} is served by another program.") from None
    except OSError as problem:
        raise NotStored(f"{folder} cannot be written: {os.strerror(problem.errno or 0)}.") from None
    return lock


def _slot_name(name: object) -> bytes:
    try:
        number = bytes.fromhex(str(name))
    except ValueError:
        number = b""
    if len(number) != ID_BYTES:
        raise InputError("A slot and a key have 64 hexadecimal digits.")
    return number


def _as_bytes(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()
