"""AWS throttles, breaks and drops connections: the mirror is the same as from a clean pull."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_django.fixtures import Settings

from iam.mirror.models import Account, Entity, Pull
from iam.mirror.pull import authorization
from tests import factories
from tests.bench.fakeaws.accounts import account_id
from tests.bench.fakeaws.world import World
from tests.iam.mirror.pull.picture import picture, seen, source

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]


@pytest.mark.parametrize("seed", [1, 2])
def test_with_one_call_in_ten_failing_a_pull_is_complete_and_equal_to_a_clean_one(
    world: World,
    account: Account,
    pull: Callable[..., Pull],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    settings.DETAIL_CALLS = 10_000
    monkeypatch.setattr(authorization, "PAGE_SIZE", 20)
    world.faults.seed = seed
    world.faults.__post_init__()
    world.control("/_config", {"fault_rate": "0.1", "fault_kinds": "throttling,500,reset"})
    done = pull(account)
    assert done.state == "complete"
    assert sum(world.faults.seen.values()) > 10
    assert seen(picture(account)) == source(world, has_details=True)
    world.control("/_config", {"fault_rate": "0"})
    before = (picture(account), Entity.objects.count())
    assert pull(account).state == "complete"
    assert (picture(account), Entity.objects.count()) == before


def test_retries_are_counted_as_waits(world: World, account: Account, pull: Callable[..., Pull]) -> None:
    assert pull(account).waits == 0
    world.control("/_config", {"fault_rate": "0.3", "fault_kinds": "throttling"})
    done = pull(account)
    assert done.waits == sum(world.faults.seen.values()) > 0


def test_a_role_is_assumed_for_a_spoke_account(world: World, pull: Callable[..., Pull], db: None) -> None:
    spoke = factories.account(
        account_id(1), role_arn=f"arn:aws:iam::{account_id(1)}:role/gatehouse-read", external_id="x" * 20
    )
    assert pull(spoke).state == "complete"
    assert world.requests["sts:AssumeRole"] == 1
    assert Entity.objects.filter(account=spoke, kind="user").count() == len(world.account.users)
