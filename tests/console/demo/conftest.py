"""The stand-in for the tests of this folder: started once a module, fresh for each test that changes it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from console.demo.standin.server import Handle
from console.demo.standin.startup import start


@pytest.fixture(scope="module")
def standin() -> Iterator[Handle]:
    """A stand-in that serves Northline, for tests that only read or do not mind each other's writes."""
    handle = start()
    yield handle
    handle.stop()


@pytest.fixture
def fresh(standin: Handle) -> Handle:
    """The same stand-in as it was first seeded, for a test that changes it."""
    standin.world.reset()
    return standin
