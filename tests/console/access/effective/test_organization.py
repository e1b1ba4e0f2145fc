"""What the organization takes away: counted, named to who sees the account, and told to others without its
policies.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from iam.access.effective import AccessGrade, access_of
from iam.access.explain_one import why_of
from iam.directory.models import Role
from iam.mirror.models import AccountFact
from iam.policy.evaluate import EvaluationDecision
from tests import factories
from tests.console.access.effective.conftest import BUCKET, Place, allow
from tests.console.access.effective.test_pages import body, of
from tests.iam.mirror.snapshot.test_snapshot import organization

pytestmark = pytest.mark.django_db
ASKED = f"why/?action=s3:GetObject&resource={BUCKET}"


def deny(*actions: str, **more: Any) -> dict[str, Any]:
    document = allow(*actions, Sid="KeepOut", **more)
    document["Statement"][0]["Effect"] = "Deny"
    return document


@pytest.fixture
def hub(place: Place) -> Any:
    """The management account of the organization to be."""
    return factories.account("999999999999", name="hub")


def test_what_an_scp_denies_is_not_among_what_somebody_can(place: Place, hub: Any) -> None:
    organization(hub, place.account, scp=deny("s3:*"))
    access = access_of(place.maya.pk, account=place.account.account_id, at=None)
    assert access is not None
    assert [service.prefix for service in access.services] == ["sqs", "iam"]
    assert (access.basis.scps, access.basis.is_exempt, access.basis.is_placed) == (2, False, True)


def test_the_management_account_is_not_bound_and_the_page_says_so(place: Place, auditor: Client) -> None:
    organization(place.account, scp=deny("s3:*"))
    shown = body(auditor, of(place))
    assert "Amazon S3" in shown
    assert "No SCP restricts it." in shown


def test_an_scp_that_denies_is_named_to_who_sees_the_account_only(
    place: Place, hub: Any, auditor: Client, member: Client, lead: Client
) -> None:
    organization(hub, place.account, scp=deny("s3:*"))
    full = body(auditor, of(place, ASKED))
    assert "SCP Own at level 2" in full
    assert "KeepOut" in full
    for client in (member, lead):
        plain = body(client, of(place, ASKED))
        assert "The organization forbids it" in plain
        assert "KeepOut" not in plain
        assert "Own at level" not in plain


def test_what_an_scp_makes_depend_on_circumstances_is_told_without_them(
    place: Place, hub: Any, auditor: Client, member: Client
) -> None:
    region = {"StringNotEquals": {"aws:RequestedRegion": "eu-central-1"}}
    organization(hub, place.account, scp=deny("s3:*", Condition=region))
    access = access_of(place.maya.pk, account=place.account.account_id, at=None)
    assert access is not None
    (action,) = access.actions("s3")
    assert action.grade is AccessGrade.CONDITIONAL
    assert "the Region is not eu-central-1" in body(auditor, of(place, ASKED))
    plain = body(member, of(place, ASKED))
    assert "Whether the organization allows it depends on conditions" in plain
    assert "eu-central-1" not in plain
    assert "The organization allows it" not in plain
    assert "Depends on limits that the organization sets (permissions boundary, SCPs or RCPs)" in body(
        member, of(place, "s3/")
    )


def test_an_organization_that_was_not_read_is_said_aloud(
    place: Place, auditor: Client, member: Client
) -> None:
    AccountFact.objects.create(
        account=place.account,
        name="organization",
        value={"Id": "o-far", "ManagementAccountId": "999999999999"},
        valid_from=factories.FIRST_READ,
        observed_at=factories.FIRST_READ,
    )
    assert "The organization’s policies aren’t synced" in body(auditor, of(place))
    assert "may be incomplete" in body(member, of(place))
    assert "may still deny this" in body(auditor, of(place, ASKED))


def test_a_role_of_another_account_is_judged_by_its_trust_where_that_is_seen_and_else_left_open(
    place: Place,
) -> None:
    other = factories.account("222222222222", name="data")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "LetMayaIn",
                "Effect": "Allow",
                "Principal": {"AWS": place.maya.arn},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    role = factories.role(other, "reader", trust=trust)
    factories.inline(place.maya, "assume", body=allow("sts:AssumeRole", on=role.arn))
    asked = {
        "account": place.account.account_id,
        "at": None,
        "action": "sts:AssumeRole",
        "resource": role.arn,
    }
    whole = why_of(factories.viewer(), place.maya.pk, **asked)
    own = why_of(
        factories.viewer(Role.MEMBER, name="Maya Okafor", arns=(place.maya.arn,)), place.maya.pk, **asked
    )
    assert whole is not None
    assert own is not None
    assert whole.resource == role.arn
    assert whole.why.decision is EvaluationDecision.ALLOWED
    assert any(step.reason.sid == "LetMayaIn" for step in whole.why.steps)
    assert not any(step.reason.sid == "LetMayaIn" for step in own.why.steps)
    assert own.why.decision is EvaluationDecision.CONDITIONAL
    assert any(step.is_unread for step in own.why.steps)
