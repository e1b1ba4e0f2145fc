"""Which changes are marked as risky, each with one that is much like it and is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from iam.changes.access_effects import CONDITIONAL, GAINED, LOST
from iam.changes.impact import ReceiptImpact, impact_of
from iam.changes.operations import DeleteInlinePolicy, PutInlinePolicy
from iam.changes.operations.boundary import DeleteBoundary, PutBoundary
from iam.changes.operations.principals import ReplaceTrustPolicy
from iam.changes.risks import (
    ADMINISTRATOR,
    BOUNDARY_REMOVED,
    DENY_REMOVED,
    ESCALATION,
    EXFILTRATION,
    IAM_WRITE,
    TRUST_OPENED,
)
from iam.mirror.models import EdgeKind
from tests import factories
from tests.iam.changes.site import Site
from tests.iam.mirror.snapshot.test_snapshot import organization

BUCKET = "arn:aws:s3:::reports"


def document(actions: list[str] | str, resource: str = "*", **more: Any) -> str:
    """A policy of one statement."""
    statement = {"Effect": "Allow", "Action": actions, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


GIVES = [
    (ADMINISTRATOR, document("*"), document("*", f"{BUCKET}/*")),
    (ESCALATION, document("iam:CreateAccessKey"), document("iam:ListAccessKeys")),
    (
        ESCALATION,
        document(["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"]),
        document(["iam:PassRole", "lambda:InvokeFunction"]),
    ),
    (EXFILTRATION, document("s3:GetObject"), document("s3:GetObject", f"{BUCKET}/*")),
    (EXFILTRATION, document("s3:PutBucketPolicy", BUCKET), document("s3:GetBucketPolicy", BUCKET)),
    (EXFILTRATION, document("ec2:ModifySnapshotAttribute"), document("ec2:DescribeSnapshotAttribute")),
    (IAM_WRITE, document("iam:TagRole"), document("iam:ListRoleTags")),
    (IAM_WRITE, document(["iam:ChangePassword", "iam:UpdateUser"]), document("iam:ChangePassword")),
]


@pytest.mark.parametrize(("risk", "risky", "harmless"), GIVES, ids=lambda title: title[:24])
def test_what_is_given_is_marked_by_what_one_could_do_with_it(
    site: Site, risk: str, risky: str, harmless: str
) -> None:
    def impact(text: str) -> ReceiptImpact:
        return impact_of([PutInlinePolicy.of(site.user, name="new", text=text)])

    marked, plain = impact(risky), impact(harmless)
    assert risk in marked.risks
    assert risk in marked.gains[0].risks
    assert risk not in plain.risks
    assert plain.affected == 1


def test_what_is_taken_away_is_marked_where_it_opens_something(site: Site) -> None:
    denies = document("s3:*").replace("Allow", "Deny")
    factories.inline(site.user, "denies", body=json.loads(denies))
    factories.inline(site.user, "allows")
    factories.edge(EdgeKind.BOUNDARY, site.user, factories.policy(site.account, "Bounds"))
    wider = factories.policy(site.account, "Wider", body=json.loads(document("*")))

    def risks(*operations: Any) -> tuple[str, ...]:
        return impact_of(operations).risks

    assert DENY_REMOVED in risks(DeleteInlinePolicy.of(site.user, policy_name="denies"))
    assert DENY_REMOVED not in risks(DeleteInlinePolicy.of(site.user, policy_name="allows"))
    assert BOUNDARY_REMOVED in risks(DeleteBoundary.of(site.user))
    assert BOUNDARY_REMOVED not in risks(PutBoundary.of(site.user, policy=wider))


def test_a_trust_policy_is_marked_where_it_lets_somebody_else_in(site: Site) -> None:
    role = factories.role(site.account, "app")
    ec2 = json.dumps(factories.TRUST_EC2)
    everybody = ec2.replace('{"Service": "ec2.amazonaws.com"}', '{"AWS": "arn:aws:iam::999999999999:root"}')
    named = ec2.replace('"Effect"', '"Sid": "Instances", "Effect"')

    assert TRUST_OPENED in ReplaceTrustPolicy.of(role, document=everybody).risks()
    assert TRUST_OPENED not in ReplaceTrustPolicy.of(role, document=named).risks()


def test_what_holds_only_under_conditions_from_then_on_is_told_apart_from_what_is_lost(site: Site) -> None:
    both = json.loads(document(["s3:GetObject", "s3:PutObject"], f"{BUCKET}/*"))
    factories.inline(site.user, "reads", body=both)
    then = document(
        ["s3:GetObject", "s3:ListBucket"], "*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    )
    reads = document(
        "s3:GetObject", f"{BUCKET}/*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    )

    impact = impact_of([PutInlinePolicy.of(site.user, name="reads", text=reads)])
    assert impact.totals == {CONDITIONAL: 1, LOST: 1}
    assert {(row.service, row.level) for row in impact.gains[0].rows} == {("s3", "Read"), ("s3", "Write")}
    wider = impact_of([PutInlinePolicy.of(site.user, name="more", text=then)])
    assert (wider.totals or {}).get(GAINED) == 1


@pytest.mark.parametrize(
    ("denied", "is_one"),
    [(["iam:CreateUser", "iam:CreateAccessKey"], True), ("s3:*", True), ("iam:*", False)],
)
def test_what_the_organization_leaves_nobody_an_administrator_need_not_have(
    site: Site, denied: Any, is_one: bool
) -> None:
    management = factories.account("999999999999", name="management")
    scp = json.loads(document(denied).replace("Allow", "Deny"))
    organization(management, site.account, scp=scp)

    impact = impact_of([PutInlinePolicy.of(site.user, name="new", text=document("*"))])
    assert (ADMINISTRATOR in impact.risks) == is_one
    almost = document(["iam:Put*", "iam:Attach*", "s3:*"])
    assert ADMINISTRATOR not in impact_of([PutInlinePolicy.of(site.user, name="new", text=almost)]).risks
