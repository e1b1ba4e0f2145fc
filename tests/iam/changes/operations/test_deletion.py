"""Deleting composes what AWS wants gone first: users, groups, roles, policies, profiles with all that they
have, and the way back.
"""

from __future__ import annotations

import json
import time
from datetime import datetime
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.urls import reverse

from console.demo.organisation import material
from console.demo.standin import totp
from iam.changes import services
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.changes.operations import Operation, principal_mentions
from iam.changes.operations.principals import DeleteGroup, DeleteUser
from iam.changes.services.deletion import deletion_of, lost_for_good, plan_deletion, request_deletion
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.guard import viewer_for
from iam.mirror.models import Edge, Entity, Kind, UserCredentials
from iam.mirror.pull.sections import (
    ACCESS_KEYS,
    LOGIN_PROFILES,
    SERVICE_CREDENTIALS,
    SIGNING_CERTIFICATES,
    SSH_KEYS,
    USER_MFA,
)
from iam.mirror.refresh.credentials import read_credentials, reread_credentials
from tests import factories
from tests.iam.changes.operations.stage import READS, Stage, applied, ran, shown_or_none
from tests.iam.changes.site import signed_in

SECTIONS = (ACCESS_KEYS, USER_MFA, LOGIN_PROFILES, SSH_KEYS, SIGNING_CERTIFICATES, SERVICE_CREDENTIALS)


def whole_user(stage: Stage) -> Entity:
    """A user who has one of everything that a user can have."""
    group, policy = stage.group(), stage.policy()
    user = stage.user(Path="/eng/", PermissionsBoundary=stage.policy().arn, Tags=[{"Key": "a", "Value": "b"}])
    iam, who = stage.iam, {"UserName": user.name}
    iam.add_user_to_group(GroupName=group.name, **who)
    iam.attach_user_policy(PolicyArn=policy.arn, **who)
    iam.put_user_policy(PolicyName="own", PolicyDocument=READS, **who)
    iam.create_login_profile(Password="harbour-lantern-42-Aa!", **who)
    iam.create_access_key(**who)
    iam.create_access_key(**who)
    enable_device(stage, user)
    iam.upload_ssh_public_key(SSHPublicKeyBody=material.ssh_key(user.name), **who)
    dates = {"begins": datetime(2026, 1, 1), "ends": datetime(2036, 1, 1)}
    iam.upload_signing_certificate(CertificateBody=material.certificate(user.name, **dates), **who)
    iam.create_service_specific_credential(ServiceName="codecommit.amazonaws.com", **who)
    user = stage.read(Kind.USER, user.name)
    for section in SECTIONS:
        read = read_credentials(stage.scene.aws, user_name=user.name, section=section)
        reread_credentials(stage.account, user, read, cause_id=None)
    return user


def enable_device(stage: Stage, user: Entity) -> None:
    """A virtual device of the user; its codes follow from the seed that AWS gave."""
    made = stage.iam.create_virtual_mfa_device(VirtualMFADeviceName=user.name)["VirtualMFADevice"]
    stage.keep["serial"], now = made["SerialNumber"], time.time()
    seed = made["Base32StringSeed"].decode()
    stage.iam.enable_mfa_device(
        UserName=user.name,
        SerialNumber=made["SerialNumber"],
        AuthenticationCode1=totp.code(seed, at=now - totp.STEP),
        AuthenticationCode2=totp.code(seed, at=now),
    )


def shown(stage: Stage, name: str) -> Any:
    """The user as boto3 reads it, with what it may do."""
    answer = shown_or_none(stage.iam.get_user, UserName=name)
    if answer is None:
        return None
    user = answer["User"]
    who = {"UserName": name}
    return {
        "path": user["Path"],
        "tags": user.get("Tags", []),
        "boundary": user.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "groups": [group["GroupName"] for group in stage.iam.list_groups_for_user(**who)["Groups"]],
        "attached": [
            attached_policy["PolicyName"]
            for attached_policy in stage.iam.list_attached_user_policies(**who)["AttachedPolicies"]
        ],
        "inline": stage.iam.list_user_policies(**who)["PolicyNames"],
    }


