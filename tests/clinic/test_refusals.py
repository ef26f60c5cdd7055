"""Nothing is kept in a database that leaves a door open: each door is one sentence, and nothing is written."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cast import PHRASES
from server import PASSWORD, USER

from attunement.errors import AttunementError, InputError, Refused, VaultProblem
from attunement.practice import Practice
from attunement.practice.house import reached
from attunement.vault.database import Database
from attunement.vault.locks import LEAST
from attunement.vault.recovery import RecoveryCode
from attunement.vault.store import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from server import Server

PROGRAM = "import sys; from attunement.cli import main; sys.exit(main())"
GOOD = f"{USER}:{PASSWORD}"


@pytest.fixture
def database(server: Server) -> Iterator[str]:
    name = server.fresh()
    yield name
    server.drop(name)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("sqlite:///practice.db", "is an address such as postgresql://"),
        ("postgresql://clinic:kettle-marble-7-tundra@localhost", "names no dbname"),
        ("postgresql://clinic@localhost/practice", "has no password"),
        ("postgresql://clinic:@localhost/practice", "has no password"),
        ("postgresql://postgres:postgres@localhost/practice", "can be guessed"),
        ("postgresql://clinic:clinic@localhost/practice", "can be guessed"),
        ("postgresql://clinic:short@localhost/practice", "can be guessed"),
        (f"postgresql://{GOOD}@db.example.org/practice", "sslmode=verify-full"),
        (f"postgresql://{GOOD}@10.1.2.3/practice?sslmode=require", "sslmode=verify-full"),
        (f"postgresql://{GOOD}@localhost,db.example.org/practice", "sslmode=verify-full"),
        (f"postgresql://{GOOD}@localhost/practice?hostaddr=10.1.2.3", "sslmode=verify-full"),
    ],
)
def test_an_address_that_leaves_a_door_open_is_refused_before_anything_is_asked(
    address: str, said: str
) -> None:
    with pytest.raises(InputError, match=said) as refused:
        Database(address)
    assert PASSWORD not in str(refused.value)


def test_a_safe_address_is_taken(server: Server, database: str) -> None:
    found = reached(server.address(database))
    assert found.times_held == 1
    found.release()


def doors(server: Server, database: str, *said: str) -> str:
    """What is said of a database after somebody did something to it."""
    server.run(*said, database=database)
    with pytest.raises(VaultProblem) as refused:
        reached(server.address(database))
    assert PASSWORD not in str(refused.value)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(
    ("opened", "shut", "said"),
    [
        (f"ALTER ROLE {USER} SUPERUSER", f"ALTER ROLE {USER} NOSUPERUSER", "superuser"),
        (f"ALTER ROLE {USER} BYPASSRLS", f"ALTER ROLE {USER} NOBYPASSRLS", "row-level security"),
        (f"ALTER ROLE {USER} CREATEROLE", f"ALTER ROLE {USER} NOCREATEROLE", "make roles"),
        (
            f"GRANT attunement_keeper TO {USER} WITH INHERIT TRUE",
            f"GRANT attunement_keeper TO {USER} WITH INHERIT FALSE",
            "at all times",
        ),
        (
            f"REVOKE attunement_door FROM {USER}",
            f"GRANT attunement_door TO {USER} WITH INHERIT FALSE, SET TRUE",
            "no member of them",
        ),
    ],
)
def test_a_user_with_too_many_rights_or_too_few_is_refused(
    server: Server, database: str, opened: str, shut: str, said: str
) -> None:
    try:
        assert said in doors(server, database, opened)
    finally:
        server.run(shut)


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("fsync", "off", "lose what it acknowledged"),
        ("full_page_writes", "off", "lose what it acknowledged"),
        ("log_parameter_max_length_on_error", "-1", "log would hold"),
        ("log_statement", "'all'", "log would hold"),
        ("log_transaction_sample_rate", "0.5", "log would hold"),
    ],
)
def test_a_server_that_forgets_or_tells_is_refused(
    server: Server, database: str, setting: str, value: str, said: str
) -> None:
    try:
        server.run(f"ALTER SYSTEM SET {setting} = {value}")
        server.run("SELECT pg_reload_conf()")
        server.until(setting, value.strip("'"))
        assert said in doors(server, database)
    finally:
        server.run(f"ALTER SYSTEM RESET {setting}")
        server.run("SELECT pg_reload_conf()")
        server.until(
            setting, {"fsync": "on", "full_page_writes": "on", "log_statement": "none"}.get(setting, "0")
        )


def test_a_server_that_asks_for_no_password_is_refused(server: Server, database: str) -> None:
    server.run("DROP ROLE IF EXISTS open_door", "CREATE ROLE open_door LOGIN")
    server.run(f"GRANT CONNECT ON DATABASE {database} TO open_door")
    with pytest.raises(VaultProblem, match="without a password"):
        reached(server.address(database, user="open_door"))


def test_a_wrong_password_is_a_sentence_without_it(server: Server, database: str) -> None:
    with pytest.raises(VaultProblem, match="does not take this user and password") as refused:
        reached(server.address(database, password="another-one-entirely"))
    assert "another-one" not in str(refused.value)


def test_a_server_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(VaultProblem, match="does not answer"):
        reached(f"postgresql://{GOOD}@127.0.0.1:1/practice")


def test_a_database_with_another_practice_in_it_is_refused_and_stays_as_it_is(
    server: Server, database: str, tmp_path: Path
) -> None:
    address = server.address(database)

    def found(folder: str) -> Practice:
        return Practice.found(
            tmp_path / folder, "T-1", PHRASES["T-1"], RecoveryCode.fresh(), cost=LEAST, database=address
        )

    found("first").close()
    with pytest.raises(VaultProblem, match="another practice"):
        found("second")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, address)
        with Practice.open(tmp_path / "first", "T-1", PHRASES["T-1"]) as practice:
            assert practice.verify()["record"].whole


def test_row_level_security_that_was_switched_off_is_noticed(
    server: Server, database: str, tmp_path: Path
) -> None:
    address = server.address(database)
    Practice.found(
        tmp_path / "practice", "T-1", PHRASES["T-1"], RecoveryCode.fresh(), cost=LEAST, database=address
    ).close()
    assert "row-level security off" in doors(
        server, database, "ALTER TABLE record_1.session DISABLE ROW LEVEL SECURITY"
    )


@pytest.mark.parametrize(
    "opened",
    [
        "CREATE POLICY anybody ON record_1.check_in FOR SELECT TO PUBLIC USING (true)",
        f"CREATE POLICY theirs ON record_1.check_in FOR SELECT TO {USER} USING (true)",
        "GRANT SELECT ON record_1.check_in TO PUBLIC",
        f"GRANT SELECT (answers) ON record_1.check_in TO {USER}",
    ],
)
def test_rows_that_were_given_to_others_are_noticed(
    server: Server, database: str, tmp_path: Path, opened: str
) -> None:
    address = server.address(database)
    Practice.found(
        tmp_path / "practice", "T-1", PHRASES["T-1"], RecoveryCode.fresh(), cost=LEAST, database=address
    ).close()
    reached(address).release()
    assert "none of a clinic's" in doors(server, database, opened)


def test_a_practice_in_a_database_says_so_where_none_is_named(
    server: Server, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Practice.found(
        tmp_path / "practice", "T-1", PHRASES["T-1"], RecoveryCode.fresh(), cost=LEAST,
        database=server.address(database),
    ).close()  # fmt: skip
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(VaultProblem, match=f"set {VARIABLE}"):
        Practice.open(tmp_path / "practice", "T-1", PHRASES["T-1"])


def test_nothing_is_left_in_the_folder_or_the_database_where_founding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AttunementError):
        Practice.found(
            tmp_path / "practice", "T-1", PHRASES["T-1"], RecoveryCode.fresh(), cost=LEAST,
            database="postgresql://clinic@localhost/practice",
        )  # fmt: skip
    assert [path.name for path in (tmp_path / "practice").iterdir() if path.name != ".lock"] == []


@pytest.mark.parametrize(
    "address",
    [
        "",
        "mysql://root@localhost/practice",
        "postgresql://clinic:@localhost/practice",
        "postgresql://postgres:postgres@localhost/practice",
        f"postgresql://{GOOD}@db.example.org/practice",
        f"postgresql://{GOOD}@127.0.0.1:1/practice",
    ],
)
def test_the_command_line_refuses_with_two_and_a_sentence(address: str, tmp_path: Path) -> None:
    made = Practice.found(tmp_path / "practice", "T-1", PHRASES["T-1"], RecoveryCode.fresh(), cost=LEAST)
    made.close()
    environment = {**os.environ, VARIABLE: address, "ATTUNEMENT_PASSPHRASE": PHRASES["T-1"]}
    ended = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM, "move", "--to", "database", "--practice", str(tmp_path / "practice")],
        env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    assert PASSWORD not in ended.stderr
    with Practice.open(tmp_path / "practice", "T-1", PHRASES["T-1"]) as practice:
        assert practice.verify()["record"].whole


@pytest.mark.parametrize("store", ["in_files", "in_database"])
def test_a_character_that_cannot_be_kept_is_named_and_nothing_is_stored(
    request: pytest.FixtureRequest, store: str
) -> None:
    practice: Practice = request.getfixturevalue(store).first
    practice.take_on("K-01")
    before = practice.tip.seq
    attempts: tuple[Callable[[], object], ...] = (
        lambda: practice.choose_step("K-01", "name\0it"),
        lambda: practice.raise_concern("K-01", "qui\0et"),
        lambda: practice.identify("K-01", "Some\0body"),
    )
    for attempt in attempts:
        with pytest.raises(InputError, match=r"cannot be kept \(NUL\); leave it out"):
            attempt()
    assert not practice.steps("K-01")
    with pytest.raises((InputError, Refused), match=r"NUL|no such thing"):
        practice.sessions("K\0-01")
    entries = practice.house.record.entries(after=before)
    assert [each["outcome"] for each in entries if "step" in each["verb"]] == ["not taken", "done"]
    assert practice.verify()["record"].whole
