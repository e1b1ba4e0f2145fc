"""Each way in which users get what a grant says, from the asking to the end, against the stand-in."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from iam.access.grants import services
from iam.access.grants.models import GrantState, PermissionSort
from iam.access.grants.terms import GrantContent, GrantTerms, WhatKind, WhoKind, WhoTerms
from tests import factories
from tests.iam.access.grants.conftest import READS, Office, allowing, statements

pytestmark = pytest.mark.on_postgresql


def test_what_nothing_gives_yet_gets_a_policy_of_its_own_which_goes_with_it(office: Office) -> None:
    grant = office.granted(office.terms(statements()))
    part = grant.parts.get()
    assert (grant.state, part.way) == (GrantState.ACTIVE, "policy")
    _, attached, _ = office.holds()
    assert len(attached) == 1
    assert {entry.sort for entry in office.entries(grant)} == {PermissionSort.POLICY, PermissionSort.ATTACHED}
    assert all(entry.since and not entry.until for entry in office.entries(grant))
    grant = office.ended(grant)
    assert grant.state == GrantState.ENDED
    assert grant.ended_at is not None
    assert office.holds() == (set(), set(), set())
    assert all(entry.until for entry in office.entries(grant))


def test_a_policy_that_ends_carries_its_end_itself(office: Office) -> None:
    end = datetime.now(tz=UTC).replace(microsecond=0) + timedelta(hours=8)
    grant = office.granted(office.terms(statements(), until=end))
    assert not grant.parts.get().plan["ends_only"]
    (name,) = office.holds()[1]
    arn = next(entry.target for entry in office.entries(grant) if entry.sort == PermissionSort.ATTACHED)
    assert arn.endswith(name)
    version = office.scene.aws.iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]
    document = (
        version["Document"] if isinstance(version["Document"], dict) else json.loads(version["Document"])
    )
    assert document["Statement"][0]["Condition"] == {
        "DateLessThan": {"aws:CurrentTime": end.strftime("%Y-%m-%dT%H:%M:%SZ")}
    }


def test_a_managed_policy_is_attached_and_says_that_only_gatehouse_ends_it(office: Office) -> None:
    policy = office.policy("deploy")
    what = GrantContent(WhatKind.MANAGED, policy_arn=policy.arn)
    grant = office.granted(office.terms(what, lasts=3600))
    part = grant.parts.get()
    assert part.way == "attach"
    assert "only while Gatehouse runs" in part.plan["ends_only"]
    assert office.holds()[1] == {policy.name}
    office.ended(grant)
    assert office.holds()[1] == set()


def test_a_group_that_gives_just_this_is_preferred(office: Office) -> None:
    policy = office.policy("deploy")
    group = office.group("deployers", policy)
    office.group("more-than-deployers", policy, office.policy("other", allowing("ec2:*")))
    grant = office.granted(office.terms(GrantContent(WhatKind.MANAGED, policy_arn=policy.arn)))
    part = grant.parts.get()
    assert part.way == "group"
    assert group.name in part.plan["why"]
    assert office.holds() == ({group.name}, set(), set())
    office.ended(grant)
    assert office.holds() == (set(), set(), set())


def test_a_group_is_found_by_what_it_says_too(office: Office) -> None:
    text = allowing("sqs:SendMessage", resource=f"arn:aws:sqs:eu-west-1:111111111111:{office.suffix}")
    group = office.group("senders", office.policy("send", text))
    laid_out = json.dumps(json.loads(text), indent=4)
    grant = office.ask(office.terms(statements(laid_out)))
    assert grant.parts.get().way == "group"
    assert group.name in grant.title or group.name in grant.parts.get().plan["why"]


def test_an_inline_policy_is_taken_where_ten_policies_leave_no_room(office: Office) -> None:
    for place in range(10):
        policy = office.policy(f"full-{place}", allowing(f"sqs:{'x' * place}Send"))
        office.call("AttachUserPolicy", UserName=office.scene.user.name, PolicyArn=policy.arn)
    office.read(office.scene.user)
    grant = office.granted(office.terms(statements(), lasts=3600))
    part = grant.parts.get()
    assert part.way == "inline"
    assert any("10 of 10 managed policies" in other["why_not"] for other in part.plan["others"])
    assert len(office.holds()[2]) == 1
    office.ended(grant)
    assert office.holds()[2] == set()


def test_a_group_that_was_asked_for_is_joined(office: Office) -> None:
    group = office.scene.group
    grant = office.granted(office.terms(GrantContent(WhatKind.GROUP, group_arn=group.arn), lasts=3600))
    assert office.holds()[0] == {group.name}
    assert "only while Gatehouse runs" in grant.parts.get().plan["ends_only"]


def test_what_runs_out_is_taken_away_by_the_beat(office: Office) -> None:
    grant = office.granted(office.terms(statements(), lasts=3600))
    assert services.end_due_grants() == 0
    assert services.end_due_grants(now=datetime.now(tz=UTC) + timedelta(hours=2)) == 1
    grant = office.work(grant)
    assert grant.state == GrantState.ENDED
    assert office.holds() == (set(), set(), set())
    assert READS not in [version.reason for version in grant.versions.all()]
    assert [version.act for version in grant.versions.order_by("number")] == ["asked", "ran_out"]


def test_a_group_and_a_role_receive_what_they_hold_themselves(office: Office) -> None:
    iam, number = office.scene.aws.iam, office.number
    role = f"app-{office.suffix}"
    office.call("CreateRole", RoleName=role, AssumeRolePolicyDocument=json.dumps(factories.TRUST_EC2))
    office.read(factories.role(office.scene.account, role, arn=f"arn:aws:iam::{number}:role/{role}"))
    receivers = {WhoKind.GROUP: office.scene.group.arn, WhoKind.ROLE: f"arn:aws:iam::{number}:role/{role}"}
    grants = [
        office.granted(
            GrantTerms(
                who=WhoTerms(kind, arns=(arn,)),
                what=statements(),
                accounts=(number,),
                why="The release",
                lasts=3600,
            )
        )
        for kind, arn in receivers.items()
    ]
    assert [grant.parts.get().way for grant in grants] == ["policy", "policy"]

    def held() -> tuple[int, int]:
        of_group = iam.list_attached_group_policies(GroupName=office.scene.group.name)["AttachedPolicies"]
        return len(of_group), len(iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"])

    assert held() == (1, 1)
    for grant in grants:
        assert office.ended(grant).state == GrantState.ENDED
    assert held() == (0, 0)


def test_a_partner_gets_a_policy_of_aws_on_a_role_of_their_own(office: Office) -> None:
    who = WhoTerms(WhoKind.PARTNER, account_id="339011276654", external_id="gh-1", label="Brightwater")
    what = GrantContent(WhatKind.MANAGED, policy_arn="arn:aws:iam::aws:policy/SecurityAudit")
    grant = office.granted(
        GrantTerms(who=who, what=what, accounts=(office.number,), why="An audit", lasts=3600)
    )
    role = next(entry.target for entry in office.entries(grant) if entry.sort == PermissionSort.ROLE)
    attached = office.scene.aws.iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["SecurityAudit"]
    assert any("just before" in note for note in grant.parts.get().plan["notes"])
    assert office.ended(grant).state == GrantState.ENDED
