"""A process that begins reads the images that a worker has drawn, and makes from the tables what has none
that is good.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from iam.mirror.models import Account, AccountImage, Pull
from iam.mirror.pull import revisions
from iam.mirror.snapshot import account_loader, forget, images, moment, snapshot
from iam.mirror.tasks import draw_images
from tests import factories as make
from tests.bench.fakeaws.world import World
from tests.iam.mirror.pull.conftest import redraw
from tests.iam.mirror.snapshot.test_refresh import as_kept, in_a_while
from tests.iam.policy.index.test_image import contents

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
Reading = Callable[..., Pull]
WRITTEN = """
import sys
from iam.policy.index.documents import SharedDocuments
from iam.policy.index.image import unpack
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import AccessQuestion
from iam.policy.index.rows import ALONE
index = PolicyIndex(SharedDocuments())
index.put_image(unpack(sys.stdin.buffer.read()), ALONE)
print(*sorted(index.who_can(AccessQuestion("s3:GetObject", "arn:aws:s3:::ledger/x")).names()))
"""


@pytest.fixture
def production() -> Account:
    """An account."""
    return make.account()


@pytest.fixture(autouse=True)
def _worker_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images._IdleMark, "state", None)


def as_read_anew(monkeypatch: pytest.MonkeyPatch) -> object:
    """Everything in the index of a process that begins and may not make any account from the tables."""

    def never(accounts: object, *_: object) -> object:
        assert not accounts, "made from the tables"
        return iter(())

    with monkeypatch.context() as patched:
        patched.setattr(moment, "load_accounts", never)
        forget()
        with snapshot() as index:
            return contents(index)


def as_made() -> object:
    """Everything in an index that was made from the tables."""
    AccountImage.objects.all().delete()
    forget()
    with snapshot() as index:
        return contents(index)


def test_images_follow_pulls(
    world: World, account: Account, pull: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull(account)
    assert draw_images() == 1
    assert draw_images() == 0
    read = as_read_anew(monkeypatch)
    with in_a_while():
        world.mutate(40, seed=7)
        world.account.users[0]["groups"] = [world.account.groups[0]["name"]]
        del world.account.users[3]
        del world.account.groups[2]
        redraw(world)
        pull(account, accept_loss=True)
        # The image is of before: what was written since is read from the tables.
        later = as_read_anew(monkeypatch)
        assert later != read
        assert as_kept()
        assert draw_images() == 0
    with in_a_while(20):
        assert draw_images() == 1
        assert as_read_anew(monkeypatch) == later
    assert as_made() == later


def test_the_index_of_images_is_read_with_few_queries() -> None:
    for number in range(20):
        other = make.account(f"4{number:011d}", name=f"other-{number}")
        make.inline(make.user(other, "maya"))
    draw_images()
    forget()
    with CaptureQueriesContext(connection) as seen, snapshot() as index:
        assert len(index) == 40
    assert len(seen) <= 6


@pytest.mark.parametrize("damage", ["byte", "other", "short", "empty"])
def test_a_damaged_image_is_left_aside_and_drawn_anew(
    production: Account, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.inline(make.user(production, "maya"))
    expected = as_made()
    draw_images()
    row = AccountImage.objects.get()
    whole = bytes(row.packed)
    row.packed = {
        "byte": whole[:-1] + bytes([whole[-1] ^ 1]),
        "other": b"\x80\x04cos\nsystem\n(S'true'\ntR.",
        "short": whole[:40],
        "empty": b"",
    }[damage]
    row.save()
    forget()
    with snapshot() as index:
        assert contents(index) == expected
    monkeypatch.setattr(images._IdleMark, "state", None)
    assert draw_images() == 1
    assert as_read_anew(monkeypatch) == expected


def test_an_image_of_another_account_or_another_place_is_left_aside(production: Account) -> None:
    make.user(production, "maya")
    other = make.account("222222222222", name="other")
    make.user(other, "tomas")
    expected = as_made()
    draw_images()
    account_image, two = AccountImage.objects.order_by("account__account_id")
    AccountImage.objects.filter(pk=account_image.pk).update(packed=two.packed)
    AccountImage.objects.filter(pk=two.pk).update(mark="0" * 32)
    forget()
    with snapshot() as index:
        assert contents(index) == expected
    assert draw_images() == 1


def test_many_accounts_are_drawn_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(7):
        other = make.account(f"4{number:011d}", name=f"other-{number}")
        for name in ("maya", "tomas")[: 1 + number % 2]:
            make.inline(make.user(other, name))
    make.account("500000000000", name="nothing was read of it")
    expected = as_made()
    for most, at_once in ((1, 2), (3, 10), (100, 3)):
        AccountImage.objects.all().delete()
        monkeypatch.setattr(account_loader, "MAX_PRINCIPALS", most)
        monkeypatch.setattr(images, "BATCH_SIZE", at_once)
        assert draw_images() == 7
        forget()
        with snapshot() as index:
            assert contents(index) == expected


def test_another_release_draws_everything_anew(production: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    make.user(production, "maya")
    draw_images()
    assert draw_images() == 0
    monkeypatch.setattr(images, "_sources", lambda: "another")
    monkeypatch.setattr(images._IdleMark, "state", None)
    assert draw_images() == 1


def test_an_image_that_is_far_behind_is_not_used(
    production: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = [make.user(production, f"user-{n}") for n in range(5)]
    draw_images()
    revisions.note_written(production.pk, [user.pk for user in users])
    monkeypatch.setattr(moment, "MAX_CHANGED_ENTITIES", 3)
    made = []
    real = account_loader.load_accounts
    monkeypatch.setattr(moment, "load_accounts", lambda rest, *more: made.extend(rest) or real(rest, *more))
    forget()
    with snapshot() as index:
        assert len(index) == 6
    assert made == [production.account_id]
    monkeypatch.setattr(images, "MAX_WRITTEN", 3)
    assert draw_images() == 1


def test_an_older_image_never_replaces_a_newer_one(production: Account) -> None:
    make.user(production, "maya")
    draw_images()
    new = AccountImage.objects.get()
    AccountImage.objects.update(revision=7)
    images._keep(
        [AccountImage(account=production, revision=3, mark=new.mark, packed=b"old", drawn_at=new.drawn_at)]
    )
    assert bytes(AccountImage.objects.get().packed) == bytes(new.packed)


def test_a_removed_account_takes_its_image_along_with_it(production: Account) -> None:
    make.user(production, "maya")
    draw_images()
    production.removed_at = timezone.now()
    production.save()
    forget()
    with snapshot() as index:
        assert len(index) == 0


def test_another_process_reads_the_same(production: Account) -> None:
    for name in ("maya", "tomas"):
        make.inline(make.user(production, name))
    draw_images()
    packed = bytes(AccountImage.objects.get().packed)
    done = subprocess.run(
        [sys.executable, "-c", WRITTEN],
        input=packed,
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )
    names = [f"arn:aws:iam::{production.account_id}:user/{name}" for name in ("maya", "tomas")]
    assert done.stdout.decode().split() == names
