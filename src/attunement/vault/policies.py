"""Whose rows are whose, as a database's own rules: what a piece of work may see and change, whatever it asks for.

The practice has its own policy (`attunement.practice.policy`) and its queries name whose rows they want. These rules
stand under both, in the server: a query that forgot to name it gets nothing. Each piece of work takes one role
(`attunement.vault.whom`); the program's user has the rights of none by itself. A role of its own owns the tables; no
piece of work takes it, but the program does, to make and to clean them. So whoever has the user's password can take it
too, and switch these rules off: they are for a query of ours that went wrong, and not for a thief of that password.

A therapist's rows are those of their own dyads; a supervisor's what was shared with them; an admin's the accounts and
the journal; the door's what one token leads to. The keeper sees the record and no reflections. Reflections are their
owner's alone, and are sealed besides: who takes the owner's role finds bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from attunement.vault.tables import KINDS
from attunement.vault.whom import Hand

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa

_T, _S, _A, _D, _K = Hand.THERAPIST, Hand.SUPERVISOR, Hand.ADMIN, Hand.DOOR, Hand.KEEPER
_ACCOUNTS: Final = (_T, _S, _A)
_ME: Final = "current_setting('attunement.account', true)"
_HASH: Final = "decode(current_setting('attunement.token', true), 'hex')"
_ALL, _READ = ("SELECT", "INSERT", "UPDATE", "DELETE"), ("SELECT",)
_EVERYTHING: Final = "true"


@dataclass(frozen=True, slots=True)
class Rule:
    """That a role may do something with some rows of a table.

    Parameters
    ----------
    table, hand
        Which, and who.
    rows
        Which rows, as SQL.
    may
        What: SELECT, INSERT, UPDATE, DELETE.
    changes
        Which columns an UPDATE may set; if left out all, but for what says whose the row is. A rule about the row as
        it becomes cannot see whose it was.
    """

    table: str
    hand: str
    rows: str
    may: tuple[str, ...] = _ALL
    changes: tuple[str, ...] = ()


def held_to(kind: str, schema: str, owner: str, record: str) -> Iterator[str]:
    """Give the statements that hold a new vault's rows to whom they are for.

    Parameters
    ----------
    kind
        Of the vault.
    schema, owner
        Where it is, and whose, of reflections.
    record
        The schema of the record beside it.
    """
    rules = list(_rules(kind, owner, record))
    if kind == "record":
        yield from (each.format(schema=schema) for each in _ASKED)
    for name in KINDS[kind].tables:
        yield f'ALTER TABLE "{name}" ENABLE ROW LEVEL SECURITY'
    yield "ALTER TABLE alembic_version ENABLE ROW LEVEL SECURITY"
    hands = sorted({rule.hand for rule in rules})
    yield f'GRANT USAGE ON SCHEMA "{schema}" TO {", ".join(hands)}, CURRENT_ROLE'
    for rule in rules:
        yield f'GRANT {_granted(rule, kind)} ON "{rule.table}" TO {rule.hand}'
        for number, command in enumerate(rule.may):
            yield _policy(rule, command, f"{rule.hand} {command.lower()} {_number(rules, rule)}{number}")


def _granted(rule: Rule, kind: str) -> str:
    if rule.hand == Hand.KEEPER or "UPDATE" not in rule.may:
        return ", ".join(rule.may)
    changes = rule.changes or [
        column.name for column in KINDS[kind].tables[rule.table].columns if not _says_whose(column)
    ]
    columns = ", ".join(f'"{name}"' for name in changes)
    return ", ".join(f"UPDATE ({columns})" if each == "UPDATE" else each for each in rule.may)


def _says_whose(column: sa.Column[Any]) -> bool:
    return column.primary_key or bool(column.foreign_keys)


def _number(rules: list[Rule], rule: Rule) -> int:
    return rules.index(rule)


def _policy(rule: Rule, command: str, name: str) -> str:
    using = "" if command == "INSERT" else f" USING ({rule.rows})"
    check = f" WITH CHECK ({rule.rows})" if command in {"INSERT", "UPDATE"} else ""
    return f'CREATE POLICY "{name}" ON "{rule.table}" FOR {command} TO {rule.hand}{using}{check}'


def _rules(kind: str, owner: str, record: str) -> Iterator[Rule]:
    names = list(KINDS[kind].tables)
    yield from (Rule(name, Hand.BACKUP, _EVERYTHING, _READ) for name in (*names, "alembic_version"))
    if kind == "reflections":
        mine = f"{_ME} = '{owner.replace(chr(39), chr(39) * 2)}'"
        yield from (Rule(name, _T, mine) for name in names)
        yield Rule("alembic_version", _T, mine, _READ)
        return
    yield from (Rule(name, _K, _EVERYTHING) for name in names)
    yield Rule("alembic_version", _K, _EVERYTHING, _READ)
    yield from (Rule("journal", hand, _EVERYTHING, ("INSERT",)) for hand in (*_ACCOUNTS, _D))
    if kind == "identity":
        client_of_mine = (
            f'EXISTS (SELECT FROM "{record}".dyad WHERE dyad.client = person.id AND therapist = {_ME})'
        )
        yield Rule("person", _T, client_of_mine)
        return
    yield from _OF_RECORD


def _within(table: str, column: str, of: str) -> str:
    """Rows whose `column` is a row of another table that one may see: that table's own rules say which."""
    return f'EXISTS (SELECT FROM {of} AS whole WHERE whole.id = "{table}"."{column}")'


