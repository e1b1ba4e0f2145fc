"""Effective actions agree with the engine: what is said to be allowed everywhere is, what is not said to be
allowed is not.
"""

from __future__ import annotations

import json
import random
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from iam.policy.applicability import can_apply
from iam.policy.catalogue import catalogue
from iam.policy.catalogue.source import resource_arns
from iam.policy.evaluate import FREE, EvaluationDecision
from iam.policy.index import reach
from iam.policy.index.documents import SharedDocuments
from iam.policy.index.effective import AllowedActionSets, EffectiveActions
from iam.policy.index.question import WITH_ROOT, AccessQuestion
from iam.policy.index.reach import reach_of
from iam.policy.index.rows import AccountRows, OrganizationStanding, PolicyHoldings, PolicyRow, PrincipalRow
from tests.iam.policy.index import longhand
from tests.iam.policy.index import organisations as made
from tests.iam.policy.index.organisations import Organisation

ACTIONS = ("s3:GetObject", "s3:PutObject", "iam:PassRole", "s3:ListAllMyBuckets", "ec2:DescribeInstances")
ACCOUNT = "111111111111"


def asked(effective: EffectiveActions, allowed: AllowedActionSets, action: str) -> str:
    """The set that an action is in."""
    place = effective.space.actions.index_of(action)
    assert place is not None
    return next((name for name in AllowedActionSets._fields if getattr(allowed, name) >> place & 1), "none")


def places(action: str) -> tuple[str, ...]:
    if action in ("s3:ListAllMyBuckets", "ec2:DescribeInstances"):
        return ("*",)
    if action == "iam:PassRole":
        return tuple(f"arn:aws:iam::{number}:role/app/home" for number in made.ACCOUNTS)
    return ("arn:aws:s3:::prod/home/maya/x", "arn:aws:s3:::prod-data/red", "arn:aws:s3:::other/x")


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32))
def test_effective_actions_agree_with_the_engine(seed: int) -> None:
    organisation = made.organisation(random.Random(seed))
    index = organisation.index()
    effective = EffectiveActions(index.documents.space, index.accounts)
    sets = {member.id: effective.for_member(member) for member in index.members}
    accounts = {member.id: member.account for member in index.members}
    for action in ACTIONS:
        for resource in places(action):
            question = AccessQuestion(action, resource, kinds=WITH_ROOT, is_pattern=False)
            for number, decision in longhand.who_can(organisation, question).items():
                if ":role/" in resource and accounts[number] not in resource:
                    continue
                where = asked(effective, sets[number], action)
                if where == "everywhere":
                    assert decision is EvaluationDecision.ALLOWED, (action, resource, number)
                if where == "none":
                    assert decision not in (EvaluationDecision.ALLOWED, EvaluationDecision.CONDITIONAL), (
                        action,
                        resource,
                        number,
                    )


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32))
@example(100989)
def test_principals_who_are_told_together_can_do_the_same(seed: int) -> None:
    index = made.organisation(random.Random(seed)).index()
    effective = EffectiveActions(index.documents.space, index.accounts)
    for members, row in effective.by_class(index.classes):
        for member in members:
            assert EffectiveActions(index.documents.space, index.accounts).for_member(member) == row


def one(
    *statements: dict[str, object],
    boundary: list[dict[str, object]] | None = None,
    scp: list[dict[str, object]] | None = None,
) -> tuple[EffectiveActions, AllowedActionSets]:
    """A user who holds the statements, within a boundary, under one level of SCPs."""
    organisation = Organisation()

    def text(body: object) -> str:
        return organisation.digest(json.dumps({"Version": "2012-10-17", "Statement": body}))

    policies = [PolicyRow(2, "boundary", text(boundary))] if boundary else []
    grants = PolicyHoldings((("own", text(list(statements))),), boundary=2 if boundary else None)
    standing = (
        OrganizationStanding("o-one", scps=((PolicyRow(3, "scp", text(scp)),),))
        if scp
        else OrganizationStanding()
    )
    people = [PrincipalRow(1, f"arn:aws:iam::{ACCOUNT}:user/maya", "AIDA1", grants)]
    organisation.accounts.append(AccountRows(people, (), policies, (), ACCOUNT, "aws", standing))
    index = organisation.index()
    effective = EffectiveActions(index.documents.space, index.accounts)
    member = index.member(ACCOUNT, 1)
    assert member is not None
    return effective, effective.for_member(member)


