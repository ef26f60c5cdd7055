"""The rooms and the drop box: a link is made for it, is open at once, and what comes by it is fetched by itself."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING

import pytest
from cast import BEGAN
from roadside import HERE, Roadside, beside

from attunement.errors import VaultProblem
from attunement.sessions import Purpose
from attunement.web.pulling import Pulling

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from guest import Building


@pytest.fixture
def roadside(house: Building, tmp_path: Path) -> Iterator[Roadside]:
    found = beside(house.cast, tmp_path / "box")
    house.rooms.pulling = Pulling(lambda: (house.cast.admin, house.cast.first), lambda _: found)
    house.cast.first.take_on("K-01", agreed=tuple(Purpose))
    house.cast.first.log_session("K-01", BEGAN + timedelta(minutes=1))
    yield found
    found.box.close()


def linked(house: Building) -> tuple[str, str]:
    """The link that the page shows, and the page."""
    page = house.guest("T-1").post(
        "/clients/K-01/invite", session="1", instrument="connection", how="link", hours="72"
    )
    assert page.status_code == 200, page.text
    found = re.search(r'id="address" readonly value="([^"]+)"', page.text)
    assert found
    return unescape(found[1]), page.text


def test_a_link_leads_to_the_box_and_is_open_at_once(house: Building, roadside: Roadside) -> None:
    address, page = linked(house)
    assert address.startswith(f"{HERE}/c/")
    assert "did not answer" not in page
    assert roadside.send(address.rpartition("/")[2]).status_code == 303
    house.rooms.pulling.look()
    assert len(house.cast.first.check_ins("K-01")) == 1


def test_where_the_box_does_not_answer_the_page_says_so_and_the_next_look_opens_the_link(
    house: Building, roadside: Roadside
) -> None:
    roadside.breaks = ("open", "before")
    address, page = linked(house)
    assert "did not answer" in page
    token = address.rpartition("/")[2]
    assert roadside.send(token).status_code == 404
    house.rooms.pulling.look()
    roadside.breaks = None
    house.rooms.pulling.look()
    assert roadside.send(token).status_code == 303


def test_without_a_box_nothing_is_asked_of_anybody(house: Building) -> None:
    def line(_: str) -> Roadside:
        raise VaultProblem("Nobody was to be asked.")

    Pulling(lambda: (house.cast.first,), line).look()
    house.cast.first.take_on("K-01", agreed=tuple(Purpose))
    house.cast.first.log_session("K-01", BEGAN + timedelta(minutes=1))
    address, _ = linked(house)
    assert address.startswith("http://127.0.0.1:8437/c/")