def _of_own_client(column: str) -> str:
    return f"EXISTS (SELECT FROM dyad WHERE dyad.client = {column} AND dyad.therapist = {_ME})"


def _of_own_dyad(table: str, column: str = "dyad") -> str:
    return f"EXISTS (SELECT FROM dyad AS own WHERE own.id = {table}.{column} AND own.therapist = {_ME})"


_SENT_OR_GOT: Final = f"sender = {_ME} OR recipient = {_ME}"
_MINE: Final = f"account = {_ME}"
_LED: Final = "led_to_dyad()"
_COVERING: Final = "covering_mine()"
_OF_RECORD: Final = (
    # a therapist: their own dyads, and what hangs on them
    Rule("dyad", _T, f"therapist = {_ME}", ("SELECT", "UPDATE", "DELETE"), ("ended", "ending")),
    Rule("dyad", _T, f"therapist = {_ME} AND untaken(client)", ("INSERT",)),  # taking over is the keeper's
    Rule("dyad", _T, f"id IN (SELECT {_COVERING})", _READ),
    Rule("client", _T, _of_own_client("client.id"), ("SELECT", "UPDATE", "DELETE")),
    Rule("client", _T, _EVERYTHING, ("INSERT",)),  # the dyad comes after its client
    Rule("consent", _T, _of_own_client("consent.client")),
    *(Rule(name, _T, _of_own_dyad(name)) for name in ("session", "contact", "step", "concern")),
    Rule("concern", _T, f"dyad IN (SELECT {_COVERING})", ("SELECT", "UPDATE")),  # nobody else looks after it
    Rule("own_curve", _T, _of_own_dyad("own_curve", "id")),
    *(
        Rule(name, _T, _within(name, of, of))
        for name, of in (
            ("step_answer", "step"), ("invitation", "session"), ("check_in", "session"), ("rating", "session"),
        )
    ),
    Rule("measure", _T, f"therapist = {_ME}"),
    Rule("share", _T, f"{_SENT_OR_GOT} OR {_of_own_client('share.client')}", ("SELECT", "DELETE")),
    Rule("share", _T, f"sender = {_ME}", ("INSERT",)),
    Rule("erased", _T, _EVERYTHING, _READ),
    Rule("handover", _T, f"recipient = {_ME} OR {_of_own_dyad('handover')}", _READ),
    Rule("handover", _T, _of_own_dyad("handover"), ("DELETE",)),
    Rule("handover", _T, f"made IS NULL AND accepted IS NULL AND {_of_own_dyad('handover')}", ("INSERT",)),
    Rule("signed", _T, f"therapist = {_ME}"),
    # a supervisor: what was shared with them
    Rule("share", _S, _SENT_OR_GOT, _READ),
    *(Rule(name, _S, "false", _READ) for name in ("client", "dyad")),  # a client's code is for the sender alone
    *(Rule("erased", hand, _EVERYTHING, _READ) for hand in (_S, _A)),
    # an admin: accounts, what the practice asks and says, the journal; nothing of any client
    Rule("account", _A, _EVERYTHING, ("INSERT", "UPDATE")),
    Rule("token", _A, _EVERYTHING, ("SELECT", "DELETE")),
    Rule("protocol", _A, _EVERYTHING, ("INSERT", "UPDATE")),
    Rule("journal", _A, _EVERYTHING, _READ),
    Rule("signed", _A, _EVERYTHING, ("SELECT", "UPDATE", "DELETE")),
    *(
        Rule(name, hand, _EVERYTHING, ("INSERT", "UPDATE"))
        for name in ("instrument", "norm")
        for hand in (_T, _A)
    ),
    # every account: its own, and what is everybody's
    *(Rule(name, hand, _MINE) for name in ("factor", "token", "reminded") for hand in _ACCOUNTS),
    *(Rule("account", hand, f"id = {_ME}", ("UPDATE",), ("email",)) for hand in (_T, _S)),
    *(Rule("journal", hand, "verb = 'back up'", _READ) for hand in (_T, _S)),
    *(
        Rule(name, hand, _EVERYTHING, _READ)
        for name in ("account", "instrument", "protocol", "norm")
        for hand in _ACCOUNTS
    ),
    # the door: what one token leads to
    *(Rule(name, _D, _EVERYTHING, _READ) for name in ("account", "instrument", "protocol")),
    Rule("token", _D, f"hash = {_HASH}", _READ),
    Rule("invitation", _D, f"token_hash = {_HASH}", ("SELECT", "UPDATE"), ("used",)),
    Rule("dyad", _D, f"id = {_LED}", _READ),
    Rule("session", _D, f"dyad = {_LED}", _READ),
    Rule("consent", _D, "EXISTS (SELECT FROM dyad WHERE dyad.client = consent.client)", _READ),
    Rule("own_curve", _D, f"id = {_LED}", _READ),
    Rule("step", _D, f"dyad = {_LED}", _READ),
    Rule("step_answer", _D, _within("step_answer", "step", "step"), ("SELECT", "INSERT")),
    Rule("check_in", _D, _within("check_in", "session", "session"), ("SELECT", "INSERT")),
    Rule("concern", _D, f"dyad = {_LED}", ("SELECT", "INSERT")),
)  # fmt: skip
_ASKED: Final = (
    """CREATE FUNCTION led_to_dyad() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = "{schema}", pg_temp
    RETURN (SELECT session.dyad FROM invitation JOIN session ON session.id = invitation.session
            WHERE invitation.token_hash = decode(current_setting('attunement.token', true), 'hex'))""",
    "REVOKE EXECUTE ON FUNCTION led_to_dyad() FROM PUBLIC",
    f"GRANT EXECUTE ON FUNCTION led_to_dyad() TO {Hand.DOOR}",
    """CREATE FUNCTION covering_mine() RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = "{schema}", pg_temp
    BEGIN ATOMIC
        SELECT handover.made FROM handover JOIN dyad ON dyad.id = handover.dyad
        WHERE handover.kind = 'cover' AND handover.made IS NOT NULL
        AND dyad.therapist = current_setting('attunement.account', true);
    END""",
    "REVOKE EXECUTE ON FUNCTION covering_mine() FROM PUBLIC",
    f"GRANT EXECUTE ON FUNCTION covering_mine() TO {Hand.THERAPIST}",
    """CREATE FUNCTION untaken(whose text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = "{schema}", pg_temp
    RETURN NOT EXISTS (SELECT FROM dyad WHERE dyad.client = whose)""",
    "REVOKE EXECUTE ON FUNCTION untaken(text) FROM PUBLIC",
    f"GRANT EXECUTE ON FUNCTION untaken(text) TO {Hand.THERAPIST}",
)
"""The dyad that a token leads to, those in which somebody covers for one, and whether a client is anybody's yet."""