def carried_out(stage: Stage, changes: list[Change]) -> list[Change]:
    """Approved and applied, one after the other."""
    stage.scene.approve(changes[0])
    for change in changes:
        change.refresh_from_db()
        applied(change)
    return changes


def deleted(stage: Stage, entity: Entity) -> list[Change]:
    """Asked for, approved and applied."""
    asked = request_deletion(
        stage.scene.requester, entity=entity, reason="Left", idempotency_key=f"delete-{entity.aws_id}"
    )
    return carried_out(stage, asked)


def slugs(operations: list[Operation]) -> list[str]:
    """What they are."""
    return [operation.slug for operation in operations]


def test_a_user_is_deleted_with_all_that_aws_wants_gone_first_and_what_can_come_back_does(
    stage: Stage,
) -> None:
    user = whole_user(stage)
    before = shown(stage, user.name)
    lost = lost_for_good(deletion_of(user))
    assert [line.partition(" ")[0] for line in lost] == ["Delete"] * 7
    assert not any(line.startswith("Delete user") for line in lost)

    changes = deleted(stage, user)

    assert [change.operation for change in changes] == [
        "group_membership.remove",
        "attachment.detach",
        "inline_policy.delete",
        "login_profile.delete",
        "access_key.delete",
        "access_key.delete",
        "mfa_device.delete",
        "service_credential.delete",
        "signing_certificate.delete",
        "ssh_key.delete",
        "user.delete",
    ]
    assert changes[0].change_set.title == f"Delete user {user.name}"
    assert shown(stage, user.name) is None
    assert stage.keep["serial"] not in {
        virtual_mfa_device["SerialNumber"]
        for virtual_mfa_device in stage.iam.list_virtual_mfa_devices()["VirtualMFADevices"]
    }
    user.refresh_from_db()
    assert user.gone_at is not None
    assert not Entity.objects.filter(owner=user, gone_at__isnull=True).exists()
    assert not Edge.objects.filter(source=user, valid_to__isnull=True).exists()

    reversible = [
        change for change in changes if not services.why_not_undo(change, viewer=stage.scene.requester)
    ]
    assert [change.operation for change in reversible] == ["user.delete"], (
        "the others are about a user who is gone"
    )
    wanted = [
        change for change in changes if change.operation.startswith(("user.", "group_", "attach", "inline"))
    ]
    undoing = services.undo_several(
        wanted, actor=stage.scene.requester, reason="Came back", idempotency_key="back"
    )
    carried_out(stage, undoing)

    assert shown(stage, user.name) == before
    again = Entity.objects.get(account=stage.account, kind=Kind.USER, name=user.name, gone_at__isnull=True)
    assert again.aws_id != user.aws_id
    assert Edge.objects.filter(source=again, valid_to__isnull=True).count() == 3


def test_a_role_is_deleted_with_its_policies_and_out_of_its_profile(stage: Stage) -> None:
    role = stage.role()
    profile = stage.profile(role=role)
    stage.iam.attach_role_policy(RoleName=role.name, PolicyArn=stage.policy().arn)
    stage.iam.put_role_policy(RoleName=role.name, PolicyName="own", PolicyDocument=READS)
    role = stage.read(Kind.ROLE, role.name)

    changes = deleted(stage, role)

    assert [change.operation for change in changes] == [
        "instance_profile.remove_role",
        "attachment.detach",
        "inline_policy.delete",
        "role.delete",
    ]
    assert shown_or_none(stage.iam.get_role, RoleName=role.name) is None
    assert stage.iam.get_instance_profile(InstanceProfileName=profile.name)["InstanceProfile"]["Roles"] == []
    back = services.undo_several(changes, actor=stage.scene.requester, reason="No", idempotency_key="back")
    carried_out(stage, back)
    roles = stage.iam.get_instance_profile(InstanceProfileName=profile.name)["InstanceProfile"]["Roles"]
    assert [change["RoleName"] for change in roles] == [role.name]
    assert stage.iam.list_role_policies(RoleName=role.name)["PolicyNames"] == ["own"]