def say(effect: str, action: object, resource: object = "*", **more: object) -> dict[str, object]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


PROD, TEST = "arn:aws:s3:::prod-*", "arn:aws:s3:::test-*"
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


@pytest.mark.parametrize(
    ("statements", "bounds", "expected"),
    [
        ([say("Allow", "s3:*")], {}, "everywhere"),
        ([say("Allow", "s3:*", PROD)], {}, "limited"),
        ([say("Allow", "s3:*", Condition=MFA)], {}, "conditional"),
        ([say("Allow", "s3:*", Condition=MFA), say("Allow", "s3:*", PROD)], {}, "limited"),
        ([say("Allow", "s3:*"), say("Deny", "s3:Get*")], {}, "none"),
        ([say("Allow", "s3:*"), say("Deny", "s3:Get*", PROD)], {}, "limited"),
        ([say("Allow", "s3:*"), say("Deny", "s3:Get*", Condition=MFA)], {}, "conditional"),
        ([say("Allow", "s3:*", "arn:aws:s3:::prod-data/*"), say("Deny", "*", PROD)], {}, "none"),
        ([say("Allow", "s3:*", PROD), say("Deny", "*", "arn:aws:s3:::prod-data/*")], {}, "limited"),
        ([say("Allow", "s3:*", PROD)], {"boundary": [say("Allow", "*", TEST)]}, "none"),
        ([say("Allow", "s3:*", PROD)], {"boundary": [say("Allow", "*", "arn:aws:s3:::*data*")]}, "limited"),
        ([say("Allow", "s3:*")], {"boundary": [say("Allow", "ec2:*")]}, "none"),
        ([say("Allow", "s3:*")], {"boundary": [say("Allow", "*", PROD)]}, "limited"),
        (
            [say("Allow", "s3:*")],
            {"scp": [say("Allow", "*"), say("Deny", "s3:*", Condition=MFA)]},
            "conditional",
        ),
        ([say("Allow", "s3:*", PROD)], {"scp": [say("Allow", "*"), say("Deny", "*", PROD)]}, "none"),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], {}, "everywhere"),
        ([{"Effect": "Allow", "Action": "s3:*", "NotResource": PROD}], {}, "limited"),
        (
            [{"Effect": "Allow", "Action": "s3:*", "NotResource": PROD}, say("Deny", "*", "arn:aws:s3:::*")],
            {},
            "limited",
        ),
        ([say("Allow", "s3:*"), {"Effect": "Deny", "Action": "*", "NotResource": PROD}], {}, "limited"),
        ([say("Allow", "s3:*", TEST), {"Effect": "Deny", "Action": "*", "NotResource": PROD}], {}, "none"),
    ],
)
def test_where_an_object_can_be_read(
    statements: list[dict[str, object]], bounds: dict[str, list[dict[str, object]]], expected: str
) -> None:
    assert asked(*one(*statements, **bounds), "s3:GetObject") == expected


def test_a_statement_about_some_resources_gives_nothing_that_works_on_everything_only() -> None:
    assert asked(*one(say("Allow", "s3:*", PROD)), "s3:ListAllMyBuckets") == "none"
    excepted = {"Effect": "Allow", "Action": "s3:*", "NotResource": PROD}
    assert asked(*one(excepted), "s3:ListAllMyBuckets") == "everywhere"


def test_an_action_that_no_catalogue_knows_is_counted_too() -> None:
    effective, allowed = one(say("Allow", "made:Up"), say("Allow", "s3:GetObject"))
    assert asked(effective, allowed, "made:Up") == "everywhere"
    assert effective.space.actions.unknown == ("made:Up",)


def test_what_needs_no_permission_is_allowed_whatever_denies_it() -> None:
    effective, allowed = one(say("Deny", "*"))
    assert set(effective.space.actions.names(allowed.allowed_mask)) == {
        "sts:GetCallerIdentity",
        "sts:GetSessionToken",
    }
    assert len(FREE) == 2


