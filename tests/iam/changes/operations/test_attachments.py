"""What is refused, warned of and told of attachments and inline policies before anything is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from iam.changes.errors import RefusedError
from iam.changes.impact import impact_of
from iam.changes.operations import (
    ATTACH_POLICY,
    DETACH_POLICY,
    Attachment,
    CreatePolicy,
    DeleteInlinePolicy,
    Operation,
    PutInlinePolicy,
)
from iam.changes.operations.managed_policy import DeletePolicy
from iam.changes.operations.principals import CreateUser
from iam.changes.receipts import receipt_of
from iam.changes.services.plans import examine
from iam.mirror.models import Account, EdgeKind, Entity, InlinePolicy, TagSet
from tests import factories
from tests.iam.changes.operations.stage import Stage, ran
from tests.iam.changes.policies import READS, allowing

ANYTHING, IAM_WRITES = allowing("*"), allowing("iam:CreateUser")
DENIES = allowing("s3:DeleteObject", effect="Deny")


@pytest.fixture
def account(db: None) -> Account:
    """An account that nothing reaches: planning does not call AWS."""
    return factories.account(write_role_arn="arn:aws:iam::111111111111:role/writer")


@pytest.fixture
def user(account: Account) -> Entity:
    """A user who holds nothing."""
    return factories.user(account, "kwame.boateng")


def why_not(operation: Operation, *, earlier: Sequence[Operation] = ()) -> str:
    """The words by which it is refused."""
    with pytest.raises(RefusedError) as refused:
        examine(operation, earlier=earlier)
    return refused.value.message


def test_an_attachment_and_an_inline_policy_take_five_calls_at_most(stage: Stage) -> None:
    user, policy = stage.user(), stage.policy()
    for operation in (
        Attachment.of(ATTACH_POLICY, user, policy=policy),
        PutInlinePolicy.of(user, name="a", text=READS),
    ):
        (change,) = stage.carry_out(operation)
        assert sum(stage.scene.standin.control("stats")["by_action"].values()) <= 5
        assert change.state == "applied"


def test_what_a_set_makes_can_be_given_in_it_and_taken_away_again(stage: Stage) -> None:
    name, policy = stage.name("new"), CreatePolicy.of(stage.account, name=stage.name("granted"), text=READS)
    user = CreateUser.of(stage.account, name=name)
    holder = {
        "holder_kind": "user",
        "holder_name": name,
        "holder_id": "",
        "holder_arn": user.created_arns()[0],
    }
    attach = Attachment.given_as(ATTACH_POLICY, stage.account, policy_arn=policy.created_arns()[0], **holder)
    put = PutInlinePolicy.given_as(stage.account, name="also", text=READS, **holder)

    *_, attached, written = stage.carry_out(policy, user, attach, put)

    def held() -> tuple[list[str], list[str]]:
        attachments = stage.iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]
        inline = stage.iam.list_user_policies(UserName=name)["PolicyNames"]
        return [attachment["PolicyArn"] for attachment in attachments], inline

    assert held() == ([*policy.created_arns()], ["also"])
    stage.undo(attached)
    stage.undo(written)
    assert held() == ([], [])


def test_an_eleventh_managed_policy_is_refused(user: Entity) -> None:
    for number in range(10):
        factories.edge(EdgeKind.ATTACHED, user, factories.policy(user.account, f"P{number}"))
    one_more = Attachment.of(ATTACH_POLICY, user, policy=factories.policy(user.account, "P10"))
    assert "has 10 managed policies, and AWS allows 10 per user" in why_not(one_more)


def test_a_set_does_not_go_beyond_a_quota_bit_by_bit(user: Entity) -> None:
    for number in range(9):
        factories.edge(EdgeKind.ATTACHED, user, factories.policy(user.account, f"P{number}"))
    tenth, eleventh = (
        Attachment.of(ATTACH_POLICY, user, policy=factories.policy(user.account, name)) for name in "AB"
    )
    makes_room = Attachment.of(DETACH_POLICY, user, policy=Entity.objects.get(name="P0"))
    examine(eleventh, earlier=[makes_room, tenth])
    assert "has 10 managed policies" in why_not(eleventh, earlier=[tenth])

    half = allowing("s3:" + "x" * 1000)
    first, second = (PutInlinePolicy.of(user, name=name, text=half) for name in "ab")
    examine(second, earlier=[first, DeleteInlinePolicy.of(user, policy_name="a")])
    assert "and AWS allows 2,048 per user" in why_not(second, earlier=[first])


@pytest.mark.parametrize(
    ("make", "limit"), [(factories.user, 2048), (factories.group, 5120), (factories.role, 10_240)]
)
def test_all_inline_policies_of_somebody_share_a_size_without_white_space(
    account: Account, make: Callable[..., Entity], limit: int
) -> None:
    holder, text = make(account, "somebody"), allowing("s3:GetObject")
    room = limit - len("".join(text.split()))
    fits = allowing("s3:" + "x" * (room - len("".join(allowing("s3:").split()))))
    factories.inline(holder, "has", body=text)

    assert examine(PutInlinePolicy.of(holder, name="fits", text=fits)).receipt.body["quota"] == {
        "what": "Inline policy characters afterwards", "used": limit - room, "after": limit, "limit": limit,
    }  # fmt: skip
    too_long = PutInlinePolicy.of(holder, name="fits", text=fits.replace("xxx", "xxxx", 1))
    assert f"{limit + 1:,} characters without whitespace, and AWS allows {limit:,}" in why_not(too_long)


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("deploy", "{", "isn’t a JSON object"),
        ("deploy", "[]", "isn’t a JSON object"),
        ("de ploy", READS, "PolicyName"),
        ("d" * 129, READS, "PolicyName"),
        ("deploy", READS.replace("s3:", "s3:é\u0416"), "PolicyDocument"),
    ],
)
def test_what_aws_would_not_take_is_refused(user: Entity, name: str, text: str, why: str) -> None:
    assert why in why_not(PutInlinePolicy.of(user, name=name, text=text))


def test_what_stands_already_or_is_not_there_is_refused(user: Entity) -> None:
    policy = factories.policy(user.account, "Deploy")
    assert (
        why_not(Attachment.of(DETACH_POLICY, user, policy=policy))
        == "Deploy isn’t attached to kwame.boateng."
    )
    assert (
        why_not(DeleteInlinePolicy.of(user, policy_name="x")) == "kwame.boateng has no inline policy named x."
    )
    factories.edge(EdgeKind.ATTACHED, user, policy)
    assert "is already attached to kwame.boateng" in why_not(
        Attachment.of(ATTACH_POLICY, user, policy=policy)
    )


def test_what_only_aws_may_change_is_left_alone(account: Account) -> None:
    linked = factories.role(account, "AWSServiceRoleForEC2", path="/aws-service-role/ec2.amazonaws.com/")
    assert "service-linked role" in why_not(PutInlinePolicy.of(linked, name="x", text=READS))
    managed = factories.policy(account, "ReadOnlyAccess", arn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    assert "so only AWS can delete it" in why_not(DeletePolicy.of(managed))
    of_a_service = "arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy"
    assert "only to a service-linked role" in why_not(
        Attachment.by_arn(ATTACH_POLICY, factories.user(account), arn=of_a_service)
    )


def test_what_nobody_has_read_the_tags_of_says_so_before_it_goes(stage: Stage) -> None:
    policy = stage.policy(Tags=[{"Key": "team", "Value": "web"}])
    TagSet.objects.filter(entity=policy).delete()
    operation = DeletePolicy.of(policy)
    assert operation.effect().notes == ("Its tags aren’t synced yet, so undoing can’t restore them.",)
    stage.carry_out(operation)


def test_a_policy_of_aws_that_is_none_is_not_attached(stage: Stage) -> None:
    user = stage.user()
    (change,) = stage.queue(Attachment.by_arn(ATTACH_POLICY, user, arn="arn:aws:iam::aws:policy/Unheard"))
    ran(change)
    assert (change.state, change.error_kind) == ("failed", "drift")
    assert "Policy Unheard does not exist in AWS. Nothing was changed in AWS." in change.error_message


@pytest.mark.parametrize(
    ("text", "sensitivity"), [(READS, "normal"), (ANYTHING, "high"), (IAM_WRITES, "high"), (DENIES, "normal")]
)
def test_giving_everything_or_iam_takes_more_care(user: Entity, text: str, sensitivity: str) -> None:
    policy = factories.policy(user.account, "Given", body=text)
    for operation in (
        Attachment.of(ATTACH_POLICY, user, policy=policy),
        PutInlinePolicy.of(user, name="given", text=text),
        CreatePolicy.of(user.account, name="New", text=text),
    ):
        assert receipt_of(operation).body["sensitivity"] == sensitivity, operation.title


def test_taking_a_deny_away_takes_more_care(user: Entity) -> None:
    policy = factories.policy(user.account, "Guard", body=DENIES)
    factories.edge(EdgeKind.ATTACHED, user, policy)
    factories.inline(user, "guard", body=DENIES)
    for operation in (
        Attachment.of(DETACH_POLICY, user, policy=policy),
        DeleteInlinePolicy.of(user, policy_name="guard"),
        PutInlinePolicy.of(user, name="guard", text=READS),
    ):
        assert receipt_of(operation).body["sensitivity"] == "high", operation.title


def test_a_policy_of_aws_that_nobody_has_is_not_known_and_takes_more_care(user: Entity) -> None:
    body = receipt_of(Attachment.by_arn(ATTACH_POLICY, user, arn="arn:aws:iam::aws:policy/Unheard")).body
    assert body["sensitivity"] == "high"
    impact = impact_of([Attachment.by_arn(ATTACH_POLICY, user, arn="arn:aws:iam::aws:policy/Unheard")])
    assert impact.undecided == ("Unheard isn’t synced yet, so its effect isn’t included.",)


def test_what_is_held_by_another_way_is_kept(user: Entity) -> None:
    policy, group = factories.policy(user.account, "Deploy"), factories.group(user.account, "deployers")
    factories.edge(EdgeKind.MEMBER, user, group)
    for holder in (user, group):
        factories.edge(EdgeKind.ATTACHED, holder, policy)
    effect = Attachment.of(DETACH_POLICY, user, policy=policy).effect()
    assert (effect.loses, [policy.ways for policy in effect.keeps]) == ((), [("through deployers",)])
    of_group = Attachment.of(DETACH_POLICY, group, policy=policy).effect()
    assert [policy.name for policy in of_group.loses] == ["Deploy"]
    assert of_group.notes == ("deployers has 1 user, who get the group’s policies.",)


def test_one_change_of_a_pair_is_open_at_a_time(stage: Stage) -> None:
    user, policy = stage.user(), stage.policy()
    (first,) = stage.ask(Attachment.of(ATTACH_POLICY, user, policy=policy))
    with pytest.raises(RefusedError, match="already requests this") as refused:
        stage.ask(Attachment.of(ATTACH_POLICY, user, policy=policy))
    assert refused.value.change == first
    stage.ask(PutInlinePolicy.of(user, name="x", text=READS))
    assert not InlinePolicy.objects.filter(owner=user).exists()
