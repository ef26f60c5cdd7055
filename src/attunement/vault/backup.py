"""A backup: one archive of all vaults, sealed by age to a key that is kept offline, and read back before it counts.

What is in the archive is encrypted already, each vault under its own key; age hides the rest, such as how large each
is. The archive names the tip of each journal, so that a backup is also the place where tips are kept elsewhere.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyrage

from attunement.errors import Damaged, InputError, NotStored, VaultProblem, WrongKey
from attunement.vault.keyfile import NAME
from attunement.vault.places import OWNER_ONLY, sync_file, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MANIFEST: Final = "manifest.json"
_VERSION = 1
_NOT_OURS: Final = "This is not a backup of attunement, or it is damaged; another backup would do."


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds.

    Parameters
    ----------
    install
        Which practice.
    made
        When, in UTC, as text.
    tips
        The tip of each journal that was open, by kind of vault.
    files
        The SHA-256 of each file.
    """

    install: str
    made: str
    tips: Mapping[str, str]
    files: Mapping[str, str]

    def as_json(self) -> bytes:
        """Write it."""
        content = {
            "attunement": _VERSION, "install": self.install, "made": self.made,
            "tips": dict(self.tips), "files": dict(self.files),
        }  # fmt: skip
        return json.dumps(content, indent=1).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Manifest:
        """Read it."""
        try:
            stored = json.loads(content)
            return cls(
                str(stored["install"]), str(stored["made"]), dict(stored["tips"]), dict(stored["files"])
            )
        except (ValueError, KeyError, TypeError):
            raise Damaged(_NOT_OURS) from None


def new_identity() -> tuple[str, str]:
    """Make a key pair for backups: the secret to be kept offline, and what backups are sealed to."""
    identity = pyrage.x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def recipient(text: str) -> pyrage.x25519.Recipient:
    """Read what a backup is to be sealed to."""
    try:
        return pyrage.x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError:
        raise InputError(
            "A backup is sealed to a key that begins with age1; `attunement backup-key` makes one."
        ) from None


def write_archive(staged: Path, manifest: Manifest, target: Path, to: str) -> None:
    """Seal a staged folder into one file, read it back, compare, and only then let it stand.

    A key of the moment is a second recipient, so that what was written can be opened at once and without the offline
    key; it is forgotten.
    """
    proof = pyrage.x25519.Identity.generate()
    recipients = [recipient(to), proof.to_public()]
    aside = target.with_name(f".{target.name}.new")
    (staged / MANIFEST).write_bytes(manifest.as_json())
    try:
        packed = staged.with_suffix(".tar")
        _pack(staged, packed)
        aside.touch(mode=OWNER_ONLY)
        pyrage.encrypt_file(str(packed), str(aside), recipients)
        packed.unlink()
        sync_file(aside)
        with opened_archive(aside, proof, staged.parent) as folder:
            if read_manifest(folder) != manifest:
                raise Damaged("The backup could not be read back as it was written; it was not kept.")
        aside.replace(target)
        sync_folder(target.parent)
    except OSError as problem:
        raise NotStored(
            f"{target.name} could not be written: {problem.strerror or problem}; nothing was changed."
        ) from None
    finally:
        aside.unlink(missing_ok=True)


@contextlib.contextmanager
def staging(beside: Path) -> Iterator[Path]:
    """Give a folder for what is being put together; nothing in it is in clear, and it is removed at the end."""
    with tempfile.TemporaryDirectory(prefix=".staging-", dir=beside) as name:
        folder = Path(name) / "content"
        folder.mkdir(mode=0o700)
        yield folder


@contextlib.contextmanager
def opened_archive(archive: Path, identity: pyrage.x25519.Identity, beside: Path) -> Iterator[Path]:
    """Open an archive into a folder, its files compared with their manifest.

    Raises
    ------
    WrongKey
        Where it was not sealed to this key.
    Damaged
        Where it is not whole.
    """
    with tempfile.TemporaryDirectory(prefix=".opened-", dir=beside) as name:
        folder, packed = Path(name) / "content", Path(name) / "content.tar"
        folder.mkdir(mode=0o700)
        try:
            pyrage.decrypt_file(str(archive), str(packed), [identity])
            _unpack(packed, folder)
        except pyrage.DecryptError as problem:
            if "matching" in str(problem).lower() or "no matching" in str(problem).lower():
                raise WrongKey("This backup was sealed to another key.") from None
            raise Damaged(_NOT_OURS) from None
        except (tarfile.TarError, EOFError, ValueError):
            raise Damaged(_NOT_OURS) from None
        except OSError as problem:
            raise Damaged(
                _NOT_OURS if problem.strerror is None else f"{archive.name}: {problem.strerror}."
            ) from None
        manifest = read_manifest(folder)
        if checksums(folder) != dict(manifest.files):
            raise Damaged(_NOT_OURS)
        yield folder


def read_identity(text: str) -> pyrage.x25519.Identity:
    """Read the offline key, as a line of a file of age's."""
    for line in text.splitlines():
        if line.strip().upper().startswith("AGE-SECRET-KEY-"):
            with contextlib.suppress(pyrage.IdentityError):
                return pyrage.x25519.Identity.from_str(line.strip())
    raise WrongKey("There is no line AGE-SECRET-KEY-1… in it, or it has a typing error.")


def read_manifest(folder: Path) -> Manifest:
    """Read what an opened archive says of itself."""
    try:
        return Manifest.from_json((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        raise Damaged(_NOT_OURS) from None


def checksums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file in a folder but its manifest."""
    found = {}
    for path in sorted(folder.iterdir()):
        if path.name != MANIFEST:
            with path.open("rb") as file:
                found[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def put_in_place(opened: Path, folder: Path) -> None:
    """Make an opened archive the practice in an empty or missing folder."""
    if folder.exists() and any(folder.iterdir()):
        raise VaultProblem(f"{folder} is not empty; restore into a new folder, and compare the two.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restoring-", dir=folder.parent) as name:
        aside = Path(name) / "practice"
        aside.mkdir(mode=0o700)
        for path in opened.iterdir():
            if path.name != MANIFEST:
                shutil.copyfile(path, aside / path.name)
                (aside / path.name).chmod(OWNER_ONLY)
                sync_file(aside / path.name)
        if not (aside / NAME).exists():
            raise Damaged(_NOT_OURS)
        if folder.exists():
            folder.rmdir()
        aside.replace(folder)
    sync_folder(folder.parent)


def _pack(folder: Path, packed: Path) -> None:
    with tarfile.open(packed, "w") as archive:
        for path in sorted(folder.iterdir()):
            member = tarfile.TarInfo(path.name)
            member.size, member.mode = path.stat().st_size, OWNER_ONLY
            with path.open("rb") as file:
                archive.addfile(member, file)


def _unpack(packed: Path, folder: Path) -> None:
    with tarfile.open(packed, "r:") as archive:
        for member in archive:
            if not member.isfile() or Path(member.name).name != member.name:
                raise Damaged(_NOT_OURS)
            content = archive.extractfile(member) or io.BytesIO()
            with (folder / member.name).open("wb") as file:
                shutil.copyfileobj(content, file)
    packed.unlink()
