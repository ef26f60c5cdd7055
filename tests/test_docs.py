"""Every command, option and column is documented, and nothing that is documented is gone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from attunement.cli import app
from attunement.exchange import KEYS
from attunement.frames import CONTRACTS, Contract
from attunement.instruments import catalogue

ROOT = Path(__file__).parents[1]
COMMAND_LINE = (ROOT / "docs/reference/command-line.md").read_text(encoding="utf-8")
TABLES = (ROOT / "docs/reference/tables.md").read_text(encoding="utf-8")
COMMANDS = sorted(name for name in app if not name.startswith("-"))


def options_of(command: str) -> set[str]:
    inner = [app[command][name] for name in app[command] if not name.startswith("-")]
    return {
        name
        for each in inner or [app[command]]
        for argument in each.assemble_argument_collection()
        for name in argument.names
        if name.startswith("--") and name != "--file"
    }


def section_of(command: str) -> str:
    return re.split(rf"## `attunement {command}(?=[ `])", COMMAND_LINE)[-1].partition("\n## ")[0]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_a_command_is_documented_and_no_other(command: str) -> None:
    documented = set(re.findall(r"`(--[a-z-]+)`", "\n".join(
        line.split("|")[1] for line in section_of(command).splitlines() if line.startswith("| `")
    )))  # fmt: skip
    assert documented == options_of(command)


def test_every_command_is_documented() -> None:
    assert sorted(re.findall(r"^## `attunement ([\w-]+)", COMMAND_LINE, re.MULTILINE)) == COMMANDS


def test_every_key_of_the_mapping_is_documented() -> None:
    for key in (*KEYS, "feeling:NAME"):
        assert re.search(rf"\b{key}\b", section_of("look"))


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=lambda contract: contract.name)
def test_every_column_is_documented_with_its_meaning(contract: Contract) -> None:
    section = TABLES.partition(f"## {contract.name}\n")[2].partition("\n## ")[0]
    documented = re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]*) \| (yes|no) \| (.*) \|$", section, re.MULTILINE)
    assert [row[0] for row in documented] == [column.name for column in contract.columns]
    for row, column in zip(documented, contract.columns, strict=True):
        assert row[1] == column.kind
        assert row[2] == (column.unit or "–")
        assert row[3] == ("yes" if column.required else "no")
        assert row[4].startswith(column.meaning)


def test_every_link_between_documents_leads_somewhere() -> None:
    for document in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_the_readme_names_the_commands_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"make (\w+)", readme):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_instruments_of_our_own_say_that_they_are_not_validated() -> None:
    for instrument in catalogue():
        assert not instrument.validated
        assert instrument.note is not None
        assert "not a validated scale" in instrument.note.en.lower()
