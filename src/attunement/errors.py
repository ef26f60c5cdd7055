"""What can go wrong, as sentences for the reader.

Every message says what is wrong, where (which row, field or value), and what would do. The command line
prints it and exits with 2; a page answers with it and a status of 4xx. Nobody ever sees a stack trace.

::

    AttunementError
    ├── InputError            something that came in cannot be taken
    │   ├── UnreadableFile      the file as a whole: empty, binary, another encoding, no table
    │   ├── ColumnProblem       a column: missing, unknown, or values that are not what it holds
    │   └── TooLittle           a good table with too little in it to look at
    ├── InstrumentProblem     an instrument's description, or answers that do not fit it
    ├── ModelProblem          a formula or a design that the engine cannot take
    ├── VaultProblem          a vault that cannot be opened, read or written
    │   ├── WrongKey            not the passphrase, not the recovery code, or one too weak to be taken
    │   ├── Locked              it needs an unlock of its own, or has locked itself
    │   ├── KeyChanged          somebody's public key is not the one that was compared
    │   ├── Damaged             a file, an envelope or the journal is not as it was written
    │   ├── NewerVersion        written by a later version of this program
    │   ├── InUse               another process has it open
    │   └── NotStored           the disk is full or failing: nothing was stored, or it is not known; it says which
    ├── NotSent               a mail server did not take a mail; nothing is noted as sent
    └── Refused               the practice's policy says no, or there is no such thing: the two read alike
        └── Gone                it was there and is over: used, ended, revoked, erased
"""


class AttunementError(Exception):
    """Root of all errors of this package, so that an edge can catch them in one place."""


class InputError(AttunementError):
    """Something that came in cannot be taken."""


class UnreadableFile(InputError):  # noqa: N818 - reads as a sentence
    """The file as a whole is no table we can read."""


class ColumnProblem(InputError):  # noqa: N818 - reads as a sentence
    """A column is missing, unknown, or holds what it cannot hold."""


class TooLittle(InputError):  # noqa: N818 - reads as a sentence
    """The table is sound, and there is too little in it to look at."""


class InstrumentProblem(AttunementError):  # noqa: N818 - reads as a sentence
    """An instrument's description is wrong, or answers do not fit it."""


class ModelProblem(AttunementError):  # noqa: N818 - reads as a sentence
    """A formula or a design cannot be fitted."""


class VaultProblem(AttunementError):  # noqa: N818 - reads as a sentence
    """A vault cannot be opened, read or written."""


class WrongKey(VaultProblem):
    """The passphrase or the recovery code does not open it, or is too weak to be taken."""


class Locked(VaultProblem):
    """It needs an unlock of its own, or has locked itself after five idle minutes."""


class KeyChanged(VaultProblem):
    """Somebody's public key is not the one that was compared in person."""


class Damaged(VaultProblem):
    """A file, an envelope or the journal is not as it was written."""


class NewerVersion(VaultProblem):
    """A later version of this program wrote it."""


class InUse(VaultProblem):
    """Another process has it open."""


class NotStored(VaultProblem):
    """The disk is full, failing or away: nothing was stored, and sending it again would do; or it is not known."""


class NotSent(AttunementError):  # noqa: N818 - reads as a sentence
    """A mail server did not take a mail: nothing is noted as sent, and it is tried again the next time."""


class Refused(AttunementError):  # noqa: N818 - reads as a sentence
    """The policy says no, or there is no such thing: to one who may not know, the two read alike."""


class Gone(Refused):
    """It was there and is over: used, ended, revoked or erased."""
