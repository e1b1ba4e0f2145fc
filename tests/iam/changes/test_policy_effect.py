"""Who is affected by another text of a policy: the receipt of it, on small organisations that are counted by
hand.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from iam.changes.access_effects import PolicyAccess
from iam.changes.affected_principals import access_of
from iam.changes.operations.policy_version import CreatePolicyVersion
from iam.changes.receipts import receipt_of
from iam.mirror.models import Account, EdgeKind, Entity, PolicyVersion
from tests import factories

pytestmark = pytest.mark.django_db


def body(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def say(effect: str, action: str | list[str], resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


OLD = body(say("Allow", ["s3:GetObject", "sqs:SendMessage"]))


@pytest.fixture
def account() -> Account:
    return factories.account()


@pytest.fixture
def policy(account: Account) -> Entity:
    """Held by three people through deployers, of whom one has it directly too, and by a role."""
    made = factories.policy(account, "PaymentsDeploy", body=OLD)
    group = factories.group(account, "deployers")
    factories.edge(EdgeKind.ATTACHED, group, made)
    for name in ("ada", "ben", "eva"):
        factories.edge(EdgeKind.MEMBER, factories.user(account, name), group)
    factories.edge(EdgeKind.ATTACHED, Entity.objects.get(name="eva"), made)
    factories.edge(EdgeKind.ATTACHED, factories.role(account, "pay-deploy"), made)
    factories.user(account, "nobody")
    return made


def effect(policy: Entity, *statements: dict[str, Any]) -> PolicyAccess:
    """The effect of a new text."""
    return access_of(policy, old=json.dumps(OLD), text=json.dumps(body(*statements)))


def rows(access: PolicyAccess) -> dict[tuple[tuple[str, ...], bool], list[tuple[str, str, int]]]:
    """(groups, directly) → (what becomes of it, action, people)."""
    return {
        (way.through, way.is_direct): [(r.sort, r.action, r.people) for r in way.shifts]
        for way in access.ways
    }


def test_who_gains_and_loses_is_told_by_the_way_in_which_they_hold_the_policy(policy: Entity) -> None:
    access = effect(policy, say("Allow", ["s3:GetObject", "lambda:UpdateAlias"]))

    shifts = [("gained", "lambda:UpdateAlias"), ("lost", "sqs:SendMessage")]
    assert rows(access) == {
        (("deployers",), False): [(*shift, 2) for shift in shifts],
        (("deployers",), True): [(*shift, 1) for shift in shifts],
        ((), True): [(*shift, 1) for shift in shifts],
    }
    assert (access.holders, access.affected, access.counts) == (4, 4, {"gained": 1, "lost": 1})
    assert [(way.users, way.roles) for way in access.ways] == [(2, 0), (0, 1), (1, 0)]
    assert [name.name for name in access.ways[0].names] == ["ada", "ben"]
    assert (access.risky, access.marks, access.undecided) == (0, (), ())


def test_who_has_an_action_anyway_does_not_gain_it(policy: Entity) -> None:
    factories.inline(Entity.objects.get(name="ben"), body=body(say("Allow", "lambda:*")))
    access = effect(policy, *OLD["Statement"], say("Allow", "lambda:UpdateAlias"))

    assert rows(access)[("deployers",), False] == [("gained", "lambda:UpdateAlias", 1)]
    assert (access.holders, access.affected) == (4, 3)


def test_a_boundary_and_a_deny_that_bound_somebody_are_weighed(policy: Entity, account: Account) -> None:
    bound = factories.policy(account, "OnlyStorage", body=body(say("Allow", ["s3:*", "sqs:*"])))
    factories.edge(EdgeKind.BOUNDARY, Entity.objects.get(name="ada"), bound)
    factories.inline(Entity.objects.get(name="ben"), body=body(say("Deny", "lambda:*")))
    access = effect(policy, *OLD["Statement"], say("Allow", "lambda:UpdateAlias"))

    assert ("deployers",) not in [way.through for way in access.ways if not way.is_direct]
    assert access.affected == 2


def test_more_and_fewer_resources_and_conditions_are_told_apart(policy: Entity) -> None:
    mfa = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
    access = effect(
        policy,
        say("Allow", "s3:GetObject", "arn:aws:s3:::pay-*/*"),
        say("Allow", "sqs:SendMessage", **mfa),
    )

    assert rows(access)[(), True] == [
        ("conditional", "sqs:SendMessage", 1),
        ("narrower", "s3:GetObject", 1),
    ]
    back = access_of(
        policy,
        old="",
        text=json.dumps(OLD),
    )
    assert back.ways == ()


def test_other_resources_than_before_are_said_to_be_other(account: Account) -> None:
    policy = factories.policy(account, body=body(say("Allow", "s3:GetObject", "arn:aws:s3:::a/*")))
    factories.edge(EdgeKind.ATTACHED, factories.role(account), policy)
    old = json.dumps(body(say("Allow", "s3:GetObject", "arn:aws:s3:::a/*")))
    access = access_of(
        policy, old=old, text=json.dumps(body(say("Allow", "s3:GetObject", "arn:aws:s3:::b/*")))
    )

    (way,) = access.ways
    (row,) = way.shifts
    assert (row.action, row.sort, row.people, row.on) == ("s3:GetObject", "altered", 1, ("arn:aws:s3:::b/*",))
    assert [(witness.resource, witness.before, witness.after) for witness in row.witnesses] == [
        ("arn:aws:s3:::b/x", "denied", "allowed"),
        ("arn:aws:s3:::a/x", "allowed", "denied"),
    ]


def test_what_stands_beside_a_new_action_in_its_statement_is_not_said_to_be_altered(account: Account) -> None:
    def text(*actions: str) -> dict[str, Any]:
        return body(say("Allow", list(actions), "arn:aws:lambda:*:*:function:pay-*"))

    policy = factories.policy(account, body=text("lambda:Get*", "lambda:InvokeFunction"))
    factories.edge(EdgeKind.ATTACHED, factories.role(account), policy)
    old = json.dumps(text("lambda:Get*", "lambda:InvokeFunction"))
    access = access_of(policy, old=old, text=json.dumps(text("lambda:Get*", "lambda:UpdateAlias")))

    assert access.counts == {"gained": 1, "lost": 1}
    same = access_of(policy, old=old, text=json.dumps(text("lambda:InvokeFunction", "lambda:Get*")))
    assert (same.affected, same.ways) == (0, ())


def test_what_passes_roles_or_changes_permissions_is_marked_and_comes_first(policy: Entity) -> None:
    access = effect(
        policy,
        *OLD["Statement"],
        say("Allow", ["ec2:*"]),
        say("Allow", "iam:PassRole", ["arn:aws:iam::111111111111:role/pay-*"]),
    )

    first = access.ways[0].shifts[0]
    assert first.is_risky
    passed = next(row for row in access.ways[0].shifts if row.action == "iam:PassRole")
    assert (passed.is_risky, passed.on) == (True, ("arn:aws:iam::111111111111:role/pay-*",))
    assert access.ways[0].more + len(access.ways[0].shifts) == access.counts["gained"]
    assert access.risky >= 1
    assert access.marks == ("iam",)


def test_what_changes_permissions_comes_first_of_what_is_lost(account: Account) -> None:
    wide = body(say("Allow", ["account:*", "iam:CreateUser", "s3:PutBucketPolicy", "sqs:*"]))
    policy = factories.policy(account, "Operator", body=wide)
    factories.edge(EdgeKind.ATTACHED, factories.user(account, "ada"), policy)
    access = access_of(policy, old=json.dumps(wide), text=json.dumps(OLD))

    lost = [row.action for row in access.ways[0].shifts if row.sort == "lost"]
    assert lost[:2] == ["iam:CreateUser", "s3:PutBucketPolicy"]
    assert access.ways[0].more + len(lost) == access.counts["lost"]


@pytest.mark.parametrize(
    ("statements", "sensitivity"),
    [
        ([say("Allow", "lambda:UpdateAlias")], "normal"),
        ([say("Allow", "iam:PassRole")], "high"),
        ([say("Allow", "*")], "high"),
        ([say("Allow", "s3:PutBucketPolicy")], "high"),
    ],
)
def test_how_much_care_it_takes_follows_from_what_is_gained(
    policy: Entity, statements: list[dict[str, Any]], sensitivity: str
) -> None:
    operation = CreatePolicyVersion.of(policy, text=json.dumps(body(*statements)))
    assert receipt_of(operation).body["sensitivity"] == sensitivity


def test_passing_other_roles_than_before_takes_care(account: Account) -> None:
    def passing(path: str) -> dict[str, Any]:
        return body(say("Allow", "iam:PassRole", f"arn:aws:iam::111111111111:role/{path}"))

    policy = factories.policy(account, body=passing("pay-*"))
    factories.edge(EdgeKind.ATTACHED, factories.role(account), policy)
    operation = CreatePolicyVersion.of(policy, text=json.dumps(passing("*")))

    receipt = receipt_of(operation).body
    assert receipt["effect"]["access"]["counts"] == {"wider": 1}
    assert receipt["sensitivity"] == "high"


def test_a_deny_that_goes_takes_care_even_where_nobody_has_the_policy(account: Account) -> None:
    policy = factories.policy(account, body=body(say("Allow", "s3:GetObject"), say("Deny", "s3:PutObject")))
    operation = CreatePolicyVersion.of(policy, text=json.dumps(body(say("Allow", "s3:GetObject"))))

    receipt = receipt_of(operation).body
    assert (receipt["sensitivity"], receipt["effect"]["access"]["marks"]) == ("high", ["denies"])
    assert receipt["effect"]["access"]["holders"] == 0


def test_a_boundary_that_becomes_narrower_takes_from_whom_it_bounds(account: Account) -> None:
    bound = factories.policy(account, "Bound", body=body(say("Allow", ["s3:*", "sqs:*"])))
    user = factories.user(account, "ada")
    factories.edge(EdgeKind.BOUNDARY, user, bound)
    factories.inline(user, body=OLD)
    access = access_of(bound, old="", text=json.dumps(body(say("Allow", "s3:*"))))

    (way,) = access.ways
    assert (way.is_boundary, way.is_direct, way.through) == (True, False, ())
    assert [(row.sort, row.action) for row in way.shifts] == [("lost", "sqs:SendMessage")]


def test_what_cannot_be_weighed_is_said(policy: Entity, account: Account) -> None:
    factories.inline(Entity.objects.get(name="ada"), body="{broken")  # type: ignore[arg-type]
    access = effect(
        policy,
        *OLD["Statement"],
        say("Allow", ["nosuch:Action", "s3:NoSuchThing"]),
        say("Allow", "s3:ListBucket", Condition={"StringIsh": {"aws:username": "x"}}),
    )

    join = " ".join(access.undecided)
    assert "nosuch:Action, s3:NoSuchThing" in join
    assert "1 of the principals that have it also have a policy that can’t be understood in full" in join


def test_names_that_nobody_knows_do_not_widen_what_everybody_is_asked_about(policy: Entity) -> None:
    from iam.mirror.snapshot import snapshot

    effect(policy, say("Allow", "s3:GetObject"))
    with snapshot() as index:
        before = len(index.documents.space.actions)
    access = effect(policy, say("Allow", ["s3:GetObj", "s3:GetObje"]), say("Deny", "x:Typing"))
    with snapshot() as index:
        assert len(index.documents.space.actions) == before
    assert access.counts == {"lost": 2}


def test_not_action_of_nothing_but_unknown_names_spares_nothing(policy: Entity) -> None:
    spared = {"Effect": "Allow", "NotAction": "nosuch:Thing", "Resource": "*"}
    everything = effect(policy, say("Allow", "*"))
    assert effect(policy, spared).counts == everything.counts


def test_a_receipt_is_short_however_many_are_affected(account: Account) -> None:
    policy = factories.policy(account, body=OLD)
    for number in range(12):
        group = factories.group(account, f"team-{number:02}")
        factories.edge(EdgeKind.ATTACHED, group, policy)
        for member in range(7 if number == 3 else 1):
            factories.edge(EdgeKind.MEMBER, factories.user(account, f"u-{number}-{member}"), group)
    operation = CreatePolicyVersion.of(policy, text=json.dumps(body(say("Allow", ["*"]))))

    receipt = receipt_of(operation).body
    access = receipt["effect"]["access"]
    assert (access["holders"], access["affected"]) == (18, 18)
    assert len(access["ways"]) == 8
    assert (access["more_ways"], access["more_people"]) == (4, 4)
    assert (access["more_users"], access["more_roles"]) == (4, 0)
    assert (access["holder_users"], access["holder_roles"]) == (18, 0)
    assert (access["ways"][0]["through"], access["ways"][0]["users"]) == (["team-03"], 7)
    assert all(len(way["shifts"]) == 10 and len(way["names"]) <= 5 for way in access["ways"])
    assert access["ways"][0]["more"] == access["counts"]["gained"] - 10
    assert len(json.dumps(receipt)) < 32_000
    assert access["marks"] == ["everything"]


def test_an_action_that_becomes_different_things_for_different_people_is_counted_once_as_unnamed(
    policy: Entity,
) -> None:
    factories.inline(
        Entity.objects.get(name="ada"),
        body=body(say("Allow", "ec2:*", "arn:aws:ec2:*:111111111111:instance/*")),
    )
    everything = effect(policy, *OLD["Statement"], say("Allow", "ec2:*"))

    way = everything.ways[0]
    assert {row.sort for row in way.shifts} == {"gained", "wider"}
    assert way.more + len({row.action for row in way.shifts}) == everything.counts["gained"]


def test_a_policy_whose_text_the_mirror_lacks_is_said(account: Account) -> None:
    policy = factories.policy(account)
    PolicyVersion.objects.all().delete()
    policy.pk = -1
    assert "has not been synced yet" in access_of(policy, old="", text="{}").undecided[0]
