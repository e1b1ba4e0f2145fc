"""Managed policies, their versions, attachments, and inline policies, held by each kind of holder."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from iam.changes.operations import (
    ATTACH_POLICY,
    DETACH_POLICY,
    Attachment,
    CreatePolicy,
    DeleteInlinePolicy,
    DeletePolicy,
    Operation,
    PutInlinePolicy,
)
from iam.changes.operations.former_version import DeletePolicyVersion, RestorePolicyVersion
from iam.mirror.models import Entity, Kind, PolicyVersion
from tests.iam.changes.operations.stage import READS, Stage, shown_or_none
from tests.iam.changes.operations.table import Case, nothing


def saying(*actions: str) -> str:
    """A policy of one statement, laid out as people write it."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)


LISTS, WRITES, BY_HAND = saying("s3:ListBucket"), saying("s3:PutObject"), saying("s3:DeleteObject")


def policy_shown(stage: Stage) -> Any:
    """A managed policy whole, but for the numbers of its versions."""
    arn = stage.keep["arn"]
    answer = shown_or_none(stage.iam.get_policy, PolicyArn=arn)
    if answer is None:
        return None
    versions = stage.iam.list_policy_versions(PolicyArn=arn)["Versions"]
    ordered = sorted(versions, key=lambda version: int(version["VersionId"][1:]))
    read = stage.iam.get_policy_version
    policy = answer["Policy"]
    return {
        "path": policy["Path"],
        "description": policy.get("Description"),
        "tags": policy.get("Tags", []),
        "versions": [
            (
                read(PolicyArn=arn, VersionId=version["VersionId"])["PolicyVersion"]["Document"],
                version["IsDefaultVersion"],
            )
            for version in ordered
        ],
    }


def make_new_policy(stage: Stage) -> Operation:
    """A policy with all that one may be made with."""
    name = stage.name("policy")
    stage.keep["arn"] = f"arn:aws:iam::{stage.account.account_id}:policy/teams/{name}"
    return CreatePolicy.of(
        stage.account, name=name, path="/teams/", text=READS, description="Reads", tags={"team": "web"}
    )


def policy_made(stage: Stage, before: Any) -> Any:
    """What was asked for."""
    tags = [{"Key": "team", "Value": "web"}]
    return {"path": "/teams/", "description": "Reads", "tags": tags, "versions": [(READS, True)]}


def make_policy_by_hand(stage: Stage) -> None:
    """Somebody makes a policy of the name."""
    name = stage.keep["arn"].rpartition("/")[2]
    stage.iam.create_policy(PolicyName=name, Path="/teams/", PolicyDocument=BY_HAND)


def make_doomed_policy(stage: Stage) -> Operation:
    """A policy of three versions, the middle one of which holds."""
    tags = [{"Key": "team", "Value": "web"}]
    policy = stage.policy(text=READS, Path="/teams/", Description="Reads", Tags=tags)
    for text, holds in ((LISTS, True), (WRITES, False)):
        stage.iam.create_policy_version(PolicyArn=policy.arn, PolicyDocument=text, SetAsDefault=holds)
    stage.keep["arn"] = policy.arn
    return DeletePolicy.of(stage.read(Kind.POLICY, policy.name, arn=policy.arn))


def give_another_text(stage: Stage) -> None:
    """Somebody gives the policy another version."""
    stage.iam.create_policy_version(PolicyArn=stage.keep["arn"], PolicyDocument=BY_HAND, SetAsDefault=True)


def former(stage: Stage) -> tuple[Entity, PolicyVersion]:
    """A policy of two versions, of which the first does not hold."""
    policy = stage.policy(text=READS)
    stage.iam.create_policy_version(PolicyArn=policy.arn, PolicyDocument=LISTS, SetAsDefault=True)
    stage.keep["arn"] = policy.arn
    policy = stage.read(Kind.POLICY, policy.name, arn=policy.arn)
    return policy, PolicyVersion.objects.get(policy=policy, version_id="v1", valid_to__isnull=True)


