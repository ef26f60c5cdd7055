"""Where a vault's rows are: an encrypted file of our own, or a schema of a PostgreSQL. Both keep the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    import sqlalchemy as sa

    from attunement.errors import AttunementError
    from attunement.vault.lines import Statement
    from attunement.vault.whom import Whom

VARIABLE: Final = "ATTUNEMENT_DATABASE_URL"
"""What names the address of a clinic's database."""

IN_FORCE, UNFINISHED, OVER = "in force", "unfinished", "over"
"""How a schema stands: `keys.json` names it, does not yet, or no longer does."""
NEWER: Final = (
    "The database holds vaults of this practice already that this keys.json does not know of: the folder is an older "
    "copy than the database. Nothing was changed; put the newest keys.json back into the folder."
)


class Store(Protocol):
    """What a vault needs of the place that it is in."""

    name: str
    """What messages call it."""
    engine: sa.Engine
    raises: tuple[type[Exception], ...]
    """What its driver raises."""

    def make(self, kind: str) -> None:
        """Make the tables; there is nothing yet."""

    def check(self, kind: str) -> None:
        """Refuse what is not a vault of this kind, of the present revision."""

    def reading(self, whom: Whom | None) -> AbstractContextManager[sa.Connection]:
        """Give a connection that sees one state of it all, on somebody's behalf; whatever fails is a sentence."""

    def begin(self, connection: sa.Connection) -> bool:
        """Begin what the only writer does; returns whether another may have been it meanwhile."""

    def begin_filling(self, connection: sa.Connection) -> None:
        """Begin to put a copy of another vault into empty tables."""

    def letting_in(self, whom: Whom | None) -> Sequence[Statement]:
        """Return what is said to let somebody in; nobody sees nothing, where that can be had."""

    def refuse_holes(self, connection: sa.Connection) -> None:
        """Refuse what was read, if some of it was not what had been written."""

    def fails_all(self, problem: BaseException) -> bool:
        """Whether the place itself fails, and not one piece of work."""

    def leaves_open(self, problem: BaseException) -> bool:
        """Whether, where this came of a COMMIT, it may have been done all the same."""

    def said(self, problem: BaseException) -> AttunementError:
        """Say in a sentence what the driver said, without a value in it."""

    def sweep(self) -> bool:
        """Leave nothing of what was taken away; whether nothing was left, for whoever reads an older state keeps it."""

    def problems(self) -> list[str]:
        """Look at all of it for damage; a sentence each."""

    def close(self) -> None:
        """Let go of it."""


def let_in(store: Store, connection: sa.Connection, whom: Whom | None) -> None:
    """Let what follows on a connection be on somebody's behalf."""
    for statement in store.letting_in(whom):
        connection.exec_driver_sql(*statement)
