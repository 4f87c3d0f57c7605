"""Fixtures of the scenarios: the command on an empty home beside two fault walls."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Mmai
from fakes.fault_wall import FaultWall
from fakes.wall import refused
from scene import Scene


@pytest.fixture
def wall() -> Iterator[FaultWall]:
    """The server that is asked first."""
    with FaultWall() as server:
        yield server


@pytest.fixture
def spare() -> Iterator[FaultWall]:
    """Another host."""
    with FaultWall() as server:
        yield server


@pytest.fixture
def scene(tmp_path: Path, wall: FaultWall, spare: FaultWall) -> Iterator[Scene]:
    """Both, with the invariants looked at after every run and at the end."""
    with refused() as nowhere:
        one = Scene(Mmai(tmp_path, nowhere), wall, spare)
        one.configure()
        yield one
        one.leave()
