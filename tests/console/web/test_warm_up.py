"""A web process reads the index before anybody asks, and serves although that fails."""

from __future__ import annotations

from typing import NoReturn

import pytest
from django.db import OperationalError

from console.web import warm_up
from iam.mirror.pull import revisions
from iam.mirror.snapshot import forget, read_images, snapshot
from iam.mirror.snapshot.images import draw_images
from tests import factories as make
from tests.patience import PATIENCE_S


@pytest.mark.django_db(transaction=True)
def test_the_index_is_there_when_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    make.user(make.account(), "maya")
    warm_up.read_ahead().join(PATIENCE_S)
    monkeypatch.setattr("iam.mirror.snapshot.moment.SnapshotRows", read_again)
    with snapshot() as index:
        assert [member.name for member in index.members if ":user/" in member.arn] == ["maya"]


@pytest.mark.django_db(transaction=True)
def test_a_process_that_is_forked_has_what_workers_have_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    make.user(make.account(), "maya")
    draw_images()
    forget()
    warm_up.read_images_ahead()
    monkeypatch.setattr("iam.mirror.snapshot.images.unpack", read_again)
    monkeypatch.setattr("iam.mirror.snapshot.moment.SnapshotRows", read_again)
    with snapshot() as index:
        assert [member.name for member in index.members if ":user/" in member.arn] == ["maya"]


@pytest.mark.django_db(transaction=True)
def test_nothing_but_images_is_read_before_the_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, written = make.account(), make.account("222222222222")
    make.user(drawn, "maya")
    draw_images()
    revisions.note_written(drawn.pk, [make.user(drawn, "noor").pk])
    make.user(written, "olga")
    forget()
    with monkeypatch.context() as patch:
        patch.setattr("iam.mirror.snapshot.moment.SnapshotRows", read_again)
        patch.setattr("iam.mirror.snapshot.account_loader.SnapshotRows", read_again)
        assert read_images(60) == 1
    with snapshot() as index:
        users = [member.name for member in index.members if ":user/" in member.arn]
    assert sorted(users) == ["maya", "noor", "olga"]


@pytest.mark.django_db(transaction=True)
def test_accounts_for_which_there_is_no_time_before_the_fork_are_read_after_it() -> None:
    for number in ("111111111111", "222222222222", "333333333333"):
        make.user(make.account(number), "maya")
    draw_images()
    forget()
    assert read_images(-1) == 1
    with snapshot() as index:
        assert len(index.accounts) == 3


def test_a_database_that_is_away_before_the_fork_is_no_reason_not_to_serve(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(_: float) -> NoReturn:
        raise OperationalError("away")

    monkeypatch.setattr(warm_up, "read_images", away)
    warm_up.read_images_ahead()


def read_again(*_: object, **__: object) -> NoReturn:
    raise AssertionError("read again")


def test_a_database_that_is_away_is_no_reason_not_to_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> NoReturn:
        raise OperationalError("away")

    monkeypatch.setattr(warm_up, "snapshot", away)
    thread = warm_up.read_ahead()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
