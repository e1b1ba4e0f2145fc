"""What pulls and re-reads write is in the index when it is next asked, and nothing else is read again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from iam.aws.session import Aws
from iam.mirror.models import Account, Entity, Kind, Pull
from iam.mirror.refresh import ObservedMemberships, reread_memberships
from iam.mirror.snapshot import forget, snapshot
from iam.policy.index.index import PolicyIndex
from tests.bench.fakeaws.world import World
from tests.iam.mirror.pull.conftest import redraw
from tests.iam.policy.index.test_changes import shape

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
Reading = Callable[..., Pull]


def as_made_anew(at: datetime | None = None) -> object:
    """The shape of an index that has nothing left from before."""
    forget()
    with snapshot(at) as index:
        return shape(index), standings(index)


def standings(index: PolicyIndex) -> dict[str, Any]:
    return {number: shard.standing for number, shard in index.accounts.items()}


def as_kept(at: datetime | None = None) -> object:
    """The shape of the index as it is kept."""
    with snapshot(at) as index:
        return shape(index), standings(index)


def in_a_while(minutes: int = 5) -> Any:
    return time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=True)


def test_the_index_follows_pulls(world: World, account: Account, pull: Reading) -> None:
    pull(account)
    as_kept()
    with in_a_while():
        world.account.users[0]["groups"] = [world.account.groups[0]["name"]]
        world.account.roles[0]["tags"] = {"team": "red"}
        del world.account.users[3]
        redraw(world)
        pull(account)
        kept = as_kept()
        assert kept == as_made_anew()
    with in_a_while(10):
        world.mutate(40, seed=7)
        del world.account.groups[2]
        redraw(world)
        pull(account, accept_loss=True)
        kept = as_kept()
        assert kept == as_made_anew()


def test_an_unchanged_pull_has_nothing_read_again(world: World, account: Account, pull: Reading) -> None:
    pull(account)
    as_kept()
    with in_a_while():
        pull(account)
        with (
            CaptureQueriesContext(
                connection,
            ) as seen,
            snapshot(),
        ):
            pass
    assert len(seen) <= 3


def test_a_re_read_after_a_change_is_in_the_next_answer(
    world: World, account: Account, pull: Reading
) -> None:
    pull(account)
    user = Entity.objects.filter(kind=Kind.USER).order_by("pk")[0]
    group = Entity.objects.filter(kind=Kind.GROUP).order_by("pk")[0]
    as_kept()
    read = ObservedMemberships(datetime.now(tz=UTC) + timedelta(minutes=1), frozenset({group.aws_id}))
    reread_memberships(account, unused(), user, cause_id=None, read=read)
    with CaptureQueriesContext(connection) as seen, snapshot() as index:
        member = index.member(account.account_id, user.pk)
        assert member is not None
        assert member.grants.groups == (group.pk,)
    assert len(seen) <= 9
    assert as_kept() == as_made_anew()


def unused() -> Aws:
    """What was read already needs no way to AWS."""
    return None  # type: ignore[return-value]


def test_a_past_index_stays_that_of_then(world: World, account: Account, pull: Reading) -> None:
    pull(account)
    then = timezone.now() + timedelta(minutes=1)
    before = as_kept(then)
    with in_a_while(30):
        world.account.users[0]["groups"] = []
        del world.account.roles[1]
        redraw(world)
        pull(account)
        assert as_kept(then) == before
        assert as_made_anew(then) == before
        assert as_kept() != before


def test_an_account_that_is_read_for_the_first_time_comes_in(
    world: World, account: Account, pull: Reading
) -> None:
    with snapshot() as index:
        assert index.accounts == {}
    pull(account)
    assert as_kept() == as_made_anew()
    with snapshot() as index:
        assert list(index.accounts) == [account.account_id]
