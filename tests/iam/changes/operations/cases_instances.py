"""Instance profiles, their role, and the EC2 instances that have them."""

from __future__ import annotations

from typing import Any

from iam.changes.operations import Operation
from iam.changes.operations.instance_profile import (
    ADD_ROLE,
    REMOVE_ROLE,
    CreateInstanceProfile,
    DeleteInstanceProfile,
    RoleInProfile,
    profile_for,
)
from iam.mirror.models import Entity
from iam.mirror.refresh import reread_instance
from tests.iam.changes.operations.stage import Stage, shown_or_none
from tests.iam.changes.operations.table import Case, nothing

REGION = "eu-west-1"
TAGS = [{"Key": "team", "Value": "web"}]


def make_new(stage: Stage) -> Operation:
    """A profile with all that one may be made with."""
    stage.keep["name"] = stage.name("new")
    return CreateInstanceProfile.of(
        stage.account, name=stage.keep["name"], path="/app/", tags={"team": "web"}
    )


def make_doomed(stage: Stage) -> Operation:
    """A profile that holds no role."""
    profile = stage.profile(Path="/app/", Tags=TAGS)
    stage.keep["name"] = profile.name
    return DeleteInstanceProfile.of(profile)


def make_empty(stage: Stage) -> Operation:
    """A profile that gets a role."""
    role, profile = stage.role(), stage.profile()
    stage.keep.update(name=profile.name, role=role.name)
    return RoleInProfile.of(ADD_ROLE, profile, role=role)


def make_full(stage: Stage) -> Operation:
    """A profile that loses its role."""
    role = stage.role()
    profile = stage.profile(role=role)
    stage.keep.update(name=profile.name, role=role.name)
    return RoleInProfile.of(REMOVE_ROLE, profile, role=role)


def shows(stage: Stage) -> Any:
    """The profile."""
    shown_profile = shown_or_none(stage.iam.get_instance_profile, InstanceProfileName=stage.keep["name"])
    if shown_profile is None:
        return None
    profile = shown_profile["InstanceProfile"]
    roles = [role["RoleName"] for role in profile["Roles"]]
    return {"path": profile["Path"], "tags": profile.get("Tags", []), "roles": roles}


def created(stage: Stage, before: Any) -> Any:
    """What was asked for."""
    return {"path": "/app/", "tags": TAGS, "roles": []}


def make_by_hand(stage: Stage) -> None:
    """Somebody makes a profile of the name, elsewhere."""
    stage.iam.create_instance_profile(InstanceProfileName=stage.keep["name"], Path="/other/")


def tag_by_hand(stage: Stage) -> None:
    """Somebody tags the profile."""
    stage.iam.tag_instance_profile(
        InstanceProfileName=stage.keep["name"], Tags=[{"Key": "by", "Value": "hand"}]
    )


def add_by_hand(stage: Stage) -> None:
    """Somebody puts another role in."""
    stage.iam.add_role_to_instance_profile(InstanceProfileName=stage.keep["name"], RoleName=stage.role().name)


def make_profile_again(stage: Stage) -> None:
    """Somebody deletes the profile and makes another of the name, with the same role."""
    named = {"InstanceProfileName": stage.keep["name"]}
    stage.iam.remove_role_from_instance_profile(**named, RoleName=stage.keep["role"])
    stage.iam.delete_instance_profile(**named)
    stage.iam.create_instance_profile(**named)
    stage.iam.add_role_to_instance_profile(**named, RoleName=stage.keep["role"])


def machine(stage: Stage, *, profile: Entity | None) -> Entity:
    """An instance in AWS and in the mirror, named as instances often are: not by a name of its own."""
    ec2 = stage.scene.aws.ec2(REGION)
    profile_given = {"IamInstanceProfile": {"Name": profile.name}} if profile else {}
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web"}]}]
    made = ec2.run_instances(ImageId="ami-1", MinCount=1, MaxCount=1, TagSpecifications=tags, **profile_given)
    stage.keep["instance"] = made["Instances"][0]["InstanceId"]
    association_before = association(stage)
    reread_instance(
        stage.account,
        stage.scene.aws,
        instance_id=stage.keep["instance"],
        region=REGION,
        association_id=association_before["AssociationId"] if association_before else "",
        cause_id=None,
    )
    return Entity.objects.get(aws_id=stage.keep["instance"])


def association(stage: Stage) -> Any:
    """The association of the instance, if it has one."""
    wanted = [{"Name": "instance-id", "Values": [stage.keep["instance"]]}]
    ec2 = stage.scene.aws.ec2(REGION)
    describe_iam_instance_profile_associations = ec2.describe_iam_instance_profile_associations(
        Filters=wanted
    )
    return next(iter(describe_iam_instance_profile_associations["IamInstanceProfileAssociations"]), None)


def make_bare(stage: Stage) -> Operation:
    """An instance that gets its first profile."""
    wanted = stage.profile()
    stage.keep["wanted"] = wanted.arn
    return profile_for(machine(stage, profile=None), profile=wanted)


def make_changing(stage: Stage) -> Operation:
    """An instance that gets another profile."""
    former, wanted = stage.profile(), stage.profile()
    stage.keep["wanted"] = wanted.arn
    return profile_for(machine(stage, profile=former), profile=wanted)


def make_losing(stage: Stage) -> Operation:
    """An instance that loses its profile."""
    stage.keep["wanted"] = None
    return profile_for(machine(stage, profile=stage.profile()), profile=None)


def has(stage: Stage) -> Any:
    """The ARN of the instance's profile."""
    association_now = association(stage)
    return association_now["IamInstanceProfile"]["Arn"] if association_now else None


def wanted(stage: Stage, before: Any) -> Any:
    """The profile that was asked for."""
    return stage.keep["wanted"]


def associate_by_hand(stage: Stage) -> None:
    """Somebody gives the instance a profile of their own."""
    ec2, association_before = stage.scene.aws.ec2(REGION), association(stage)
    theirs = {"IamInstanceProfile": {"Name": stage.profile().name}}
    if association_before:
        ec2.replace_iam_instance_profile_association(
            AssociationId=association_before["AssociationId"], **theirs
        )
    else:
        ec2.associate_iam_instance_profile(InstanceId=stage.keep["instance"], **theirs)


CASES = (
    Case("instance_profile.create", make_new, shows, after=created, meddle=make_by_hand),
    Case("instance_profile.delete", make_doomed, shows, after=nothing, meddle=tag_by_hand),
    Case(
        "instance_profile.add_role",
        make_empty,
        shows,
        after=lambda stage, was: {**was, "roles": [stage.keep["role"]]},
        meddle=add_by_hand,
    ),
    Case(
        "instance_profile.remove_role",
        make_full,
        shows,
        after=lambda _, was: {**was, "roles": []},
        meddle=make_profile_again,
    ),
    Case("instance.associate_profile", make_bare, has, after=wanted, meddle=associate_by_hand),
    Case("instance.replace_profile", make_changing, has, after=wanted, meddle=associate_by_hand),
    Case("instance.disassociate_profile", make_losing, has, after=wanted, meddle=associate_by_hand),
)
