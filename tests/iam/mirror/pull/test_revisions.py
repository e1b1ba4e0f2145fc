"""Every writing gives its account the next revision, and it to the entities that it concerns."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from iam.mirror.models import Account, EdgeKind, Entity, Pull
from iam.mirror.pull import revisions
from tests import factories as make
from tests.bench.fakeaws.world import World
from tests.iam.mirror.pull.conftest import redraw

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]


def written_since(account: Account, revision: int) -> set[str]:
    return set(Entity.objects.filter(account=account, revision__gt=revision).values_list("name", flat=True))


def current(account: Account) -> int:
    account.refresh_from_db()
    return account.revision


def test_who_pointed_to_what_ends_is_noted_with_it() -> None:
    account = make.account()
    policy, user = make.policy(account, "Gone"), make.user(account, "maya")
    make.user(account, "tomas")
    make.edge(EdgeKind.ATTACHED, user, policy)
    revisions.note_end(account.pk, [policy.pk])
    assert written_since(account, 0) == {"Gone", "maya"}
    assert current(account) == 1


def test_a_first_reading_notes_everything(world: World, account: Account, pull: Callable[..., Pull]) -> None:
    pull(account)
    assert written_since(account, 0) == set(Entity.objects.values_list("name", flat=True))
    assert current(account) > 0


def test_a_reading_notes_only_what_it_writes(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    before = current(account)
    pull(account)
    assert written_since(account, before) == set()
    user = world.account.users[0]
    user["tags"] = {"team": "red"}
    redraw(world)
    pull(account)
    assert written_since(account, before) == {user["name"]}
