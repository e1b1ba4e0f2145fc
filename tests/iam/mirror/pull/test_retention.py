"""Rows of pulls that tell nothing are forgotten after a while, but none that the past is told from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iam.mirror.models import Account, Pull
from iam.mirror.models.accounts import PULLS_KEPT, PullState
from iam.mirror.pull.progress import PullProgress
from iam.mirror.pull.run import end_pull
from tests import factories

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]


def pulled(account: Account, *, hours_ago: float, state: str = "complete", **fields: Any) -> Pull:
    """A pull of a while ago."""
    at = datetime.now(tz=UTC) - timedelta(hours=hours_ago)
    pull = Pull.objects.create(account=account, state=state, began_at=at, ended_at=at, **fields)
    Pull.objects.filter(pk=pull.pk).update(created_at=at)
    return pull


def after_another_pull(account: Account) -> set[Any]:
    """What is left when one more has ended."""
    pull = Pull.objects.create(account=account, state="running", began_at=datetime.now(tz=UTC))
    end_pull(pull, PullProgress(pull.pk, expected=0), PullState.FAILED, "")
    return set(Pull.objects.exclude(pk=pull.pk).values_list("pk", flat=True))


def test_scheduled_pulls_without_news_are_forgotten_after_two_days() -> None:
    account, kept = factories.account(), PULLS_KEPT.total_seconds() / 3600
    first = pulled(account, hours_ago=kept + 30, added=9)
    pulled(account, hours_ago=kept + 20)
    asked = pulled(account, hours_ago=kept + 10, trigger="demand")
    failed = pulled(account, hours_ago=kept + 5, state="failed")
    young = pulled(account, hours_ago=kept - 5)
    assert after_another_pull(account) == {first.pk, asked.pk, failed.pk, young.pk}


def test_the_pulls_around_one_that_was_not_whole_stay() -> None:
    account, kept = factories.account(), PULLS_KEPT.total_seconds() / 3600
    pulled(account, hours_ago=kept + 60, added=9)
    pulled(account, hours_ago=kept + 50)
    last = pulled(account, hours_ago=kept + 40)
    denied = pulled(account, hours_ago=kept + 30, state="partial")
    allowed = pulled(account, hours_ago=kept + 20)
    forgotten = pulled(account, hours_ago=kept + 10)
    pulled(account, hours_ago=kept - 10)
    left = after_another_pull(account)
    assert {last.pk, denied.pk, allowed.pk} <= left
    assert forgotten.pk not in left
    assert after_another_pull(account) >= {last.pk, denied.pk, allowed.pk}
