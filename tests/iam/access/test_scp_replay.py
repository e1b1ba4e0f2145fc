"""Which recorded calls of an account an SCP would deny if it were attached."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from iam.access.scp_replay import ScpError, replay_scp
from iam.mirror import snapshot
from iam.mirror.models import Account
from tests import factories
from tests.iam.activity.events import happened, identity_of
from tests.iam.mirror.snapshot.test_snapshot import organization

pytestmark = pytest.mark.django_db


def policy(effect: str, action: str, **more: Any) -> dict[str, Any]:
    statement = {"Effect": effect, "Action": action, "Resource": "*", **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


DENY_READS = json.dumps(policy("Deny", "s3:GetObject"))


@pytest.fixture
def member() -> Account:
    """An account of an organization in which maya read objects and tomas listed buckets."""
    management = factories.account(name="management")
    factories.user(management, "terraform-org")
    account = factories.account("222222222222", name="member")
    factories.synced(account)
    organization(management, account, scp=policy("Deny", "sqs:*"))
    moment = timezone.now().replace(microsecond=0) - timedelta(days=2)
    for name, event in (("maya", "GetObject"), ("tomas", "ListBuckets")):
        user = factories.user(account, name)
        factories.inline(user, body=policy("Allow", "s3:*"))
        happened(identity_of(user), at=moment, times=3, eventSource="s3.amazonaws.com", eventName=event)
    snapshot.forget()
    return account


def test_the_calls_that_it_denies_are_counted_and_named(member: Account) -> None:
    found = replay_scp(member, DENY_READS)
    assert (found["calls"], found["denied"], found["same"]) == (6, 3, 3)
    assert [line["name"] for line in found["lines"]] == ["maya"]


def test_what_the_events_do_not_tell_is_undecided(member: Account) -> None:
    vpc = {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}
    found = replay_scp(member, json.dumps(policy("Deny", "s3:GetObject", Condition=vpc)))
    assert (found["denied"], found["undecided"]) == (0, 3)


def test_an_allow_list_is_beside_the_policies_that_are_attached(member: Account) -> None:
    found = replay_scp(member, json.dumps(policy("Allow", "ec2:*")))
    assert (found["denied"], found["same"]) == (0, 6)


def test_scps_do_not_apply_to_the_management_account(member: Account) -> None:
    management = Account.objects.get(name="management")
    with pytest.raises(ScpError, match="management account"):
        replay_scp(management, DENY_READS)


@pytest.mark.parametrize("text", ["{", "[]", '{"Version": "2012-10-17", "Statement": []}', "null"])
def test_what_is_no_policy_is_refused_at_its_field(member: Account, text: str) -> None:
    with pytest.raises(ScpError) as refusal:
        replay_scp(member, text)
    assert refusal.value.field == "document"
