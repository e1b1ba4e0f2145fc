"""What is answered to a message: what lacks or denies, the smallest grant, and what no grant can lift."""

from __future__ import annotations

from typing import Any

import pytest

from iam.access.denied.answer import DenialAnswer, DenialRemedy, answer, needs_resource, smallest
from iam.access.denied.message import DeniedMessage, PolicyType
from iam.access.principals import find_principal
from iam.directory.models import Role
from iam.guard import Viewer, viewer_for
from iam.mirror.models import EdgeKind, Kind
from tests import factories as make
from tests.console.access.simulate.conftest import LEDGER, MEMBER, Organization, org, say

__all__ = ["org"]
pytestmark = pytest.mark.django_db
QUEUE = f"arn:aws:sqs:eu-west-1:{MEMBER}:jobs"
KEY = f"arn:aws:kms:eu-west-1:{MEMBER}:key/1"
ELSEWHERE = "arn:aws:s3:::other/file"


def administrator() -> Viewer:
    someone = make.person("Ines")
    make.assign(someone, Role.ADMINISTRATOR)
    return viewer_for(someone)


def asked(org: Organization, action: str, resource: str, viewer: Viewer, **more: Any) -> DenialAnswer:
    who = find_principal(org.of["maya"].arn, accounts=None, at=None)
    explained = answer(viewer, DeniedMessage(action, resource=resource, **more), who=who)
    assert explained is not None
    return explained


def said(answer: DenialAnswer) -> str:
    return " / ".join(point.text for point in answer.points)


def test_what_was_never_given_is_proposed_as_one_statement(org: Organization) -> None:
    answer = asked(org, "s3:GetObject", ELSEWHERE, administrator())
    assert answer.outcome is DenialRemedy.HELPS
    assert answer.document == say("Allow", "s3:GetObject", ELSEWHERE)
    assert "Nothing that they hold allows it / Nothing else blocks it" in said(answer)
    assert answer.level == "Read"


def test_a_limit_of_the_organization_is_no_matter_for_a_grant(org: Organization) -> None:
    answer = asked(org, "sqs:SendMessage", QUEUE, administrator())
    assert answer.outcome is DenialRemedy.NO_GRANT
    assert answer.document is None
    assert "(SCP) of the organization doesn’t allow it: that of Workloads" in said(answer)


def test_a_boundary_is_no_matter_for_a_grant(org: Organization) -> None:
    answer = asked(org, "ec2:StopInstances", f"arn:aws:ec2:eu-west-1:{MEMBER}:instance/i-1", administrator())
    assert answer.outcome is DenialRemedy.NO_GRANT
    assert "The permissions boundary doesn’t allow it" in said(answer)


def test_a_deny_is_named_with_its_policy(org: Organization) -> None:
    make.inline(org.of["maya"], "NoLedger", body=say("Deny", "s3:*", "arn:aws:s3:::other/*"))
    answer = asked(org, "s3:GetObject", ELSEWHERE, administrator())
    assert answer.outcome is DenialRemedy.NO_GRANT
    assert "Something that they hold denies it: NoLedger, statement 1" in said(answer)


def test_what_holds_under_a_condition_is_not_asked_for(org: Organization) -> None:
    answer = asked(org, "s3:GetObject", LEDGER, administrator())
    assert answer.outcome is DenialRemedy.DEPENDS
    assert answer.document is None
    assert "Only if MFA is present" in said(answer)


def test_what_is_allowed_is_not_asked_for(org: Organization) -> None:
    make.inline(org.of["maya"], "ledger", body=say("Allow", "s3:GetObject", LEDGER))
    ines = administrator()
    answer = asked(org, "s3:GetObject", LEDGER, ines, policy_type=PolicyType.IDENTITY)
    assert answer.outcome is DenialRemedy.ALREADY
    assert "Sign in again and retry" in answer.points[0].more
    by_endpoint = asked(org, "s3:GetObject", LEDGER, ines, policy_type=PolicyType.ENDPOINT)
    assert "AWS named a VPC endpoint policy" in by_endpoint.points[0].more


def test_a_key_whose_policy_nobody_read_may_stand_in_the_way(org: Organization) -> None:
    answer = asked(org, "kms:Encrypt", KEY, administrator())
    assert answer.outcome is DenialRemedy.HELPS_IF
    assert answer.document == say("Allow", "kms:Encrypt", KEY)
    assert "works if the resource-based policy allows the caller" in said(answer)


