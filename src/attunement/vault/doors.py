"""What is looked at before anything is kept in a database: its address, its user, its server, its rules.

Each is what went wrong elsewhere: no password, a user who may do anything, a line that anybody can read, a server that
forgets what it acknowledged, a log that holds what was answered, rules that somebody has switched off.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final

import psycopg
import psycopg.conninfo

from attunement.errors import InputError
from attunement.vault.store import VARIABLE
from attunement.vault.whom import OWNER, Hand

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LEAST_SERVER: Final = 16
_EASY: Final = frozenset({"postgres", "password", "attunement", "admin", "secret", "changeme", "123456"})
HOW: Final = "docs/how-to/clinic.md says how a database is prepared."


def read(address: str) -> dict[str, str]:
    """Read an address into its parts."""
    if not address.startswith(("postgresql://", "postgres://")):
        raise InputError(f"{VARIABLE} is an address such as postgresql://USER:PASSWORD@HOST/DATABASE.")
    try:
        given = psycopg.conninfo.conninfo_to_dict(address)
    except psycopg.Error:
        raise InputError(f"{VARIABLE} cannot be read as an address of a PostgreSQL.") from None
    told = {name: str(value) for name, value in given.items()}
    for name in ("host", "dbname", "user"):
        if not told.get(name):
            raise InputError(
                f"{VARIABLE} names no {name}; postgresql://USER:PASSWORD@HOST/DATABASE is meant."
            )
    return told


def refuse_open_doors(given: dict[str, str]) -> None:
    """Refuse what can be told from the address alone."""
    hosts = [host for name in ("host", "hostaddr") for host in given.get(name, "").split(",") if host]
    password, user = given.get("password", ""), given["user"]
    if not password and not all(host.startswith("/") for host in hosts):
        raise InputError(
            f"{VARIABLE} has no password; give the database's user one, of 20 characters drawn at random."
        )
    if password and (
        password.lower() in _EASY | {user.lower(), given["dbname"].lower()} or len(password) < 12
    ):
        raise InputError(
            f"The password in {VARIABLE} can be guessed; 20 characters drawn at random would do."
        )
    if not all(_is_here(host) for host in hosts) and given.get("sslmode") != "verify-full":
        raise InputError(
            "The database is on another machine, and the line to it could be read: add ?sslmode=verify-full to "
            f"{VARIABLE}, with sslrootcert where its certificate is signed by your own authority."
        )


def _is_here(host: str) -> bool:
    if host.startswith("/") or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def problems(connection: psycopg.Connection[tuple[Any, ...]]) -> Iterator[str]:
    """What is wrong with a server and a user, the worst first."""
    if connection.info.server_version // 10_000 < LEAST_SERVER:
        yield f"its server is older than PostgreSQL {LEAST_SERVER}."
        return
    for sentence, question, about_roles in _QUESTIONS:
        if one(connection, question, [_ROLES] if about_roles else ()):
            yield sentence
    for setting in ("fsync", "full_page_writes"):
        if shown(connection, setting) != "on":
            yield f"its server has {setting} off, and would lose what it acknowledged; set it on."
    if shown(connection, "log_parameter_max_length") != "0" and _logs(connection):
        yield "its server's log would hold what was answered; set log_parameter_max_length = 0."
    if shown(connection, "log_parameter_max_length_on_error") != "0":
        yield "its server's log would hold what was answered; set log_parameter_max_length_on_error = 0."


def shown(connection: psycopg.Connection[tuple[Any, ...]], setting: str) -> str:
    """How a server is set."""
    return str(one(connection, "SELECT current_setting(%s, true)", [setting]))


def one(connection: psycopg.Connection[tuple[Any, ...]], question: str, values: Sequence[Any] = ()) -> Any:  # noqa: ANN401 - whatever is asked
    """The one value that a question has for an answer."""
    found = connection.execute(question, values or None).fetchone()
    return found[0] if found else None


def _logs(connection: psycopg.Connection[tuple[Any, ...]]) -> bool:
    statements = shown(connection, "log_statement") in {"mod", "all"}
    slow = any(
        shown(connection, name) != "-1" for name in ("log_min_duration_statement", "log_min_duration_sample")
    )
    return statements or slow or float(shown(connection, "log_transaction_sample_rate")) > 0


_ROLES: Final = [*Hand, OWNER]
_QUESTIONS: Final = (
    (
        "its user is a superuser or may pass over row-level security; make one that may not.",
        "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user",
        False,
    ),
    (
        "its user may make roles or databases; make one that may not.",
        "SELECT rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user",
        False,
    ),
    (
        "it lets in without a password (trust in pg_hba.conf); set scram-sha-256.",
        "SELECT system_user IS NULL",
        False,
    ),
    (
        f"the roles of a clinic are not there, or its user is no member of them; {HOW}",
        """SELECT bool_or(rolname IS NULL OR NOT pg_has_role(current_user, pg_roles.oid, 'SET'))
        FROM unnest(%s::text[]) AS needed (name) LEFT JOIN pg_roles ON rolname = name""",
        True,
    ),
    (
        f"its user has the rights of a clinic's roles at all times, and not one at a time; {HOW}",
        "SELECT bool_or(pg_has_role(current_user, name, 'USAGE')) FROM unnest(%s::text[]) AS needed (name)",
        True,
    ),
    (
        "it is not in UTF-8; make one that is.",
        "SELECT pg_encoding_to_char(encoding) <> 'UTF8' FROM pg_database WHERE datname = current_database()",
        False,
    ),
    (
        f"somebody has switched row-level security off in it; {HOW}",
        """SELECT bool_or(NOT relrowsecurity) FROM pg_class JOIN pg_roles ON pg_roles.oid = relowner
        WHERE relkind = 'r' AND rolname = 'attunement_owner'""",
        False,
    ),
    (
        f"somebody has given rows in it to a role that is none of a clinic's, by a policy or a grant; {HOW}",
        """SELECT EXISTS (
            SELECT FROM pg_class JOIN pg_roles ON pg_roles.oid = relowner
            LEFT JOIN pg_policy ON polrelid = pg_class.oid,
            LATERAL (
                SELECT unnest(polroles) UNION ALL SELECT grantee FROM aclexplode(relacl)
                UNION ALL SELECT grantee FROM pg_attribute, aclexplode(attacl) WHERE attrelid = pg_class.oid
            ) AS given (whom)
            WHERE rolname = 'attunement_owner' AND relkind IN ('r', 'v', 'm', 'p') AND NOT EXISTS (
                SELECT FROM pg_roles WHERE oid = whom AND rolname = ANY(%s::text[])
            )
        )""",
        True,
    ),
)
