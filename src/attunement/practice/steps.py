"""Steps: what a therapist tries next with a client, what the client says of it, and what came of it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from attunement.errors import InputError
from attunement.practice.desk import Desk
from attunement.practice.policy import Verb
from attunement.practice.whose import known_as
from attunement.sessions import ABOUT, PLANNED, REPAIRED, Step, StepAnswer
from attunement.vault import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from attunement.vault.rows import Row, Rows

LONGEST_STEP: Final = 500  # characters


class Steps(Desk):
    """Verbs around a step, on one's own dyads alone."""

    def choose_step(self, client: str, what: str, about: str | None = None) -> Step:
        """Choose what to try next with a client; the check-in after the next session asks the client about it.

        Parameters
        ----------
        client
            The code.
        what
            In words.
        about
            What it answers, one of `sessions.ABOUT`; None where that is not said.
        """
        text = _said("A step", what)
        if about is not None and about not in ABOUT:
            raise InputError(f"A step is about one of {', '.join(ABOUT)}, or about nothing named.")

        def work(rows: Rows) -> tuple[str, Step]:
            dyad = self._dyad(rows, client)
            row = rows.add(tables.step, dyad=dyad["id"], chosen=rows.now().at, what=text, about=about)
            return row["id"], as_step(row, client)

        return self._act(Verb.CHOOSE_STEP, work)

    def close_step(self, step: str, outcome: str, repaired: str | None = None) -> Step:
        """Say what came of a step.

        Parameters
        ----------
        step
            Its id.
        outcome
            In words.
        repaired
            Whether something was repaired, one of `sessions.REPAIRED`; None where it was not about that.
        """
        text = _said("What came of a step", outcome)
        if repaired is not None and repaired not in REPAIRED:
            raise InputError(f"Repaired is one of {', '.join(REPAIRED)}, or left out.")

        def work(rows: Rows) -> tuple[str, Step]:
            row, client = self._step(rows, Verb.CLOSE_STEP, step)
            return step, as_step(rows.change(tables.step, row, outcome=text, repaired=repaired), client)

        return self._act(Verb.CLOSE_STEP, work)

    def reopen_step(self, step: str) -> Step:
        """Take back what was said to have come of a step: it is open again."""

        def work(rows: Rows) -> tuple[str, Step]:
            row, client = self._step(rows, Verb.REOPEN_STEP, step)
            return step, as_step(rows.change(tables.step, row, outcome=None, repaired=None), client)

        return self._act(Verb.REOPEN_STEP, work)

    def drop_step(self, step: str) -> None:
        """Take back a step that was chosen by mistake; one that a client has answered to stays.

        Raises
        ------
        InputError
            Where the client has said something of it.
        """

        def work(rows: Rows) -> tuple[str, None]:
            self._step(rows, Verb.DROP_STEP, step)
            if rows.one(sa.select(tables.step_answer.c.id).where(tables.step_answer.c.step == step)):
                raise InputError("The client has said something of this step, so it stays; it can be closed.")
            rows.remove(tables.step, [step])
            return step, None

        self._act(Verb.DROP_STEP, work)

    def steps(self, client: str | None = None) -> tuple[Step, ...]:
        """Return the steps with a client, or with all of one's own, in order, with what the client says of each."""

        def query(rows: Rows) -> tuple[str, tuple[Step, ...]]:
            mine, about = self._own_dyads(rows), ""
            if client is not None:
                dyad = self._dyad(rows, client)
                mine, about = tables.dyad.c.id == dyad["id"], dyad["client"]
            return about, tuple(all_steps(rows, mine))

        return self._see(Verb.SEE_STEPS, query)

    # -- inside

    def _step(self, rows: Rows, verb: Verb, step: str) -> tuple[Row, str]:
        """One's own step, whole, and the client's code."""
        row = self._whole(rows, tables.step, step)
        return row, str(self._dyad_of(rows, verb, row["dyad"])["code"])


def all_steps(rows: Rows, which: sa.ColumnElement[bool]) -> list[Step]:
    """Return the steps of dyads, in the order in which they were chosen, with the clients' answers."""
    session, before = tables.session, sa.alias(tables.session)
    after = (
        sa.select(sa.func.max(before.c.number))
        .where(
            before.c.dyad == tables.step.c.dyad,
            before.c.began <= tables.step.c.chosen,
            before.c.attendance != PLANNED,
        )
        .correlate(tables.step)
        .scalar_subquery()
        .label("after")
    )
    chosen = (
        sa.select(tables.step, known_as, after)
        .join(tables.dyad, tables.dyad.c.id == tables.step.c.dyad)
        .join(tables.client, tables.client.c.id == tables.dyad.c.client)
        .where(which)
        .order_by(tables.step.c.chosen)
    )
    said = (
        sa.select(tables.step_answer, session.c.number)
        .join(tables.check_in, tables.check_in.c.id == tables.step_answer.c.check_in)
        .join(session, session.c.id == tables.check_in.c.session)
        .join(tables.dyad, tables.dyad.c.id == session.c.dyad)
        .where(which)
        .order_by(session.c.number, tables.check_in.c.at)
    )
    answers: dict[str, list[StepAnswer]] = defaultdict(list)
    for row in rows.all(said):
        talked = row["talked"] if row["talked"] in {"yes", "no"} else None
        answers[row["step"]].append(StepAnswer(row["number"], talked, row["helped"]))
    return [as_step(row, row["code"], tuple(answers[row["id"]])) for row in rows.all(chosen)]


def as_step(row: Mapping[str, Any], client: str, answers: tuple[StepAnswer, ...] = ()) -> Step:
    """Read a step from its row, with the session after which it was chosen in ``after``, where that is known."""
    return Step(
        row["id"], client, row["chosen"], row["what"], row["outcome"], row["about"], row["repaired"],
        row.get("after"), answers,
    )  # fmt: skip


def _said(what: str, words: str) -> str:
    text = words.strip()
    if not 1 <= len(text) <= LONGEST_STEP:
        raise InputError(f"{what} is said in 1 to {LONGEST_STEP} characters.")
    return text
