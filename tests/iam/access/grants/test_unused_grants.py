"""Which grants nobody used: by recorded calls with their resources; unknown where those can't tell."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from iam.access.grants.grant_use import grant_use
from iam.access.grants.models import Grant, LedgerEntry
from iam.access.grants.terms import GrantContent, WhatKind, WhoKind, WhoTerms
from iam.access.grants.unused_grants import UnusedGrant, unused_grants
from iam.mirror.models import Entity
from tests.iam.access.grants.conftest import Office, allowing, statements
from tests.iam.activity.events import happened, identity_of

DAYS = timedelta(days=1)
LEDGER = "arn:aws:s3:::pay-ledger"


def given(office: Office, *users: Entity, action: str = "s3:GetBucketPolicy", ago: int = 200) -> Grant:
    """A grant of an action on one bucket, given so many days ago."""
    grant = office.granted(office.terms(statements(allowing(action, resource=LEDGER)), *users, lasts=3600))
    LedgerEntry.objects.filter(part__grant=grant).update(since=timezone.now() - ago * DAYS)
    return grant


def found(office: Office, *, is_known: bool = True) -> dict[str, UnusedGrant]:
    """Of the account, by title."""
    since = timezone.now() - 90 * DAYS
    rows = unused_grants(office.scene.account, since=since, is_known=is_known)
    return {row.reference: row for row in rows}


def read_policy(user: Entity, *, bucket: str = "pay-ledger", ago: int = 3, error: str = "") -> None:
    """The user read the policy of a bucket."""
    at: datetime = timezone.now().replace(microsecond=0) - ago * DAYS
    fields = {"eventName": "GetBucketPolicy", "requestParameters": {"bucketName": bucket}}
    happened(identity_of(user), at=at, errorCode=error or None, **fields)


def test_a_grant_is_unused_until_a_call_is_one_that_it_allows(office: Office) -> None:
    user = office.user("kofi")
    grant = given(office, user)
    (row,) = found(office).values()
    assert (row.reference, row.is_unused, row.unrecorded) == (grant.reference, True, ())
    assert row.holders == (user.arn,)
    assert row.title == grant.title

    read_policy(user, ago=120)
    read_policy(user, bucket="other")
    read_policy(user, error="AccessDenied")
    assert found(office)[grant.reference].is_unused is True
    read_policy(user)
    assert found(office) == {}


def test_a_grant_that_is_younger_had_no_time(office: Office) -> None:
    given(office, office.user("kofi"), ago=80)
    assert found(office) == {}


def test_nothing_is_said_where_the_events_are_not_known(office: Office) -> None:
    given(office, office.user("kofi"))
    (row,) = found(office, is_known=False).values()
    assert row.is_unused is None


@pytest.mark.parametrize(
    ("action", "is_unused", "unrecorded"),
    [
        ("s3:GetObject", None, True),
        ("s3:*", True, True),
        ("iam:ListUsers", True, False),
    ],
)
def test_what_no_event_would_tell_of_is_not_taken_for_unused(
    office: Office, action: str, is_unused: bool | None, unrecorded: bool
) -> None:
    given(office, office.user("kofi"), action=action)
    (row,) = found(office).values()
    assert (row.is_unused, bool(row.unrecorded)) == (is_unused, unrecorded)


def test_a_group_is_used_by_its_members(office: Office) -> None:
    user, group = office.user("kofi"), office.group("readers")
    office.call("AddUserToGroup", GroupName=group.name, UserName=user.name)
    office.read(user)
    who = WhoTerms(WhoKind.GROUP, arns=(group.arn,))
    text = allowing("s3:GetBucketPolicy", resource=LEDGER)
    grant = office.granted(office.terms(statements(text), who=who, lasts=3600))
    LedgerEntry.objects.filter(part__grant=grant).update(since=timezone.now() - 200 * DAYS)
    assert found(office)[grant.reference].is_unused is True
    read_policy(user)
    assert found(office) == {}
    use = grant_use(grant)
    assert use is not None
    assert use.calls == 1


def test_a_group_that_the_ledger_names_by_its_arn_only_is_known(office: Office) -> None:
    user = office.user("kofi")
    group = office.group("readers", office.policy("Reads", allowing("s3:GetBucketPolicy")))
    grant = office.granted(office.terms(GrantContent(WhatKind.GROUP, group_arn=group.arn), user, lasts=3600))
    since = timezone.now() - 200 * DAYS
    LedgerEntry.objects.filter(part__grant=grant).update(since=since, target_entity=None)
    assert found(office)[grant.reference].is_unused is True
    read_policy(user)
    assert found(office) == {}
    use = grant_use(grant)
    assert use is not None
    assert use.calls == 1


def test_as_many_queries_for_three_unused_grants_as_for_one(office: Office) -> None:
    counts = []
    for name in ("kofi", "ama", "esi"):
        given(office, office.user(name))
        with CaptureQueriesContext(connection) as queries:
            found(office)
        counts.append(len(queries))
    assert len(found(office)) == 3
    assert counts[0] == counts[2]
