"""Fixtures that every test may use: real services, each started once, and skipped aloud where missing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.services import browser as chromium
from tests.services import redis


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A real Redis server of this test process."""
    if reason := redis.why_missing():
        pytest.skip(f"Redis ({reason})")
    with redis.running_server() as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium."""
    if reason := chromium.why_missing():
        pytest.skip(f"a browser ({reason})")
    with chromium.running_browser() as started:
        yield started