def test_circumstances_decide_conditions() -> None:
    effective, _ = one(say("Allow", "s3:*", Condition=MFA))
    asking = EffectiveActions(
        effective.space, effective._shards, context={"aws:MultiFactorAuthPresent": "true"}
    )
    member = next(m for m in effective._shards[ACCOUNT].members.values() if m.name == "maya")
    assert asked(asking, asking.for_member(member), "s3:GetObject") == "everywhere"


ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
REACHED = [
    ("iam:*", PROD, ("iam:PassRole",), ()),
    ("iam:*", ROLE, (), ("iam:PassRole", "iam:GetRole")),
    ("iam:*", ROLE, ("iam:DeleteUser",), ()),
    ("*", PROD, ("iam:PassRole", "sqs:SendMessage", "ec2:StopInstances"), ("s3:GetObject",)),
    ("*", "arn:aws:*:::*", ("sqs:SendMessage",), ("s3:GetObject",)),
    (["s3:*", "iam:*"], [PROD, ROLE], ("iam:DeleteUser",), ("iam:PassRole", "s3:GetObject")),
    ("iam:*", "arn:aws:iam", (), ("iam:PassRole", "iam:DeleteUser")),
    ("s3:*", "arn:aws:s3:::${aws:username}/*", (), ("s3:GetObject",)),
    ("ssm:*", f"arn:aws:ec2:*:{ACCOUNT}:instance/*", (), ("ssm:StartSession",)),
]


@pytest.mark.parametrize(("action", "resource", "none", "names_some"), REACHED)
def test_what_cannot_work_on_the_resources_is_not_counted(
    action: object, resource: object, none: tuple[str, ...], names_some: tuple[str, ...]
) -> None:
    effective, allowed = one(say("Allow", action, resource), say("Allow", "made:Up", PROD))
    assert {name: asked(effective, allowed, name) for name in none} == dict.fromkeys(none, "none")
    assert {name: asked(effective, allowed, name) for name in names_some} == dict.fromkeys(
        names_some, "limited"
    )


def test_a_deny_of_what_it_cannot_work_on_takes_nothing() -> None:
    assert asked(*one(say("Allow", "iam:*"), say("Deny", "*", PROD)), "iam:PassRole") == "everywhere"


def test_the_reach_of_patterns_is_what_applies_action_by_action() -> None:
    known, dice = catalogue(), random.Random(5)
    types = [
        arn for service in ("s3", "iam", "ec2", "ssm", "lambda") for arn in resource_arns(service).values()
    ]
    for arn in dice.sample(types, 30):
        pattern = re.sub(r"\$\{[^}]*\}", lambda _: dice.choice(["*", "a", "a*"]), arn)
        pattern = pattern.replace("arn:a:", "arn:aws:").replace("arn:a*:", "arn:aws:")
        for service in ("s3", "iam", "ssm", "ec2"):
            clause = SharedDocuments().add(pattern, policy_of(f"{service}:*", pattern)).clauses[0]
            reached = reach_of(clause)
            for name in known.expand(f"{service}:*"):
                place = known.index_of(name)
                assert place is not None
                takes_some = not known.mask_without_resources >> place & 1
                assert bool(reached >> place & 1) is (takes_some and can_apply(name, [pattern])), (
                    name,
                    pattern,
                )


def policy_of(action: str, resource: str) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [say("Allow", action, resource)]})


WORDS = ["work-1-3", "a", "*", "x*", "*9", "key", "user", "log-group", "my-role"]


def test_a_pattern_reaches_what_its_shape_reaches() -> None:
    dice, prefixes = random.Random(7), ("s3", "iam", "ec2", "sqs", "lambda", "logs", "kms", "glue")
    for _ in range(1500):
        service = dice.choice(prefixes)
        arn = dice.choice(list(resource_arns(dice.choice(prefixes)).values()))
        pattern = re.sub(r"\$\{(Partition|Region|Account)\}", lambda _: dice.choice(["aws", "", "*"]), arn)
        pattern = re.sub(r"\$\{[^}]*\}", lambda _: dice.choice(WORDS), pattern)
        assert reach._reach(pattern, service) == reach._reach(reach._shape(pattern, service), service), (
            pattern
        )
    assert reach._shape("arn:aws:s3:::work-1000-3/*", "s3") == "arn:aws:s3:::x-x-x/*"
