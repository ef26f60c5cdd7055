"""Whose rows are whose, by plain SQL as each role: what a query that forgot to say whose it wants would get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import psycopg.sql
import pytest
import sqlalchemy as sa
from cast import BEGAN, PHRASES, Cast, reflected, seen
from server import USER, opened_in_database

from attunement.practice.desk import Desk
from attunement.vault import tables
from attunement.vault.drops import slot_of
from attunement.vault.tables import KINDS, RECORD
from attunement.vault.whom import OWNER, Hand

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from server import Server

Sql = Any
OF_A_CLIENT = ("dyad", "client", "session", "invitation", "check_in", "consent", "contact", "step", "concern")


@pytest.fixture(scope="module")
def met(
    founded_in_database: tuple[Path, str], server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cast]:
    """Two therapists with a client each, who wrote reflections: for all tests, which change nothing of it."""
    with opened_in_database(founded_in_database, server, tmp_path_factory.mktemp("met")) as everybody:
        for who, client in ((everybody.first, "K-01"), (everybody.second, "K-02")):
            seen(who, client)
            who.choose_step(client, "name it")
            who.raise_concern(client, "quiet")
            who.log_contact(client, BEGAN, kind="call", begun_by="client")
            who.identify(client, "Somebody Somewhere", "by telephone")
            reflected(who, client, 2)
        yield everybody


@pytest.fixture
def sql(met: Cast) -> Iterator[Sql]:
    """A connection as the program's own user."""
    database = met.first.house.database
    assert database is not None
    with database.connected("record_1") as connection:
        yield connection


def stand(sql: Sql, hand: Hand, account: str = "", token: bytes = b"") -> None:
    sql.execute("RESET ROLE")
    sql.execute(f'SET ROLE "{hand}"')
    sql.execute("SELECT set_config('attunement.account', %s, false)", [account])
    sql.execute("SELECT set_config('attunement.token', %s, false)", [token.hex()])


def count(sql: Sql, table: str) -> int:
    return int(
        sql.execute(
            psycopg.sql.SQL("SELECT count(*) FROM ") + psycopg.sql.Identifier(*table.split("."))
        ).fetchone()[0]
    )


def refused(sql: Sql, statement: str) -> bool:
    try:
        return bool(sql.execute(statement).rowcount == 0)
    except psycopg.errors.InsufficientPrivilege:
        return True


def test_the_programs_own_user_sees_nothing_before_it_takes_a_role(sql: Sql) -> None:
    for name in RECORD.tables:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            count(sql, f"record_1.{name}")


@pytest.mark.parametrize("table", OF_A_CLIENT)
def test_a_therapist_has_their_own_rows_and_not_the_others(sql: Sql, table: str) -> None:
    stand(sql, Hand.KEEPER)
    everything = count(sql, table)
    stand(sql, Hand.THERAPIST, "T-1")
    mine = count(sql, table)
    stand(sql, Hand.THERAPIST, "T-2")
    assert 0 < mine < everything
    assert count(sql, table) == everything - mine


@pytest.mark.parametrize("table", sorted(RECORD.tables))
def test_a_therapist_who_is_nobody_has_nothing_of_any_client(sql: Sql, table: str) -> None:
    stand(sql, Hand.THERAPIST, "T-9")
    if table in {
        *OF_A_CLIENT,
        "rating",
        "step_answer",
        "own_curve",
        "share",
        "measure",
        "reminded",
        "handover",
    }:
        assert count(sql, table) == 0


OF_ANOTHER = {
    "dyad": "id = '{dyad}'",
    "client": "id = '{client}'",
    "consent": "client = '{client}'",
    "invitation": "session IN ({sessions})",
    "check_in": "session IN ({sessions})",
    **dict.fromkeys(("session", "contact", "step", "concern"), "dyad = '{dyad}'"),
}
SETS = {
    "dyad": "ended = since", "client": "code = 'K-99'", "session": "number = number + 100",
    "invitation": "version = '9'",
    "check_in": "version = '9'", "consent": "purpose = 'research'", "contact": "kind = 'call'",
    "step": "repaired = 'yes'", "concern": "closed = at",
}  # fmt: skip


@pytest.fixture
def theirs(sql: Sql) -> dict[str, str]:
    """Of the other therapist: dyad, client and sessions."""
    stand(sql, Hand.KEEPER)
    dyad, client = sql.execute("SELECT id, client FROM dyad WHERE therapist = 'T-2'").fetchone()
    found = sql.execute("SELECT id FROM session WHERE dyad = %s", [dyad]).fetchall()
    return {"dyad": dyad, "client": client, "sessions": ", ".join(f"'{each}'" for (each,) in found)}