def test_a_group_is_deleted_when_everybody_has_left_it(stage: Stage) -> None:
    group, users = stage.group(), [stage.user(), stage.user()]
    for user in users:
        stage.iam.add_user_to_group(GroupName=group.name, UserName=user.name)
        stage.read(Kind.USER, user.name)
    stage.iam.put_group_policy(GroupName=group.name, PolicyName="own", PolicyDocument=READS)
    group = stage.read(Kind.GROUP, group.name)

    changes = deleted(stage, group)

    assert [change.operation for change in changes] == [
        "group_membership.remove",
        "group_membership.remove",
        "inline_policy.delete",
        "group.delete",
    ]
    assert shown_or_none(stage.iam.get_group, GroupName=group.name) is None


def test_a_policy_is_deleted_when_nobody_has_it_any_more(stage: Stage) -> None:
    policy, user, group, role = stage.policy(), stage.user(), stage.group(), stage.role()
    stage.iam.create_policy_version(PolicyArn=policy.arn, PolicyDocument=READS.replace("Get", "Put"))
    stage.iam.attach_user_policy(UserName=user.name, PolicyArn=policy.arn)
    stage.iam.attach_group_policy(GroupName=group.name, PolicyArn=policy.arn)
    stage.iam.attach_role_policy(RoleName=role.name, PolicyArn=policy.arn)
    for kind, entity in ((Kind.USER, user), (Kind.GROUP, group), (Kind.ROLE, role)):
        stage.read(kind, entity.name)
    policy = stage.read(Kind.POLICY, policy.name, arn=policy.arn)

    changes = deleted(stage, policy)

    assert [change.operation for change in changes] == ["attachment.detach"] * 3 + ["policy.delete"]
    assert shown_or_none(stage.iam.get_policy, PolicyArn=policy.arn) is None


def test_a_profile_is_deleted_without_its_role(stage: Stage) -> None:
    role = stage.role()
    profile = stage.profile(role=role)

    assert slugs(deletion_of(profile)) == ["instance_profile.remove_role", "instance_profile.delete"]


def test_a_role_of_a_service_is_deleted_as_such(stage: Stage) -> None:
    made = stage.iam.create_service_linked_role(
        AWSServiceName="autoscaling.amazonaws.com", CustomSuffix="gone"
    )
    role = stage.read(Kind.ROLE, made["Role"]["RoleName"])

    assert slugs(deletion_of(role)) == ["service_linked_role.delete"]


def test_deleting_alone_names_what_must_go_first(stage: Stage) -> None:
    group, user = stage.group(), stage.user()
    stage.iam.add_user_to_group(GroupName=group.name, UserName=user.name)
    user = stage.read(Kind.USER, user.name)

    for operation in (DeleteUser.of(user), DeleteGroup.of(group)):
        with pytest.raises(
            RefusedError, match=f"must be removed first. Remove {user.name} from {group.name}"
        ):
            services.plan(operation, viewer=stage.scene.requester)


def test_keys_and_devices_of_which_the_ids_are_not_known_hold_a_deletion_back(stage: Stage) -> None:
    user = stage.user()
    row = UserCredentials.objects.filter(user=user, valid_to__isnull=True)
    row.update(keys=1)
    with pytest.raises(RefusedError, match="reports 1 access keys"):
        deletion_of(user)
    row.update(keys=0, mfa="unknown")
    with pytest.raises(RefusedError, match="reports an MFA device"):
        deletion_of(user)


def test_the_boundary_of_somebody_is_not_deleted(stage: Stage) -> None:
    policy = stage.policy()
    user = stage.user(PermissionsBoundary=policy.arn)

    with pytest.raises(RefusedError, match=f"permissions boundary of {user.name}"):
        deletion_of(policy)


def test_what_has_no_deletion_is_refused(stage: Stage) -> None:
    with pytest.raises(RefusedError, match="are deleted so"):
        deletion_of(factories.entity(stage.account, Kind.INSTANCE, "web"))


