"""A web process reads the index before anybody asks, and serves although that fails."""

from __future__ import annotations

from typing import NoReturn

import pytest
from django.db import OperationalError

from console.web import ahead
from iam.mirror.snapshot import snapshot
from tests import factories as make


@pytest.mark.django_db(transaction=True)
def test_the_index_is_there_when_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    make.user(make.account(), "maya")
    ahead.read_ahead().join(30)

    def again(*_: object, **__: object) -> NoReturn:
        raise AssertionError("read again")

    monkeypatch.setattr("iam.mirror.snapshot.moment.Rows", again)
    with snapshot() as index:
        assert [member.name for member in index.members if ":user/" in member.arn] == ["maya"]


def test_a_database_that_is_away_is_no_reason_not_to_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> NoReturn:
        raise OperationalError("away")

    monkeypatch.setattr(ahead, "snapshot", away)
    thread = ahead.read_ahead()
    thread.join(30)
    assert not thread.is_alive()