def make_former(stage: Stage) -> Operation:
    """Delete the one that does not hold."""
    policy, version = former(stage)
    return DeletePolicyVersion.of(policy, version=version)


def make_lost(stage: Stage) -> Operation:
    """Keep again what was deleted by hand."""
    policy, version = former(stage)
    stage.iam.delete_policy_version(PolicyArn=policy.arn, VersionId="v1")
    return RestorePolicyVersion.of(stage.read(Kind.POLICY, policy.name, arn=policy.arn), version=version)


def hold_the_former(stage: Stage) -> None:
    """Somebody makes the former version the default."""
    stage.iam.set_default_policy_version(PolicyArn=stage.keep["arn"], VersionId="v1")


def fill_up(stage: Stage) -> None:
    """Somebody makes as many versions as AWS keeps."""
    for number in range(4):
        text = saying(f"s3:GetObject{'Acl' * number}")
        stage.iam.create_policy_version(PolicyArn=stage.keep["arn"], PolicyDocument=text)


def only_lists(stage: Stage, before: Any) -> Any:
    """One version is left."""
    return {**before, "versions": [(LISTS, True)]}


def lists_and_reads(stage: Stage, before: Any) -> Any:
    """The former text is the newest version, and does not hold."""
    return {**before, "versions": [(LISTS, True), (READS, False)]}


def holder_on(stage: Stage, kind: str) -> Entity:
    """A user, group or role, remembered."""
    holder: Entity = {"user": stage.user, "group": stage.group, "role": stage.role}[kind]()
    stage.keep.update(kind=kind, who={f"{kind.title()}Name": holder.name}, holder=holder)
    return holder


def call_of(stage: Stage, pattern: str) -> Callable[..., Any]:
    """boto3's method for the kind of holder: "list_attached_{}_policies"."""
    method: Callable[..., Any] = getattr(stage.iam, pattern.format(stage.keep["kind"]))
    return method


def attached_shown(stage: Stage) -> Any:
    """Which managed policies the holder has."""
    answer = call_of(stage, "list_attached_{}_policies")(**stage.keep["who"])
    return sorted(attached_policy["PolicyArn"] for attached_policy in answer["AttachedPolicies"])


def attaching(kind: str, *, is_of_aws: bool = False) -> Callable[[Stage], Operation]:
    """A policy that is not attached yet, to somebody who has another."""

    def make(stage: Stage) -> Operation:
        holder, other = holder_on(stage, kind), stage.policy(text=LISTS)
        call_of(stage, "attach_{}_policy")(**stage.keep["who"], PolicyArn=other.arn)
        holder = stage.read(Kind(kind), holder.name)
        if is_of_aws:
            stage.keep["arn"] = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
            return Attachment.by_arn(ATTACH_POLICY, holder, arn=stage.keep["arn"])
        policy = stage.policy()
        stage.keep["arn"] = policy.arn
        return Attachment.of(ATTACH_POLICY, holder, policy=policy)

    return make


def detaching(kind: str) -> Callable[[Stage], Operation]:
    """One of two policies that somebody has."""

    def make(stage: Stage) -> Operation:
        attach = attaching(kind)(stage)
        call_of(stage, "attach_{}_policy")(**stage.keep["who"], PolicyArn=stage.keep["arn"])
        stage.read(Kind(kind), stage.keep["holder"].name)
        assert attach.spec is ATTACH_POLICY
        return Attachment(attach.account, attach.inputs, DETACH_POLICY)

    return make


def and_it(stage: Stage, before: Any) -> Any:
    """The policy as well."""
    return sorted([*before, stage.keep["arn"]])


def without_it(stage: Stage, before: Any) -> Any:
    """The others."""
    return [arn for arn in before if arn != stage.keep["arn"]]


