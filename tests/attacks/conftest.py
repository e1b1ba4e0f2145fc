"""An organization of which somebody sees one account: everything of the other account is called by a secret
word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from iam.mirror.models import Account, AccountFact, EdgeKind, Entity, Kind
from tests import factories as make
from tests.console.access.who_can.conftest import say, sign_in

__all__ = ["sign_in"]
SEEN, HIDDEN, HUB = "111111111111", "222222222222", "333333333333"
SECRET = "zzsecret"
OTHER = f"arn:aws:iam::{HIDDEN}:role/{SECRET}-role"


def statement(**parts: Any) -> dict[str, Any]:
    """A document of one statement that allows, and whose Sid is secret."""
    return {
        "Version": "2012-10-17",
        "Statement": [{"Sid": f"{SECRET}sid", "Effect": "Allow", "Action": "*", "Resource": "*"} | parts],
    }


def trust(account: str, **more: Any) -> dict[str, Any]:
    """A trust policy that lets an account in."""
    statement = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"} | more
    return {"Version": "2012-10-17", "Statement": [statement]}


@dataclass
class World:
    """The account that is seen, and entities by name."""

    seen: Account
    of: dict[str, Entity]


@pytest.fixture
def world(db: None) -> World:
    """maya may take every role; opener does everything and lets the hidden account in; the secret role lets
    the seen one in.
    """
    seen, hidden = make.account(SEEN, name="open"), make.account(HIDDEN, name=f"{SECRET}-account")
    of = {"maya": make.user(seen, "maya"), "opener": make.role(seen, "opener", trust=trust(HIDDEN))}
    make.inline(of["maya"], "hop", body=say("Allow", ["sts:AssumeRole", "s3:Get*"]))
    make.inline(of["opener"], "all", body=say("Allow", "*"))
    of["user"] = make.user(hidden, f"{SECRET}-user", path=f"/{SECRET}/")
    of["group"], of["policy"] = (
        make.group(hidden, f"{SECRET}-group"),
        make.policy(hidden, f"{SECRET}-policy", body=statement()),
    )
    make.edge(EdgeKind.MEMBER, of["user"], of["group"])
    make.edge(EdgeKind.ATTACHED, of["group"], of["policy"])
    tag = {"StringEquals": {f"aws:PrincipalTag/{SECRET}": SECRET}}
    of["role"] = make.role(hidden, f"{SECRET}-role", trust=trust(SEEN, Sid=f"{SECRET}trust", Condition=tag))
    make.inline(of["role"], f"{SECRET}-inline", body=statement(Action=["sts:AssumeRole", "iam:*"]))
    of["broken"] = make.user(hidden, f"{SECRET}-broken")
    make.inline(of["broken"], f"{SECRET}-odd", body=statement(Condition={f"{SECRET}Operator": {"a:b": "c"}}))
    _organization(seen, hidden)
    return World(seen, of)


def _organization(seen: Account, hidden: Account) -> None:
    """Above the hidden account stand control policies and a unit that the seen one does not have."""
    hub = make.account(HUB, name=f"{SECRET}-hub")
    kinds = ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"]
    root = make.entity(hub, Kind.ORG_ROOT, "Root", arn="", attrs={"PolicyTypes": kinds})
    unit = make.entity(hub, Kind.ORG_UNIT, f"{SECRET}-unit", arn="")
    full = make.entity(hub, Kind.SCP, "FullAWSAccess", arn="", document=make.document(say("Allow", "*")))
    everyone = make.document(say("Allow", "*", Principal="*"))
    rcps = make.entity(hub, Kind.RCP, "RCPFullAWSAccess", arn="", document=everyone)
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    no_queues = make.document(statement(Effect="Deny", Action="sqs:*"))
    encrypted = make.document(
        statement(Effect="Deny", Principal="*", Action="sts:AssumeRole", Condition=plain)
    )
    own = [
        make.entity(hub, Kind.SCP, f"{SECRET}-scp", arn="", document=no_queues),
        make.entity(hub, Kind.RCP, f"{SECRET}-rcp", arn="", document=encrypted),
    ]
    make.edge(EdgeKind.PARENT, unit, root)
    places = [root, unit]
    for account, parent in ((hub, root), (seen, root), (hidden, unit)):
        place = make.entity(hub, Kind.ORG_ACCOUNT, account.name, arn="")
        place.aws_id = account.account_id
        place.save()
        make.edge(EdgeKind.PARENT, place, parent)
        places.append(place)
        AccountFact.objects.create(
            account=account,
            name="organization",
            value={"Id": "o-1", "ManagementAccountId": HUB},
            valid_from=make.FIRST_READ,
            observed_at=make.FIRST_READ,
        )
    for place in places:
        make.edge(EdgeKind.TARGET, full, place)
        make.edge(EdgeKind.TARGET, rcps, place)
    for policy in own:
        make.edge(EdgeKind.TARGET, policy, unit)