def test_the_receipt_says_who_names_a_user_who_is_deleted(stage: Stage) -> None:
    user = stage.user()
    statement = {"Effect": "Allow", "Principal": {"AWS": user.arn}, "Action": "sts:AssumeRole"}
    role = stage.role(
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    about = {"Effect": "Allow", "Action": "iam:GetUser", "Resource": user.arn}
    policy = stage.policy(text=json.dumps({"Version": "2012-10-17", "Statement": [about]}))
    elsewhere = factories.account("222222222222", name="elsewhere")
    factories.role(elsewhere, "deploy", trust={"Version": "2012-10-17", "Statement": [statement]})

    notes = services.plan(DeleteUser.of(user), viewer=stage.scene.requester).receipt.body["effect"]["notes"]

    assert f"Named in the policies {policy.name}." in notes
    assert f"Named in the trust policies of the roles {role.name}." in notes
    assert "Named in the trust policies of 1 role of other accounts." in notes
    assert any("new unique ID" in note for note in notes)


def test_a_deletion_that_aws_refuses_at_the_end_says_what_was_done(stage: Stage) -> None:
    group, user = stage.group(), stage.user()
    stage.iam.add_user_to_group(GroupName=group.name, UserName=user.name)
    user = stage.read(Kind.USER, user.name)
    changes = request_deletion(stage.scene.requester, entity=user, reason="Left", idempotency_key="refused")
    stage.scene.approve(changes[0])
    stage.scene.standin.control("faults", {"deny": {"*": ["iam:DeleteUser"]}})
    for change in changes:
        change.refresh_from_db()
        ran(change)

    assert [change.state for change in changes] == [ChangeState.APPLIED, ChangeState.FAILED]
    assert "Nothing was changed in AWS" in changes[1].error_message


def test_a_team_lead_deletes_nobody_of_other_teams_and_no_role(stage: Stage) -> None:
    group, mine, other, role = stage.group(), stage.user(), stage.user(), stage.role()
    stage.iam.add_user_to_group(GroupName=group.name, UserName=mine.name)
    mine = stage.read(Kind.USER, mine.name)
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value=group.name)
    lead = factories.person("Elif Kaya")
    factories.assign(lead, Role.TEAM_LEAD, team=team)
    viewer = viewer_for(lead)

    assert plan_deletion(viewer, entity=mine)
    for foreign in (other, role):
        with pytest.raises(RefusedError, match="of your own teams"):
            plan_deletion(viewer, entity=foreign)


@pytest.mark.parametrize("beginning", ["Named in the ", "Mentioned by the "])
def test_a_team_lead_reads_that_policies_name_their_person_and_not_which(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, beginning: str
) -> None:
    monkeypatch.setattr(principal_mentions, "_BEGINNING", beginning)
    group, user = stage.group(), stage.user()
    stage.iam.add_user_to_group(GroupName=group.name, UserName=user.name)
    user = stage.read(Kind.USER, user.name)
    statement = {"Effect": "Allow", "Principal": {"AWS": user.arn}, "Action": "sts:AssumeRole"}
    role = stage.role(
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value=group.name)
    lead = signed_in(factories.operator(Role.TEAM_LEAD, name="Elif Kaya", team=team))
    whole = signed_in(factories.operator(Role.AUDITOR, name="Amara Diallo"))
    changes = request_deletion(stage.scene.requester, entity=user, reason="Left", idempotency_key="lead")
    page = reverse("changes:change", args=[changes[-1].pk])

    read_by_lead, read_by_auditor = (client.get(page).content.decode() for client in (lead, whole))

    assert role.name in read_by_auditor
    assert role.name not in read_by_lead
    assert "Policies that you can’t see name it." in read_by_lead


def test_a_receipt_from_before_keeps_names_from_a_limited_reader(stage: Stage) -> None:
    changes = request_deletion(
        stage.scene.requester, entity=stage.user(), reason="Left", idempotency_key="before"
    )
    last = Change.objects.get(pk=changes[-1].pk)
    told_notes = ["Named in the policies Secret.", "It has a new unique ID."]
    del last.receipt["confidential"]
    last.receipt["effect"]["notes"] = told_notes
    last.save(update_fields=["receipt"])

    import_module("iam.changes.migrations.0011_confidential_notes").mark(apps, None)

    last.refresh_from_db()
    assert principal_mentions.notes_for_limited_reader(last.receipt) == [
        told_notes[1],
        "Policies that you can’t see name it.",
    ]
    assert last.receipt["effect"]["notes"] == told_notes