def test_a_role_that_does_not_trust_them_is_no_matter_for_a_grant(org: Organization) -> None:
    make.role(org.member, "closed")
    answer = asked(org, "sts:AssumeRole", f"arn:aws:iam::{MEMBER}:role/closed", administrator())
    assert answer.outcome is DenialRemedy.NO_GRANT
    assert "needs a change of its trust policy" in answer.points[0].more


@pytest.mark.parametrize(
    ("kind", "is_explicit", "words"),
    [
        (PolicyType.RESOURCE, True, "AWS says: the resource-based policy denies it"),
        (PolicyType.SESSION, False, "AWS says: the session policy doesn’t allow it"),
        (None, True, "AWS says: something denies it"),
    ],
)
def test_what_aws_says_and_the_mirror_cannot_know_is_believed(
    org: Organization, kind: PolicyType | None, is_explicit: bool, words: str
) -> None:
    answer = asked(org, "s3:GetObject", ELSEWHERE, administrator(), policy_type=kind, is_explicit=is_explicit)
    assert answer.outcome is DenialRemedy.NO_GRANT
    assert words in said(answer)


def test_who_does_not_see_the_account_reads_neither_policies_nor_limits(org: Organization) -> None:
    someone = make.person("Maya", arns=(org.of["maya"].arn,))
    make.assign(someone, Role.MEMBER)
    make.inline(org.of["maya"], "NoLedger", body=say("Deny", "s3:*", "arn:aws:s3:::other/*"))
    for action, resource in (("sqs:SendMessage", QUEUE), ("s3:GetObject", ELSEWHERE)):
        answer = asked(org, action, resource, viewer_for(someone))
        assert answer.outcome is DenialRemedy.NO_GRANT
        assert not any(word in said(answer) for word in ("Workloads", "NoLedger", "SCP", "statement"))
        assert answer.limits == ()


def test_actions_without_resources_are_proposed_on_all(org: Organization) -> None:
    assert smallest("s3:ListAllMyBuckets", "arn:aws:s3:::x") == say("Allow", "s3:ListAllMyBuckets", "*")
    assert not needs_resource(DeniedMessage("s3:ListAllMyBuckets"))
    assert needs_resource(DeniedMessage("s3:GetObject"))


def test_a_resource_never_becomes_a_policy_variable() -> None:
    smallest_policy = smallest("s3:GetObject", "arn:aws:s3:::x/${aws:username}")
    assert smallest_policy["Statement"][0]["Resource"] == "arn:aws:s3:::x/${$}{aws:username}"


def test_somebody_who_is_gone_has_no_answer(org: Organization) -> None:
    who = find_principal(org.of["maya"].arn, accounts=None, at=None)
    make.edge(EdgeKind.MEMBER, make.user(org.member, "other"), org.of["readers"])
    gone = type(who)(who.account, 10**9, who.arn, who.name, who.kind)
    assert answer(administrator(), DeniedMessage("s3:GetObject", resource=LEDGER), who=gone) is None


def test_who_asks_for_oneself_is_spoken_to(org: Organization) -> None:
    who = find_principal(org.of["maya"].arn, accounts=None, at=None)
    strange = "arn:aws:organizations::1:policy/{they}"
    denied = DeniedMessage(
        "s3:GetObject",
        resource=ELSEWHERE,
        policy_type=PolicyType.SCP,
        is_explicit=True,
        policy_arn=strange,
    )
    explained = answer(administrator(), denied, who=who, is_own=True)
    assert explained is not None
    assert "Nothing that you hold allows it" in said(explained)
    assert strange in said(explained)


def test_a_condition_of_the_organization_is_told_to_who_sees_the_account_only(org: Organization) -> None:
    """Their own conditions are told to everybody: they can meet them."""
    region = {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}
    scp = org.of["root"]
    policy = make.entity(
        org.hub, Kind.SCP, "Region", arn="", document=make.document(say("Deny", "*", Condition=region))
    )
    make.edge(EdgeKind.TARGET, policy, scp)
    someone = make.person("Maya", arns=(org.of["maya"].arn,))
    make.assign(someone, Role.MEMBER)
    member = viewer_for(someone)
    answer = asked(org, "s3:GetObject", ELSEWHERE, member)
    assert answer.outcome is DenialRemedy.HELPS_IF
    assert "eu-west-1" not in said(answer)
    assert "within limits that apply to everyone" in said(answer)
    assert "eu-west-1" in said(asked(org, "s3:GetObject", ELSEWHERE, administrator()))
    assert "Only if MFA is present" in said(asked(org, "s3:GetObject", LEDGER, member))
