"""The first call of a user is the first that AWS answered without an error, and no sign-in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iam.activity.first_calls import accounts_with_events, first_calls
from tests import factories
from tests.iam.activity.events import happened, identity_of

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 1, 20, 12, tzinfo=UTC)


def test_failed_calls_and_sign_ins_do_not_count(django_assert_num_queries: Any) -> None:
    account = factories.account()
    maya, tomas = factories.user(account, "maya"), factories.user(account, "tomas")
    sign_in = {"eventSource": "signin.amazonaws.com", "eventName": "ConsoleLogin"}
    happened(identity_of(maya), at=NOON, **sign_in)
    happened(identity_of(maya), at=NOON + timedelta(minutes=1), errorCode="AccessDenied")
    happened(identity_of(maya), at=NOON + timedelta(minutes=4))
    happened(identity_of(maya), at=NOON + timedelta(minutes=9), eventName="PutObject")
    happened(identity_of(tomas), at=NOON, errorCode="AccessDenied")
    with django_assert_num_queries(1):
        calls = first_calls([maya.aws_id, tomas.aws_id])
    assert calls == {maya.aws_id: ("s3:GetObject", NOON + timedelta(minutes=4))}


def test_a_user_who_was_created_again_has_calls_of_its_own() -> None:
    account = factories.account()
    maya = factories.user(account, "maya")
    happened(identity_of(maya, principalId="AIDAFORMERMAYA"), at=NOON)
    assert first_calls([maya.aws_id]) == {}


def test_only_accounts_with_events_are_known() -> None:
    account, other = factories.account(), factories.account("222222222222", name="other")
    happened(identity_of(factories.user(account, "maya")), at=NOON)
    assert accounts_with_events([account.pk, other.pk]) == {account.pk}
