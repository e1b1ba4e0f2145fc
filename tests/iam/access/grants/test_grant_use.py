"""Whether a grant was used: the calls that it allows, since it was given."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from iam.access.grants.grant_use import grant_use
from iam.access.grants.models import LedgerEntry
from iam.access.grants.terms import GrantContent, WhatKind
from tests.iam.access.grants.conftest import Office, allowing, statements
from tests.iam.activity.events import happened, identity_of


def test_only_calls_that_it_allows_count_and_only_since_it_was_given(office: Office) -> None:
    user = office.user("kofi")
    text = allowing("s3:GetObject", resource="arn:aws:s3:::pay-ledger/*")
    grant = office.granted(office.terms(statements(text), user, lasts=3600))
    LedgerEntry.objects.filter(part__grant=grant).update(since=timezone.now() - timedelta(days=2))
    unknown = grant_use(grant)
    assert unknown is not None
    assert (unknown.is_known, unknown.unknown) == (False, (office.scene.account.name,))

    now = timezone.now().replace(microsecond=0)
    happened(identity_of(user), at=now - timedelta(days=3))
    happened(identity_of(user), at=now - timedelta(days=1), eventName="PutObject")
    happened(identity_of(user), at=now - timedelta(days=1), errorCode="AccessDenied")
    other = {"bucketName": "other", "key": "x"}
    happened(identity_of(user), at=now - timedelta(days=1), requestParameters=other)
    unused = grant_use(grant)
    assert unused is not None
    assert (unused.is_known, unused.calls, unused.last_at) == (True, 0, None)

    happened(identity_of(user), at=now - timedelta(hours=2), times=3)
    used = grant_use(grant)
    assert used is not None
    assert (used.calls, used.last_at) == (3, now - timedelta(hours=2))


def test_a_membership_is_used_by_what_the_group_allows(office: Office) -> None:
    user = office.user("kofi")
    group = office.group("readers", office.policy("Reads", allowing("s3:Get*")))
    grant = office.granted(office.terms(GrantContent(WhatKind.GROUP, group_arn=group.arn), user, lasts=3600))
    LedgerEntry.objects.filter(part__grant=grant).update(since=timezone.now() - timedelta(days=2))
    happened(identity_of(user), at=timezone.now() - timedelta(days=1), times=2)
    use = grant_use(grant)
    assert use is not None
    assert use.calls == 2
