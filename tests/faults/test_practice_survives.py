"""What was acknowledged is there, whatever happens to the program or the disk.

Each harm has a bug that it must find.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import harm
import pytest
from disk import NoCompiler, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kills, LD_PRELOAD and tmpfs are Linux's")


@pytest.fixture
def compiler(tmp_path: Path) -> None:
    try:
        build(tmp_path / "tried")
    except NoCompiler:
        pytest.skip("gcc is needed to make a disk fail")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)  # noqa: S607


def test_nothing_acknowledged_is_lost_when_the_program_is_killed(tmp_path: Path) -> None:
    losses = harm.killed(tmp_path, 20, seed=1)
    print(losses)
    assert losses.none, losses.broken
    assert losses.promised > 100


def test_a_practice_that_acknowledges_before_commit_is_found_out(tmp_path: Path) -> None:
    losses = harm.killed(tmp_path, 6, seed=2, plant="ack-first")
    print(losses)
    assert losses.lost > 0


@pytest.mark.usefixtures("compiler")
def test_nothing_acknowledged_is_lost_in_a_power_cut(tmp_path: Path) -> None:
    losses = harm.cut(tmp_path, 120, seed=3)
    print(losses)
    assert losses.none, losses.broken
    assert losses.promised > 1000


@pytest.mark.usefixtures("compiler")
def test_a_practice_that_does_not_sync_each_commit_is_found_out(tmp_path: Path) -> None:
    losses = harm.cut(tmp_path, 40, seed=4, plant="normal")
    print(losses, f"after {losses.harmful} cuts")
    assert losses.harmful > losses.done / 2


@pytest.mark.usefixtures("compiler")
def test_a_failing_disk_loses_nothing_and_the_program_goes_on_by_itself(tmp_path: Path) -> None:
    suffered = harm.faulty(tmp_path, seed=5)
    print(suffered)
    assert suffered.losses.none, suffered.losses.broken
    assert suffered.ended.pop("stored") >= 1_575
    assert sum(suffered.ended.values()) > 50
    assert set(suffered.ended) <= {"NotStored", "Damaged", "InUse", "Gone"}
    assert suffered.slowest < 16


def test_a_full_disk_loses_nothing_and_the_program_goes_on_by_itself(tmp_path: Path, small: Path) -> None:
    suffered = harm.filled(tmp_path, small)
    print(suffered)
    assert suffered.losses.none, suffered.losses.broken
    assert suffered.ended.pop("stored") >= 630
    assert set(suffered.ended) == {"NotStored"}
    assert suffered.slowest < 16
