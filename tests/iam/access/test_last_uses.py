"""When a policy was last used by each of those who have it: the last call of one of its actions."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from iam.access.last_uses import HeldUse
from iam.access.policy_use import policy_uses
from iam.mirror.models import Account, EdgeKind, Entity
from tests import factories
from tests.iam.activity.events import happened, identity_of, session_of

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)
LATELY = NOW - timedelta(days=3)
NONE, UNKNOWN = HeldUse(None, is_known=True), HeldUse(None, is_known=False)


def allowing(action: str) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


KEYS = allowing("kms:List*")


@pytest.fixture
def account() -> Account:
    return factories.account()


def covered(account: Account) -> None:
    """Events of another user are known for a hundred days."""
    other = factories.user(account, "other")
    for days in (100, 0):
        happened(identity_of(other), at=NOW - timedelta(days=days), eventName="GetObject")


def called(identity: dict[str, object], name: str = "ListKeys", **more: object) -> None:
    happened(identity, at=LATELY, eventSource="kms.amazonaws.com", eventName=name, **more)


def uses(*holders: Entity, text: str = KEYS) -> list[HeldUse]:
    by_number = policy_uses(text, [holder.pk for holder in holders], now=NOW)
    return [by_number[holder.pk] for holder in holders]


def test_users_roles_and_members_of_groups_use_what_they_hold(account: Account) -> None:
    maya, app = factories.user(account, "maya"), factories.role(account, "app")
    tomas, group = factories.user(account, "tomas"), factories.group(account, "keys")
    factories.edge(EdgeKind.MEMBER, tomas, group)
    covered(account)
    assert uses(maya, app, group) == [NONE] * 3
    for identity in (identity_of(maya), session_of(app), identity_of(tomas)):
        called(identity)
    assert uses(maya, app, group) == [HeldUse(LATELY, is_known=True)] * 3


def test_other_actions_and_denied_calls_are_no_use(account: Account) -> None:
    maya = factories.user(account, "maya")
    covered(account)
    called(identity_of(maya), "DescribeKey")
    called(identity_of(maya), errorCode="AccessDenied")
    assert uses(maya) == [NONE]
    assert uses(maya, text=allowing("kms:Describe*")) == [HeldUse(LATELY, is_known=True)]


def test_no_use_is_unknown_where_events_may_be_missing(account: Account) -> None:
    maya = factories.user(account, "maya")
    assert uses(maya) == [UNKNOWN]
    happened(identity_of(maya), at=LATELY)
    assert uses(maya) == [UNKNOWN]
    called(identity_of(maya))
    assert uses(maya) == [HeldUse(LATELY, is_known=True)]


def test_no_use_is_unknown_where_no_event_would_tell(account: Account) -> None:
    maya = factories.user(account, "maya")
    covered(account)
    assert uses(maya, text=allowing("iam:PassRole")) == [UNKNOWN]
    assert uses(maya, text=allowing("iam:*")) == [NONE]


def test_many_holders_cost_as_many_queries_as_one(account: Account) -> None:
    users = [factories.user(account, f"user-{number}") for number in range(20)]
    covered(account)
    for user in users:
        called(identity_of(user))
    counts = []
    for some in (users[:1], users):
        with CaptureQueriesContext(connection) as queries:
            uses(*some)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 7