def make_the_policy_again(stage: Stage) -> None:
    """Somebody deletes the policy and makes another of the name, which nobody has."""
    arn = stage.keep["arn"]
    stage.iam.delete_policy(PolicyArn=arn)
    stage.iam.create_policy(PolicyName=arn.rpartition("/")[2], PolicyDocument=BY_HAND)


def make_the_held_policy_again(stage: Stage) -> None:
    """Somebody deletes the policy and makes another of the name, which the same one has."""
    named = {**stage.keep["who"], "PolicyArn": stage.keep["arn"]}
    call_of(stage, "detach_{}_policy")(**named)
    make_the_policy_again(stage)
    call_of(stage, "attach_{}_policy")(**named)


def inline_shown(stage: Stage) -> Any:
    """The holder's inline policies by name."""
    who, get = stage.keep["who"], call_of(stage, "get_{}_policy")
    names = call_of(stage, "list_{}_policies")(**who)["PolicyNames"]
    return {name: get(**who, PolicyName=name)["PolicyDocument"] for name in sorted(names)}


def inline(kind: str, does: Callable[[Entity], Operation], *, has: str = "") -> Callable[[Stage], Operation]:
    """Somebody with an inline policy "deploy" (unless `has` is empty) and another one."""

    def make(stage: Stage) -> Operation:
        holder = holder_on(stage, kind)
        put = call_of(stage, "put_{}_policy")
        put(**stage.keep["who"], PolicyName="another", PolicyDocument=LISTS)
        if has:
            put(**stage.keep["who"], PolicyName="deploy", PolicyDocument=has)
        return does(stage.read(Kind(kind), holder.name))

    return make


def put_writes(holder: Entity) -> Operation:
    """Write "deploy"."""
    return PutInlinePolicy.of(holder, name="deploy", text=WRITES)


def delete_deploy(holder: Entity) -> Operation:
    """Delete "deploy"."""
    return DeleteInlinePolicy.of(holder, policy_name="deploy")


def says_writes(stage: Stage, before: Any) -> Any:
    """With the text."""
    return {**before, "deploy": WRITES}


def says_nothing(stage: Stage, before: Any) -> Any:
    """Without it."""
    return {"another": before["another"]}


def write_by_hand(stage: Stage) -> None:
    """Somebody writes something else under the name."""
    put = call_of(stage, "put_{}_policy")
    put(**stage.keep["who"], PolicyName="deploy", PolicyDocument=BY_HAND)


CASES = (
    Case("policy.create", make_new_policy, policy_shown, after=policy_made, meddle=make_policy_by_hand),
    Case("policy.delete", make_doomed_policy, policy_shown, after=nothing, meddle=give_another_text, calls=3),
    Case(
        "policy.delete_version",
        make_former,
        policy_shown,
        after=only_lists,
        meddle=hold_the_former,
        undone=lists_and_reads,
    ),
    Case(
        "policy.restore_version",
        make_lost,
        policy_shown,
        after=lists_and_reads,
        meddle=fill_up,
        undone=only_lists,
    ),
    Case("attachment.attach of AWS", attaching("role", is_of_aws=True), attached_shown, after=and_it),
    *(
        Case(
            f"attachment.attach {kind}",
            attaching(kind),
            attached_shown,
            after=and_it,
            meddle=make_the_policy_again,
        )
        for kind in ("user", "group")
    ),
    Case(
        "attachment.detach",
        detaching("group"),
        attached_shown,
        after=without_it,
        meddle=make_the_held_policy_again,
    ),
    Case(
        "inline_policy.put new",
        inline("user", put_writes),
        inline_shown,
        after=says_writes,
        meddle=write_by_hand,
    ),
    Case(
        "inline_policy.put another",
        inline("role", put_writes, has=READS),
        inline_shown,
        after=says_writes,
        meddle=write_by_hand,
    ),
    Case(
        "inline_policy.delete",
        inline("group", delete_deploy, has=READS),
        inline_shown,
        after=says_nothing,
        meddle=write_by_hand,
    ),
)
