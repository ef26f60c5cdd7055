"""The envelope of a reflection: sealed to its owner under the encryption of the file.

Each revision has a key of its own, so that a nonce cannot repeat, and so that forgetting the key destroys the text.
That key is wrapped under one that only the owner's root key gives. In PostgreSQL, in a backup and before an admin it
stays sealed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from attunement.vault.sealing import Key, canonical, pad, seal, unpad, unseal


@dataclass(frozen=True, slots=True)
class Place:
    """Where an envelope belongs; its associated data, so that it opens nowhere else.

    Parameters
    ----------
    install, owner
        Which practice, and whose reflection.
    note, client, revision
        Which reflection, about whom, and which writing of it.
    kind
        What it is: what was sealed as one kind does not open as another.
    """

    install: str
    owner: str
    note: str
    client: str
    revision: int
    kind: str = "reflection"

    def canonical(self) -> bytes:
        """As bytes."""
        return canonical(self.kind, self.install, self.owner, self.note, self.client, self.revision)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A sealed text, with its key, wrapped.

    Parameters
    ----------
    place
        Where it belongs.
    body
        The text, padded and sealed under the key.
    key
        The key of this revision, wrapped for the owner.
    """

    place: Place
    body: bytes
    key: bytes


def enclose(text: str, place: Place, owner: Key) -> Envelope:
    """Seal a text for its owner."""
    fresh, about = Key.fresh(), place.canonical()
    body = seal(fresh, pad(text.encode()), about)
    return Envelope(place, body, seal(_wrapping(owner), fresh.reveal(), canonical("key", about)))


def disclose(envelope: Envelope, owner: Key) -> str:
    """Open an envelope.

    Raises
    ------
    Damaged
        Where it is not the owner's, was edited, or stands in another place than it was written for.
    """
    return open_body(envelope.body, envelope.place, key_of(envelope, owner))


def key_of(envelope: Envelope, owner: Key) -> Key:
    """Return the key of this revision."""
    about = canonical("key", envelope.place.canonical())
    return Key(unseal(_wrapping(owner), envelope.key, about))


def rewrapped(envelope: Envelope, before: Key, after: Key) -> Envelope:
    """Wrap the key of an envelope under another root; the text is not touched."""
    about = canonical("key", envelope.place.canonical())
    return replace(envelope, key=seal(_wrapping(after), key_of(envelope, before).reveal(), about))


def open_body(body: bytes, place: Place, key: Key) -> str:
    """Open a body whose key one has."""
    return unpad(unseal(key, body, place.canonical())).decode()


def _wrapping(owner: Key) -> Key:
    return owner.derived("envelopes")
