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
    └── ModelProblem          a formula or a design that the engine cannot take
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
