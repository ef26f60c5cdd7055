"""What a question is given and what it answers: tables, and findings with their pictures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from attunement.wording import not_yet, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from attunement.drawing import Chart
    from attunement.findings import Finding, NotYet
    from attunement.instruments.description import Language
    from attunement.norms import Norms
    from attunement.practice import Rated
    from attunement.practice.own_tables import OwnTables


@dataclass(frozen=True, slots=True)
class Material:
    """What a question may read.

    Parameters
    ----------
    account
        Whose it is.
    tables
        One's own tables; those of the reflections are empty where they are not open here.
    rated
        Everything that was rated, a measure each.
    norms
        Norms of others that are in force here.
    """

    account: str
    tables: OwnTables
    rated: tuple[Rated, ...] = ()
    norms: tuple[Norms, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that is told.

    Parameters
    ----------
    kind
        What it is of, in one word: by it, what there is to read is found.
    found
        What is told.
    chart
        Its picture in the page's colours, where there is one.
    wanted
        Whether it wants to be looked at now: a bond that falls or stalls, a rupture that is open.
    """

    kind: str
    found: Finding | NotYet
    chart: str = field(default="", repr=False)
    wanted: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question found, for all clients and for each."""

    all: tuple[Told, ...] = ()
    of: Mapping[str, tuple[Told, ...]] = field(default_factory=dict)


def latest(answers: list[tuple[Answer, dict[str, int]]]) -> dict[str, tuple[Told, ...]]:
    """By client, what is told on the measure on which the latest session was rated."""
    found: dict[str, tuple[int, tuple[Told, ...]]] = {}
    for answer, last in answers:
        for client, told in answer.of.items():
            if client not in found or last[client] > found[client][0]:
                found[client] = (last[client], told)
    return {client: told for client, (_, told) in found.items()}


def joined(*answers: Answer) -> Answer:
    """Lay answers of several questions side by side."""
    clients = dict.fromkeys(client for answer in answers for client in answer.of)
    return Answer(
        tuple(told for answer in answers for told in answer.all),
        {
            client: tuple(told for answer in answers for told in answer.of.get(client, ()))
            for client in clients
        },
    )


def nothing(kind: str, lacking: str, language: Language) -> Told:
    """Tell that there is nothing yet to tell from, and what would supply it."""
    about = say(f"rooms_about_{kind}", language)
    missing, supply = (say(f"rooms_{part}_{lacking}", language) for part in ("no", "from"))
    return Told(kind, not_yet(about, missing, supply, language))


def answer_lacking(kind: str, lacking: str, language: Language) -> Answer:
    """Answer that there is nothing yet to tell from."""
    return Answer((nothing(kind, lacking, language),))


def drawn(chart: Chart | None) -> str:
    """Draw a chart in the page's colours; nothing, where there is none."""
    return chart.themed() if chart else ""
