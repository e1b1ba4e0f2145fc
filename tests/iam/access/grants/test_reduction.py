"""An approver gives less than was asked for, and never more."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from iam.access.grants import services
from iam.access.grants.models import Grant, GrantState
from iam.access.grants.policy_subset import is_within
from iam.access.grants.terms import GrantContent, WhatKind
from iam.changes.errors import RefusedError
from iam.changes.services import approve
from iam.directory.models import Role
from tests import factories
from tests.iam.access.grants.conftest import Office, allowing, statements

pytestmark = pytest.mark.on_postgresql

WIDE = allowing("s3:GetObject", "s3:PutObject", resource="arn:aws:s3:::ledger/*")
LESS = allowing("s3:GetObject", resource="arn:aws:s3:::ledger/2026/*")


def _one(**statement: Any) -> str:
    body = {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::ledger/*"} | statement
    return json.dumps({"Version": "2012-10-17", "Statement": [body]})


MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
REGIONS = {"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-west-3"]}}
WITHIN: list[tuple[str, str, bool]] = [
    (_one(), _one(), True),
    (_one(Action="s3:GetObject"), _one(), True),
    (_one(Action="s3:GETOBJECT*"), _one(), True),
    (_one(Action="s3:PutObject"), _one(), False),
    (_one(Action="s3:*"), _one(), False),
    (_one(Resource="arn:aws:s3:::ledger/a"), _one(), True),
    (_one(Resource="arn:aws:s3:::Ledger/a"), _one(), False),
    (_one(Resource="*"), _one(), False),
    (_one(Resource="arn:aws:s3:::*"), _one(Resource="arn:aws:s3:::?"), False),
    (_one(Condition=MFA), _one(), True),
    (_one(), _one(Condition=MFA), False),
    (_one(Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}), _one(Condition=REGIONS), True),
    (_one(Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}}), _one(Condition=REGIONS), False),
    (
        _one(Condition={"StringNotEquals": {"aws:RequestedRegion": "a"}}),
        _one(Condition={"StringNotEquals": {"aws:RequestedRegion": ["a", "b"]}}),
        False,
    ),
    (
        _one(),
        json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    json.loads(_one())["Statement"][0],
                    {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"},
                ],
            }
        ),
        False,
    ),
    ("{", _one(), False),
]


@pytest.mark.parametrize(("inner", "outer", "expected"), WITHIN)
def test_only_what_is_surely_less_counts_as_less(inner: str, outer: str, expected: bool) -> None:
    assert is_within([inner], [outer]) is expected


def _asked(office: Office) -> Grant:
    return office.ask(office.terms(statements(WIDE), office.scene.user, office.user("other"), lasts=7200))


def test_the_approver_reduces_and_then_agrees_to_what_is_left(office: Office) -> None:
    grant = _asked(office)
    terms = replace(
        grant.agreed,
        what=statements(LESS),
        lasts=3600,
        who=replace(grant.agreed.who, arns=(office.scene.user.arn,)),
    )
    old = office.changes(grant)[0]
    grant = services.reduce_grant(
        grant, terms=terms, actor=office.scene.approver, reason="Enough for the report"
    )
    old.refresh_from_db()
    assert (old.state, grant.state) == ("cancelled", GrantState.WAITING)
    new = office.changes(grant)[0]
    assert new.requested_by == office.asks.person_id
    with pytest.raises(RefusedError):
        approve(new, actor=office.asks, seen_digest=new.change_set.receipt_digest)
    grant = office.work(office.approve(grant))
    assert grant.state == GrantState.ACTIVE
    assert [grant_version.act for grant_version in grant.versions.order_by("number")] == ["asked", "reduced"]
    arn = next(entry.target for entry in office.entries(grant) if entry.sort == "attached")
    document = office.scene.aws.iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"][
        "Document"
    ]
    assert "2026/*" in json.dumps(document)
    assert "PutObject" not in json.dumps(document)


def test_nobody_gives_more_by_reducing(office: Office) -> None:
    grant = _asked(office)
    asked, third = grant.agreed, office.user("third")
    more = [
        replace(asked, what=statements(allowing("s3:*"))),
        replace(asked, lasts=8000),
        replace(asked, lasts=0),
        replace(asked, who=replace(asked.who, arns=(third.arn,))),
        replace(asked, what=GrantContent(WhatKind.GROUP, group_arn=office.scene.group.arn)),
        asked,
    ]
    for terms in more:
        with pytest.raises(RefusedError):
            services.reduce_grant(grant, terms=terms, actor=office.scene.approver)
    grant.refresh_from_db()
    assert grant.agreed == asked
    assert grant.versions.count() == 1


def test_only_those_reduce_who_decide_and_only_while_it_waits(office: Office) -> None:
    grant = _asked(office)
    less = replace(grant.agreed, lasts=3600)
    auditor = factories.viewer(Role.AUDITOR, name="Amara")
    with pytest.raises(RefusedError):
        services.reduce_grant(grant, terms=less, actor=auditor)
    grant = office.work(office.approve(grant))
    with pytest.raises(RefusedError):
        services.reduce_grant(grant, terms=less, actor=office.scene.approver)
