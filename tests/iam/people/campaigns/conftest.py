"""A moment that stands still, and an account that Gatehouse writes to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import time_machine

from iam.mirror.models import Account
from tests import factories

BEGIN = datetime(2026, 11, 2, 9, tzinfo=UTC)
DUE = date(2026, 12, 5)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(BEGIN, tick=False) as traveller:
        yield traveller


@pytest.fixture
def account() -> Account:
    return factories.account(write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer")