@pytest.mark.parametrize("table", OF_A_CLIENT)
def test_a_therapist_changes_and_takes_away_nothing_of_anothers(
    sql: Sql, theirs: dict[str, str], table: str
) -> None:
    where = OF_ANOTHER[table].format(**theirs)
    assert sql.execute(f"SELECT FROM {table} WHERE {where}").rowcount > 0
    stand(sql, Hand.THERAPIST, "T-1")
    assert sql.execute(f"SELECT FROM {table} WHERE {where}").rowcount == 0
    sql.execute("BEGIN")
    try:
        assert sql.execute(f"UPDATE {table} SET {SETS[table]}").rowcount > 0  # noqa: S608 - of a test
    finally:
        sql.execute("ROLLBACK")
    assert refused(sql, f"UPDATE {table} SET {SETS[table]} WHERE {where}")  # noqa: S608 - of a test
    assert refused(sql, f"DELETE FROM {table} WHERE {where}")  # noqa: S608 - of a test
    stand(sql, Hand.KEEPER)
    assert sql.execute(f"SELECT FROM {table} WHERE {where}").rowcount > 0


def test_a_therapist_hangs_nothing_on_anothers_and_gives_none_of_theirs_away(
    sql: Sql, theirs: dict[str, str]
) -> None:
    stand(sql, Hand.THERAPIST, "T-1")
    for statement in (
        "UPDATE dyad SET therapist = 'T-2'",
        "UPDATE dyad SET client = %(client)s",
        "UPDATE session SET dyad = %(dyad)s",
        "INSERT INTO contact (id, dyad, at, kind, begun_by) VALUES ('x', %(dyad)s, 'now', 'call', 'client')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            sql.execute(statement, theirs)


@pytest.mark.parametrize(("own", "other"), [("T-1", "T-2"), ("T-2", "T-1")])
def test_a_therapist_gets_no_client_of_anothers_by_a_dyad_or_a_handover_of_their_own_making(
    sql: Sql, own: str, other: str
) -> None:
    stand(sql, Hand.KEEPER)
    theirs, client = sql.execute("SELECT id, client FROM dyad WHERE therapist = %s", [other]).fetchone()
    mine = sql.execute("SELECT id FROM dyad WHERE therapist = %s", [own]).fetchone()[0]
    stand(sql, Hand.THERAPIST, own)
    before = [count(sql, table) for table in (*OF_A_CLIENT, "identity_1.person")]
    offer = (
        "INSERT INTO handover (id, dyad, recipient, kind, course, offered, made, accepted) "
        "VALUES ('x', %s, %s, 'cover', 'shown', 'now', %s, %s)"
    )
    for statement, values in (
        ("INSERT INTO dyad (id, therapist, client, since) VALUES ('x', %s, %s, 'now')", [own, client]),
        (offer, [mine, own, theirs, None]),
        (offer, [mine, other, theirs, "now"]),
        (offer, [theirs, own, None, None]),
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            sql.execute(statement, values)
    assert [count(sql, table) for table in (*OF_A_CLIENT, "identity_1.person")] == before


def test_a_therapist_gives_themselves_no_role(sql: Sql) -> None:
    stand(sql, Hand.THERAPIST, "T-2")
    for column in ("roles", "ended", "id"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            sql.execute(f"UPDATE account SET {column} = {column} WHERE id = 'T-2'")  # noqa: S608 - of a test


@pytest.mark.parametrize("hand", [Hand.SUPERVISOR, Hand.ADMIN])
@pytest.mark.parametrize("table", OF_A_CLIENT)
def test_a_supervisor_and_an_admin_have_no_row_of_any_client(sql: Sql, hand: Hand, table: str) -> None:
    stand(sql, hand, "S-1")
    try:
        assert count(sql, table) == 0
    except psycopg.errors.InsufficientPrivilege:
        return


def test_a_supervisor_has_what_was_shared_with_them_and_nothing_else(met: Cast, sql: Sql) -> None:
    first, supervisor = met.first, met.supervisor
    first.unlock(PHRASES["T-1"])
    first.pin("S-1", first.fingerprint("S-1"))
    first.share("K-01", 1, "S-1", until=BEGAN.replace(day=20))
    assert supervisor.shares()
    stand(sql, Hand.SUPERVISOR, "S-1")
    assert count(sql, "share") == 1
    stand(sql, Hand.SUPERVISOR, "S-2")
    assert count(sql, "share") == 0
    stand(sql, Hand.THERAPIST, "T-2")
    assert count(sql, "share") == 0


@pytest.mark.parametrize("hand", [Hand.THERAPIST, Hand.SUPERVISOR, Hand.DOOR])
def test_the_journal_is_an_admins_to_read_and_everybodys_to_add_to(sql: Sql, hand: Hand) -> None:
    stand(sql, Hand.ADMIN, "A-1")
    assert count(sql, "journal") > 10
    assert refused(sql, "UPDATE journal SET who = 'nobody'")
    assert refused(sql, "DELETE FROM journal")
    stand(sql, hand, "T-1")
    try:
        assert count(sql, "journal") == 0
    except psycopg.errors.InsufficientPrivilege:
        assert hand is Hand.DOOR
    assert refused(sql, "DELETE FROM journal")


@pytest.mark.parametrize("hand", [Hand.THERAPIST, Hand.SUPERVISOR, Hand.ADMIN, Hand.DOOR])
def test_the_journals_key_is_the_keepers_and_sealed(sql: Sql, hand: Hand) -> None:
    stand(sql, Hand.KEEPER)
    assert len(sql.execute("SELECT key FROM chain_key").fetchone()[0]) > 32
    stand(sql, hand, "T-1")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        count(sql, "chain_key")


def test_a_token_leads_to_its_dyad_alone(met: Cast, sql: Sql) -> None:
    invited = met.first.invite("K-01", 1, instrument="growth")
    stand(sql, Hand.DOOR)
    for table in ("invitation", "session", "check_in", "step", "dyad", "consent"):
        assert count(sql, table) == 0
    stand(sql, Hand.DOOR, token=slot_of(invited.token))
    assert count(sql, "invitation") == 1
    assert count(sql, "dyad") == 1
    assert count(sql, "session") == 2
    assert refused(sql, "DELETE FROM invitation")
    assert refused(sql, "UPDATE session SET number = 9")
    for table in (
        "client",
        "share",
        "measure",
        "rating",
        "chain_key",
        "factor",
        "signed",
        "norm",
        "handover",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            count(sql, table)
    met.client.receive(invited.token, {"grown": 5.0}, "a-sending-of-growth")


@pytest.mark.parametrize("hand", list(Hand))
def test_reflections_are_their_owners_alone_and_bytes_to_whoever_takes_that_role(
    met: Cast, sql: Sql, hand: Hand
) -> None:
    own = met.first.house.keyfile.account("T-1").own
    assert own is not None
    schema = own.file.removesuffix(".schema").replace("-", "_")
    for account in ("T-2", "S-1", "A-1", ""):
        stand(sql, hand, account)
        for table in KINDS["reflections"].tables:
            try:
                assert count(sql, f"{schema}.{table}") == 0 or hand is Hand.BACKUP
            except psycopg.errors.InsufficientPrivilege:
                assert hand is not Hand.THERAPIST
    stand(sql, Hand.THERAPIST, "T-1")
    rows = sql.execute(f"SELECT * FROM {schema}.reflection").fetchall()  # noqa: S608 - of a test
    assert len(rows) == 2
    stand(sql, Hand.KEEPER)
    clients = {row[0] for row in sql.execute("SELECT id FROM client")}
    sessions = {row[0] for row in sql.execute("SELECT id FROM session")}
    seen_bytes = b"".join(value for row in rows for value in row if isinstance(value, bytes))
    assert not any(each.encode() in seen_bytes for each in clients | sessions)
    assert b"private" not in seen_bytes
    assert b"bored" not in seen_bytes


def test_names_are_ciphertext_and_a_therapists_own_clients_alone(sql: Sql) -> None:
    stand(sql, Hand.KEEPER)
    rows = sql.execute("SELECT name, contact FROM identity_1.person").fetchall()
    assert len(rows) == 2
    assert all(b"Somebody" not in value and b"telephone" not in value for row in rows for value in row)
    assert len({bytes(name) for name, _ in rows}) == 2, "the same name gives other bytes"
    stand(sql, Hand.THERAPIST, "T-1")
    assert count(sql, "identity_1.person") == 1
    for hand in (Hand.SUPERVISOR, Hand.ADMIN, Hand.DOOR):
        stand(sql, hand, "T-1")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            count(sql, "identity_1.person")


def test_no_role_owns_a_table_and_every_table_holds_its_rows_to_whom(sql: Sql) -> None:
    found = sql.execute(
        "SELECT relname, rolname, relrowsecurity FROM pg_class JOIN pg_roles ON pg_roles.oid = relowner "
        "JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE relkind = 'r' "
        "AND (nspname LIKE 'record%' OR nspname LIKE 'identity%' OR nspname LIKE 'reflections%')"
    ).fetchall()
    assert len(found) > len(RECORD.tables)
    assert {(owner, held) for _, owner, held in found} == {(OWNER, True)}
    member = sql.execute("SELECT pg_has_role(%s, %s, 'USAGE')", [USER, OWNER]).fetchone()[0]
    assert not member


def test_a_query_of_the_practice_that_forgets_whose_rows_it_wants_gets_none_of_the_others(
    met: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgetful(self: Desk, rows: Any, code: str) -> Any:  # noqa: ANN401, ARG001 - as `Desk._dyad`
        query = sa.select(
            tables.dyad,
            tables.client.c.code,
            tables.client.c.since.label("client_since"),
            tables.client.c.held,
        )
        query = query.join(tables.client, tables.client.c.id == tables.dyad.c.client)
        return rows.one(query.where(tables.client.c.code == code))

    monkeypatch.setattr(Desk, "_dyad", forgetful)
    with pytest.raises(TypeError):  # it got no row
        met.second.sessions("K-01")
    assert len(met.first.sessions("K-01")) == 2
