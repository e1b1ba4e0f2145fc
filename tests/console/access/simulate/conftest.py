"""A management account with a member account below a unit, and people of the member account who ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from iam.mirror.models import Account, AccountFact, EdgeKind, Entity, Kind
from tests import factories as make
from tests.console.access.who_can.conftest import auditor, sign_in

__all__ = ["auditor", "sign_in"]
HUB, MEMBER = "111111111111", "222222222222"
LEDGER = "arn:aws:s3:::pay-ledger/2026.csv"
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def say(effect: str, action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    """A document of one statement."""
    statement = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def trust(principal: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A trust policy of one statement."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


@dataclass
class Organization:
    """The two accounts, entities by name, and the edge by which the unit's own SCP is attached."""

    hub: Account
    member: Account
    of: dict[str, Entity]
    tie: Any


@pytest.fixture
def org(db: None) -> Organization:
    """Below the unit Workloads only S3, KMS, IAM, EC2 and STS are allowed. maya reads the ledger through her
    group with MFA and may start instances by her own policy, which her boundary leaves out; the role
    pay-settle trusts maya.
    """
    hub, member = make.account(HUB, name="hub"), make.account(MEMBER, name="member")
    services = make.document(say("Allow", ["s3:*", "kms:*", "iam:*", "ec2:*", "sts:*"]))
    of, tie = _tree(hub, member, services)
    of["maya"] = make.user(member, "maya.okafor", path="/people/")
    of["readers"] = make.group(member, "readers")
    of["ReadLedger"] = make.policy(
        member, "ReadLedger", body=say("Allow", "s3:GetObject", "arn:aws:s3:::pay-ledger/*", Condition=MFA)
    )
    of["Bound"] = make.policy(
        member, "Bound", body=say("Allow", ["s3:*", "iam:*", "sqs:*", "kms:*", "sts:*"])
    )
    make.edge(EdgeKind.MEMBER, of["maya"], of["readers"])
    make.edge(EdgeKind.ATTACHED, of["readers"], of["ReadLedger"])
    make.edge(EdgeKind.BOUNDARY, of["maya"], of["Bound"])
    make.inline(of["maya"], "own", body=say("Allow", ["ec2:RunInstances", "sqs:SendMessage", "kms:Decrypt"]))
    maya = f"arn:aws:iam::{MEMBER}:user/people/maya.okafor"
    of["pay-settle"] = make.role(member, "pay-settle", path="/app/", trust=trust({"AWS": maya}))
    make.inline(of["pay-settle"], "settle", body=say("Allow", "s3:*"))
    return Organization(hub, member, of, tie)


def _tree(hub: Account, member: Account, allowed: Any) -> tuple[dict[str, Entity], Any]:
    root = make.entity(hub, Kind.ORG_ROOT, "Root", arn="", attrs={"PolicyTypes": ["SERVICE_CONTROL_POLICY"]})
    unit = make.entity(hub, Kind.ORG_UNIT, "Workloads", arn="")
    make.edge(EdgeKind.PARENT, unit, root)
    full = make.entity(hub, Kind.SCP, "FullAWSAccess", arn="", document=make.document(say("Allow", "*")))
    entity = make.entity(hub, Kind.SCP, "SomeServices", arn="", document=allowed)
    make.edge(EdgeKind.TARGET, full, root)
    tie = make.edge(EdgeKind.TARGET, entity, unit)
    for account, parent in ((hub, root), (member, unit)):
        place = make.entity(hub, Kind.ORG_ACCOUNT, account.name, arn="")
        place.aws_id = account.account_id
        place.save()
        make.edge(EdgeKind.PARENT, place, parent)
        make.edge(EdgeKind.TARGET, full, place)
        AccountFact.objects.create(
            account=account,
            name="organization",
            value={"Id": "o-one", "ManagementAccountId": HUB},
            valid_from=make.FIRST_READ,
            observed_at=make.FIRST_READ,
        )
    return {"root": root, "unit": unit}, tie
