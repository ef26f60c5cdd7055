"""A small program that promises rows, to be run on the failing disk.

Usage: disk_child.py FOLDER SYNCHRONOUS. It reads counts from standard input, and for each one tries to insert
that many rows, each in its own transaction. It writes a row's key to x.ack once its COMMIT has returned, and
then answers with how many rows failed. It ends without closing, so that a recording stops in mid-life.
"""

import os
import sys
from pathlib import Path

import sqlcipher3

KEY = "00112233445566778899aabbccddeeff" * 2
CHECKPOINT_PAGES = 50  # a checkpoint every few transactions, as that is when most can go wrong


def payload(key: int) -> bytes:
    """Return what row `key` has to hold. Its size varies so that pages fill and split unevenly."""
    return key.to_bytes(4, "big") * (1 + key * 37 % 500)


def connect(database: Path) -> sqlcipher3.Connection:
    """Open a database with a raw key, which spares the slow derivation of a key from a password."""
    connection = sqlcipher3.connect(str(database), isolation_level=None)
    connection.execute(f"PRAGMA key = \"x'{KEY}'\"")
    return connection


def insert(connection: sqlcipher3.Connection, key: int) -> bool:
    """Insert one row and tell whether it was committed."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO entry VALUES (?, ?)", (key, payload(key)))
        connection.execute("COMMIT")
    except sqlcipher3.OperationalError:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        return False
    return True


def main(folder: Path, synchronous: str) -> None:
    """Serve counts from standard input until it ends."""
    connection = connect(folder / "x.db")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    connection.execute("CREATE TABLE entry (key INTEGER PRIMARY KEY, value BLOB NOT NULL)")
    key = 0
    with (folder / "x.ack").open("ab", buffering=0) as acks:
        for line in sys.stdin:
            failed = 0
            for key in range(key + 1, key + 1 + int(line)):  # noqa: B020, it counts on
                if insert(connection, key):
                    acks.write(b"%d\n" % key)
                else:
                    failed += 1
            print(failed, flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
