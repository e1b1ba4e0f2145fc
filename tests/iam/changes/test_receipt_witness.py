"""Receipts claim nothing that no request shows: who is given what they have, or what their boundary denies,
gains nothing, and is told why.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from iam.changes.impact import ReceiptImpact, impact_of
from iam.changes.operations import (
    ATTACH_POLICY,
    DETACH_POLICY,
    REMOVE_FROM_GROUP,
    Attachment,
    CreatePolicyVersion,
    Membership,
    Operation,
    PutInlinePolicy,
)
from iam.changes.operations.principals import CreateUser
from iam.changes.receipts import set_receipt_of
from iam.changes.risks import LAST_ADMINISTRATOR
from iam.mirror.models import Account, EdgeKind, Entity
from tests import factories

pytestmark = pytest.mark.django_db
LEDGER = "arn:aws:s3:::pay-ledger"
QUEUE_ACTIONS = ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage"]


def says(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(actions: Any, resources: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


@pytest.fixture
def account(db: None) -> Account:
    return factories.account()


def held_by(user: Entity, name: str, body: dict[str, Any], *, kind: EdgeKind = EdgeKind.ATTACHED) -> Entity:
    policy = factories.policy(user.account, name, body=body)
    factories.edge(kind, user, policy)
    return policy


def lines(impact: ReceiptImpact) -> dict[str, int] | None:
    return impact.totals


def test_what_a_boundary_denies_is_no_line_and_the_boundary_is_named(account: Account) -> None:
    ruta = factories.user(account, "ruta.balode")
    held_by(ruta, "AdministratorAccess", says(allow("*")))
    held_by(ruta, "OnlyS3", says(allow("s3:*")), kind=EdgeKind.BOUNDARY)
    queues = factories.policy(account, "Queues", body=says(allow(QUEUE_ACTIONS)))

    impact = impact_of([Attachment.of(ATTACH_POLICY, ruta, policy=queues)])
    assert (impact.affected, lines(impact), impact.gains, impact.risk) == (0, {}, (), "normal")
    [unchanged] = impact.unchanged
    assert unchanged.names[0].name == "ruta.balode"
    [blocked] = unchanged.blocked
    assert (blocked.actions, blocked.of, blocked.by) == (3, 3, ("the permissions boundary OnlyS3",))


def test_what_somebody_has_already_is_no_line_and_the_policy_is_named(account: Account) -> None:
    kwame = factories.user(account, "kwame.boateng")
    group = factories.group(account, "ledger")
    factories.edge(EdgeKind.MEMBER, kwame, group)
    reads = ["s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectVersion"]
    factories.edge(
        EdgeKind.ATTACHED,
        group,
        factories.policy(account, "LedgerRead", body=says(allow(reads, f"{LEDGER}/*"))),
    )
    entity = factories.policy(
        account, "Given", body=says(allow([*reads[:2], "s3:PutObject"], f"{LEDGER}/2026/*"))
    )

    impact = impact_of([Attachment.of(ATTACH_POLICY, kwame, policy=entity)])
    assert lines(impact) == {"gained": 1}
    [gain] = impact.gains
    assert [action_shift.action for action_shift in gain.actions] == ["s3:PutObject"]
    [witness] = gain.actions[0].witnesses
    assert (witness.resource, witness.before, witness.after) == (f"{LEDGER}/2026/x", "denied", "allowed")
    [already] = gain.already
    assert (already.actions, already.of, already.through) == (2, 3, ("LedgerRead of group ledger",))


def test_a_version_with_one_more_action_is_one_line(account: Account) -> None:
    """The statement is another one; nine of its ten actions mean what they meant."""
    reads = [
        "s3:GetObject",
        "s3:GetObjectAcl",
        "s3:GetObjectTagging",
        "s3:GetObjectVersion",
        "s3:GetObjectAttributes",
        "s3:GetObjectRetention",
        "s3:GetObjectLegalHold",
        "s3:GetObjectTorrent",
        "s3:GetObjectVersionAcl",
    ]
    user = factories.user(account, "tomas.lind")
    policy = held_by(user, "Template", says(allow(reads, f"{LEDGER}/*")))
    text = json.dumps(says(allow([*reads, "s3:PutObject"], f"{LEDGER}/*")))

    impact = impact_of([CreatePolicyVersion.of(policy, text=text)])
    assert (impact.affected, lines(impact)) == (1, {"gained": 1})


def test_an_action_on_what_it_never_works_on_is_no_line(account: Account) -> None:
    user = factories.user(account, "tomas.lind")
    entity = factories.policy(
        account, "Given", body=says(allow(["s3:ListBucket", "iam:TagRole"], f"{LEDGER}/*"))
    )
    impact = impact_of([Attachment.of(ATTACH_POLICY, user, policy=entity)])
    assert (impact.affected, lines(impact)) == (0, {})


def test_a_permission_that_has_ended_is_none(account: Account) -> None:
    past = {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}
    user = factories.user(account, "tomas.lind")
    policy = held_by(user, "Ended", says(allow("s3:*", Condition=past)))
    assert impact_of([Attachment.of(DETACH_POLICY, user, policy=policy)]).affected == 0


def test_a_condition_is_told_with_the_line(account: Account) -> None:
    mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    user = factories.user(account, "tomas.lind")
    entity = factories.policy(
        account, "Given", body=says(allow("s3:PutObject", f"{LEDGER}/*", Condition=mfa))
    )
    [gain] = impact_of([Attachment.of(ATTACH_POLICY, user, policy=entity)]).gains
    [witness] = gain.actions[0].witnesses
    assert witness.context == (("aws:MultiFactorAuthPresent", ("true",)),)


def test_what_is_removed_and_kept_another_way_is_no_line(account: Account) -> None:
    user = factories.user(account, "tomas.lind")
    group = factories.group(account, "readers")
    factories.edge(EdgeKind.MEMBER, user, group)
    factories.edge(
        EdgeKind.ATTACHED,
        group,
        factories.policy(account, "Wide", body=says(allow("s3:Get*", f"{LEDGER}/*"))),
    )
    held_by(user, "LedgerRead", says(allow("s3:*", f"{LEDGER}*")))

    impact = impact_of([Membership.of(REMOVE_FROM_GROUP, user, group=group)])
    assert (impact.affected, impact.risk) == (0, "normal")
    [unchanged] = impact.unchanged
    [keeps] = unchanged.keeps
    assert keeps.through == ("LedgerRead",)
    assert keeps.actions == keeps.of > 3


def test_removing_access_is_normal_and_the_last_administrator_is_sensitive(account: Account) -> None:
    admin, other = factories.user(account, "ines.duarte"), factories.user(account, "hana.sato")
    everything = held_by(admin, "Everything", says(allow("*")))
    factories.edge(EdgeKind.ATTACHED, other, everything)
    assert impact_of([Attachment.of(DETACH_POLICY, admin, policy=everything)]).risk == "normal"

    both = [Attachment.of(DETACH_POLICY, entity, policy=everything) for entity in (admin, other)]
    impact = impact_of(both)
    assert (impact.risks, impact.risk) == (("last-administrator",), "sensitive")


def test_what_changes_permissions_is_named_first_of_what_is_lost(account: Account) -> None:
    user = factories.user(account, "ines.duarte")
    everything = held_by(user, "Everything", says(allow("*")))

    [gain] = impact_of([Attachment.of(DETACH_POLICY, user, policy=everything)]).gains
    services = [action_shift.action.partition(":")[0] for action_shift in gain.actions]
    assert services[:4] == ["iam"] * 4
    assert {action_shift.sort for action_shift in gain.actions} == {"lost"}


def test_a_receipt_is_the_same_each_time(account: Account) -> None:
    """What people agree to is compared by its digest."""
    user = factories.user(account, "tomas.lind")
    entity = factories.policy(
        account,
        "Given",
        body=says(allow(["s3:*", "sqs:*"], [f"{LEDGER}/*", f"{LEDGER}", "arn:aws:sqs:*:*:jobs"])),
    )
    operation = Attachment.of(ATTACH_POLICY, user, policy=entity)
    digests = {set_receipt_of([operation])["digest"] for _ in range(3)}
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("passed", "is_way_up"),
    [(f"{LEDGER}/*", False), ("arn:aws:iam::*:role/app", True), ("*", True)],
)
def test_a_way_up_needs_actions_that_work_on_their_resources(
    account: Account, passed: str, is_way_up: bool
) -> None:
    """iam:PassRole on the ARN of a bucket passes no role, so that a Lambda function raises nobody."""
    user = factories.user(account, "tomas.lind")
    held_by(user, "Passes", says(allow("iam:PassRole", passed)))
    functions = allow(["lambda:CreateFunction", "lambda:InvokeFunction"])

    impact = impact_of(
        [Attachment.of(ATTACH_POLICY, user, policy=factories.policy(account, "Fn", body=says(functions)))]
    )
    assert impact.affected == 1
    assert ("escalation" in impact.risks) is is_way_up
    [gain] = impact.gains
    assert bool(gain.ways_up) is is_way_up


@pytest.mark.parametrize("actions", ["iam:*", "iam:PassRole", "kms:PutKeyPolicy", "lambda:AddPermission"])
def test_actions_that_work_on_no_resource_of_the_statement_are_no_risk(
    account: Account, actions: str
) -> None:
    user = factories.user(account, "tomas.lind")
    entity = factories.policy(account, "Given", body=says(allow([actions, "s3:GetObject"], f"{LEDGER}/*")))

    operation = Attachment.of(ATTACH_POLICY, user, policy=entity)
    impact = impact_of([operation])
    assert (lines(impact), impact.risks, impact.risk) == ({"gained": 1}, (), "normal")
    assert operation.sensitivity(operation.effect()) == "normal"


def test_who_is_made_in_two_accounts_has_requests_of_each(account: Account) -> None:
    """The users are planned only, and no line of one account is proved by the user of another."""
    other = factories.account("222222222222", name="staging")
    operations: list[Operation] = []
    # An own name in the resource: then everybody has requests of their own.
    own = "arn:aws:s3:::homes/${aws:username}/*"
    for place, actions in ((account, ["s3:GetObject", "sqs:*"]), (other, "lambda:GetFunction")):
        factories.user(place, "somebody")
        user = CreateUser.of(place, name="zoe.adler")
        holder = {"holder_kind": "user", "holder_name": "zoe.adler", "holder_id": ""}
        holder["holder_arn"] = user.created_arns()[0]
        text = json.dumps(says(allow(actions, own), allow(actions)))
        operations += [user, PutInlinePolicy.given_as(place, name="given", text=text, **holder)]
    impact = impact_of(operations)
    assert {gain.account_id for gain in impact.gains} == {account.account_id, other.account_id}
    for gain in impact.gains:
        for row in gain.rows:
            [witness] = row.witnesses["gained"]
            assert f"::{gain.account_id}:user/" in witness.principal


def test_an_administrator_who_is_made_elsewhere_is_none_of_the_account(account: Account) -> None:
    last = factories.user(account, "last.admin")
    everything = held_by(last, "Everything", says(allow("*")))
    other = factories.account("222222222222", name="staging")
    factories.user(other, "somebody")
    made = CreateUser.of(other, name="new.admin")
    holder = {"holder_kind": "user", "holder_name": "new.admin", "holder_id": ""}
    holder["holder_arn"] = made.created_arns()[0]
    put = PutInlinePolicy.given_as(other, name="all", text=json.dumps(says(allow("*"))), **holder)
    detach = Attachment.of(DETACH_POLICY, last, policy=everything)
    assert LAST_ADMINISTRATOR in impact_of([detach]).risks
    assert LAST_ADMINISTRATOR in impact_of([detach, made, put]).risks
