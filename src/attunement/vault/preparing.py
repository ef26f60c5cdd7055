"""What a database's administrator does once, before a clinic moves in: roles, a user that has no rights by itself."""

from __future__ import annotations

import re
from typing import Final

from attunement.errors import InputError
from attunement.vault.whom import OWNER, Hand

_PLAIN: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def statements(user: str, database: str) -> str:
    r"""Return the SQL that prepares a database, for `psql` as a superuser, connected to that database.

    Parameters
    ----------
    user
        By whom the program will connect; made without a password, which is set by ``\\\\password``.
    database
        The database, which is there: in UTF-8, with nothing else in it.

    Raises
    ------
    InputError
        Where a name has more in it than small letters, digits and underscores.
    """
    for name in (user, database):
        if not _PLAIN.fullmatch(name):
            raise InputError(f"{name} is no plain name: small letters, digits and underscores are meant.")
    roles = (OWNER, *Hand)
    made = [_unless_there(role, "NOLOGIN") for role in roles]
    made += [
        _unless_there(user, "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS"),
        f"GRANT {', '.join(roles)} TO {user} WITH INHERIT FALSE, SET TRUE;",
        f"REVOKE ALL ON DATABASE {database} FROM PUBLIC;",
        f"GRANT CONNECT ON DATABASE {database} TO {user};",
        f"GRANT CREATE ON DATABASE {database} TO {OWNER};",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC;",
    ]
    return "\n".join(made) + "\n"


def _unless_there(role: str, kind: str) -> str:
    there = f"IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}')"
    return f"DO $$ BEGIN {there} THEN CREATE ROLE {role} {kind}; END IF; END $$;"
